/** Whatever enters at any port: nothing throws, every packet is accounted for, and what ends badly says why. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Engine } from '../../src/engine/engine.js';
import { isBalanced } from '../../src/packet/ledger.js';
import { Reason } from '../../src/verdict/reasons.js';
import { Verdict } from '../../src/verdict/verdict.js';
import { type OutputRow, runFrames, type SentFrame } from '../support/batches.js';
import { frameFaults } from '../support/checksum.js';
import { testEpoch } from '../support/cluster.js';
import { anyFrame, soundFrame } from '../support/random-frames.js';

const EPOCHS = [
  testEpoch(),
  testEpoch({ mode: 'multitenant' }),
  testEpoch({ mode: 'subnet', platform: 'ocp3' }),
];
const PORTS = EPOCHS[0]!.tables.ports.rows;

const times = fc.constantFrom(0, 1e6, 0.9e9, 3e9, 31e9, 130e9, -1e9);
const trace = (frame: fc.Arbitrary<Uint8Array>): fc.Arbitrary<SentFrame[]> =>
  fc
    .array(fc.record({ bytes: frame, port: fc.nat({ max: PORTS - 1 }), step: times }), {
      minLength: 1,
      maxLength: 40,
    })
    .map((packets) => {
      let tsNs = 0;
      return packets.map(({ bytes, port, step }) => {
        tsNs += step;
        return { bytes, port, tsNs };
      });
    });

const setup = fc.record({
  epoch: fc.nat({ max: EPOCHS.length - 1 }),
  respond: fc.boolean(),
  seed: fc.nat(),
  node: fc.constantFrom(undefined, 'node1'),
  headroom: fc.constantFrom(64, 0, 10),
  capacity: fc.constantFrom(8, 9, 512),
});

function check(rows: readonly OutputRow[], engine: Engine, sent: number): void {
  const { ledger } = engine;
  assert.ok(isBalanced(ledger), JSON.stringify(ledger));
  assert.equal(ledger.in, sent);
  assert.equal(ledger.pending, 0, 'all timers have fired');
  assert.equal(rows.length, ledger.in + ledger.generated + ledger.copies, 'one row a packet');
  const numbers = new Set(rows.map((row) => row.packet));
  assert.equal(numbers.size, rows.length, 'no packet ends twice');
  const count = (verdict: number): number => rows.filter((row) => row.verdict === verdict).length;
  assert.deepEqual(
    [Verdict.Delivered, Verdict.Left, Verdict.Answered, Verdict.Rejected, Verdict.Dropped].map(count),
    [ledger.delivered, ledger.left, ledger.answered, ledger.rejected, ledger.dropped],
  );
  assert.equal(
    rows.filter((row) => row.parent >= 0).length,
    ledger.generated,
    'each generated one names a parent',
  );
  for (const row of rows) {
    assert.notEqual(row.verdict, Verdict.None);
    const endsBadly = row.verdict === Verdict.Dropped || row.verdict === Verdict.Rejected;
    if (endsBadly) assert.notEqual(row.reason, Reason.None, 'it says why');
    assert.notEqual(row.reason, Reason.WalkTooLong, 'no packet goes round for ever');
    if (row.parent >= 0)
      assert.ok(row.parent < row.packet && numbers.has(row.parent), 'a parent comes first');
    if (!endsBadly) assert.ok(row.exit >= 0, 'it ended at a port');
  }
}

test('any frames at any ports at any times: the ledger balances', () => {
  fc.assert(
    fc.property(setup, trace(anyFrame), ({ epoch, respond, seed, node, headroom, capacity }, frames) => {
      const engine = new Engine(EPOCHS[epoch]!, { respond, seed, ...(node === undefined ? {} : { node }) });
      check(runFrames(engine, frames, { headroom, capacity }), engine, frames.length);
    }),
    { numRuns: 400 },
  );
});

test('what arrives from sound packets is sound: every checksum and length, also of what stacks answer', () => {
  fc.assert(
    fc.property(setup, trace(soundFrame), ({ epoch, respond, seed }, frames) => {
      const engine = new Engine(EPOCHS[epoch]!, { respond, seed });
      for (const row of runFrames(engine, frames)) {
        if (row.verdict === Verdict.Dropped) continue;
        assert.deepEqual(frameFaults(row.bytes), [], Buffer.from(row.bytes).toString('hex'));
      }
    }),
    { numRuns: 300 },
  );
});

test('explaining changes nothing, and explains every packet', () => {
  fc.assert(
    fc.property(trace(anyFrame), (frames) => {
      const plain = runFrames(new Engine(EPOCHS[0]!, { respond: true }), frames);
      const engine = new Engine(EPOCHS[0]!, { respond: true, explain: true });
      assert.deepEqual(runFrames(engine, frames), plain);
    }),
    { numRuns: 100 },
  );
});
