/** Held packets have no row, so the input behind what a timer gives out is found by the numbers that are missing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeldNumbers } from '../../src/workers/held-numbers.js';

/** `silent 7`: input 7 gave no row. `row 3 of 9`: packet 3, input 9. `fired 2`: packet 2; answers its input. */
function play(lines: readonly string[]): number[] {
  const held = new HeldNumbers();
  const fired: number[] = [];
  for (const line of lines) {
    const [what, number, , root] = line.split(' ');
    if (what === 'silent') held.addSilent(Number(number));
    else if (what === 'row') held.see(Number(number), Number(root));
    else fired.push(held.seeFired(Number(number)));
  }
  return fired;
}

for (const { why, lines, inputs } of [
  {
    why: 'a held input fires after others came',
    lines: ['row 0 of 10', 'silent 11', 'row 2 of 12', 'fired 1'],
    inputs: [11],
  },
  {
    why: 'what a held packet causes is of the same input',
    lines: ['silent 11', 'row 1 of 12', 'fired 0', 'fired 2'],
    inputs: [11, 11],
  },
  {
    why: 'two held inputs fire one after the other',
    lines: ['silent 11', 'silent 12', 'row 2 of 13', 'fired 0', 'fired 3', 'fired 1', 'fired 4'],
    inputs: [11, 11, 12, 12],
  },
  {
    why: 'nothing came after it',
    lines: ['row 0 of 10', 'silent 11', 'fired 1', 'fired 2'],
    inputs: [11, 11],
  },
  {
    why: 'a held answer is of the input that caused it',
    lines: ['row 0 of 10', 'row 2 of 11', 'fired 1'],
    inputs: [10],
  },
])
  test(why, () => {
    assert.deepEqual(play(lines), inputs);
  });
