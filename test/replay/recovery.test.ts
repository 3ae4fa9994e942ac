/** Workers die while a trace is replayed: the result is as if they had not, but for packets that kill again and again. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type ReplayOptions, type ReplayResult, replay } from '../../src/replay/replay.js';
import { FAULT_VARIABLE } from '../../src/workers/faults.js';
import { twoNodes } from './traces.js';
import { facts, trafficTrace } from './traffic-trace.js';

const epoch = await twoNodes();
const traces = [await trafficTrace()];
/** Small chunks and checkpoints, so that there is much to go back to. */
const base: ReplayOptions = { traces, backend: 'typescript', chunkRows: 50, checkpointSize: 20_000 };

/** Tasks without a checkpoint pass over theirs. */
const EVERY_CHECKPOINT = Array.from({ length: 31 }, (_, serial) => `checkpoint:${serial}`).join();

async function replayKilled(kills: string, options: Partial<ReplayOptions> = {}): Promise<ReplayResult> {
  process.env[FAULT_VARIABLE] = kills;
  try {
    return await replay(epoch, { ...base, ...options });
  } finally {
    delete process.env[FAULT_VARIABLE];
  }
}

const REFERENCE = await replay(epoch, base);
const MODEL = await replay(epoch, { ...base, pick: 'model' });

/** Places are in faults.ts. `recovered` is null where it depends on the number of workers which tasks have checkpoints. */
const cases: readonly { why: string; kills: string; recovered: number | null }[] = [
  { why: 'at the first packet', kills: 'packet:0', recovered: 1 },
  { why: 'at the last packet', kills: 'packet:1505', recovered: 1 },
  { why: 'with an error instead of an end', kills: 'packet:700@throw', recovered: 1 },
  {
    why: 'again and again',
    kills: 'packet:30,packet:31,packet:700,packet:1100@throw,packet:1400',
    recovered: 5,
  },
  { why: 'before anything is written down', kills: 'journal:0', recovered: 1 },
  { why: 'before the task is written down', kills: 'journal:9', recovered: 1 },
  { why: 'after the answer, before it counts', kills: 'answer:9,answer:10', recovered: 2 },
  { why: 'while a checkpoint is written', kills: EVERY_CHECKPOINT, recovered: null },
  { why: 'while it recovers', kills: 'packet:700,packet:690,packet:680', recovered: 3 },
];
for (const workers of [1, 2])
  for (const { why, kills, recovered } of cases)
    test(`${workers} workers, one dies ${why}: nothing is lost or doubled`, async () => {
      const result = await replayKilled(kills, { workers });
      assert.deepEqual(facts(result), facts(REFERENCE));
      assert.deepEqual([result.quarantined, result.lost, result.failure], [0, 0, null]);
      if (recovered === null) assert.ok(result.recovered > 2, `${result.recovered} deaths`);
      else assert.equal(result.recovered, recovered);
    });

test('the rules choose, and what they chose is known after a death', async () => {
  for (const workers of [1, 2]) {
    const result = await replayKilled('packet:400,packet:900,answer:12', { workers, pick: 'model' });
    assert.deepEqual(facts(result), facts(MODEL));
    assert.equal(result.recovered, 3);
  }
});

/** Seeded points: a multiplicative generator is enough to spread them. */
function randomKills(seed: number): string {
  let state = seed * 48_271;
  const draw = (below: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  const places = ['packet', 'packet', 'packet', 'journal', 'answer', 'checkpoint'];
  return Array.from({ length: 6 }, () => {
    const place = places[draw(places.length)]!;
    return `${place}:${draw(place === 'packet' ? 1506 : 30)}@${draw(2) === 0 ? 'exit' : 'throw'}`;
  }).join();
}

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8])
  test(`killed at random points, seed ${seed}: one fingerprint`, async () => {
    const kills = randomKills(seed);
    const result = await replayKilled(kills, { workers: 2, chunkRows: 20 + 13 * seed });
    assert.deepEqual(facts(result), facts(REFERENCE), kills);
    assert.ok(result.recovered >= 3, `${kills}: ${result.recovered} deaths`);
    assert.deepEqual([result.quarantined, result.lost, result.failure], [0, 0, null]);
  });

test('a written capture, and its hops, are the same bytes', async () => {
  for (const isByHop of [false, true]) {
    const [one, two] = ['undisturbed', 'killed'].map((name) => `${traces[0]}.${name}.${isByHop}.pcapng`);
    await replay(epoch, { ...base, isByHop, output: one! });
    await replayKilled('packet:300,packet:800,answer:14', { isByHop, output: two!, workers: 2 });
    assert.ok(readFileSync(one!).length > 100_000);
    assert.ok(readFileSync(one!).equals(readFileSync(two!)));
  }
});

test('a packet that kills whoever walks it is dropped under its own reason, and the run goes on', async () => {
  const poison = 'packet:700x99,packet:705x99@throw';
  const one = await replayKilled(poison);
  for (const options of [{ workers: 2 }, { workers: 3, chunkRows: 700 }, { chunkRows: 2048 }]) {
    const result = await replayKilled(poison, options);
    assert.deepEqual(facts(result), facts(one));
    assert.deepEqual([result.quarantined, result.lost, result.failure], [2, 0, null]);
  }
  assert.equal(one.reasons.find(({ name }) => name === 'worker-quarantine')?.packets, 2);
  assert.equal(one.balanced, true);
  assert.equal(one.ledger.in, REFERENCE.ledger.in);
  assert.notEqual(one.fingerprint, REFERENCE.fingerprint);
  assert.ok(one.ledger.delivered > REFERENCE.ledger.delivered * 0.9);
});

for (const [workers, deaths] of [
  [1, 2],
  [2, 2],
] as const)
  test(`${workers} workers: a packet that kills the batch that it is in costs two deaths and no other packet`, async () => {
    const result = await replayKilled('among:700x99', { workers });
    assert.deepEqual([result.recovered, result.quarantined, result.lost], [deaths, 1, 0]);
    assert.deepEqual(facts(result), facts(await replayKilled('packet:700x99')));
  });

test('a worker that runs out of memory is one that died', async () => {
  const result = await replayKilled('packet:700@memory', { workers: 2 });
  assert.deepEqual(facts(result), facts(REFERENCE));
  assert.deepEqual([result.recovered, result.quarantined, result.lost], [1, 0, 0]);
});

test('what kills without a packet in hand ends the run, all before it is accounted for', async () => {
  for (const workers of [1, 2]) {
    const result = await replayKilled('journal:9x99', { workers });
    assert.match(String(result.failure), workers === 1 ? /killed by a test/ : /exited/);
    assert.ok(result.lost > 0);
    assert.ok(result.ledger.in > 100);
  }
});
