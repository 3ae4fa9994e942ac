/** One fingerprint by all settings: every capture there is, those of PODPLANE_CAPTURES or else the shipped ones. Most hold a
 *  handful of packets, and all settings for each of hundreds take hours. So:
 *  - Alone, each is run by one of the settings of one worker, in turn: further workers would have nothing to do.
 *  - Bundled into a few longer traces, merged by time, all that can be read to their end are run by all settings together.
 *  - What breaks in the middle ends a trace, so it cannot be in a bundle: alone, by a list in which every two settings meet.
 *  - What is no capture must be refused with the same words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replay } from '../../src/replay/replay.js';
import { InputError } from '../../src/verdict/input-error.js';
import { captureCase, capturesCase, moreCaptures, shippedCaptures } from './matrix-cases.js';
import { Tally } from './matrix-tally.js';
import { ALL_SETTINGS, PAIRED_SETTINGS, REFERENCE, share } from './run-settings.js';

const ONE_WORKER = ALL_SETTINGS.filter(({ workers }) => workers === 1);
const BUNDLE = 450;

const captures = moreCaptures().length > 0 ? moreCaptures() : shippedCaptures();
const whole: string[] = [];
const broken: string[] = [];
const refused: string[] = [];
const [alone, halves, bundles] = [new Tally(), new Tally(), new Tally()];

for (const [turn, path] of captures.entries())
  test(path, async () => {
    const own = await captureCase(path);
    try {
      const { failure } = await alone.same(own, share(ONE_WORKER, turn, 1));
      (failure === null ? whole : broken).push(path);
      if (failure !== null) await halves.same(own, PAIRED_SETTINGS);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      refused.push(path);
      for (const settings of [REFERENCE, ...share(PAIRED_SETTINGS, turn, 3)])
        await assert.rejects(replay(own.epoch, { ...own.options, ...settings }), { message: error.message });
    }
  });

for (let first = 0; first < captures.length; first += BUNDLE)
  test(`captures as one trace, from number ${first + 1} on`, async () => {
    const traces = whole.slice(first, first + BUNDLE);
    if (traces.length === 0) return;
    const { failure } = await bundles.same(await capturesCase(`from ${first + 1} on`, traces), ALL_SETTINGS);
    assert.equal(failure, null);
  });

test('each capture alone', (t) => {
  t.diagnostic(
    `${captures.length} captures: ${whole.length} whole, ${broken.length} broken, ${refused.length} refused`,
  );
  assert.equal(whole.length + broken.length + refused.length, captures.length);
  alone.report(t, whole.length + broken.length, captures.length < 16 ? [] : ONE_WORKER);
});
test('the bundles', (t) => bundles.report(t, whole.length, ALL_SETTINGS));
test('the broken ones', (t) => halves.report(t, broken.length, broken.length === 0 ? [] : PAIRED_SETTINGS));
