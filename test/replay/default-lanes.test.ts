/** How many lanes a run has: one where state is exact in one alone, and the result says why. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLanes, splitState } from '../../src/replay/default-lanes.js';
import { replay } from '../../src/replay/replay.js';
import { externalEpoch } from '../support/external.js';
import { writeTrace } from './traces.js';

const plain = externalEpoch();
const sticky = externalEpoch({ web: { affinityTimeoutSec: 600 } });

test('eight lanes, and one with session affinity', () => {
  assert.deepEqual([defaultLanes(splitState(plain.tables)), splitState(plain.tables)], [8, '']);
  assert.equal(defaultLanes(splitState(sticky.tables)), 1);
  assert.match(splitState(sticky.tables), /^session affinity/);
});

test('a run says so, and takes as many lanes as it is told to', async () => {
  const trace = await writeTrace([['any', 'pod-1:40000 > 172.30.10.20:8080 SYN']]);
  const run = { traces: [trace], backend: 'typescript' } as const;
  assert.equal((await replay(plain, run)).lanes, 8);
  const one = await replay(sticky, { ...run, workers: 2 });
  assert.deepEqual([one.lanes, one.workers], [1, 1]);
  assert.match(one.splitState, /^session affinity/);
  assert.equal((await replay(sticky, { ...run, lanes: 4 })).lanes, 4);
});
