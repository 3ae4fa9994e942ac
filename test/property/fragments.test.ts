/** However a datagram is cut, in whatever order its fragments come: the same bytes arrive as of the whole one. And
 *  whatever else claims to be a fragment: nothing throws, the ledger is exact, no cut of the batches shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Engine } from '../../src/engine/engine.js';
import { createInput, createOutput } from '../../src/packet/batch.js';
import { isBalanced } from '../../src/packet/ledger.js';
import { assertSameRows, rowsText, runFrames, type SentFrame } from '../support/batches.js';
import { testEpoch } from '../support/cluster.js';
import { fragment, fragmentsOf } from '../support/fragments.js';
import { hex } from '../support/frames.js';
import { findPort, frameOf, Journey } from '../support/journey.js';
import { sentMacs } from '../support/macs.js';
import { soundFrame } from '../support/random-frames.js';

const epoch = testEpoch();
const WAYS = ['b:9000', 'c:9000', 'far:90', 'near:90', 'out:9000', 'g1:9000'];

const datagram = fc
  .record({
    to: fc.constantFrom(...WAYS),
    size: fc.integer({ min: 9, max: 3000 }),
    tos: fc.constantFrom(0, 1, 2),
  })
  .map(({ to, size, tos }) => {
    const text = `a:40000 > ${to} udp "${'x'.repeat(size)}" id=77 fragment=0 tos=${tos}`;
    return frameOf(text, sentMacs('a', text));
  });

test('any cut, any order: the datagram arrives as it was', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 170 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(datagram, cuts, fc.infiniteStream(fc.nat()), (frame, units, order) => {
      const ends = [...new Set(units.map((unit) => unit * 8))].sort((x, y) => x - y);
      const pieces = fragmentsOf(frame, ends);
      fc.pre(pieces.every((piece) => piece.length <= 1464));
      const shuffled = pieces
        .map((piece) => ({ piece, rank: order.next().value as number }))
        .sort((x, y) => x.rank - y.rank);
      const [whole] = new Journey(epoch, { explain: false }).sendBytes('a', frame);
      const journey = new Journey(epoch, { explain: false });
      const rows = shuffled.flatMap(({ piece }) => journey.sendBytes('a', piece));
      const [own, ...rest] = rows.filter((row) => row.verdict !== 'merged');
      assert.ok(isBalanced(journey.engine.ledger));
      assert.equal(journey.engine.ledger.pending, 0);
      if (own!.verdict === 'left') {
        assert.equal(rest.length + 1, pieces.length);
        return;
      }
      assert.deepEqual([own!.verdict, own!.reason, own!.exit], [whole!.verdict, whole!.reason, whole!.exit]);
      assert.equal(hex(own!.bytes), hex(whole!.bytes));
      assert.equal(rows.filter((row) => row.parent === -1).length, pieces.length);
    }),
    { numRuns: 60, seed: 20_261_125 },
  );
});

/** Parts of few datagrams, so that they meet, overlap, repeat and complete each other. */
const junk = fc
  .record({
    frame: fc.oneof(soundFrame, datagram),
    at: fc.constantFrom('a', 'b', 'nic1', 'nic2', 'tun1'),
    from: fc.integer({ min: 0, max: 6 }),
    units: fc.integer({ min: 0, max: 5 }),
    flags: fc.constantFrom(0, 0x20, 0x40, 0x60),
    afterMs: fc.constantFrom(0, 0, 0, 1, 11_000),
  })
  .map(({ frame, at, from, units, flags, afterMs }) => {
    if (frame.length < 40 || frame[12] !== 8 || frame[13] !== 0) return { bytes: frame, at, afterMs };
    const bytes = fragment(frame, from * 8, (from + units) * 8, (piece) => {
      piece[20] = (piece[20]! & 0x1f) | flags;
      piece.set([0, 1], 18);
    });
    return { bytes, at, afterMs };
  });

test('junk: no throw, exact ledger, one result whatever the batch and back end, and after going back', () => {
  fc.assert(
    fc.property(fc.array(junk, { minLength: 1, maxLength: 60 }), (parts) => {
      let tsNs = 0;
      const frames: SentFrame[] = parts.map(({ bytes, at, afterMs }) => {
        tsNs += afterMs * 1e6;
        return { bytes, port: findPort(epoch, at), tsNs };
      });
      const run = (options: { batch?: number; cache?: boolean }): string[] => {
        const engine = new Engine(epoch, { respond: true, cache: options.cache ?? true });
        const rows = rowsText(runFrames(engine, frames, options));
        const { ledger } = engine;
        assert.ok(isBalanced(ledger), JSON.stringify(ledger));
        assert.equal(ledger.pending, 0, 'time has passed');
        assert.equal(ledger.in, frames.length);
        return rows;
      };
      const reference = run({ batch: 1, cache: false });
      assertSameRows(run({ batch: 7 }), reference);
      assertSameRows(run({}), reference);
    }),
    { numRuns: 60, seed: 20_261_126 },
  );
});

test('what waits is saved and restored', () => {
  const text = `a:40000 > b:9000 udp "${'y'.repeat(900)}" id=9 fragment=0`;
  const frame = frameOf(text, sentMacs('a', text));
  const [first, second] = fragmentsOf(frame, [400]);
  const before = new Journey(epoch, { explain: false });
  before.sendBytes('a', first!);
  const state = before.engine.saveState();
  const after = new Journey(epoch, { explain: false });
  state.rewind();
  after.engine.restoreState(state);
  const [row, merged] = after.sendBytes('a', second!);
  assert.equal(hex(row!.bytes), hex(frame));
  assert.equal(merged!.packet, 0);
});

test('an output that can never hold the rows is told so, and the packet is not taken', () => {
  const text = `a:40000 > b:9000 udp "${'y'.repeat(900)}" id=9 fragment=0`;
  const pieces = fragmentsOf(frameOf(text, sentMacs('a', text)), [8, 16, 24, 32, 40, 48, 56]);
  const journey = new Journey(epoch, { explain: false });
  for (const piece of pieces.slice(0, -1)) journey.sendBytes('a', piece);
  const arena = { bytes: new Uint8Array(1 << 20), used: 0 } as { bytes: Uint8Array; used: number };
  const full = { ...arena, view: new DataView(arena.bytes.buffer) };
  const input = createInput(full, 1);
  full.bytes.set(pieces.at(-1)!, 66);
  input.offset[0] = 66;
  input.length[0] = pieces.at(-1)!.length;
  full.used = 66 + pieces.at(-1)!.length;
  input.port[0] = findPort(epoch, 'a');
  input.count = 1;
  assert.throws(() => journey.engine.process(input, createOutput(12)), RangeError);
  assert.equal(input.next, 0);
  const output = createOutput(64);
  journey.engine.process(input, output);
  assert.equal(output.count, 8);
});
