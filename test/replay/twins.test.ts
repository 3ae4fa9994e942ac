/** The result of a replay depends on trace, cluster, seed and lanes: never on workers, chunks or back end. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { trafficTopology } from '../../src/cli/traffic-topology.js';
import { loadCluster } from '../../src/cluster.js';
import { TrafficGenerator } from '../../src/io/generate.js';
import { type ReplayOptions, type ReplayResult, replay } from '../../src/replay/replay.js';
import { needsNative } from '../support/native.js';
import { EXAMPLE, frame, type Seen, writeTrace } from './traces.js';

const cluster = await loadCluster(EXAMPLE);
const epoch = cluster.compile();

/** Seeded traffic, some of it damaged, with pings to a Service in between: they wait for timers. */
async function trafficTrace(): Promise<string> {
  const topology = trafficTopology(cluster.model, epoch);
  const generator = new TrafficGenerator(topology, {
    profile: 'web',
    packets: 1500,
    flows: 40,
    seed: 3,
    badPermille: 20,
  });
  const seen: Seen[] = [];
  generator.run(
    { packet: (pod, _tsNs, bytes, at, length) => seen.push([`${pod}`, bytes.slice(at, at + length)]) },
    1500,
  );
  const pings = ['shell > web ping', 'prometheus > web ping', 'pod-1 > web ping'];
  // A millisecond lies between two packets, so a ping's three seconds pass within the trace only for the first ones.
  const traffic = [...pings.map((line): Seen => ['ping', frame(line)]), ...seen];
  const late = pings.map((line): Seen => ['ping', frame(line)]);
  return writeTrace([...traffic, ...late], 'traffic.pcapng', 0, 4);
}

const TRACE = await trafficTrace();

/** All that must not differ. */
const facts = (result: ReplayResult) => ({
  fingerprint: result.fingerprint,
  verdicts: result.verdicts,
  reasons: result.reasons,
  services: result.services,
  connections: result.connections,
  observations: result.observations,
  ledger: result.ledger,
  readdressed: result.readdressed,
});

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
