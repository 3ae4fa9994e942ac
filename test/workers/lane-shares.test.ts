/** Sharing out lanes: as even as they allow, nobody without one, always the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { shareLanes } from '../../src/workers/lane-shares.js';

const CASES = [
  { why: 'nothing known: in turn', weights: [0, 0, 0, 0, 0], workers: 2, shares: '0 2 4 | 1 3' },
  { why: 'one worker has all', weights: [3, 1, 2], workers: 1, shares: '0 1 2' },
  { why: 'the heaviest apart', weights: [50, 40, 5, 5], workers: 2, shares: '0 | 1 2 3' },
  { why: 'evenly, though not in turn', weights: [9, 1, 8, 2], workers: 2, shares: '0 1 | 2 3' },
  {
    why: 'one lane has all: the rest is for the others',
    weights: [7, 0, 0, 0],
    workers: 3,
    shares: '0 | 1 3 | 2',
  },
  { why: 'a lane for each', weights: [1, 1, 1], workers: 3, shares: '0 | 1 | 2' },
];

for (const { why, weights, workers, shares } of CASES)
  test(why, () => {
    const got = shareLanes(weights, workers).map((lanes) => lanes.join(' '));
    assert.equal(got.join(' | '), shares);
  });

test('every lane has one worker, every worker a lane, and no load is above the mean and the heaviest lane', () => {
  const runs = fc
    .integer({ min: 1, max: 6 })
    .chain((workers) =>
      fc.tuple(fc.constant(workers), fc.array(fc.nat(1000), { minLength: workers, maxLength: 24 })),
    );
  fc.assert(
    fc.property(runs, ([workers, weights]) => {
      const shares = shareLanes(weights, workers);
      assert.deepEqual(
        shares.flat().sort((a, b) => a - b),
        weights.map((_, lane) => lane),
      );
      const mean = weights.reduce((sum, weight) => sum + weight, 0) / workers;
      for (const lanes of shares) {
        assert.ok(lanes.length > 0);
        const load = lanes.reduce((sum, lane) => sum + weights[lane]!, 0);
        assert.ok(load <= mean + Math.max(...weights));
      }
    }),
  );
});
