/** Twins: the native kernels write the same bytes as the TypeScript ones, malformed input included. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadKernels } from '../../src/kernels/backend.js';
import { CONNECTION, tupleAt } from '../../src/kernels/connection-columns.js';
import { FLOOR } from '../../src/kernels/memory-floor.js';
import { needsNative } from '../support/native.js';
import { connectionsOf, keysOf, type Tuple } from './connections.js';
import { batchOf, type FrameBatch, frame, frames } from './frames.js';

const skip = needsNative();
const both = () => [loadKernels('typescript'), loadKernels('native')] as const;
const word = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const seeds = fc.integer({ min: 0, max: 0xffffffff });

/** A port for each row, so that the spaces are their nodes. */
const portsOf = (space: Int32Array): Int32Array => space.map((_, i) => i);

/** Keys and hashes that one back end writes, over columns filled beforehand, so that untouched rows count too. */
function tuples(kernels: ReturnType<typeof loadKernels>, batch: FrameBatch, first: number, seed: number) {
  const keys = new Int32Array(batch.offset.length * 4).fill(0x55);
  const hashes = new Uint32Array(batch.offset.length).fill(0x55);
  const count = batch.offset.length - first;
  const done = kernels.fiveTupleBatch(
    batch.bytes,
    batch.offset,
    batch.length,
    portsOf(batch.space),
    Uint32Array.from(batch.space),
    batch.space.length,
    0,
    first,
    count,
    seed,
    keys,
    hashes,
  );
  return { keys, hashes, done };
}

test('five-tuple: same keys and hashes', skip, () => {
  const [typescript, native] = both();
  fc.assert(
    fc.property(
      fc.array(frames, { minLength: 1, maxLength: 80 }),
      seeds,
      fc.nat(7),
      fc.boolean(),
      (list, seed, gap, isShared) => {
        const batch = batchOf(list, { gap, isShared });
        const first = gap % list.length;
        assert.deepEqual(tuples(native, batch, first, seed), tuples(typescript, batch, first, seed));
      },
    ),
    { numRuns: 300 },
  );
});

test('five-tuple: both stop at a port that is none', skip, () => {
  const { bytes, offset, length } = batchOf([frame(), frame(), frame()]);
  for (const { fiveTupleBatch, name } of both())
    for (const [ports, done] of [
      [[0, 0, 0], 3],
      [[0, 2, 0], 1],
      [[0, 0, -1], 2],
      [[1, 0, 0], 0],
    ] as const) {
      const nodes = Uint32Array.of(0, 0xffffffff, 0);
      const keys = new Int32Array(12);
      const port = Int32Array.from(ports);
      const rows = fiveTupleBatch(
        bytes,
        offset,
        length,
        port,
        nodes,
        2,
        1,
        0,
        3,
        0,
        keys,
        new Uint32Array(3),
      );
      assert.equal(rows, done, `${name}: ${ports}`);
    }
});

test('five-tuple: same answer for offsets and lengths that leave the arena', skip, () => {
  const [typescript, native] = both();
  const any = fc.oneof(fc.nat(120), fc.integer({ min: 0xffffff00, max: 0xffffffff }));
  fc.assert(
    fc.property(
      fc.array(frames, { minLength: 1, maxLength: 8 }),
      fc.array(fc.tuple(any, any), { minLength: 1, maxLength: 8 }),
      (list, rows) => {
        const { bytes } = batchOf(list);
        const batch = {
          bytes,
          offset: Uint32Array.from(rows, ([offset]) => offset),
          length: Uint32Array.from(rows, ([, length]) => length),
          space: new Int32Array(rows.length).fill(1),
        };
        assert.deepEqual(tuples(native, batch, 0, 1), tuples(typescript, batch, 0, 1));
      },
    ),
  );
});

/** Rows that one back end answers, likewise. */
function lookup(
  kernels: ReturnType<typeof loadKernels>,
  slots: Int32Array,
  table: Int32Array,
  keys: Int32Array,
  hashes: Uint32Array,
) {
  const found = new Int32Array(hashes.length).fill(0x55);
  kernels.conntrackLookupBatch(slots, table, CONNECTION.TUPLES, keys, hashes, 0, hashes.length, found);
  return found;
}

