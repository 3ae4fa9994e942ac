/** Counts the packets that each rule of br0 matches, on the long way one by one, on the short way by the path that they
 *  take: a path stands for the list of rules that its packets would meet. */
import type { HopSink, Walk } from '../stages/walk.js';

/** Longer than any packet's way through the br0 of two nodes. */
const MET_MAX = 256;
const LISTS_AT_START = 256;

export class RuleCounts implements HopSink {
  readonly #packets: Float64Array;
  /** Who else wants to be told. */
  readonly #next: HopSink | null;
  /** Rules that the packet in hand has met. */
  readonly #met = new Int32Array(MET_MAX);
  #metCount = 0;
  /** Lists one behind the other; list i is rules[first[i]] .. rules[first[i + 1]]. */
  #rules = new Int32Array(LISTS_AT_START * 16);
  #first = new Int32Array(LISTS_AT_START);
  #lists = 0;
  /** Hash of a list: its number. */
  readonly #known = new Map<number, number>();
  /** By path: its list. */
  #listOf = new Int32Array(LISTS_AT_START);
  /** By list: packets not yet counted, and the lists that have some. */
  #waiting = new Float64Array(LISTS_AT_START);
  #dirty = new Int32Array(LISTS_AT_START);
  #dirtyCount = 0;

  /** `packets`: EngineMetrics.rulePackets. `next` is told everything that this is told. */
  constructor(packets: Float64Array, next: HopSink | null) {
    this.#packets = packets;
    this.#next = next;
  }

  /** A packet that may be remembered sets out. */
  begin(): void {
    this.#metCount = 0;
  }

  stage(walk: Walk, stage: number): void {
    this.#next?.stage(walk, stage);
  }

  rule(walk: Walk, table: number, rule: number): void {
    this.#packets[rule]!++;
    if (this.#metCount < MET_MAX) this.#met[this.#metCount++] = rule;
    this.#next?.rule(walk, table, rule);
  }

  /** The rule has counted the packet that is copied. */
  copy(walk: Walk, table: number, rule: number): void {
    this.#next?.copy(walk, table, rule);
  }

  /** What the packet in hand has met is what the packets of this path cache row will meet. */
  remember(path: number): void {
    if (path >= this.#listOf.length) this.#listOf = grown(this.#listOf, path + 1);
    this.#listOf[path] = this.#listOfMet();
  }

  /** Packets found[from] .. found[to] (directions of path cache rows, as the lookup kernel answers) took the short way. */
  countShort(found: Int32Array, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const list = this.#listOf[found[i]! >> 1]!;
      if (this.#waiting[list]!++ === 0) this.#dirty[this.#dirtyCount++] = list;
    }
  }

  /** Add what the short way took to its rules. */
  settle(): void {
    for (let i = 0; i < this.#dirtyCount; i++) {
      const list = this.#dirty[i]!;
      const packets = this.#waiting[list]!;
      this.#waiting[list] = 0;
      for (let at = this.#first[list]!; at < this.#first[list + 1]!; at++)
        this.#packets[this.#rules[at]!]! += packets;
    }
    this.#dirtyCount = 0;
  }

  /** Drop what was not settled: the engine goes back to an earlier state. */
  forget(): void {
    for (let i = 0; i < this.#dirtyCount; i++) this.#waiting[this.#dirty[i]!] = 0;
    this.#dirtyCount = 0;
  }

  /** Number of the list of rules met; a new one unless it is known. */
  #listOfMet(): number {
    let hash = this.#metCount;
    for (let i = 0; i < this.#metCount; i++) hash = Math.imul(hash ^ this.#met[i]!, 0x9e3779b1) >>> 1;
    for (; this.#known.has(hash); hash++) {
      const known = this.#known.get(hash)!;
      if (this.#isMet(known)) return known;
    }
    const list = this.#lists++;
    if (list + 1 >= this.#first.length) this.#makeRoom();
    const at = this.#first[list]!;
    if (at + this.#metCount > this.#rules.length) this.#rules = grown(this.#rules, at + this.#metCount);
    for (let i = 0; i < this.#metCount; i++) this.#rules[at + i] = this.#met[i]!;
    this.#first[list + 1] = at + this.#metCount;
    this.#known.set(hash, list);
    return list;
  }

  #isMet(list: number): boolean {
    const at = this.#first[list]!;
    if (this.#first[list + 1]! - at !== this.#metCount) return false;
    for (let i = 0; i < this.#metCount; i++) if (this.#rules[at + i] !== this.#met[i]) return false;
    return true;
  }

  #makeRoom(): void {
    const size = this.#first.length * 2;
    this.#first = grown(this.#first, size);
    this.#dirty = grown(this.#dirty, size);
    const waiting = new Float64Array(size);
    waiting.set(this.#waiting);
    this.#waiting = waiting;
  }
}

/** A copy with room for `least`, and at least twice as large. */
function grown(from: Int32Array, least: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(Math.max(least, from.length * 2));
  to.set(from);
  return to;
}
