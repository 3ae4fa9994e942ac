/** One fingerprint by all settings together: traffic of every profile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROFILES, profileCase } from './matrix-cases.js';
import { Tally } from './matrix-tally.js';
import { ALL_SETTINGS } from './run-settings.js';

const tally = new Tally();

for (const [turn, profile] of PROFILES.entries())
  test(`traffic of profile ${profile}`, async () => {
    const { ledger } = await tally.same(await profileCase(profile, 1000, turn + 1), ALL_SETTINGS);
    assert.ok(ledger.in >= 1000);
  });

test('what was run', (t) => tally.report(t, PROFILES.length, ALL_SETTINGS));
