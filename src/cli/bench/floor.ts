/** The floor: what a packet costs if it is only copied, with room for a tunnel header, and looked up once. */
import type { Workload } from './workload.js';
import { BATCH, shuffled } from './workload.js';

const SLOT_WORDS = 32;
const PACKET_WORDS = 16;
/** 50 bytes of outer headers, rounded up. */
const HEADER_WORDS = 13;
/** A connection's row, two to a cache line. */
const ROW_WORDS = 8;

/** Copies 64-byte packets and a header in front of each into slots of 128 bytes, and reads and writes the row of a
 *  connection, the connections in no order. */
export function floorWorkload(connections: number): Workload {
  const packets = new Uint32Array(BATCH * PACKET_WORDS).fill(0x01020304);
  const header = new Uint32Array(HEADER_WORDS).fill(0x05060708);
  const slots = new Uint32Array(BATCH * SLOT_WORDS);
  const table = new Uint32Array(connections * ROW_WORDS).fill(1);
  const order = shuffled(connections);
  let next = 0;
  return {
    packets: BATCH,
    run(): number {
      next = floorBatch(packets, header, slots, table, order, next);
      return table[0]! + slots[0]!;
    },
  };
}

/** Returns where the next batch goes on in `order`. */
function floorBatch(
  packets: Uint32Array,
  header: Uint32Array,
  slots: Uint32Array,
  table: Uint32Array,
  order: Uint32Array,
  first: number,
): number {
  let next = first;
  for (let i = 0; i < BATCH; i++) {
    const slot = i * SLOT_WORDS;
    const packet = i * PACKET_WORDS;
    const row = order[next]! * ROW_WORDS;
    next = next + 1 === order.length ? 0 : next + 1;
    table[row]! += 1;
    for (let w = 0; w < HEADER_WORDS; w++) slots[slot + w] = header[w]!;
    for (let w = 0; w < PACKET_WORDS; w++) slots[slot + HEADER_WORDS + w] = packets[packet + w]!;
    slots[slot] = table[row]!;
  }
  return next;
}
