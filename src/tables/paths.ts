/** Path cache: what the long way found for a packet's tuple and entry, so that the next one can take the short way.
 *
 *  slots  i32[power of two], tuples i32[8 * rows]: as conntrack's, with direction 0 alone in use
 *  rows   i32[PATH.ROW * rows]: kernels/path-columns
 *  All live. A row names the connections that it met by row and number, so one that has gone makes it stale; the
 *  long way then writes it anew. Full: everything is forgotten, which costs time and changes no packet. */
import { conntrackFind } from '../kernels/conntrack-lookup.js';
import { PATH } from '../kernels/path-columns.js';

const ROWS_AT_START = 4096;

export class PathCache {
  slots = new Int32Array(ROWS_AT_START * 4);
  tuples = new Int32Array(ROWS_AT_START * 8);
  rows = new Int32Array(ROWS_AT_START * PATH.ROW);
  count = 0;

  constructor(readonly limit: number) {}

  /** First word in `rows` of the row for this key; a new one when there is none. `key` begins at word `at`. */
  claim(keys: Int32Array, at: number, hash: number): number {
    const k0 = keys[at]!;
    const k1 = keys[at + 1]!;
    const k2 = keys[at + 2]!;
    const k3 = keys[at + 3]!;
    const found = conntrackFind(this.slots, this.tuples, hash, k0, k1, k2, k3);
    if (found >= 0) return (found >> 1) * PATH.ROW;
    if (this.count * 8 === this.tuples.length) this.#makeRoom();
    const row = this.count++;
    const t = row * 8;
    this.tuples[t] = k0;
    this.tuples[t + 1] = k1;
    this.tuples[t + 2] = k2;
    this.tuples[t + 3] = k3;
    this.#hashes[row] = hash;
    this.#link(row);
    return row * PATH.ROW;
  }

  /** Forget everything: another table set is in force. */
  clear(): void {
    this.slots.fill(0);
    this.count = 0;
  }

  #hashes = new Uint32Array(ROWS_AT_START);

  #link(row: number): void {
    const mask = this.slots.length - 1;
    let at = this.#hashes[row]! & mask;
    while (this.slots[at] !== 0) at = (at + 1) & mask;
    this.slots[at] = row * 2 + 1;
  }

  #makeRoom(): void {
    const rows = this.tuples.length / 8;
    if (rows >= this.limit) {
      this.clear();
      return;
    }
    const size = rows * 2;
    this.tuples = grow(this.tuples, new Int32Array(size * 8));
    this.rows = grow(this.rows, new Int32Array(size * PATH.ROW));
    this.#hashes = grow(this.#hashes, new Uint32Array(size));
    this.slots = new Int32Array(size * 4);
    for (let row = 0; row < this.count; row++) this.#link(row);
  }
}

function grow<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}
