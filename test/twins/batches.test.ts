/** One trace, many ways to run it: whole or split, with headroom or without, cache on or off, either back end. The rows
 *  and the bytes are the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine, type EngineOptions } from '../../src/engine/engine.js';
import { assertSameRows, rowsText, runFrames } from '../support/batches.js';
import { testEpoch } from '../support/cluster.js';
import { needsNative } from '../support/native.js';
import { seededTraffic } from '../support/traffic.js';

const epoch = testEpoch();
const frames = seededTraffic(epoch, 6000, 5);
const base: EngineOptions = { respond: true, seed: 9, backend: 'typescript' };
const reference = rowsText(runFrames(new Engine(epoch, { ...base, cache: false }), frames));

test('the trace meets what there is to meet', () => {
  const engine = new Engine(epoch, base);
  const rows = runFrames(engine, frames);
  const { ledger } = engine;
  for (const kind of ['delivered', 'left', 'answered', 'rejected', 'dropped', 'generated'] as const)
    assert.ok(ledger[kind] > 100, `${kind}: ${ledger[kind]}`);
  assert.ok(new Set(rows.map((row) => row.reason)).size > 20, 'many reasons');
  assert.ok(engine.connections > 100);
});

for (const batch of [1, 7, 64, 256, 4096])
  test(`batches of ${batch}`, () => {
    assertSameRows(rowsText(runFrames(new Engine(epoch, base), frames, { batch })), reference);
  });

for (const headroom of [0, 14, 63])
  test(`headroom ${headroom}: the engine moves the packets`, () => {
    assertSameRows(rowsText(runFrames(new Engine(epoch, base), frames, { headroom, batch: 512 })), reference);
  });

for (const capacity of [8, 11, 100])
  test(`an output of ${capacity} rows, emptied again and again`, () => {
    assertSameRows(rowsText(runFrames(new Engine(epoch, base), frames, { capacity, batch: 512 })), reference);
  });

test('explaining', () => {
  const engine = new Engine(epoch, { ...base, explain: true });
  assertSameRows(rowsText(runFrames(engine, frames, { batch: 64 })), reference);
});

for (const batch of [64, 4096])
  test(`the native back end, batches of ${batch}`, needsNative(), () => {
    const engine = new Engine(epoch, { ...base, backend: 'native' });
    assert.equal(engine.backend, 'native');
    assertSameRows(rowsText(runFrames(engine, frames, { batch })), reference);
  });

test('the same seed again gives the same bytes, another seed others', () => {
  const again = rowsText(runFrames(new Engine(epoch, base), frames));
  assertSameRows(again, reference);
  const other = rowsText(runFrames(new Engine(epoch, { ...base, seed: 10 }), frames));
  assert.notDeepEqual(other, reference);
});
