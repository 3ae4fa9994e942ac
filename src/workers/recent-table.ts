/** Remembers the last N keys of four words each: a ring of rows behind a hash, so that memory never grows.
 *
 *  rows     k0 k1 k2 k3 i32[n] | hash i32[n] | before i32[n] | number f64[n]
 *  buckets  head i32[power of two >= 2 n], row + 1; 0 is empty
 *  before: the row that was its bucket's head until then, + 1. Adding overwrites the oldest row; a chain is followed
 *  only while its rows get older, so what was overwritten ends it and nothing is ever unlinked.
 *  Values are columns of the caller's, addressed by row. */
import { tupleHash } from '../kernels/tuple-hash.js';
import type { StateBuffer } from '../layout/state-buffer.js';

export const MISS = -1;

export class RecentTable {
  readonly capacity: number;
  readonly #keys: Int32Array;
  readonly #hash: Int32Array;
  readonly #before: Int32Array;
  readonly #number: Float64Array;
  readonly #head: Int32Array;
  readonly #mask: number;
  #next = 0;
  #count = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    let buckets = 16;
    while (buckets < capacity * 2) buckets *= 2;
    this.#keys = new Int32Array(capacity * 4);
    this.#hash = new Int32Array(capacity);
    this.#before = new Int32Array(capacity);
    this.#number = new Float64Array(capacity);
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
    const at = row * 4;
    this.#keys[at] = k0;
    this.#keys[at + 1] = k1;
    this.#keys[at + 2] = k2;
    this.#keys[at + 3] = k3;
    this.#hash[row] = hash;
    this.#number[row] = ++this.#count;
    this.#before[row] = this.#head[bucket]!;
    this.#head[bucket] = row + 1;
    return row;
  }

  /** Newest row with this key, or MISS. Words are compared as i32. */
  find(k0: number, k1: number, k2: number, k3: number): number {
    const hash = tupleHash(0, k0, k1, k2, k3) | 0;
    const bucket = hash & this.#mask;
    let row = this.#head[bucket]! - 1;
    let younger = Number.POSITIVE_INFINITY;
    while (row >= 0 && this.#number[row]! < younger && (this.#hash[row]! & this.#mask) === bucket) {
      if (this.#hash[row] === hash && this.#holds(row * 4, k0 | 0, k1 | 0, k2 | 0, k3 | 0)) return row;
      younger = this.#number[row]!;
      row = this.#before[row]! - 1;
    }
    return MISS;
  }

  /** Will the row be overwritten within the next capacity/2 additions? Who still needs it adds it again. */
  isAged(row: number): boolean {
    return this.#count - this.#number[row]! > this.capacity / 2;
  }

  /** Copy all rows; the values beside them are the caller's. */
  save(to: StateBuffer): void {
    to.putNumber(this.#next);
    to.putNumber(this.#count);
    const rows = this.used;
    to.putArray(this.#keys, rows * 4);
    for (const column of [this.#hash, this.#before, this.#number]) to.putArray(column, rows);
    to.putArray(this.#head, this.#head.length);
  }

  /** Become what save() copied from a table of the same capacity. */
  restore(from: StateBuffer): void {
    this.#next = from.takeNumber();
    this.#count = from.takeNumber();
    for (const column of [this.#keys, this.#hash, this.#before, this.#number, this.#head])
      from.takeArray(column);
  }

  #holds(at: number, k0: number, k1: number, k2: number, k3: number): boolean {
    const keys = this.#keys;
    return keys[at] === k0 && keys[at + 1] === k1 && keys[at + 2] === k2 && keys[at + 3] === k3;
  }
}
