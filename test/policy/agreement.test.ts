/** `--policy api` against an evaluator written from the API's text alone: random clusters, policies and packets. All
 *  10,000 cases are in agreement.soak.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareAnswers } from './agreement.js';

const COUNT = 2000;

test('random packets get through where the API lets them, and nowhere else', async () => {
  const allowed = await compareAnswers(1, COUNT);
  assert.ok(allowed > COUNT / 4 && allowed < (COUNT * 3) / 4, `${allowed} of ${COUNT} got through`);
});
