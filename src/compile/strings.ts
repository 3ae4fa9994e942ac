/** Collects the names that tables refer to, each once. */
import { TableBuilder } from '../layout/builder.js';
import { STRING_BYTES, STRING_INDEX } from '../tables/strings.js';

export class Strings {
  readonly index = new TableBuilder(STRING_INDEX);
  readonly bytes = new TableBuilder(STRING_BYTES);
  readonly #encoder = new TextEncoder();
  readonly #ids = new Map<string, number>();

  constructor() {
    this.id('');
  }

  /** Number of `text`; the empty string is 0. */
  id(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const encoded = this.#encoder.encode(text);
    const offset = this.bytes.addZeros(encoded.length);
    this.bytes.column('byte').set(encoded, offset);
    const id = this.index.add({ offset, length: encoded.length });
    this.#ids.set(text, id);
    return id;
  }
}
