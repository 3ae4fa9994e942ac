/** The spelling of faults, and that each happens where and as often as it says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Faults, parseFaults } from '../../src/workers/faults.js';

test('a fault happens at its place and number, as often as it says', () => {
  const faults = new Faults(parseFaults('packet:7x2,journal:7')!, false);
  faults.at('packet', 6);
  faults.at('answer', 7);
  assert.throws(() => faults.at('packet', 7), /packet 7/);
  assert.throws(() => faults.at('packet', 7), /packet 7/);
  faults.at('packet', 7);
  assert.throws(() => faults.at('journal', 7), /journal 7/);
});

test('a packet that kills stands alone among those in hand', () => {
  const faults = new Faults(parseFaults('packet:12')!, false);
  const sequence = Float64Array.of(10, 11, 12, 13);
  assert.equal(faults.cut(sequence, 0, 4), 2);
  assert.equal(faults.cut(sequence, 2, 4), 3);
  assert.equal(faults.cut(sequence, 3, 4), 4);
});

test('a packet among others kills with them, and does not stand alone', () => {
  const faults = new Faults(parseFaults('among:12')!, false);
  const sequence = Float64Array.of(10, 11, 12, 13);
  assert.equal(faults.cut(sequence, 0, 4), 4);
  faults.atRows(sequence, 0, 2);
  assert.throws(() => faults.atRows(sequence, 1, 4), /among 12/);
  faults.atRows(sequence, 1, 4);
});

test('nothing asked for is no list; anything else is refused', () => {
  assert.equal(parseFaults(undefined), null);
  assert.equal(parseFaults(''), null);
  for (const text of ['7', 'packet', 'packet:', 'elsewhere:1', 'packet:1x', 'packet:1@stop', 'packet:1,'])
    assert.throws(() => parseFaults(text), RangeError, text);
});
