/** What no packet engine can do without, for `podplane bench` alone: each packet copied with a 50-byte header in front, and
 *  the row of its connection read and written. Twin of native/memory-floor.cc. */

/** Words of a slot, a packet, the header (50 bytes, rounded up) and a connection's row (one cache line). */
export const FLOOR = { SLOT: 32, PACKET: 16, HEADER: 13, ROW: 16 } as const;

/** Copy all packets of `packets` into `slots`, a header in front of each, and touch a row of `table` for each: those that
 *  `order` names from `first` on, around and around. Returns where `order` goes on. */
export function memoryFloor(
  packets: Uint32Array,
  header: Uint32Array,
  slots: Uint32Array,
  table: Uint32Array,
  order: Uint32Array,
  first: number,
): number {
  const count = packets.length / FLOOR.PACKET;
  let next = first;
  for (let i = 0; i < count; i++) {
    const slot = i * FLOOR.SLOT;
    const packet = i * FLOOR.PACKET;
    const row = order[next]! * FLOOR.ROW;
    next = next + 1 === order.length ? 0 : next + 1;
    const seen = table[row]! + 1;
    table[row] = seen;
    for (let w = 0; w < FLOOR.HEADER; w++) slots[slot + w] = header[w]!;
    for (let w = 0; w < FLOOR.PACKET; w++) slots[slot + FLOOR.HEADER + w] = packets[packet + w]!;
    slots[slot] = seen;
  }
  return next;
}
