/** Connection tracking state: one table for all nodes, the node's number in the key's space word.
 *
 *  slots  i32[power of two]: 0 empty, -1 deleted, else 1 + row * 2 + direction; linear probing, load <= 0.5
 *  rows   i32[CONNECTION.ROW * rows]: kernels/connection-columns; tuples are source, destination, ports,
 *         space << 8 | protocol
 *  times  f64: the same memory, for the two times of a row
 *  All live. Full at `limit` rows: expired ones are cleared first, then one that is not assured gives way, then insert
 *  answers MISS.
 *  Grows by doubling, so that a small run takes little memory. Keys and hashes: kernels/five-tuple. */
import { CONNECTION, tupleAt } from '../kernels/connection-columns.js';
import { conntrackFind } from '../kernels/conntrack-lookup.js';
import { tupleHash } from '../kernels/five-tuple.js';
import { lineWords } from '../layout/line-words.js';
import type { StateBuffer } from '../layout/state-buffer.js';

const MISS = -1;
const ROWS_AT_START = 4096;

export const CT_FLAG = { SEEN_REPLY: 1, ASSURED: 2, SRC_NAT: 4, DST_NAT: 8, DYING: 16 } as const;

const { ROW, MARKS, BORN, EXPIRES, STREAM, SERVICE, ENDPOINT, TUPLES } = CONNECTION;
const STATE_BITS = 0xff;
const FLAG_BITS = 0xff;
const NEVER = Number.NEGATIVE_INFINITY;
/** A full table is searched for what has expired as often as this (the kernel's gc worker: GC_SCAN_INTERVAL_MIN). */
const SWEEP_EVERY_NS = 1e9;
/** Connections whose homes early drop looks at, on average: NF_CT_EVICTION_RANGE buckets, each with both ends of one. */
const EVICTION_RANGE = 8;

