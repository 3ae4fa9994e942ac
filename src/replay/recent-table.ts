/** Remembers the last N keys of four words each: a ring of rows behind a hash, so that memory never grows.
 *
 *  rows     k0 k1 k2 k3 | hash | before | number | 0, i32[8 n]: a row is half a cache line, which one look fetches
 *  buckets  head i32[power of two >= 2 n], row + 1; 0 is empty
 *  before: the row that was its bucket's head until then, + 1. Adding overwrites the oldest row; a chain is followed
 *  only while its rows get older, so what was overwritten ends it and nothing is ever unlinked.
 *  number: how many rows had been added with this one, modulo 2^32; rows that are there differ by less than n.
 *  Values are columns of the caller's, addressed by row. */
import { tupleHash } from '../kernels/tuple-hash.js';
import type { StateBuffer } from '../layout/state-buffer.js';

export const MISS = -1;

const ROW = { HASH: 4, BEFORE: 5, NUMBER: 6, WORDS: 8 } as const;

export class RecentTable {
  readonly capacity: number;
  readonly #rows: Int32Array;
  readonly #head: Int32Array;
  readonly #mask: number;
  #next = 0;
  #count = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    let buckets = 16;
    while (buckets < capacity * 2) buckets *= 2;
    this.#rows = new Int32Array(capacity * ROW.WORDS);
    this.#head = new Int32Array(buckets);
    this.#mask = buckets - 1;
  }

  /** Rows in use, from the first on. */
  get used(): number {
    return Math.min(this.#count, this.capacity);
  }

  /** Remember a key in the oldest row; returns that row. An older row of the same key is hidden behind it. */
  add(k0: number, k1: number, k2: number, k3: number): number {
    const row = this.#next;
    this.#next = row + 1 === this.capacity ? 0 : row + 1;
    const hash = tupleHash(0, k0, k1, k2, k3) | 0;
    const bucket = hash & this.#mask;
    const rows = this.#rows;
    const at = row * ROW.WORDS;
    rows[at] = k0;
    rows[at + 1] = k1;
    rows[at + 2] = k2;
    rows[at + 3] = k3;
    rows[at + ROW.HASH] = hash;
    rows[at + ROW.BEFORE] = this.#head[bucket]!;
    rows[at + ROW.NUMBER] = ++this.#count;
    this.#head[bucket] = row + 1;
    return row;
  }

  /** Newest row with this key, or MISS. Words are compared as i32. */
  find(k0: number, k1: number, k2: number, k3: number): number {
    const hash = tupleHash(0, k0, k1, k2, k3) | 0;
    const bucket = hash & this.#mask;
    const rows = this.#rows;
    let row = this.#head[bucket]! - 1;
    let younger = (this.#count + 1) | 0;
    while (row >= 0) {
      const at = row * ROW.WORDS;
      const found = rows[at + ROW.HASH]!;
      const number = rows[at + ROW.NUMBER]!;
      if (((number - younger) | 0) >= 0 || (found & this.#mask) !== bucket) return MISS;
      if (
        found === hash &&
        rows[at] === (k0 | 0) &&
        rows[at + 1] === (k1 | 0) &&
        rows[at + 2] === (k2 | 0) &&
        rows[at + 3] === (k3 | 0)
      )
        return row;
      younger = number;
      row = rows[at + ROW.BEFORE]! - 1;
    }
    return MISS;
  }

  /** Will the row be overwritten within the next capacity/2 additions? Who still needs it adds it again. */
  isAged(row: number): boolean {
    return ((this.#count - this.#rows[row * ROW.WORDS + ROW.NUMBER]!) | 0) > this.capacity / 2;
  }

  /** Copy all rows; the values beside them are the caller's. */
  save(to: StateBuffer): void {
    to.putNumber(this.#next);
    to.putNumber(this.#count);
    to.putArray(this.#rows, this.used * ROW.WORDS);
    to.putArray(this.#head, this.#head.length);
  }

  /** Become what save() copied from a table of the same capacity. */
  restore(from: StateBuffer): void {
    this.#next = from.takeNumber();
    this.#count = from.takeNumber();
    from.takeArray(this.#rows);
    from.takeArray(this.#head);
  }
}
