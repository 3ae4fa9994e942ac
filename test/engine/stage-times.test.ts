/** Times of stages: the buckets, what is read from them, and a measured walk that changes nothing. No clock is judged. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineMetrics } from '../../src/engine/metrics.js';
import {
  bucketOf,
  countPackets,
  countTime,
  middleOf,
  STAGE_CELLS,
  stageTimes,
} from '../../src/engine/stage-times.js';
import { run } from '../twins/cache-run.js';
import { epoch, traffic } from '../twins/cache-trace.js';

test('the middle of its bucket is within three percent of a time, and buckets rise with times', () => {
  let last = -1;
  for (let ns = 0; ns < 0x7fffffff; ns = Math.ceil(ns * 1.01) + (ns < 100 ? 1 : 0)) {
    const bucket = bucketOf(ns);
    assert.ok(bucket >= last, `${ns}`);
    last = bucket;
    if (ns >= 16) assert.ok(Math.abs(middleOf(bucket) - ns) <= ns * 0.0325, `${ns} in ${middleOf(bucket)}`);
    else assert.equal(middleOf(bucket), ns + 0.5);
  }
});

test('times beyond every bucket fall into the last, and below into the first', () => {
  assert.equal(bucketOf(1e15), bucketOf(0x7fffffff));
  assert.equal(bucketOf(-5), 0);
});

test('median, mean and share come from what was measured, packets from all', () => {
  const cells = new Float64Array(STAGE_CELLS);
  countPackets(cells, 1, 300);
  for (const ns of [4, 4, 10]) countTime(cells, 1, 1, ns);
  countPackets(cells, 0, 100);
  for (let i = 0; i < 99; i++) countTime(cells, 0, 1, 13);
  countTime(cells, 0, 1, 5_000_000);
  const [first, second, ...rest] = stageTimes(cells);
  assert.deepEqual(rest, []);
  assert.deepEqual(
    { ...first, share: 0 },
    {
      stage: 'pod-output',
      device: 'eth0',
      packets: 100,
      measured: 100,
      medianNs: 13.5,
      meanNs: 13.5,
      share: 0,
    },
  );
  // The slowest of three is left out of the mean.
  assert.deepEqual([second!.stage, second!.medianNs, second!.meanNs], ['bridge', 4.5, 4.5]);
  assert.ok(Math.abs(first!.share - 0.5) < 1e-9, `${first!.share}`);
});

test('a call for many packets counts for each', () => {
  const cells = new Float64Array(STAGE_CELLS);
  countPackets(cells, 0, 30);
  countTime(cells, 0, 20, 20 * 7);
  countTime(cells, 0, 10, 10 * 9);
  countTime(cells, 0, 0, 400);
  assert.deepEqual(stageTimes(cells)[0]!.medianNs, 7.5);
  assert.deepEqual(stageTimes(cells)[0]!.measured, 30);
});

const TRACE = traffic({ profile: 'web', packets: 600, flows: 20, seed: 5, badPermille: 30 });

for (const cache of [true, false])
  test(`measured or not, the same rows; cache ${cache ? 'on' : 'off'}`, () => {
    const plain = run(TRACE, { batch: 64, cache });
    const metrics = new EngineMetrics(epoch.tables, { timesStages: true });
    assert.deepEqual(run(TRACE, { batch: 64, cache, metrics }), plain);
    const times = new Map(stageTimes(metrics.stageTimes).map((time) => [time.stage, time]));
    assert.equal(times.get('five-tuple')!.packets, TRACE.length);
    assert.equal(times.get('look-up')!.packets, TRACE.length);
    assert.equal(times.get('short-way')?.packets ?? 0, metrics.pathHits);
    // Frames without an Ethernet header never set out.
    const whole = TRACE.filter(({ bytes }) => bytes.length >= 14).length;
    assert.equal(times.get('pod-output')!.packets, whole - metrics.pathHits);
    const { measured, packets } = times.get('bridge')!;
    assert.ok(measured > packets / 40 && measured < packets / 8, `${measured} of ${packets} are measured`);
  });
