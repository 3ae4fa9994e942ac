/** One fingerprint by all settings: traffic of every profile, alone by a list in which every two settings meet, and of all
 *  profiles as one trace by all settings together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mixedCase, PROFILES, profileCase } from './matrix-cases.js';
import { Tally } from './matrix-tally.js';
import { ALL_SETTINGS, PAIRED_SETTINGS } from './run-settings.js';

const tally = new Tally();

for (const [turn, profile] of PROFILES.entries())
  test(`traffic of profile ${profile}`, async () => {
    const { ledger } = await tally.same(await profileCase(profile, 1000, turn + 1), PAIRED_SETTINGS);
    assert.ok(ledger.in >= 1000);
  });

test('traffic of all profiles', async () => {
  const { ledger } = await tally.same(await mixedCase(500, 11), ALL_SETTINGS);
  assert.ok(ledger.in >= 500 * PROFILES.length);
});

test('what was run', (t) => tally.report(t, 2 * PROFILES.length, ALL_SETTINGS));
