/** Runs of rows: never two in one row, never beyond the table, and what is given back is used again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Runs } from '../../src/compile/runs.js';

const SIZES = [0, 3, 0, 5, 1];
const CAPACITY = 120;

test('runs that grow and shrink never overlap', () => {
  const steps = fc.array(fc.tuple(fc.nat({ max: SIZES.length - 1 }), fc.nat({ max: 20 })), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (list) => {
      const runs = SIZES.map((count, i) => ({
        first: SIZES.slice(0, i).reduce((sum, size) => sum + size, 0),
        count,
      }));
      const space = new Runs(9, CAPACITY);
      for (const [which, count] of list) {
        const run = runs[which]!;
        const first = space.resize(run.first, run.count, count);
        if (first < 0) return;
        Object.assign(run, { first, count });
        const used = runs.flatMap((one) => Array.from({ length: one.count }, (_, i) => one.first + i));
        assert.equal(new Set(used).size, used.length, 'no row is in two runs');
        assert.ok(used.every((row) => row < space.end) && space.end <= CAPACITY);
      }
    }),
    { numRuns: 300 },
  );
});

test('a run stays where it is while it has room, and what is given back is found again', () => {
  const space = new Runs(10, CAPACITY);
  const first = space.resize(0, 10, 12);
  assert.equal(first, 10);
  assert.equal(space.resize(first, 12, 16), first, 'there is room for a multiple of eight');
  assert.equal(space.resize(first, 16, 9), first);
  assert.equal(space.resize(0, 0, 10), 0, 'the first one’s rows');
  assert.equal(space.end, 26);
});

test('a full table says so', () => {
  const space = new Runs(10, 20);
  assert.equal(space.resize(0, 0, 11), -1);
  assert.equal(space.resize(0, 0, 10), 10, 'exactly what is left');
  assert.equal(space.resize(0, 0, 1), -1);
});
