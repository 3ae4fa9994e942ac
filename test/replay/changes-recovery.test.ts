/** Workers die around changes of the cluster: the result is as if they had not, so the one in their place has gone through
 *  the same changes between the same packets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replay } from '../../src/replay/replay.js';
import { FAULT_VARIABLE } from '../../src/workers/faults.js';
import { changingCase } from '../twins/matrix-cases.js';
import { facts } from './traffic-trace.js';

const { epoch, options } = await changingCase(3, 400, 40);
const base = { ...options, backend: 'typescript', chunkRows: 30 } as const;
const REFERENCE = await replay(epoch, base);
const TASKS = Array.from({ length: 90 }, (_, serial) => serial);

test('there are changes within the trace, and timers', () => {
  assert.ok((REFERENCE.changes?.taken ?? 0) > 20, `${REFERENCE.changes?.taken} changes`);
  assert.equal(REFERENCE.balanced, true);
});

/** Threads take long to start: two workers die less often than one, which is none. */
const cases = [
  {
    workers: 1,
    why: 'before each table set is installed',
    kills: TASKS.map((i) => `install:${i}`),
    least: 15,
  },
  {
    workers: 1,
    why: 'after tasks, with table sets installed since the checkpoint',
    kills: TASKS.filter((i) => i % 4 === 1).map((i) => `answer:${i}`),
    least: 10,
  },
  {
    workers: 1,
    why: 'while checkpoints are written',
    kills: TASKS.map((i) => `checkpoint:${i}`),
    least: 3,
  },
  {
    workers: 1,
    why: 'at packets here and there',
    kills: [11, 60, 61, 150, 222, 223, 300, 390].map((i) => `packet:${i}`),
    least: 6,
  },
  {
    workers: 2,
    why: 'at an installation, behind an answer, in a checkpoint and at a packet',
    kills: ['install:10', 'answer:21', 'packet:150', 'checkpoint:29', 'install:40@throw'],
    least: 3,
  },
];
for (const { workers, why, kills, least } of cases)
  test(`${workers} workers die ${why}: nothing is lost or doubled`, async () => {
    process.env[FAULT_VARIABLE] = kills.join();
    try {
      const result = await replay(epoch, { ...base, workers });
      assert.deepEqual(facts(result), facts(REFERENCE));
      assert.deepEqual([result.quarantined, result.lost, result.failure], [0, 0, null]);
      assert.ok(result.recovered >= least, `${result.recovered} deaths`);
    } finally {
      delete process.env[FAULT_VARIABLE];
    }
  });
