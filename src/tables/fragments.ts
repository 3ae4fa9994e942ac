/** Fragments that wait for the rest of their datagram: queues by Linux' key, and the bytes. All live.
 *
 *  queue     user u8, place i32: who gathers, on which node, or for which pod; src, dst u32, idProto u32 id<<16|protocol
 *            deadlineNs, serial f64 | first i32: fragment at the lowest offset | fragments u16 | length, meat u32: bytes
 *            of payload up to the last end seen, and there | flags, ecn u8 | maxSize, maxDfSize u16: longest fragment,
 *            and longest with DF | memory u32: as Linux accounts it | since u32: fragments of the same sender since
 *  fragment  next i32, in order of offset, -1 ends | offset, end u32 of its payload | size u32, block i32: its frame, in
 *            blocks of 512 bytes | frameAt f64: where the frame lies in the arena when it is the packet in hand, or -1
 *            number, parent, root f64, isGenerated u8: which packet it is | stage u8: where it waits
 *            isRun u8: it did not follow on what was the last one, so a run of its own begins with it
 *  Queues lie without gaps and are searched one after the other: few wait, and Linux' limits (memory of a stack,
 *  distance to a sender's other fragments) ask for all of a stack's queues anyway. Full: add answers -1.
 *  Memory is taken when the first fragment comes. */
import type { StateBuffer } from '../layout/state-buffer.js';

/** Who gathers (Linux enum ip_defrag_users): conntrack before routing, which br0's ct() shares, conntrack of what the
 *  host itself sends, and delivery to a stack's own sockets. */
export const FragmentUser = { CONNTRACK_IN: 0, CONNTRACK_OUT: 1, DELIVER: 2 } as const;
export const QUEUE_FLAG = { FIRST_IN: 1, LAST_IN: 2 } as const;
/** Fragments of one datagram; Linux has no such limit, one of 65,535 bytes needs 46 of Ethernet's size. */
export const FRAGMENTS_MAX = 256;

const QUEUES = 4096;
const ROWS = 8192;
const BLOCK = 512;
const BLOCKS = 16_384;
/** ipfrag_time. */
const TIMEOUT_NS = 30e9;
/** ipfrag_high_thresh, for one stack. */
const MEMORY_MAX = 4 << 20;
/** ipfrag_max_dist. */
const DISTANCE_MAX = 64;
/** What a frame costs besides its bytes (sk_buff, skb_shared_info), and a queue. */
const FRAME_COST = 576;
const QUEUE_COST = 208;

const QUEUE_COLUMNS = [
  'user',
  'place',
  'src',
  'dst',
  'idProto',
  'deadlineNs',
  'serial',
  'first',
  'fragments',
  'length',
  'meat',
  'flags',
  'ecn',
  'maxSize',
  'maxDfSize',
  'memory',
  'since',
] as const;
const ROW_COLUMNS = [
  'next',
  'offset',
  'end',
  'size',
  'block',
  'frameAt',
  'number',
  'parent',
  'root',
  'isGenerated',
  'isRun',
  'stage',
] as const;

const queueColumns = (rows: number) => ({
  user: new Uint8Array(rows),
  place: new Int32Array(rows),
  src: new Uint32Array(rows),
  dst: new Uint32Array(rows),
  idProto: new Uint32Array(rows),
  deadlineNs: new Float64Array(rows),
  serial: new Float64Array(rows),
  first: new Int32Array(rows),
  fragments: new Uint16Array(rows),
  length: new Uint32Array(rows),
  meat: new Uint32Array(rows),
  flags: new Uint8Array(rows),
  ecn: new Uint8Array(rows),
  maxSize: new Uint16Array(rows),
  maxDfSize: new Uint16Array(rows),
  memory: new Uint32Array(rows),
  since: new Uint32Array(rows),
});

const fragmentColumns = (rows: number) => ({
  next: new Int32Array(rows),
  offset: new Uint32Array(rows),
  end: new Uint32Array(rows),
  size: new Uint32Array(rows),
  block: new Int32Array(rows),
  frameAt: new Float64Array(rows),
  number: new Float64Array(rows),
  parent: new Float64Array(rows),
  root: new Float64Array(rows),
  isGenerated: new Uint8Array(rows),
  isRun: new Uint8Array(rows),
  stage: new Uint8Array(rows),
});

