/** The floor: what a packet costs if the batch is filled with it, it is copied once with room for a tunnel header, and its
 *  connection is looked at. Filling is that of the engine's cases, and has a case of its own. */
import { type BackendName, loadKernels } from '../../kernels/backend.js';
import { FLOOR } from '../../kernels/memory-floor.js';
import { lineWords } from '../../layout/line-words.js';
import { Slots, STORED_WORDS } from './engine-batch.js';
import { FRAME } from './frames.js';
import type { Workload } from './workload.js';
import { BATCH, shuffled } from './workload.js';

/** Two stored packets a connection, as the established cases have them. */
export function fillWorkload(connections: number): Workload {
  const slots = new Slots(1);
  const count = connections * 2;
  const store = new Uint32Array(count * STORED_WORDS).fill(0x01020304);
  const lengths = new Uint8Array(count).fill(FRAME);
  const ports = new Uint32Array(count).fill(1);
  let next = 0;
  return {
    packets: BATCH,
    run(): number {
      next = slots.fill(store, lengths, ports, next);
      return slots.input.offset[next % BATCH]!;
    },
  };
}

/** Filling, and then 64-byte packets into slots of 128 bytes; the connections in no order. */
export function floorWorkload(connections: number, backend: BackendName): Workload {
  const { memoryFloor } = loadKernels(backend);
  const fill = fillWorkload(connections);
  const packets = words(BATCH * FLOOR.PACKET).fill(0x01020304);
  const header = words(FLOOR.HEADER).fill(0x05060708);
  const slots = words(BATCH * FLOOR.SLOT);
  const table = words(connections * FLOOR.ROW).fill(1);
  const order = shuffled(connections);
  let next = 0;
  return {
    packets: BATCH,
    run(): number {
      const filled = fill.run();
      next = memoryFloor(packets, header, slots, table, order, next);
      return table[0]! + slots[0]! + filled;
    },
  };
}

function words(count: number): Uint32Array {
  const { buffer, byteOffset } = lineWords(count);
  return new Uint32Array(buffer, byteOffset, count);
}
