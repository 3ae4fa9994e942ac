/** Finds the input packet behind what timers give out: the engine numbers its packets, and those it holds have no row yet.
 *
 *  The engine counts packets in the order in which it takes or makes them, so a number that no row had is a held packet's:
 *  an input that gave no row of its own, or else one caused by the packet before. */

import type { StateBuffer } from '../layout/state-buffer.js';

export class HeldNumbers {
  /** Number of a held packet -> sequence number of its input. As many as the engine holds. */
  readonly #roots = new Map<number, number>();
  /** Inputs without a row whose number is not known until the next row shows it. */
  readonly #silent: number[] = [];
  #next = 0;
  #lastRoot = -1;
  #firedRoot = -1;

  /** An input was taken and gave no row of its own. */
  addSilent(sequence: number): void {
    this.#silent.push(sequence);
  }

  /** Engine packet `number` gave a row; it is, or was caused by, input `root`. */
  see(number: number, root: number): void {
    this.#account(number);
    this.#next = number + 1;
    this.#lastRoot = root;
  }

  /** A row that a timer gave out; returns its input's sequence number, or -1. */
  seeFired(number: number): number {
    if (number >= this.#next) this.#account(this.#next + this.#silent.length);
    const held = this.#roots.get(number);
    if (held === undefined) {
      // What the held packet caused follows it.
      this.see(number, this.#firedRoot);
      return this.#firedRoot;
    }
    this.#roots.delete(number);
    this.#firedRoot = held;
    this.#lastRoot = held;
    return held;
  }

  save(to: StateBuffer): void {
    for (const value of [this.#next, this.#lastRoot, this.#firedRoot, this.#silent.length, this.#roots.size])
      to.putNumber(value);
    for (const sequence of this.#silent) to.putNumber(sequence);
    for (const [number, root] of this.#roots) {
      to.putNumber(number);
      to.putNumber(root);
    }
  }

  /** Become what save() copied. */
  restore(from: StateBuffer): void {
    this.#next = from.takeNumber();
    this.#lastRoot = from.takeNumber();
    this.#firedRoot = from.takeNumber();
    const [silent, roots] = [from.takeNumber(), from.takeNumber()];
    this.#silent.length = 0;
    this.#roots.clear();
    for (let i = 0; i < silent; i++) this.#silent.push(from.takeNumber());
    for (let i = 0; i < roots; i++) this.#roots.set(from.takeNumber(), from.takeNumber());
  }

  /** All numbers below `end` that had no row are held packets'; the last of them are the silent inputs'. */
  #account(end: number): void {
    const made = end - this.#next - this.#silent.length;
    for (let number = this.#next; number < end; number++) {
      const i = number - this.#next - made;
      this.#roots.set(number, i < 0 ? this.#lastRoot : this.#silent[i]!);
    }
    this.#silent.length = 0;
    this.#next = Math.max(this.#next, end);
  }
}