const near = fc.tuple(
  fc.integer({ min: 0, max: 5 }),
  fc.integer({ min: 0, max: 5 }),
  word,
  fc.constantFrom(0, 0x106, 0x211),
);

test('lookup: same rows, hits and misses, before and after deletions', skip, () => {
  const [typescript, native] = both();
  fc.assert(
    fc.property(
      fc.uniqueArray(near, { maxLength: 60, selector: String }),
      fc.array(near, { maxLength: 40 }),
      fc.array(fc.nat(127), { maxLength: 20 }),
      seeds,
      (held, others, deleted, seed) => {
        const { slots, rows: table } = connectionsOf(held, 128, seed);
        const { keys, hashes } = keysOf([...held, ...others] as Tuple[], seed);
        assert.deepEqual(
          lookup(native, slots, table, keys, hashes),
          lookup(typescript, slots, table, keys, hashes),
        );
        for (const at of deleted) if (slots[at] !== 0) slots[at] = -1;
        assert.deepEqual(
          lookup(native, slots, table, keys, hashes),
          lookup(typescript, slots, table, keys, hashes),
        );
      },
    ),
    { numRuns: 300 },
  );
});

test('memory floor: same slots and rows, and the order goes around', skip, () => {
  const run = ({ memoryFloor }: ReturnType<typeof loadKernels>) => {
    const packets = Uint32Array.from({ length: 100 * FLOOR.PACKET }, (_, i) => i);
    const header = Uint32Array.from({ length: FLOOR.HEADER }, (_, i) => ~i);
    const slots = new Uint32Array(100 * FLOOR.SLOT);
    const table = new Uint32Array(7 * FLOOR.ROW);
    const next = memoryFloor(packets, header, slots, table, Uint32Array.of(6, 0, 5, 1, 4, 2, 3), 5);
    return { next, slots, table };
  };
  const [typescript, native] = both();
  assert.deepEqual(run(native), run(typescript));
  assert.equal(run(native).next, (5 + 100) % 7);
  assert.equal(run(native).table[2 * FLOOR.ROW], 15);
});

test('lookup: same answer for tables of noise', skip, () => {
  const [typescript, native] = both();
  const slot = fc.oneof(fc.integer({ min: -3, max: 12 }), word);
  fc.assert(
    fc.property(
      fc
        .integer({ min: 0, max: 5 })
        .chain((bits) => fc.array(slot, { minLength: 1 << bits, maxLength: 1 << bits })),
      fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 5 * CONNECTION.ROW }),
      fc.array(fc.tuple(seeds, fc.integer({ min: 0, max: 1 })), { minLength: 1, maxLength: 40 }),
      (slotList, words, wanted) => {
        const slots = Int32Array.from(slotList);
        const table = Int32Array.from(words);
        const keys = Int32Array.from(wanted.flatMap(([, one]) => [one, one, one, one]));
        const hashes = Uint32Array.from(wanted, ([hash]) => hash);
        assert.deepEqual(
          lookup(native, slots, table, keys, hashes),
          lookup(typescript, slots, table, keys, hashes),
        );
      },
    ),
  );
});

test('a changed table is seen by both at once: they work on one memory', skip, () => {
  const held: Tuple[] = [
    [1, 2, 3, 0x106],
    [2, 1, 4, 0x106],
  ];
  const { slots, rows: table } = connectionsOf(held, 8, 9);
  const { keys, hashes } = keysOf(held, 9);
  for (const kernels of both()) {
    const rows = () => [...lookup(kernels, slots, table, keys, hashes)];
    assert.deepEqual(rows(), [0, 1], kernels.name);
    table[tupleAt(1)] = 77;
    assert.deepEqual(rows(), [0, -1], kernels.name);
    table[tupleAt(1)] = 2;
    const at = slots.indexOf(1);
    slots[at] = -1;
    assert.deepEqual(rows(), [-1, 1], kernels.name);
    slots[at] = 1;
  }
});