export class Conntrack {
  slots = new Int32Array(ROWS_AT_START * 4);
  rows = lineWords(ROWS_AT_START * ROW);
  times = timesOf(this.rows);
  /** Where in a row its tuples begin. */
  readonly keyAt = TUPLES;
  /** Rows handed out so far and given back: a stack in front of the never used ones. */
  #free = new Int32Array(ROWS_AT_START);
  #freeCount = 0;
  #fresh = 0;
  #deleted = 0;
  /** When the full table was last searched for expired rows. */
  #sweptNs = NEVER;
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
    const found = conntrackFind(this.slots, this.rows, TUPLES, hash, k0, k1, k2, k3);
    if (found < 0 || this.expiresNs(found >> 1) > nowNs) return found;
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
    const t = tupleAt(found);
    const { rows } = this;
    return (
      rows[t] === tuple[0] &&
      rows[t + 1] === tuple[1] &&
      rows[t + 2] === tuple[2] &&
      rows[t + 3] === tuple[3] &&
      this.expiresNs(found >> 1) > nowNs
    );
  }

  /** TCP state of a row; 0 for other protocols. */
  state(row: number): number {
    return this.rows[row * ROW + MARKS]! & STATE_BITS;
  }

  setState(row: number, state: number): void {
    const at = row * ROW + MARKS;
    this.rows[at] = (this.rows[at]! & ~STATE_BITS) | state;
  }

  /** CT_FLAG bits of a row. */
  flags(row: number): number {
    return (this.rows[row * ROW + MARKS]! >> 8) & FLAG_BITS;
  }

  addFlags(row: number, flags: number): void {
    this.rows[row * ROW + MARKS]! |= flags << 8;
  }

  /** Number of the row's connection in the run. */
  born(row: number): number {
    return this.rows[row * ROW + BORN]!;
  }

  /** When the row dies. */
  expiresNs(row: number): number {
    return this.times[(row * ROW + EXPIRES) >> 1]!;
  }

  setExpiresNs(row: number, ns: number): void {
    this.times[(row * ROW + EXPIRES) >> 1] = ns;
  }

  /** From when a flow that is not TCP's counts as a stream. */
  streamNs(row: number): number {
    return this.times[(row * ROW + STREAM) >> 1]!;
  }

  setStreamNs(row: number, ns: number): void {
    this.times[(row * ROW + STREAM) >> 1] = ns;
  }

  /** Row of the Service that the connection was translated for, or -1. */
  service(row: number): number {
    return this.rows[row * ROW + SERVICE]!;
  }

  /** Row of the endpoint that it was translated to, or -1. */
  endpoint(row: number): number {
    return this.rows[row * ROW + ENDPOINT]!;
  }

  setServer(row: number, service: number, endpoint: number): void {
    this.rows[row * ROW + SERVICE] = service;
    this.rows[row * ROW + ENDPOINT] = endpoint;
  }

  get #size(): number {
    return this.rows.length / ROW;
  }

  /** Insert a connection of two tuples (4 words each). Returns its row, or MISS when the table is full. */
  insert(original: Int32Array, reply: Int32Array, nowNs: number): number {
    const end = Math.min(this.#size, this.limit);
    if (this.#freeCount === 0 && this.#fresh === end && !this.#makeRoom(original, nowNs)) return MISS;
    const row = this.#freeCount > 0 ? this.#free[--this.#freeCount]! : this.#fresh++;
    const base = row * ROW;
    this.rows.set(original, base + TUPLES);
    this.rows.set(reply, base + TUPLES + 4);
    this.rows[base + MARKS] = 0;
    this.setServer(row, MISS, MISS);
    this.#link(row * 2);
    this.#link(row * 2 + 1);
    this.count++;
    this.rows[base + BORN] = ++this.created;
    return row;
  }

  /** Forget all connections. */
  clear(): void {
    this.slots.fill(0);
    this.#freeCount = 0;
    this.#fresh = 0;
    this.#deleted = 0;
    this.#sweptNs = NEVER;
    this.count = 0;
  }

  /** Forget a connection; its tuples stay readable until the row is given out again. */
  remove(row: number): void {
    if (this.expiresNs(row) === NEVER) return;
    this.#unlink(row * 2);
    this.#unlink(row * 2 + 1);
    // No later lookup may take the row for live.
    this.setExpiresNs(row, NEVER);
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
    const { rows } = this;
    for (let row = 0; row < this.#fresh; row++)
      if (this.expiresNs(row) !== NEVER && now[nodeOf(rows[tupleAt(row * 2) + 3]!)]! < 0) this.remove(row);
    for (let row = 0; row < this.#fresh; row++) {
      if (this.expiresNs(row) === NEVER) continue;
      for (const word of [tupleAt(row * 2) + 3, tupleAt(row * 2 + 1) + 3])
        rows[word] = ((now[nodeOf(rows[word]!)]! + 1) << 8) | (rows[word]! & 0xff);
    }
    this.#rehash(this.slots.length);
  }

  /** Copy everything that a later lookup or insert depends on; the slots follow from the rows. */
  save(to: StateBuffer): void {
    to.putNumber(this.#size);
    to.putNumber(this.#fresh);
    to.putNumber(this.count);
    to.putNumber(this.created);
    to.putNumber(this.#sweptNs);
    to.putArray(this.#free, this.#freeCount);
    to.putArray(this.rows, this.#fresh * ROW);
  }

  /** Become what save() copied. */
  restore(from: StateBuffer): void {
    const size = from.takeNumber();
    if (size !== this.#size) this.#resize(size);
    this.#fresh = from.takeNumber();
    this.count = from.takeNumber();
    this.created = from.takeNumber();
    this.#sweptNs = from.takeNumber();
    this.#freeCount = from.takeArray(this.#free);
    from.takeArray(this.rows);
    this.slots = new Int32Array(slotsFor(size));
    this.#deleted = 0;
    for (let row = 0; row < this.#fresh; row++) {
      if (this.expiresNs(row) === NEVER) continue;
      this.#link(row * 2);
      this.#link(row * 2 + 1);
    }
  }

  #link(direction: number): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let at = this.#hashOf(direction) & mask;
    while (slots[at]! > 0) at = (at + 1) & mask;
    if (slots[at] === -1) this.#deleted--;
    slots[at] = direction + 1;
  }

  #unlink(direction: number): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let at = this.#hashOf(direction) & mask;
    while (slots[at] !== direction + 1) at = (at + 1) & mask;
    slots[at] = -1;
    this.#deleted++;
  }

  #hashOf(direction: number): number {
    const t = tupleAt(direction);
    const { rows } = this;
    return this.hash(rows[t]!, rows[t + 1]!, rows[t + 2]!, rows[t + 3]!);
  }

  /** Clear what has expired; if that frees less than a quarter, double, up to the limit; there, let one go for `tuple`. */
  #makeRoom(tuple: Int32Array, nowNs: number): boolean {
    const rows = this.#size;
    const isFull = rows >= this.limit;
    if (!isFull || nowNs >= this.#sweptNs + SWEEP_EVERY_NS) this.#sweep(nowNs);
    if (isFull) return this.#freeCount > 0 || this.#dropEarly(tuple, nowNs);
    if (this.#freeCount > rows >> 2) return true;
    const size = Math.min(rows * 2, this.limit);
    this.#resize(size);
    this.#rehash(slotsFor(size));
    return true;
  }

  #sweep(nowNs: number): void {
    this.#sweptNs = nowNs;
    for (let row = 0; row < this.#fresh; row++) {
      const expires = this.expiresNs(row);
      if (expires <= nowNs && expires !== NEVER) this.remove(row);
    }
  }

  /** Among the node's connections whose home is near the tuple's, remove one that has expired or is not assured: of the
   *  nearest home that has any, the youngest, as a bucket's list begins with it (nf_conntrack_core.c early_drop_list). What
   *  is chosen depends on homes alone, not on where entries have been put. */
  #dropEarly(tuple: Int32Array, nowNs: number): boolean {
    const { slots } = this;
    const mask = slots.length - 1;
    const first = this.hash(tuple[0]!, tuple[1]!, tuple[2]!, tuple[3]!) & mask;
    let chosen = MISS;
    const range = Math.ceil((slots.length * EVICTION_RANGE) / this.limit);
    let nearest = range;
    let isPast = false;
    for (let step = 0; step < slots.length && !isPast; step++) {
      const slot = slots[(first + step) & mask]!;
      // Behind an empty slot no entry has its home in front of it.
      isPast = slot === 0 && step >= range;
      if (slot <= 0) continue;
      const row = (slot - 1) >> 1;
      if (nodeOf(this.rows[tupleAt(slot - 1) + 3]!) !== nodeOf(tuple[3]!)) continue;
      const home = ((this.#hashOf(slot - 1) & mask) - first) & mask;
      const mayGo = (this.flags(row) & CT_FLAG.ASSURED) === 0 || this.expiresNs(row) <= nowNs;
      if (!mayGo || home > nearest || home >= range) continue;
      if (home === nearest && chosen !== MISS && this.born(row) <= this.born(chosen)) continue;
      nearest = home;
      chosen = row;
    }
    if (chosen === MISS) return false;
    this.remove(chosen);
    return true;
  }

  /** Room for `size` rows; those that fit are kept. */
  #resize(size: number): void {
    this.rows = resized(this.rows, lineWords(size * ROW));
    this.times = timesOf(this.rows);
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

/** The same memory as words of eight bytes. */
const timesOf = (rows: Int32Array): Float64Array =>
  new Float64Array(rows.buffer, rows.byteOffset, rows.length / 2);

function resized<T extends Int32Array>(from: T, to: T): T {
  to.set(from.subarray(0, Math.min(from.length, to.length)));
  return to;
}
