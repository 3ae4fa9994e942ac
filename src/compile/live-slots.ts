/** Open addressing with linear probing in a live table set: takes entries out without leaving marks, so that every other is
 *  still found from its own slot on. */

/** A table of slots; their number is a power of two. */
export interface LiveSlots {
  readonly capacity: number;
  isEmpty(slot: number): boolean;
  /** Hash of what is in the slot. */
  hashOf(slot: number): number;
  move(from: number, to: number): void;
  clear(slot: number): void;
}

/** Empty slot `slot`, and close the gap. */
export function removeSlot(slots: LiveSlots, slot: number): void {
  const mask = slots.capacity - 1;
  let gap = slot;
  for (let at = (slot + 1) & mask; !slots.isEmpty(at); at = (at + 1) & mask) {
    const home = slots.hashOf(at) & mask;
    // It may move up to the gap when that is not before its own slot.
    if (((at - home) & mask) < ((at - gap) & mask)) continue;
    slots.move(at, gap);
    gap = at;
  }
  slots.clear(gap);
}
