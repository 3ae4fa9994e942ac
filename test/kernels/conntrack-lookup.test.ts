/** Tests of the connection lookup kernel against a plain list. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CONNECTION } from '../../src/kernels/connection-columns.js';
import { conntrackFind, conntrackLookupBatch } from '../../src/kernels/conntrack-lookup.js';
import { tupleHash } from '../../src/kernels/five-tuple.js';
import { connectionsOf, keysOf, type Tuple } from './connections.js';

const { TUPLES } = CONNECTION;
const A: Tuple = [1, 2, 3, 0x106];
const B: Tuple = [2, 1, 4, 0x106];
const C: Tuple = [9, 9, 9, 0x211];

/** Look tuples up one by one, all with hash 1: they share a probe sequence in a table of 4 slots. */
const find = (slots: readonly number[], tuple: Tuple) =>
  conntrackFind(Int32Array.from(slots), connectionsOf([A, B], 4, 0).rows, TUPLES, 1, ...tuple);

const CASES: readonly { why: string; slots: readonly number[]; tuple: Tuple; out: number }[] = [
  { why: 'found where its hash points', slots: [0, 1, 0, 0], tuple: A, out: 0 },
  { why: 'found after a collision', slots: [0, 1, 2, 0], tuple: B, out: 1 },
  { why: 'found across a deleted slot', slots: [0, -1, 2, 0], tuple: B, out: 1 },
  { why: 'found around the end', slots: [2, 1, -1, -1], tuple: B, out: 1 },
  { why: 'missed at an empty slot', slots: [0, 0, 1, 0], tuple: A, out: -1 },
  { why: 'missed among others', slots: [0, 1, 2, 0], tuple: C, out: -1 },
  { why: 'missed in a table without an empty slot', slots: [-1, 1, 2, -1], tuple: C, out: -1 },
  { why: 'missed in another space', slots: [0, 1, 0, 0], tuple: [1, 2, 3, 0x206], out: -1 },
];

for (const { why, slots, tuple, out } of CASES)
  test(`find: ${why}`, () => assert.equal(find(slots, tuple), out));

test('a batch answers as a plain list would, and no key is no connection', () => {
  const word = fc.integer({ min: 0, max: 3 });
  const tuple = fc.tuple(word, word, word, fc.integer({ min: 0, max: 2 }));
  fc.assert(
    fc.property(
      fc.uniqueArray(tuple, { maxLength: 30, selector: String }),
      fc.array(tuple, { minLength: 1, maxLength: 70 }),
      fc.integer({ min: 0, max: 0xffffffff }),
      (held, wanted, seed) => {
        const table = connectionsOf(held, 32, seed);
        const { keys, hashes } = keysOf(wanted, seed);
        const found = new Int32Array(wanted.length);
        conntrackLookupBatch(table.slots, table.rows, TUPLES, keys, hashes, 0, wanted.length, found);
        const plain = wanted.map((one) =>
          one[3] === 0 ? -1 : held.findIndex((other) => String(other) === String(one)),
        );
        assert.deepEqual([...found], plain);
      },
    ),
  );
});

test('a table large enough for the touch pass answers the same', () => {
  const held: Tuple[] = Array.from({ length: 3000 }, (_, i) => [i * 7, ~i, i << 16, 0x106]);
  const { slots, rows } = connectionsOf(held, 1 << 16, 5);
  const wanted: Tuple[] = [...held.slice(100, 300), A, [0, 0, 0, 0], C];
  const { keys, hashes } = keysOf(wanted, 5);
  const found = new Int32Array(wanted.length + 2).fill(77);
  conntrackLookupBatch(slots, rows, TUPLES, keys, hashes, 0, wanted.length, found);
  assert.deepEqual([...found], [...Array.from({ length: 200 }, (_, i) => 100 + i), -1, -1, -1, 77, 77]);
  conntrackLookupBatch(slots, rows, TUPLES, keys, hashes, 3, 0, found);
  assert.equal(found[3], 103);
});

test('the hash is only a hint: a tuple is never taken for another of the same hash', () => {
  const slots = new Int32Array(4);
  slots[tupleHash(0, ...A) & 3] = 1;
  assert.equal(conntrackFind(slots, Int32Array.from(A), 0, tupleHash(0, ...A), ...C), -1);
});
