/** Connection tracking state: one table for all nodes, the node's number in the key's space word.
 *
 *  slots    i32[power of two]: 0 empty, -1 deleted, else 1 + row * 2 + direction; linear probing, load <= 0.5
 *  tuples   i32[8 * rows]: original tuple, then reply tuple; words: source, destination, ports, space << 8 | protocol
 *  windows  i32[WINDOW.ROW * rows]: TCP's window of both sides, and the last pure ACK (tcp_in_window)
 *  state    u8: TCP state (nf_conntrack_proto_tcp.c); 0 for others    flags u8: FLAG
 *  expiresNs, streamNs f64: when the row dies; from when a UDP flow counts as a stream
 *  service, endpoint i32: rows of the Service and the endpoint it was translated to, or -1
 *  born i32: number of the connection in the run, so that whoever remembers a row can tell that it is another's now
 *  All columns are live. Full at `limit` rows: expired ones are cleared first, then insert answers MISS.
 *  Grows by doubling, so that a small run takes little memory. Keys and hashes: kernels/five-tuple. */
import { conntrackFind } from '../kernels/conntrack-lookup.js';
import { tupleHash } from '../kernels/five-tuple.js';
import { WINDOW } from '../kernels/window-columns.js';
import type { StateBuffer } from '../layout/state-buffer.js';

const MISS = -1;
const ROWS_AT_START = 4096;

export const CT_FLAG = { SEEN_REPLY: 1, ASSURED: 2, SRC_NAT: 4, DST_NAT: 8, DYING: 16 } as const;

/** Columns of one element a row. */
const COLUMNS = ['state', 'flags', 'expiresNs', 'streamNs', 'service', 'endpoint', 'born'] as const;

export class Conntrack {
  slots = new Int32Array(ROWS_AT_START * 4);
  tuples = new Int32Array(ROWS_AT_START * 8);
  windows = new Int32Array(ROWS_AT_START * WINDOW.ROW);
  state = new Uint8Array(ROWS_AT_START);
  flags = new Uint8Array(ROWS_AT_START);
  expiresNs = new Float64Array(ROWS_AT_START);
  streamNs = new Float64Array(ROWS_AT_START);
  service = new Int32Array(ROWS_AT_START);
  endpoint = new Int32Array(ROWS_AT_START);
  born = new Int32Array(ROWS_AT_START);
  /** Rows handed out so far and given back: a stack in front of the never used ones. */
  #free = new Int32Array(ROWS_AT_START);
  #freeCount = 0;
  #fresh = 0;
  #deleted = 0;
  /** Live rows. */
  count = 0;
  /** Rows ever made. */
  created = 0;

  constructor(
    readonly seed: number,
    readonly limit: number,
  ) {}

  hash(k0: number, k1: number, k2: number, k3: number): number {
    return tupleHash(this.seed, k0, k1, k2, k3);
  }

  /** Direction index (row * 2 + direction) of a live connection, or MISS; an expired row is removed on the way. */
  find(hash: number, k0: number, k1: number, k2: number, k3: number, nowNs: number): number {
    const found = conntrackFind(this.slots, this.tuples, hash, k0, k1, k2, k3);
    if (found < 0 || this.expiresNs[found >> 1]! > nowNs) return found;
    this.remove(found >> 1);
    return MISS;
  }

  /** The same for a tuple of four words. */
  findTuple(tuple: Int32Array, nowNs: number): number {
    const k0 = tuple[0]!;
    const k1 = tuple[1]!;
    const k2 = tuple[2]!;
    const k3 = tuple[3]!;
    return this.find(this.hash(k0, k1, k2, k3), k0, k1, k2, k3, nowNs);
  }

  /** Is `found` (from a batch lookup made earlier) still the live connection of this tuple? */
  holds(found: number, tuple: Int32Array, nowNs: number): boolean {
    const t = found * 4;
    const { tuples } = this;
    return (
      tuples[t] === tuple[0] &&
      tuples[t + 1] === tuple[1] &&
      tuples[t + 2] === tuple[2] &&
      tuples[t + 3] === tuple[3] &&
      this.expiresNs[found >> 1]! > nowNs
    );
  }

