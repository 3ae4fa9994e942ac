/** Twins of the cluster that has everything at once: the same rows and bytes whatever the way, the back end, the batches, the
 *  room for output, and whether the engine was saved and restored in the middle. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine, type EngineOptions } from '../../src/engine/engine.js';
import { StateBuffer } from '../../src/layout/state-buffer.js';
import { isBalanced } from '../../src/packet/ledger.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { REASONS } from '../../src/verdict/reasons.js';
import { assertSameRows, type RunOptions, rowsText, runFrames, type SentFrame } from '../support/batches.js';
import { everythingEpoch } from '../support/everything.js';
import { everythingTraffic } from '../support/everything-traffic.js';
import { findPort, frameOf } from '../support/journey.js';
import { macsOf } from '../support/macs.js';
import { needsNative } from '../support/native.js';

const BACKENDS =
  needsNative().skip === false ? (['typescript', 'native'] as const) : (['typescript'] as const);
const COUNT = Number(process.env['PODPLANE_FRAMES'] ?? 1200);
const SEEDS = (process.env['PODPLANE_SEEDS'] ?? '1,4').split(',').map(Number);

const CASES = [
  ['networkpolicy', 'sdn'],
  ['networkpolicy', 'api'],
  ['multitenant', 'sdn'],
  ['subnet', 'sdn'],
] as const;

for (const [mode, policyMode] of CASES)
  for (const seed of SEEDS)
    test(`${mode}, policies by ${policyMode}, seed ${seed}`, () => {
      const epoch = everythingEpoch(mode, policyMode);
      const sent = everythingTraffic(epoch, COUNT, seed);
      const base: EngineOptions = { seed: 9, respond: seed % 2 === 0, backend: 'typescript' };
      const rows = (options: EngineOptions, run: RunOptions): string[] => {
        using engine = new Engine(epoch, { ...base, ...options });
        const text = rowsText(runFrames(engine, sent, run));
        assert.ok(isBalanced(engine.ledger), JSON.stringify(engine.ledger));
        return text;
      };
      const reference = rows({ cache: false }, { batch: 64 });
      meetsMuch(epoch, base, sent);
      for (const backend of BACKENDS)
        for (const cache of [true, false])
          for (const batch of [1, 7, 256, 4096])
            assertSameAs(rows({ backend, cache }, { batch }), reference, `${backend} ${cache} ${batch}`);
      assertSameAs(rows({}, { batch: 64, capacity: 32, headroom: 0 }), reference, 'little room');
      assertSameAs(rows({ explain: true }, { batch: 64 }), reference, 'explaining');
    });

function assertSameAs(actual: readonly string[], expected: readonly string[], how: string): void {
  try {
    assertSameRows(actual, expected);
  } catch (error) {
    throw new Error(`${how}: ${(error as Error).message}`);
  }
}

function meetsMuch(epoch: Epoch, base: EngineOptions, sent: readonly SentFrame[]): void {
  using engine = new Engine(epoch, { ...base, cache: false });
  const rows = runFrames(engine, sent);
  const reasons = new Set(rows.map((row) => REASONS[row.reason]!.name));
  assert.ok(reasons.size > 20, [...reasons].join(' '));
}

test("the MAC that an egress address's group sets is set with the cache too", () => {
  const epoch = everythingEpoch('multitenant');
  const port = findPort(epoch, 'c');
  const sent = ['tun1', 'tun2', 'tun2', 'tun2'].map((mac, i) => ({
    bytes: frameOf('c:40000 > n1:30999 udp "x"', macsOf(`c > ${mac}`)),
    port,
    tsNs: i,
  }));
  const out = [true, false].map((cache) =>
    rowsText(runFrames(new Engine(epoch, { cache }), sent, { batch: 1 })),
  );
  assertSameRows(out[0]!, out[1]!);
});

test('saved and restored in the middle, the rest is the same', () => {
  for (const [mode, policyMode] of CASES) {
    const epoch = everythingEpoch(mode, policyMode);
    const sent = everythingTraffic(epoch, 900, 4);
    const options: EngineOptions = { seed: 9, respond: true, backend: 'typescript' };
    for (const cut of [211, 450, 777]) {
      using first = new Engine(epoch, options);
      runFrames(first, sent.slice(0, cut), { isGoingOn: true });
      const state = new StateBuffer();
      first.saveState(state);
      state.rewind();
      using second = new Engine(epoch, options);
      second.restoreState(state);
      const rest = sent.slice(cut);
      assertSameAs(rowsText(runFrames(second, rest)), rowsText(runFrames(first, rest)), `${mode} at ${cut}`);
      assert.deepEqual(second.ledger, first.ledger);
    }
  }
});
