/** 10,000 random cases in which `--policy api` and the slow evaluator agree. */
import { test } from 'node:test';
import { compareAnswers } from './agreement.js';

test('10,000 random packets get through where the API lets them, and nowhere else', async () => {
  await compareAnswers(1000, 10_000);
});
