/** The random choice of endpoints: the same for a seed whatever the order, another for another seed, and even. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { type OutputRow, runFrames, type SentFrame } from '../support/batches.js';
import { testEpoch } from '../support/cluster.js';
import { findPort, frameOf } from '../support/journey.js';
import { sentMacs } from '../support/macs.js';

const epoch = testEpoch({ platform: 'kubernetes' });
const FLOWS = 4000;

/** A SYN of each client port, all at one time, so that order means nothing. */
const syns: SentFrame[] = Array.from({ length: FLOWS }, (_, i) => {
  const text = `s:${10_000 + i} > web:8080 SYN`;
  return { bytes: frameOf(text, sentMacs('s', text)), port: findPort(epoch, 's'), tsNs: 5 };
});

const choices = (seed: number, frames: readonly SentFrame[] = syns): string[] =>
  runFrames(new Engine(epoch, { seed }), frames).map((row: OutputRow) =>
    epoch.text(epoch.tables.endpoints.name[row.endpoint]!),
  );

test('each endpoint gets its share: chi-square with one degree of freedom', () => {
  for (const seed of [1, 2, 3]) {
    const counts = new Map<string, number>();
    for (const choice of choices(seed)) counts.set(choice, (counts.get(choice) ?? 0) + 1);
    assert.equal(counts.size, 2);
    const expected = FLOWS / 2;
    const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    // One in a thousand fair draws is beyond this.
    assert.ok(chiSquare < 10.83, `seed ${seed}: ${chiSquare}`);
  }
});

test('another seed makes other choices, about half of them', () => {
  const one = choices(1);
  const two = choices(2);
  const same = one.filter((choice, i) => choice === two[i]).length;
  assert.ok(Math.abs(same - FLOWS / 2) < 200, `${same} of ${FLOWS} the same`);
});

test('the choice does not hang on what came before', () => {
  const forward = choices(1);
  const backward = choices(1, [...syns].reverse()).reverse();
  assert.deepEqual(backward, forward);
});

test('neighbouring ports are no pattern: runs of equal choices are as many as chance gives', () => {
  const one = choices(1);
  const changes = one.slice(1).filter((choice, i) => choice !== one[i]).length;
  assert.ok(Math.abs(changes - FLOWS / 2) < 200, `${changes} changes`);
});
