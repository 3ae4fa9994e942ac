/** The catalogue of reasons: a number, a name, a sentence and a layer each, none twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REASONS, Reason } from '../../src/verdict/reasons.js';
import { VERDICT_NAMES, Verdict } from '../../src/verdict/verdict.js';

const kebab = (name: string): string =>
  name.replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();

test('numbers are 0, 1, 2 … without gaps', () => {
  assert.deepEqual(Object.values(Reason), [...REASONS.keys()]);
});

test('each text stands at its own number: its name is the constant’s', () => {
  for (const [name, number] of Object.entries(Reason)) assert.equal(REASONS[number]!.name, kebab(name));
});

test('each says in one sentence what, and where the real system does it', () => {
  for (const { name, sentence, layer } of REASONS.slice(1)) {
    assert.match(sentence, /^[^ ].* .*\.$/, name);
    assert.ok(layer.length > 3, name);
  }
});

test('names are used once', () => {
  assert.equal(new Set(REASONS.map((reason) => reason.name)).size, REASONS.length);
});

test('verdicts have the names of their constants', () => {
  for (const [name, number] of Object.entries(Verdict)) assert.equal(VERDICT_NAMES[number], kebab(name));
});
