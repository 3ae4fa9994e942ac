/** Packets that go on from the middle of the path, one after the other: the fragments that a datagram was cut into. */
import type { Walk } from './walk.js';

/** More than the fragments of the longest datagram at the smallest MTU that IPv4 asks for. */
export const FORKS_MAX = 1024;

/** What a fork knows of the walk that it comes from. */
const STATE = [
  'node',
  'pod',
  'ofport',
  'tunId',
  'tunDst',
  'ctInfo',
  'ct',
  'mark',
  'inDevice',
  'outDevice',
  'nextHop',
  'service',
  'endpoint',
  'pick',
  'flowPorts',
  'chain',
] as const;

/** A stage that has cut its packet answers -2 - edge: its forks take that edge. */
export const forkEdge = (answer: number): number => -2 - answer;

export class Forks {
  count = 0;
  /** The first that has not gone on. */
  next = 0;
  readonly at = new Float64Array(FORKS_MAX);
  readonly end = new Float64Array(FORKS_MAX);
  readonly stage = new Int32Array(FORKS_MAX);
  /** Whose place it takes; number -1 for a copy. */
  readonly number = new Float64Array(FORKS_MAX);
  readonly parent = new Float64Array(FORKS_MAX);
  readonly root = new Float64Array(FORKS_MAX);
  readonly #state = new Float64Array(FORKS_MAX * STATE.length);
  readonly #isGenerated = new Uint8Array(FORKS_MAX);
  #led = 0;

  /** Add the frame [at, end) as it is about to go on from `w`, in the place of packet `number`. The caller has seen
   *  that there is room. */
  push(w: Walk, at: number, end: number, number: number, parent: number, root: number): void {
    const i = this.count++;
    this.at[i] = at;
    this.end[i] = end;
    this.number[i] = number;
    this.parent[i] = parent;
    this.root[i] = root;
    for (let k = 0; k < STATE.length; k++) this.#state[i * STATE.length + k] = w[STATE[k]!];
    this.#isGenerated[i] = w.isGenerated ? 1 : 0;
  }

  /** Those added since the last call go on at `stage`. */
  lead(stage: number): void {
    for (; this.#led < this.count; this.#led++) this.stage[this.#led] = stage;
  }

  /** Take fork `i` in hand. */
  take(w: Walk, i: number): void {
    w.begin(this.at[i]!, this.end[i]!, w.nowNs);
    for (let k = 0; k < STATE.length; k++) w[STATE[k]!] = this.#state[i * STATE.length + k]!;
    w.isGenerated = this.#isGenerated[i] === 1;
    w.isRecordable = false;
  }

  /** All have gone on. */
  clear(): void {
    this.count = 0;
    this.next = 0;
    this.#led = 0;
  }
}
