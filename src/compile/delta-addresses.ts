/** Addresses that come into a live table set, and go. */
import { findAddress, mix32 } from '../tables/addresses.js';
import type { LiveSet } from './live-set.js';
import { removeSlot } from './live-slots.js';

export class AddressDelta {
  readonly #set: LiveSet;
  #used = 0;

  constructor(set: LiveSet) {
    this.#set = set;
    const { kind, capacity } = set.tables.addresses;
    for (let slot = 0; slot < capacity; slot++) if (kind[slot] !== 0) this.#used++;
  }

  /** False when there is no room, or the address stands for something already. */
  add(address: number, row: number, kind: number): boolean {
    const { addresses } = this.#set.tables;
    if ((this.#used + 1) * 2 > addresses.capacity || findAddress(addresses, address) >= 0) return false;
    const mask = addresses.capacity - 1;
    let slot = mix32(address) & mask;
    while (addresses.kind[slot] !== 0) slot = (slot + 1) & mask;
    this.#put(slot, address, row, kind);
    this.#used++;
    return true;
  }

  /** False when the address stands for something else than `kind`. */
  remove(address: number, kind: number): boolean {
    const { addresses } = this.#set.tables;
    const slot = findAddress(addresses, address);
    if (slot < 0 || addresses.kind[slot] !== kind) return false;
    removeSlot(
      {
        capacity: addresses.capacity,
        isEmpty: (at) => addresses.kind[at] === 0,
        hashOf: (at) => mix32(addresses.address[at]!),
        move: (from, to) =>
          this.#put(to, addresses.address[from]!, addresses.row[from]!, addresses.kind[from]!),
        clear: (at) => this.#put(at, 0, 0, 0),
      },
      slot,
    );
    this.#used--;
    return true;
  }

  #put(slot: number, address: number, row: number, kind: number): void {
    const { addresses } = this.#set.tables;
    this.#set.set(addresses.address, slot, address);
    this.#set.set(addresses.row, slot, row);
    this.#set.set(addresses.kind, slot, kind);
  }
}
