/** One fingerprint by all settings together: every profile, every capture there is, and random clusters that change. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  captureCase,
  changingCase,
  moreCaptures,
  PROFILES,
  profileCase,
  shippedCaptures,
} from './matrix-cases.js';
import { ALL_SETTINGS, assertSame, PAIRED_SETTINGS } from './run-settings.js';

for (const [turn, profile] of PROFILES.entries())
  test(`traffic of profile ${profile}`, async () => {
    const { ledger } = await assertSame(await profileCase(profile, 1000, turn + 1), ALL_SETTINGS);
    assert.ok(ledger.in >= 1000);
  });

for (const path of shippedCaptures())
  test(path, async () => {
    await assertSame(await captureCase(path), ALL_SETTINGS);
  });

// Each of them by a share of the list in which every two settings meet: there are hundreds.
for (const [turn, path] of moreCaptures().entries())
  test(path, async () => {
    const settings = [0, 1, 2].map((i) => PAIRED_SETTINGS[(turn * 3 + i) % PAIRED_SETTINGS.length]!);
    await assertSame(await captureCase(path), settings);
  });

for (let seed = 1; seed <= 40; seed++)
  test(`a random cluster that changes under traffic, seed ${seed}`, async () => {
    const { changes } = await assertSame(await changingCase(seed, 500, 60), ALL_SETTINGS);
    assert.ok(changes !== null && changes.taken > 0);
  });
