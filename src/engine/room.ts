/** How much room in output and arena a packet needs before it is taken, so that nothing on its way runs out of it. */
import { type Arena, HEADROOM, type OutputBatch, ROWS_PER_PACKET } from '../packet/batch.js';

/** Free arena bytes that a packet of `length` may need: itself moved, an answer as long as itself, answers to that. */
const arenaNeed = (length: number): number => 2 * (length + 2 * HEADROOM) + 4096;

export const hasRoom = (output: OutputBatch, arena: Arena, length: number): boolean =>
  output.capacity - output.count >= ROWS_PER_PACKET && arena.bytes.length - arena.used >= arenaNeed(length);
