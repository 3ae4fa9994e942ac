/** The floor: what a packet costs if it is only copied, with room for a tunnel header, and its connection looked at. */
import { type BackendName, loadKernels } from '../../kernels/backend.js';
import { FLOOR } from '../../kernels/memory-floor.js';
import { lineWords } from '../../layout/line-words.js';
import type { Workload } from './workload.js';
import { BATCH, shuffled } from './workload.js';

/** 64-byte packets into slots of 128 bytes; the connections in no order. */
export function floorWorkload(connections: number, backend: BackendName): Workload {
  const { memoryFloor } = loadKernels(backend);
  const packets = words(BATCH * FLOOR.PACKET).fill(0x01020304);
  const header = words(FLOOR.HEADER).fill(0x05060708);
  const slots = words(BATCH * FLOOR.SLOT);
  const table = words(connections * FLOOR.ROW).fill(1);
  const order = shuffled(connections);
  let next = 0;
  return {
    packets: BATCH,
    prepare: () => undefined,
    run(): number {
      next = memoryFloor(packets, header, slots, table, order, next);
      return table[0]! + slots[0]!;
    },
  };
}

function words(count: number): Uint32Array {
  const { buffer, byteOffset } = lineWords(count);
  return new Uint32Array(buffer, byteOffset, count);
}