export class Fragments {
  queue = queueColumns(0);
  row = fragmentColumns(0);
  /** Queues. */
  queues = 0;
  /** Fragments: those that wait, and those whose datagram is in hand. */
  count = 0;
  #serial = 0;
  #nextNs = Number.POSITIVE_INFINITY;
  /** Rows and blocks given back are chained by `next`; those from `…End` on were never used. */
  #rowFree = -1;
  #rowEnd = 0;
  #blockFree = -1;
  #blockEnd = 0;
  #blocksUsed = 0;
  #blockNext = new Int32Array(0);
  #bytes = new Uint8Array(0);

  /** The earliest deadline, or Infinity. */
  nextNs(): number {
    return this.#nextNs;
  }

  /** The queue with the earliest deadline, the oldest among equals; -1 when none. */
  due(): number {
    const { deadlineNs, serial } = this.queue;
    let due = -1;
    for (let q = 0; q < this.queues; q++)
      if (deadlineNs[q] === this.#nextNs && (due < 0 || serial[q]! < serial[due]!)) due = q;
    return due;
  }

  /** The queue of this datagram, made when there is none; -1 when its stack has more waiting than Linux lets it, or
   *  there is no room. Counts the fragment as one of its sender's. */
  claim(user: number, place: number, src: number, dst: number, idProto: number, nowNs: number): number {
    if (this.queue.user.length === 0) this.#open();
    const { queue } = this;
    let memory = 0;
    let found = -1;
    for (let q = 0; q < this.queues; q++) {
      if (
        queue.place[q] !== place ||
        (queue.user[q] === FragmentUser.DELIVER) !== (user === FragmentUser.DELIVER)
      )
        continue;
      memory += queue.memory[q]!;
      if (queue.src[q] !== src) continue;
      if (queue.dst[q] === dst && queue.idProto[q] === idProto && queue.user[q] === user) found = q;
      else queue.since[q]!++;
    }
    if (memory > MEMORY_MAX || (found < 0 && this.queues === QUEUES)) return -1;
    if (found >= 0) return found;
    const q = this.queues++;
    queue.user[q] = user;
    queue.place[q] = place;
    queue.src[q] = src;
    queue.dst[q] = dst;
    queue.idProto[q] = idProto;
    queue.serial[q] = this.#serial++;
    this.restart(q, nowNs);
    return q;
  }

  /** Did more than 64 others of its sender come since the queue's last fragment? Then that was another datagram of
   *  the same number (ip_frag_too_far). Counts anew. */
  isTooFar(q: number): boolean {
    const isFar = this.queue.first[q]! >= 0 && this.queue.since[q]! + 1 > DISTANCE_MAX;
    this.queue.since[q] = 0;
    return isFar;
  }

  /** Begin the queue anew; its fragments have been taken. */
  restart(q: number, nowNs: number): void {
    const { queue } = this;
    queue.deadlineNs[q] = nowNs + TIMEOUT_NS;
    queue.first[q] = -1;
    queue.fragments[q] = 0;
    queue.length[q] = 0;
    queue.meat[q] = 0;
    queue.flags[q] = 0;
    queue.ecn[q] = 0;
    queue.maxSize[q] = 0;
    queue.maxDfSize[q] = 0;
    queue.memory[q] = QUEUE_COST;
    queue.since[q] = 0;
    this.#findNext();
  }

  /** A row for the fragment of payload [offset, end), linked behind `before` (-1: in front); -1 when there is none.
   *  Its frame is to come by keep(), or stays in the arena at frameAt. */
  add(q: number, before: number, offset: number, end: number): number {
    const { queue, row } = this;
    const i = this.#rowFree >= 0 ? this.#rowFree : this.#rowEnd;
    if (i === ROWS || queue.fragments[q] === FRAGMENTS_MAX) return -1;
    if (i === this.#rowEnd) this.#rowEnd++;
    else this.#rowFree = row.next[i]!;
    row.offset[i] = offset;
    row.end[i] = end;
    row.size[i] = 0;
    row.block[i] = -1;
    row.frameAt[i] = -1;
    row.isRun[i] = 1;
    if (before < 0) {
      row.next[i] = queue.first[q]!;
      queue.first[q] = i;
    } else {
      row.next[i] = row.next[before]!;
      row.next[before] = i;
    }
    queue.fragments[q]!++;
    this.count++;
    return i;
  }

  /** Is there room for another frame of `size` bytes? */
  hasRoom(size: number): boolean {
    return this.#blocksUsed + Math.ceil(size / BLOCK) <= BLOCKS;
  }

  /** Keep the frame [at, at + size) of `source` for row `i` of queue `q`; the caller has seen that there is room. */
  keep(q: number, i: number, source: Uint8Array, at: number, size: number): void {
    const { row } = this;
    row.size[i] = size;
    this.queue.memory[q]! += FRAME_COST + ((size + 63) & ~63);
    let last = -1;
    for (let done = 0; done < size; done += BLOCK) {
      const block = this.#blockFree >= 0 ? this.#blockFree : this.#blockEnd++;
      if (block === this.#blockFree) this.#blockFree = this.#blockNext[block]!;
      this.#blocksUsed++;
      this.#blockNext[block] = -1;
      if (last < 0) row.block[i] = block;
      else this.#blockNext[last] = block;
      last = block;
      const end = Math.min(BLOCK, size - done);
      const to = block * BLOCK;
      for (let k = 0; k < end; k++) this.#bytes[to + k] = source[at + done + k]!;
    }
  }

  /** Copy bytes [from, end) of row `i`'s frame to `to` [at, …). */
  copy(i: number, from: number, end: number, to: Uint8Array, at: number): void {
    const frameAt = this.row.frameAt[i]!;
    if (frameAt >= 0) {
      to.copyWithin(at, frameAt + from, frameAt + end);
      return;
    }
    let block = this.row.block[i]!;
    for (let start = 0; start < end; start += BLOCK, block = this.#blockNext[block]!) {
      const first = Math.max(from, start);
      const last = Math.min(end, start + BLOCK);
      const base = block * BLOCK - start;
      for (let k = first; k < last; k++) to[at + k - from] = this.#bytes[base + k]!;
    }
  }

  /** Forget the queue; its fragments, chained from the answer on, are the caller's now. */
  close(q: number): number {
    const { queue } = this;
    const first = queue.first[q]!;
    const last = --this.queues;
    if (q !== last) for (const name of QUEUE_COLUMNS) queue[name][q] = queue[name][last]!;
    this.#findNext();
    return first;
  }

  /** Give a fragment's row and bytes back. Returns the next of its chain. */
  free(i: number): number {
    const { row } = this;
    const next = row.next[i]!;
    for (let block = row.block[i]!; block >= 0; ) {
      const behind = this.#blockNext[block]!;
      this.#blockNext[block] = this.#blockFree;
      this.#blockFree = block;
      this.#blocksUsed--;
      block = behind;
    }
    row.next[i] = this.#rowFree;
    this.#rowFree = i;
    this.count--;
    return next;
  }

  /** Copy all that waits. */
  save(to: StateBuffer): void {
    for (const value of [this.queues, this.count, this.#serial, this.#rowFree, this.#rowEnd])
      to.putNumber(value);
    for (const value of [this.#blockFree, this.#blockEnd, this.#blocksUsed]) to.putNumber(value);
    for (const name of QUEUE_COLUMNS) to.putArray(this.queue[name], this.queues);
    for (const name of ROW_COLUMNS) to.putArray(this.row[name], this.#rowEnd);
    to.putArray(this.#blockNext, this.#blockEnd);
    to.putArray(this.#bytes, this.#blockEnd * BLOCK);
  }

  /** Become what save() copied. */
  restore(from: StateBuffer): void {
    this.queues = from.takeNumber();
    this.count = from.takeNumber();
    this.#serial = from.takeNumber();
    this.#rowFree = from.takeNumber();
    this.#rowEnd = from.takeNumber();
    this.#blockFree = from.takeNumber();
    this.#blockEnd = from.takeNumber();
    this.#blocksUsed = from.takeNumber();
    if (this.#rowEnd > 0 && this.queue.user.length === 0) this.#open();
    for (const name of QUEUE_COLUMNS) from.takeArray(this.queue[name]);
    for (const name of ROW_COLUMNS) from.takeArray(this.row[name]);
    from.takeArray(this.#blockNext);
    from.takeArray(this.#bytes);
    this.#findNext();
  }

  #open(): void {
    this.queue = queueColumns(QUEUES);
    this.row = fragmentColumns(ROWS);
    this.#blockNext = new Int32Array(BLOCKS);
    this.#bytes = new Uint8Array(BLOCKS * BLOCK);
  }

  #findNext(): void {
    const { deadlineNs } = this.queue;
    let next = Number.POSITIVE_INFINITY;
    for (let q = 0; q < this.queues; q++) if (deadlineNs[q]! < next) next = deadlineNs[q]!;
    this.#nextNs = next;
  }
}
