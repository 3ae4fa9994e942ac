/** A saved table set loads to the same tables, and one with a single bit turned is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compile } from '../../src/compile/compile.js';
import { Engine } from '../../src/engine/engine.js';
import { LayoutError } from '../../src/layout/layout.js';
import { Epoch } from '../../src/tables/epoch.js';
import { rowsText, runFrames } from '../support/batches.js';
import { testCluster, testEpoch } from '../support/cluster.js';
import { findPort, frameOf } from '../support/journey.js';
import { sentMacs } from '../support/macs.js';

const saved = testEpoch().save();

test('save and load give the same bytes and the same packets', () => {
  const loaded = Epoch.load(saved);
  assert.deepEqual(loaded.save(), saved);
  assert.equal(loaded.number, 1);
  const frames = ['a:40000 > far:80 SYN', 'a:40001 > own:80 SYN', 'a > web ping'].map((text, i) => ({
    bytes: frameOf(text, sentMacs('a', text)),
    port: findPort(loaded, 'a'),
    tsNs: i,
  }));
  assert.deepEqual(
    rowsText(runFrames(new Engine(loaded), frames)),
    rowsText(runFrames(new Engine(testEpoch()), frames)),
  );
});

test('any bit turned behind the header is refused', () => {
  fc.assert(
    fc.property(fc.nat({ max: saved.length - 65 }), fc.nat({ max: 7 }), (at, bit) => {
      const copy = Uint8Array.from(saved);
      copy[64 + at]! ^= 1 << bit;
      assert.throws(() => Epoch.load(copy), LayoutError);
    }),
    { numRuns: 100 },
  );
});

test('so is any bit of the header’s words, the number of the set apart', () => {
  for (const word of [0, 1, 3, 4, 5])
    for (let bit = 0; bit < 32; bit++) {
      const copy = Uint8Array.from(saved);
      copy[word * 4 + (bit >> 3)]! ^= 1 << (bit & 7);
      assert.throws(() => Epoch.load(copy), Error, `word ${word}, bit ${bit}`);
    }
});

test('cut, empty and longer files are refused', () => {
  for (const length of [0, 10, 63, 64, 100, saved.length - 8, saved.length - 1])
    assert.throws(() => Epoch.load(saved.slice(0, length)), LayoutError, `${length} bytes`);
  assert.throws(() => Epoch.load(Uint8Array.of(...new Uint8Array(8), ...saved)), LayoutError);
});

test('the same cluster compiles to the same bytes; the number of the set is in them', () => {
  assert.deepEqual(compile(testCluster()).save(), saved);
  assert.equal(compile(testCluster(), 7).number, 7);
  assert.equal(Epoch.load(compile(testCluster(), 7).save()).number, 7);
});
