/** Left and right: whoever holds a table set sees it as it was, whatever is written meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { freezeTables, TableBuilder } from '../../src/layout/builder.js';
import { epochInside, holdEpoch, openTables, releaseEpoch } from '../../src/layout/epoch-buffer.js';
import { layout } from '../../src/layout/layout.js';
import { LiveBuffers } from '../../src/layout/live-buffers.js';
import { regrowTables } from '../../src/layout/regrow.js';

const SAMPLE = layout('SMP1', { wide: 'f64', word: 'u32', byte: 'u8' });
const ROWS = 16;

function start(): LiveBuffers {
  const builder = new TableBuilder(SAMPLE);
  for (let i = 0; i < ROWS; i++) builder.add({ wide: i / 2, word: i, byte: i });
  return new LiveBuffers(regrowTables(freezeTables([builder], 1), [SAMPLE], () => 0));
}

const contentOf = (buffer: SharedArrayBuffer): number[][] => {
  const { wide, word, byte } = openTables(buffer).open(0, SAMPLE);
  return [[...wide], [...word], [...byte]];
};

/** Rows to write, and what happens to the set before: held by somebody new, or the oldest that is held let go. */
const changes = fc.array(
  fc.record({
    rows: fc.array(fc.nat({ max: ROWS - 1 }), { maxLength: 4 }),
    reader: fc.constantFrom('hold', 'release', 'nothing'),
  }),
  { maxLength: 150 },
);

test('what is held stays, what is newest has every change', () => {
  fc.assert(
    fc.property(changes, (list) => {
      const buffers = start();
      const wanted = contentOf(buffers.current);
      const held: { buffer: SharedArrayBuffer; content: number[][]; epoch: number }[] = [];
      list.forEach(({ rows, reader }, i) => {
        if (reader === 'hold') {
          const { current: buffer } = buffers;
          assert.ok(holdEpoch(buffer, i + 1));
          held.push({ buffer, content: contentOf(buffer), epoch: i + 1 });
        } else if (reader === 'release' && held.length > 0) releaseEpoch(held.shift()!.buffer);
        const table = openTables(buffers.begin()).open(0, SAMPLE);
        for (const row of rows) {
          buffers.set(table.word, row, i * 100 + row);
          buffers.set(table.wide, row, i + row / 4);
          wanted[1]![row] = i * 100 + row;
          wanted[0]![row] = i + row / 4;
        }
        buffers.setBytes(table.byte, i % ROWS, Uint8Array.of(i));
        wanted[2]![i % ROWS] = i & 255;
        buffers.publish(i + 2);
        assert.deepEqual(contentOf(buffers.current), wanted);
        for (const one of held) {
          assert.equal(epochInside(one.buffer), one.epoch);
          assert.deepEqual(contentOf(one.buffer), one.content);
        }
      });
    }),
    { numRuns: 60, seed: 20260303 },
  );
});

test('nobody gets hold of a set that is being written, or was', () => {
  const buffers = start();
  const old = buffers.current;
  buffers.begin();
  buffers.publish(2);
  const written = buffers.begin();
  assert.equal(written, old, 'left, right, left');
  assert.ok(!holdEpoch(written, 1));
  buffers.publish(3);
  assert.ok(!holdEpoch(written, 1));
  assert.ok(holdEpoch(written, 3));
});
