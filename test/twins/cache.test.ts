/** Twins: short way and long way, TypeScript and native, whatever the batches: the same rows, bytes and ledger. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isBalanced } from '../../src/packet/ledger.js';
import { needsNative } from '../support/native.js';
import { CHANGES } from './cache-changes.js';
import { type RunOptions, type RunResult, run } from './cache-run.js';
import {
  conversations,
  epoch,
  LIFE_LENGTH,
  life,
  type Sent,
  type TrafficWish,
  traffic,
} from './cache-trace.js';

const BACKENDS =
  needsNative().skip === false ? (['typescript', 'native'] as const) : (['typescript'] as const);
const BATCHES = [1, 7, 256, 4096];

/** Every way to run `trace` must give what the long way gives in TypeScript. */
function assertTwins(trace: readonly Sent[], options: Partial<RunOptions>, batches = BATCHES): RunResult {
  const reference = run(trace, { ...options, backend: 'typescript', cache: false, batch: 256 });
  assert.ok(isBalanced(reference.ledger), JSON.stringify(reference.ledger));
  for (const backend of BACKENDS)
    for (const cache of [true, false])
      for (const batch of cache ? batches : [64])
        assertSame(
          run(trace, { ...options, backend, cache, batch }),
          reference,
          `${backend} ${cache} ${batch}`,
        );
  return reference;
}

function assertSame(result: RunResult, reference: RunResult, which: string): void {
  const at = result.rows.findIndex((row, i) => row !== reference.rows[i]);
  if (at >= 0) assert.equal(show(result.rows[at]!), show(reference.rows[at] ?? ''), `${which}: row ${at}`);
  assert.equal(result.rows.length, reference.rows.length, which);
  assert.deepEqual(result.ledger, reference.ledger, which);
  assert.equal(result.connections, reference.connections, which);
}

/** Columns as they are, bytes in hexadecimal. */
const show = (row: string): string =>
  row.replace(
    /^((?:\S+ ){9})(.*)$/s,
    (_, columns, bytes) => columns + Buffer.from(bytes, 'latin1').toString('hex'),
  );

const PROFILES: readonly (TrafficWish & { respond?: boolean; shift?: number })[] = [
  { profile: 'web', packets: 3_000, flows: 60, seed: 1, badPermille: 50 },
  { profile: 'web', packets: 1_500, flows: 60, seed: 2, respond: true },
  { profile: 'dns', packets: 1_500, flows: 40, seed: 3 },
  { profile: 'imix', packets: 3_000, flows: 80, seed: 4, badPermille: 20, shift: 1 },
  { profile: 'small', packets: 3_000, flows: 80, seed: 5, shift: 2 },
  { profile: 'synflood', packets: 500, flows: 500, seed: 6 },
];
for (const { respond, shift, ...wish } of PROFILES)
  test(`generated traffic: ${wish.profile}${respond ? ', pods respond' : ''}`, () => {
    const { ledger } = assertTwins(traffic(wish), { respond: respond ?? false, shift: shift ?? 0 });
    assert.ok(ledger.in === wish.packets && (wish.profile === 'synflood' || ledger.delivered > 0));
  });

test('more paths than the cache holds, more connections than the table', () => {
  const trace = traffic({ profile: 'small', packets: 20_000, flows: 5_000, seed: 7 });
  const { ledger } = assertTwins(trace, { connectionsMax: 2_000 }, [256]);
  assert.ok(ledger.dropped > 0);
});

const PAUSES = [1, 9, 11, 29, 31, 59, 61, 119, 121, 299, 301, 3_599, 3_601, 86_399, 86_401];

test('connections that close, wait and begin again with the same ports', () => {
  const trace = PAUSES.flatMap((seconds, i) =>
    Array.from({ length: LIFE_LENGTH }, (_, at) =>
      life(0, 1, 1_000 * i + 100 * at, at, seconds * 1e9),
    ).flat(),
  );
  const { ledger } = assertTwins(trace, {}, [1, 256]);
  assert.ok(ledger.delivered > 0 && ledger.in === PAUSES.length * LIFE_LENGTH ** 2);
});

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const changes = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...Object.keys(CHANGES)), u32), {
  minLength: 5,
  maxLength: 60,
});
const wishes = fc.record({
  profile: fc.constantFrom('web', 'dns', 'imix', 'small') as fc.Arbitrary<TrafficWish['profile']>,
  packets: fc.constant(250),
  flows: fc.integer({ min: 1, max: 12 }),
  seed: fc.nat(1_000),
});
const settings = fc.record({
  respond: fc.boolean(),
  shift: fc.integer({ min: 0, max: 3 }),
  node: fc.option(fc.constantFrom('node1', 'node2'), { nil: undefined, freq: 4 }),
  seed: u32,
});
/** Without its first packets, connections are picked up in the middle. */
const skipped = fc.oneof(fc.constant(0), fc.nat(40));
const podRows = fc.nat(epoch.tables.pods.rows - 1);

/** Change the packets at these places; later changes may meet what earlier ones made. */
function changed(trace: readonly Sent[], list: readonly (readonly [number, string, number])[]): Sent[] {
  const result = [...trace];
  for (const [place, name, r] of list) {
    const at = place % result.length;
    result.splice(at, 1, ...CHANGES[name]!(result[at]!, r));
  }
  return result;
}

test('traffic with packets of every odd kind in between', () => {
  fc.assert(
    fc.property(
      wishes,
      skipped,
      podRows,
      podRows,
      changes,
      settings,
      (wish, skip, from, to, list, options) => {
        const base = traffic(wish).slice(skip);
        const talk = conversations(from, to, 8);
        // Both at once: a conversation's packets lie evenly among the others.
        const step = Math.ceil(base.length / talk.length);
        const trace = base.flatMap((sent, i) => (i % step === 0 ? [sent, talk[i / step]!] : [sent]));
        const { node, ...rest } = options;
        const given = node === undefined ? rest : { ...rest, node };
        assertTwins(changed(trace, list), given, [7, 256]);
      },
    ),
    { numRuns: 60, seed: 20260101 },
  );
});

for (const name of Object.keys(CHANGES))
  test(`one conversation, often changed: ${name}`, () => {
    fc.assert(
      fc.property(
        fc.constantFrom<TrafficWish['profile']>('small', 'web'),
        fc.nat(1_000),
        skipped,
        fc.array(fc.tuple(fc.nat(), u32), { minLength: 3, maxLength: 20 }),
        (profile, seed, skip, list) => {
          const base = traffic({ profile, packets: 80, flows: 2, seed }).slice(skip);
          const places = list.map(([at, r]) => [at, name, r] as const);
          assertTwins(changed([...base, ...conversations(0, 1, 3)], places), { respond: false }, [1, 256]);
        },
      ),
      { numRuns: 12, seed: 20260102 },
    );
  });
