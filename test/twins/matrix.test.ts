/** One fingerprint: back ends, workers, batch sizes and the cache must not show in any result. Here every two settings meet;
 *  `npm run soak` has all of them together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  captureCase,
  capturesCase,
  changingCase,
  PROFILES,
  profileCase,
  shippedCaptures,
} from './matrix-cases.js';
import { ALL_SETTINGS, assertSame, PAIRED_SETTINGS, share } from './run-settings.js';

test('in the list every two settings meet', () => {
  const pairs = (list: typeof ALL_SETTINGS): Set<string> =>
    new Set(
      list.flatMap((settings) => {
        const values = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
        return values.flatMap((a, i) => values.slice(i + 1).map((b) => [a, b].sort().join(', ')));
      }),
    );
  assert.deepEqual([...pairs(PAIRED_SETTINGS)].sort(), [...pairs(ALL_SETTINGS)].sort());
});

for (const [turn, profile] of PROFILES.entries())
  test(`traffic of profile ${profile}`, async () => {
    const { ledger } = await assertSame(
      await profileCase(profile, 300, turn + 1),
      share(PAIRED_SETTINGS, turn, 2),
    );
    assert.ok(ledger.in >= 300);
  });

test('captures that nobody here wrote', async () => {
  for (const [turn, path] of shippedCaptures().entries())
    await assertSame(await captureCase(path), share(PAIRED_SETTINGS, turn, 1));
  await assertSame(await capturesCase('all as one trace', shippedCaptures()), share(PAIRED_SETTINGS, 1, 2));
});

let taken = 0;
for (const seed of [1, 2, 3, 4, 5, 6])
  test(`a random cluster that changes under traffic, seed ${seed}`, async () => {
    const { changes } = await assertSame(await changingCase(seed, 250, 24), share(PAIRED_SETTINGS, seed, 2));
    taken += changes?.taken ?? 0;
  });

test('there were changes', () => assert.ok(taken > 80, `${taken}`));
