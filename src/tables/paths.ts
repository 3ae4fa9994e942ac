/** Path cache: what the long way found for a packet's tuple and entry, so that the next one can take the short way.
 *
 *  slots  i32[power of two]: as conntrack's, with direction 0 alone in use
 *  rows   i32[PATH.ROW * rows]: kernels/path-columns
 *  All live. A row names the connections that it met by row and number, so one that has gone makes it stale; the
 *  long way then writes it anew. Full: everything is forgotten, which costs time and changes no packet. */
import { conntrackFind } from '../kernels/conntrack-lookup.js';
import { PATH } from '../kernels/path-columns.js';
import { lineWords } from '../layout/line-words.js';

const ROWS_AT_START = 4096;

export class PathCache {
  slots = new Int32Array(ROWS_AT_START * 4);
  rows = lineWords(ROWS_AT_START * PATH.ROW);
  /** Where in a row its key begins. */
  readonly keyAt = PATH.KEY;
  count = 0;
  /** How often everything has been forgotten: rows found before are others' since. */
  clears = 0;

  constructor(readonly limit: number) {}

  /** First word in `rows` of the row for this key; a new one when there is none. `key` begins at word `at`. */
  claim(keys: Int32Array, at: number, hash: number): number {
    const k0 = keys[at]!;
    const k1 = keys[at + 1]!;
    const k2 = keys[at + 2]!;
    const k3 = keys[at + 3]!;
    const found = conntrackFind(this.slots, this.rows, PATH.KEY, hash, k0, k1, k2, k3);
    if (found >= 0) return (found >> 1) * PATH.ROW;
    if (this.count * PATH.ROW === this.rows.length) this.#makeRoom();
    const row = this.count++;
    const base = row * PATH.ROW;
    const { rows } = this;
    rows[base + PATH.KEY] = k0;
    rows[base + PATH.KEY + 1] = k1;
    rows[base + PATH.KEY + 2] = k2;
    rows[base + PATH.KEY + 3] = k3;
    rows[base + PATH.HASH] = hash;
    this.#link(row);
    return base;
  }

  /** Forget everything: another table set is in force. */
  clear(): void {
    this.slots.fill(0);
    this.count = 0;
    this.clears++;
  }

  #link(row: number): void {
    const mask = this.slots.length - 1;
    let at = this.rows[row * PATH.ROW + PATH.HASH]! & mask;
    while (this.slots[at] !== 0) at = (at + 1) & mask;
    this.slots[at] = row * 2 + 1;
  }

  #makeRoom(): void {
    const rows = this.rows.length / PATH.ROW;
    if (rows >= this.limit) {
      this.clear();
      return;
    }
    const grown = lineWords(this.rows.length * 2);
    grown.set(this.rows);
    this.rows = grown;
    this.slots = new Int32Array(rows * 8);
    for (let row = 0; row < this.count; row++) this.#link(row);
  }
}
