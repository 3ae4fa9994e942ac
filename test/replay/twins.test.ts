/** The result of a replay depends on trace, cluster, seed and lanes: never on workers, chunks or back end. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { type ReplayOptions, replay } from '../../src/replay/replay.js';
import { needsNative } from '../support/native.js';
import { twoNodes } from './traces.js';
import { facts, trafficTrace } from './traffic-trace.js';

const epoch = await twoNodes();
const TRACE = await trafficTrace();

const base: ReplayOptions = { traces: [TRACE], backend: 'typescript' };
const REFERENCE = await replay(epoch, base);
const MODEL = await replay(epoch, { ...base, pick: 'model' });

test('the trace has what makes order hard: timers within it and at its end, drops, answers', () => {
  const reasons = REFERENCE.reasons.map(({ name }) => name);
  assert.ok(reasons.includes('host-unreachable'), reasons.join());
  assert.ok(REFERENCE.reasons.find(({ name }) => name === 'host-unreachable')!.packets === 6);
  assert.ok(REFERENCE.ledger.generated >= 6);
  assert.equal(REFERENCE.balanced, true);
  assert.notEqual(REFERENCE.fingerprint, MODEL.fingerprint);
  assert.ok(MODEL.readdressed > 0);
});

for (const workers of [2, 3])
  test(`${workers} workers give what one gives`, async () => {
    assert.deepEqual(facts(await replay(epoch, { ...base, workers, chunkRows: 100 })), facts(REFERENCE));
  });

test('unless told: one worker for a trace that is seen whole, two for a longer one where there are two cores', async () => {
  const long = await replay(epoch, { ...base, lookAhead: 1499 });
  assert.equal(REFERENCE.workers, 1);
  assert.equal(long.workers, Math.min(2, availableParallelism()));
  assert.deepEqual(facts(long), facts(await replay(epoch, { ...base, lookAhead: 1499, workers: 1 })));
});

test('two workers give what one gives when the rules choose', async () => {
  const result = await replay(epoch, { ...base, pick: 'model', workers: 2, chunkRows: 100 });
  assert.deepEqual(facts(result), facts(MODEL));
});

for (const chunkRows of [1, 7, 256])
  test(`chunks of ${chunkRows} packets give what large ones give`, async () => {
    assert.deepEqual(facts(await replay(epoch, { ...base, chunkRows })), facts(REFERENCE));
    assert.deepEqual(facts(await replay(epoch, { ...base, pick: 'model', chunkRows })), facts(MODEL));
  });

test('the addon gives what TypeScript gives', needsNative(), async () => {
  assert.deepEqual(facts(await replay(epoch, { ...base, backend: 'native' })), facts(REFERENCE));
});

test('another seed, another choice of endpoints', async () => {
  const result = await replay(epoch, { ...base, pick: 'model', seed: 2 });
  assert.notEqual(result.fingerprint, MODEL.fingerprint);
});

test('written captures are the same bytes with one worker and two', async () => {
  const outputs = [1, 2].map((workers) => `${TRACE}.out${workers}.pcapng`);
  for (const [i, output] of outputs.entries())
    await replay(epoch, { ...base, output, workers: i + 1, chunkRows: 64 });
  const [one, two] = outputs.map((path) => readFileSync(path));
  assert.ok(one!.length > 100_000);
  assert.ok(one!.equals(two!));
});

test('without drain, what waits is pending and the ledger balances', async () => {
  const result = await replay(epoch, { ...base, drain: false });
  assert.equal(result.ledger.pending, 3);
  assert.equal(result.balanced, true);
});