  /** Insert a connection of two tuples (4 words each). Returns its row, or MISS when the table is full. */
  insert(original: Int32Array, reply: Int32Array, nowNs: number): number {
    const end = Math.min(this.state.length, this.limit);
    if (this.#freeCount === 0 && this.#fresh === end && !this.#makeRoom(nowNs)) return MISS;
    const row = this.#freeCount > 0 ? this.#free[--this.#freeCount]! : this.#fresh++;
    this.tuples.set(original, row * 8);
    this.tuples.set(reply, row * 8 + 4);
    this.state[row] = 0;
    this.flags[row] = 0;
    this.service[row] = MISS;
    this.endpoint[row] = MISS;
    this.#link(row * 2);
    this.#link(row * 2 + 1);
    this.count++;
    this.born[row] = ++this.created;
    return row;
  }

  /** Forget all connections. */
  clear(): void {
    this.slots.fill(0);
    this.#freeCount = 0;
    this.#fresh = 0;
    this.#deleted = 0;
    this.count = 0;
  }

  /** Forget a connection; its tuples stay readable until the row is given out again. */
  remove(row: number): void {
    if (this.expiresNs[row] === Number.NEGATIVE_INFINITY) return;
    this.#unlink(row * 2);
    this.#unlink(row * 2 + 1);
    // No later lookup may take the row for live.
    this.expiresNs[row] = Number.NEGATIVE_INFINITY;
    this.#free[this.#freeCount++] = row;
    this.count--;
    if (this.#deleted > this.slots.length >> 2) this.#rehash(this.slots.length);
  }

  /** Row behind the last one that may be live. */
  get end(): number {
    return this.#fresh;
  }

  /** Nodes have other rows now: now[row], or -1 for one that is gone, and its connections with it. */
  renumberNodes(now: Int32Array): void {
    const { tuples, expiresNs } = this;
    for (let row = 0; row < this.#fresh; row++)
      if (expiresNs[row] !== Number.NEGATIVE_INFINITY && now[nodeOf(tuples[row * 8 + 3]!)]! < 0)
        this.remove(row);
    for (let row = 0; row < this.#fresh; row++) {
      if (expiresNs[row] === Number.NEGATIVE_INFINITY) continue;
      for (const word of [row * 8 + 3, row * 8 + 7])
        tuples[word] = ((now[nodeOf(tuples[word]!)]! + 1) << 8) | (tuples[word]! & 0xff);
    }
    this.#rehash(this.slots.length);
  }

  /** Copy everything that a later lookup or insert depends on; the slots follow from the rows. */
  save(to: StateBuffer): void {
    const rows = this.#fresh;
    to.putNumber(this.state.length);
    to.putNumber(rows);
    to.putNumber(this.count);
    to.putNumber(this.created);
    to.putArray(this.#free, this.#freeCount);
    to.putArray(this.tuples, rows * 8);
    to.putArray(this.windows, rows * WINDOW.ROW);
    for (const name of COLUMNS) to.putArray(this[name], rows);
  }

  /** Become what save() copied. */
  restore(from: StateBuffer): void {
    const size = from.takeNumber();
    if (size !== this.state.length) this.#resize(size);
    this.#fresh = from.takeNumber();
    this.count = from.takeNumber();
    this.created = from.takeNumber();
    this.#freeCount = from.takeArray(this.#free);
    from.takeArray(this.tuples);
    from.takeArray(this.windows);
    for (const name of COLUMNS) from.takeArray(this[name]);
    this.slots = new Int32Array(slotsFor(size));
    this.#deleted = 0;
    for (let row = 0; row < this.#fresh; row++) {
      if (this.expiresNs[row] === Number.NEGATIVE_INFINITY) continue;
      this.#link(row * 2);
      this.#link(row * 2 + 1);
    }
  }

  #link(direction: number): void {
    const { slots, tuples } = this;
    const t = direction * 4;
    const mask = slots.length - 1;
    let at = this.hash(tuples[t]!, tuples[t + 1]!, tuples[t + 2]!, tuples[t + 3]!) & mask;
    while (slots[at]! > 0) at = (at + 1) & mask;
    if (slots[at] === -1) this.#deleted--;
    slots[at] = direction + 1;
  }

  #unlink(direction: number): void {
    const { slots, tuples } = this;
    const t = direction * 4;
    const mask = slots.length - 1;
    let at = this.hash(tuples[t]!, tuples[t + 1]!, tuples[t + 2]!, tuples[t + 3]!) & mask;
    while (slots[at] !== direction + 1) at = (at + 1) & mask;
    slots[at] = -1;
    this.#deleted++;
  }

  /** Clear what has expired; if that frees less than a quarter, double, up to the limit. */
  #makeRoom(nowNs: number): boolean {
    const rows = this.state.length;
    for (let row = 0; row < this.#fresh; row++) {
      const expires = this.expiresNs[row]!;
      if (expires <= nowNs && expires !== Number.NEGATIVE_INFINITY) this.remove(row);
    }
    if (this.#freeCount > rows >> 2 || rows >= this.limit) return this.#freeCount > 0;
    const size = Math.min(rows * 2, this.limit);
    this.#resize(size);
    this.#rehash(slotsFor(size));
    return true;
  }

  /** Columns for `size` rows; those that fit are kept. */
  #resize(size: number): void {
    this.tuples = resized(this.tuples, new Int32Array(size * 8));
    this.windows = resized(this.windows, new Int32Array(size * WINDOW.ROW));
    this.state = resized(this.state, new Uint8Array(size));
    this.flags = resized(this.flags, new Uint8Array(size));
    this.expiresNs = resized(this.expiresNs, new Float64Array(size));
    this.streamNs = resized(this.streamNs, new Float64Array(size));
    this.service = resized(this.service, new Int32Array(size));
    this.endpoint = resized(this.endpoint, new Int32Array(size));
    this.born = resized(this.born, new Int32Array(size));
    this.#free = resized(this.#free, new Int32Array(size));
  }

  #rehash(size: number): void {
    const old = this.slots;
    this.slots = new Int32Array(size);
    this.#deleted = 0;
    for (const slot of old) if (slot > 0) this.#link(slot - 1);
  }
}

/** Row of the node in a tuple's last word. */
const nodeOf = (word: number): number => (word >>> 8) - 1;

/** Two directions a row at load 0.5. */
function slotsFor(rows: number): number {
  let slots = 16;
  while (slots < rows * 4) slots *= 2;
  return slots;
}

function resized<T extends { set(from: T): void; subarray(first: number, end: number): T; length: number }>(
  from: T,
  to: T,
): T {
  to.set(from.subarray(0, Math.min(from.length, to.length)));
  return to;
}
