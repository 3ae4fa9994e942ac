/** A connection table for the kernel tests, filled by the plain rule of conntrack-lookup.ts. */
import { CONNECTION, tupleAt } from '../../src/kernels/connection-columns.js';
import { tupleHash } from '../../src/kernels/five-tuple.js';

export type Tuple = readonly [number, number, number, number];

export interface Connections {
  readonly slots: Int32Array;
  readonly rows: Int32Array;
}

/** Put tuple i at direction index i. `size` is the number of slots, a power of two. */
export function connectionsOf(list: readonly Tuple[], size: number, seed: number): Connections {
  const slots = new Int32Array(size);
  const rows = new Int32Array(Math.ceil(list.length / 2) * CONNECTION.ROW);
  list.forEach((tuple, i) => {
    rows.set(tuple, tupleAt(i));
    let at = tupleHash(seed, ...tuple) & (size - 1);
    while (slots[at] !== 0) at = (at + 1) & (size - 1);
    slots[at] = 1 + i;
  });
  return { slots, rows };
}

/** Keys and hashes of tuples, as fiveTupleBatch would leave them. */
export function keysOf(list: readonly Tuple[], seed: number): { keys: Int32Array; hashes: Uint32Array } {
  return {
    keys: Int32Array.from(list.flat()),
    hashes: Uint32Array.from(list, (tuple) => (tuple[3] === 0 ? 0 : tupleHash(seed, ...tuple))),
  };
}
