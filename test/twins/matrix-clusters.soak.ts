/** One fingerprint by all settings: random clusters that change under traffic. The first by all settings together; the
 *  others by three each, in turn, as a thread takes longer to start than such a trace to walk. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changingCase } from './matrix-cases.js';
import { Tally } from './matrix-tally.js';
import { ALL_SETTINGS, share } from './run-settings.js';

const CLUSTERS = 40;
const tally = new Tally();

for (let seed = 1; seed <= CLUSTERS; seed++)
  test(`a random cluster that changes under traffic, seed ${seed}`, async () => {
    const settings = seed === 1 ? ALL_SETTINGS : share(ALL_SETTINGS, seed, 3);
    const { changes } = await tally.same(await changingCase(seed, 500, 60), settings);
    assert.ok(changes !== null && changes.taken > 0);
  });

test('what was run', (t) => tally.report(t, CLUSTERS, ALL_SETTINGS));
