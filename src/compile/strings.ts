/** Collects the names that tables refer to, each once. */
import { TableBuilder } from '../layout/builder.js';
import { STRING_BYTES, STRING_INDEX } from '../tables/strings.js';

export class Strings {
  readonly index = new TableBuilder(STRING_INDEX);
  readonly #ids = new Map<string, number>();
  #bytes: Buffer = Buffer.alloc(1 << 16);
  #used = 0;

  constructor() {
    this.id('');
  }

  /** Number of `text`; the empty string is 0. */
  id(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    // A UTF-16 unit takes three octets at most.
    if (this.#used + text.length * 3 > this.#bytes.length) this.#grow(text.length * 3);
    const length = this.#bytes.write(text, this.#used);
    const id = this.index.add({ offset: this.#used, length });
    this.#used += length;
    this.#ids.set(text, id);
    return id;
  }

  /** The octets of all names so far. */
  get bytes(): TableBuilder<typeof STRING_BYTES.columns> {
    const table = new TableBuilder(STRING_BYTES);
    table.addZeros(this.#used);
    table.column('byte').set(this.#bytes.subarray(0, this.#used));
    return table;
  }

  #grow(room: number): void {
    const longer = Buffer.alloc(Math.max(this.#bytes.length * 2, this.#used + room));
    this.#bytes.copy(longer);
    this.#bytes = longer;
  }
}
