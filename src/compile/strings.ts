/** Collects the names that tables refer to, each once. */
import { TableBuilder } from '../layout/builder.js';
import { STRING_BYTES, STRING_INDEX } from '../tables/strings.js';

export class Strings {
  readonly index = new TableBuilder(STRING_INDEX);
  readonly bytes = new TableBuilder(STRING_BYTES);
  readonly #ids = new Map<string, number>();

  constructor() {
    this.id('');
  }

  /** Number of `text`; the empty string is 0. */
  id(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const encoded = new TextEncoder().encode(text);
    const id = this.index.add({ offset: this.bytes.rows, length: encoded.length });
    for (const byte of encoded) this.bytes.add({ byte });
    this.#ids.set(text, id);
    return id;
  }
}
