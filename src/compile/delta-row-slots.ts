/** Slots of a live table set that hold a row's number plus one: rows of Services and of fronts, found by their keys. */
import type { LiveSet } from './live-set.js';
import { removeSlot } from './live-slots.js';

export class RowSlots {
  readonly #set: LiveSet;
  readonly #column: () => Uint32Array;
  readonly #hashOf: (row: number) => number;
  #used = 0;

  /** `column`: the slots of the set as it is written now. `hashOf`: of a row's key. */
  constructor(set: LiveSet, column: () => Uint32Array, hashOf: (row: number) => number) {
    this.#set = set;
    this.#column = column;
    this.#hashOf = hashOf;
    for (const row of column()) if (row !== 0) this.#used++;
  }

  /** Let `row` be found by its key, which no other row has. False when there is no room. */
  put(row: number): boolean {
    const slots = this.#column();
    if ((this.#used + 1) * 2 > slots.length) return false;
    let slot = this.#hashOf(row) & (slots.length - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
    this.#set.set(slots, slot, row + 1);
    this.#used++;
    return true;
  }

  /** `row`, which still has its key, is found no more. */
  remove(row: number): void {
    const slots = this.#column();
    let slot = this.#hashOf(row) & (slots.length - 1);
    for (; slots[slot] !== row + 1; slot = (slot + 1) & (slots.length - 1)) if (slots[slot] === 0) return;
    removeSlot(
      {
        capacity: slots.length,
        isEmpty: (at) => slots[at] === 0,
        hashOf: (at) => this.#hashOf(slots[at]! - 1),
        move: (from, to) => this.#set.set(slots, to, slots[from]!),
        clear: (at) => this.#set.set(slots, at, 0),
      },
      slot,
    );
    this.#used--;
  }
}
