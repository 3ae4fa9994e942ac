/** Packets that wait for a neighbour: their bytes, and when the host gives up on the ARP request.
 *  Rows are few; a scan finds the next deadline. All live. Full: `hold` answers false. */
import type { StateBuffer } from '../layout/state-buffer.js';

const ROWS = 1024;
const BYTES = 4 << 20;
/** Linux unres_qlen_bytes: what may wait for one neighbour (net/core/neighbour.c). */
const QUEUE_BYTES = 212_992;

const COLUMNS = [
  'offset',
  'length',
  'deadlineNs',
  'node',
  'nextHop',
  'packet',
  'parent',
  'root',
  'ct',
  'service',
] as const;

export class HeldPackets {
  readonly bytes = new Uint8Array(BYTES);
  readonly offset = new Uint32Array(ROWS);
  readonly length = new Uint32Array(ROWS);
  readonly deadlineNs = new Float64Array(ROWS);
  readonly node = new Int32Array(ROWS);
  readonly nextHop = new Uint32Array(ROWS);
  /** What the engine and the stages must know again when the wait ends. */
  readonly packet = new Float64Array(ROWS);
  readonly parent = new Float64Array(ROWS);
  readonly root = new Float64Array(ROWS);
  readonly ct = new Int32Array(ROWS);
  readonly service = new Int32Array(ROWS);
  count = 0;
  #used = 0;

  /** The earliest deadline, or Infinity. */
  nextNs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.count; i++) if (this.deadlineNs[i]! < next) next = this.deadlineNs[i]!;
    return next;
  }

  /** Row of the earliest deadline, the first held among equals; -1 when none. */
  first(): number {
    const next = this.nextNs();
    for (let i = 0; i < this.count; i++) if (this.deadlineNs[i] === next) return i;
    return -1;
  }

  /** Deadline of those that already wait for this neighbour, or `fresh`. */
  deadlineOf(node: number, nextHop: number, fresh: number): number {
    for (let i = 0; i < this.count; i++)
      if (this.node[i] === node && this.nextHop[i] === nextHop) return this.deadlineNs[i]!;
    return fresh;
  }

  /** Keep a copy of `source` [at, end). False when the queue of this neighbour, or the whole store, is full. */
  hold(
    source: Uint8Array,
    at: number,
    end: number,
    node: number,
    nextHop: number,
    deadlineNs: number,
    ct: number,
    service: number,
  ): boolean {
    const length = end - at;
    let queued = 0;
    for (let i = 0; i < this.count; i++)
      if (this.node[i] === node && this.nextHop[i] === nextHop) queued += this.length[i]!;
    if (this.count === ROWS || queued + length > QUEUE_BYTES) return false;
    if (this.#used + length > BYTES) this.#compact();
    if (this.#used + length > BYTES) return false;
    const row = this.count++;
    for (let i = 0; i < length; i++) this.bytes[this.#used + i] = source[at + i]!;
    this.offset[row] = this.#used;
    this.length[row] = length;
    this.#used += length;
    this.deadlineNs[row] = deadlineNs;
    this.node[row] = node;
    this.nextHop[row] = nextHop;
    this.packet[row] = -1;
    this.parent[row] = -1;
    this.root[row] = -1;
    this.ct[row] = ct;
    this.service[row] = service;
    return true;
  }

  /** Take row `row` out, keeping the order of the others. */
  release(row: number): void {
    this.count--;
    for (let i = row; i < this.count; i++) {
      this.offset[i] = this.offset[i + 1]!;
      this.length[i] = this.length[i + 1]!;
      this.deadlineNs[i] = this.deadlineNs[i + 1]!;
      this.node[i] = this.node[i + 1]!;
      this.nextHop[i] = this.nextHop[i + 1]!;
      this.packet[i] = this.packet[i + 1]!;
      this.parent[i] = this.parent[i + 1]!;
      this.root[i] = this.root[i + 1]!;
      this.ct[i] = this.ct[i + 1]!;
      this.service[i] = this.service[i + 1]!;
    }
    if (this.count === 0) this.#used = 0;
  }

  /** Copy all that waits. */
  save(to: StateBuffer): void {
    to.putArray(this.bytes, this.#used);
    for (const name of COLUMNS) to.putArray(this[name], this.count);
  }

  /** Become what save() copied. */
  restore(from: StateBuffer): void {
    this.#used = from.takeArray(this.bytes);
    for (const name of COLUMNS) this.count = from.takeArray(this[name]);
  }

  #compact(): void {
    let used = 0;
    for (let i = 0; i < this.count; i++) {
      this.bytes.copyWithin(used, this.offset[i]!, this.offset[i]! + this.length[i]!);
      this.offset[i] = used;
      used += this.length[i]!;
    }
    this.#used = used;
  }
}
