/** Remembers the last N keys of four words each: a ring of rows behind a hash, so that memory never grows.
 *
 *  rows     k0 k1 k2 k3 | before | 0 0 0, i32[8 n]: a row is half a cache line, which one look fetches
 *  buckets  number of the newest row added to it, i32[power of two >= 2 n]; 0 is empty
 *  Rows are numbered as they are added, modulo 2^32; the number says where a row lies, and whether it has been overwritten
 *  since, without a look at it: most keys that are asked for are not there, and cost one cache line.
 *  before: the number that its bucket held until then. Adding overwrites the oldest row; a chain is followed only while its
 *  rows get older and have not been overwritten, so nothing is ever unlinked.
 *  Values are columns of the caller's, addressed by row. */
import { tupleHash } from '../kernels/tuple-hash.js';
import type { StateBuffer } from '../layout/state-buffer.js';

export const MISS = -1;

const ROW = { BEFORE: 4, WORDS: 8 } as const;

export class RecentTable {
  readonly capacity: number;
  readonly #rows: Int32Array;
  readonly #newest: Int32Array;
  readonly #mask: number;
  /** Row that is added next. */
  #next = 0;
  /** Number of the row added last. The first is capacity + 1, so that an empty bucket's is too old from the beginning. */
  #last: number;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#last = capacity;
    let buckets = 16;
    while (buckets < capacity * 2) buckets *= 2;
    this.#rows = new Int32Array(capacity * ROW.WORDS);
    this.#newest = new Int32Array(buckets);
    this.#mask = buckets - 1;
  }

  /** Rows in use, from the first on. */
  get used(): number {
    return Math.min(this.#last - this.capacity, this.capacity);
  }

  /** Remember a key in the oldest row; returns that row. An older row of the same key is hidden behind it. */
  add(k0: number, k1: number, k2: number, k3: number): number {
    const row = this.#next;
    this.#next = row + 1 === this.capacity ? 0 : row + 1;
    const bucket = tupleHash(0, k0, k1, k2, k3) & this.#mask;
    const rows = this.#rows;
    const at = row * ROW.WORDS;
    rows[at] = k0;
    rows[at + 1] = k1;
    rows[at + 2] = k2;
    rows[at + 3] = k3;
    rows[at + ROW.BEFORE] = this.#newest[bucket]!;
    this.#newest[bucket] = ++this.#last;
    return row;
  }

  /** Newest row with this key, or MISS. Words are compared as i32. */
  find(k0: number, k1: number, k2: number, k3: number): number {
    const rows = this.#rows;
    const { capacity } = this;
    const last = this.#last | 0;
    let age = (last - this.#newest[tupleHash(0, k0, k1, k2, k3) & this.#mask]!) >>> 0;
    while (age < capacity) {
      let row = this.#next - 1 - age;
      if (row < 0) row += capacity;
      const at = row * ROW.WORDS;
      if (
        rows[at] === (k0 | 0) &&
        rows[at + 1] === (k1 | 0) &&
        rows[at + 2] === (k2 | 0) &&
        rows[at + 3] === (k3 | 0)
      )
        return row;
      const older = (last - rows[at + ROW.BEFORE]!) >>> 0;
      // Numbers come again after 2^32 rows.
      if (older <= age) return MISS;
      age = older;
    }
    return MISS;
  }

  /** Will the row be overwritten within the next capacity/2 additions? Who still needs it adds it again. */
  isAged(row: number): boolean {
    const age = this.#next - 1 - row;
    return (age < 0 ? age + this.capacity : age) > this.capacity / 2;
  }

  /** Copy all rows; the values beside them are the caller's. */
  save(to: StateBuffer): void {
    to.putNumber(this.#next);
    to.putNumber(this.#last);
    to.putArray(this.#rows, this.used * ROW.WORDS);
    to.putArray(this.#newest, this.#newest.length);
  }

  /** Become what save() copied from a table of the same capacity. */
  restore(from: StateBuffer): void {
    this.#next = from.takeNumber();
    this.#last = from.takeNumber();
    from.takeArray(this.#rows);
    from.takeArray(this.#newest);
  }
}
