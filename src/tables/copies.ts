/** A frame that br0 puts out of several ports: what is left to be put out, and the frame as it was.
 *  A stack, as a copy that reaches another node is multiplied there before the next one is made. All live.
 *
 *  frame u8[level][FRAME_MAX] | length | tsNs | packet, root f64 (the packet that is copied, its input)
 *  mru: the longest fragment that it came in |
 *  node | ofport | tunId | rule, action (row of FRL1, row of FAC1 that comes next) i32 | key i32[level][FLOW_KEY_SIZE] */
import type { StateBuffer } from '../layout/state-buffer.js';
import { FLOW_KEY_SIZE } from './flows.js';

/** br0 of the sender's node, then of another one; nothing is multiplied a third time. */
const LEVELS = 2;
const FRAME_MAX = 65_535 + 14;

const COLUMNS = [
  'length',
  'tsNs',
  'packet',
  'root',
  'mru',
  'node',
  'ofport',
  'tunId',
  'etherType',
  'rule',
  'action',
] as const;

export class Copies {
  /** Levels in use; the last one is at depth - 1. */
  depth = 0;
  /** Input row that all of them come from. */
  origin = -1;
  /** Number of the packet that is walked: what it leaves to be copied is of that one. */
  owner = -1;
  readonly frame = new Uint8Array(LEVELS * FRAME_MAX);
  readonly key = new Int32Array(LEVELS * FLOW_KEY_SIZE);
  readonly length = new Uint32Array(LEVELS);
  readonly tsNs = new Float64Array(LEVELS);
  readonly packet = new Float64Array(LEVELS);
  readonly root = new Float64Array(LEVELS);
  readonly mru = new Int32Array(LEVELS);
  readonly node = new Int32Array(LEVELS);
  readonly ofport = new Int32Array(LEVELS);
  readonly tunId = new Int32Array(LEVELS);
  readonly etherType = new Int32Array(LEVELS);
  readonly rule = new Int32Array(LEVELS);
  readonly action = new Int32Array(LEVELS);

  /** Keep the frame `bytes` [at, end) and its key on a new level, which is answered; -1 when there is none. */
  push(bytes: Uint8Array, at: number, end: number, key: Int32Array): number {
    if (this.depth === LEVELS) return -1;
    const level = this.depth++;
    const base = level * FRAME_MAX;
    for (let i = 0; i < end - at; i++) this.frame[base + i] = bytes[at + i]!;
    for (let i = 0; i < FLOW_KEY_SIZE; i++) this.key[level * FLOW_KEY_SIZE + i] = key[i]!;
    this.length[level] = end - at;
    this.packet[level] = this.owner;
    return level;
  }

  /** Write the frame of `level` to `bytes` at `at`, and its key into `key`. */
  take(level: number, bytes: Uint8Array, at: number, key: Int32Array): void {
    const base = level * FRAME_MAX;
    for (let i = 0; i < this.length[level]!; i++) bytes[at + i] = this.frame[base + i]!;
    for (let i = 0; i < FLOW_KEY_SIZE; i++) key[i] = this.key[level * FLOW_KEY_SIZE + i]!;
  }

  /** Copy all that is left. */
  save(to: StateBuffer): void {
    for (const value of [this.depth, this.origin]) to.putNumber(value);
    to.putArray(this.frame, this.depth * FRAME_MAX);
    to.putArray(this.key, this.depth * FLOW_KEY_SIZE);
    for (const name of COLUMNS) to.putArray(this[name], this.depth);
  }

  /** Become what save() copied. */
  restore(from: StateBuffer): void {
    this.depth = from.takeNumber();
    this.origin = from.takeNumber();
    from.takeArray(this.frame);
    from.takeArray(this.key);
    for (const name of COLUMNS) from.takeArray(this[name]);
  }
}
