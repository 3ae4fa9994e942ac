/** One fingerprint by all settings together, 48 of them: every profile, every capture there is, and random clusters that
 *  change. What would take hours is shared out, and the last test says what was run:
 *  - all 48: each profile, the shipped captures as one trace, all captures that can be read to their end in bundles as one
 *    trace each, four random clusters.
 *  - A capture alone, whose packets hardly keep one worker busy: three of the 16 settings of one worker, in turn.
 *  - Captures that break in the middle: one of each pair of settings, as no bundle can have them.
 *  - Further random clusters: six of the 48, in turn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replay } from '../../src/replay/replay.js';
import { InputError } from '../../src/verdict/input-error.js';
import {
  captureCase,
  capturesCase,
  changingCase,
  moreCaptures,
  PROFILES,
  profileCase,
  shippedCaptures,
} from './matrix-cases.js';
import { ALL_SETTINGS, assertSame, PAIRED_SETTINGS, REFERENCE, share } from './run-settings.js';

const ONE_WORKER = ALL_SETTINGS.filter(({ workers }) => workers === 1);
/** Captures that are one trace. */
const BUNDLE = 150;
const CLUSTERS = 40;
const CLUSTERS_BY_ALL = 4;

const captures = moreCaptures();
/** Read to the end; broken in the middle; none at all. */
const whole: string[] = [];
const broken: string[] = [];
const refused: string[] = [];
/** What was run: traces and their packets, each counted once, and the replays that they were compared in. */
const done = new Map<string, { traces: number; packets: number; replays: number }>();

async function same(kind: string, ...of: Parameters<typeof assertSame>): ReturnType<typeof assertSame> {
  const reference = await assertSame(...of);
  const { traces, packets, replays } = done.get(kind) ?? { traces: 0, packets: 0, replays: 0 };
  done.set(kind, {
    traces: traces + of[0].options.traces.length,
    packets: packets + reference.packets,
    replays: replays + of[1].length,
  });
  return reference;
}

for (const [turn, profile] of PROFILES.entries())
  test(`traffic of profile ${profile}`, async () => {
    const { ledger } = await same('profiles', await profileCase(profile, 1000, turn + 1), ALL_SETTINGS);
    assert.ok(ledger.in >= 1000);
  });

test('the shipped captures', async () => {
  for (const path of shippedCaptures()) await same('shipped alone', await captureCase(path), ONE_WORKER);
  await same('shipped as one', await capturesCase('shipped captures', shippedCaptures()), ALL_SETTINGS);
});

for (const [turn, path] of captures.entries())
  test(path, async () => {
    const own = await captureCase(path);
    try {
      const { failure } = await same('alone', own, share(ONE_WORKER, turn, 3));
      (failure === null ? whole : broken).push(path);
      if (failure !== null) await same('broken', own, PAIRED_SETTINGS);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      refused.push(path);
      for (const settings of [REFERENCE, ...share(PAIRED_SETTINGS, turn, 3)])
        await assert.rejects(replay(own.epoch, { ...own.options, ...settings }), { message: error.message });
    }
  });

for (let first = 0; first < captures.length; first += BUNDLE)
  test(`captures from ${first + 1} on, ${BUNDLE} as one trace`, async () => {
    const traces = whole.slice(first, first + BUNDLE);
    if (traces.length === 0) return;
    const { failure, sources } = await same('bundles', await capturesCase('bundle', traces), ALL_SETTINGS);
    assert.equal(failure, null);
    assert.ok(sources.length > traces.length / 2, `${sources.length} interfaces`);
  });

for (let seed = 1; seed <= CLUSTERS; seed++)
  test(`a random cluster that changes under traffic, seed ${seed}`, async () => {
    const settings = seed <= CLUSTERS_BY_ALL ? ALL_SETTINGS : share(ALL_SETTINGS, seed, 6);
    const { changes } = await same('clusters', await changingCase(seed, 500, 60), settings);
    assert.ok(changes !== null && changes.taken > 0);
  });

test('what was run', (t) => {
  for (const [kind, { traces, packets, replays }] of done)
    t.diagnostic(`${kind}: ${traces} traces, ${packets} packets, ${replays} replays beside the reference`);
  t.diagnostic(`captures: ${whole.length} whole, ${broken.length} broken, ${refused.length} refused`);
  assert.equal(whole.length + broken.length + refused.length, captures.length);
  assert.equal(done.get('bundles')?.traces ?? 0, whole.length);
  assert.equal(done.get('clusters')?.traces, CLUSTERS);
});
