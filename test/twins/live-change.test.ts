/** Changes of the cluster in the middle of traffic: rows rewritten in place and a compile of all, short way and long way,
 *  TypeScript and native, whatever the batches: the same packets, ledger and connections. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type LoadedCluster, loadCluster, type WatchEvent } from '../../src/cluster.js';
import type { Engine } from '../../src/engine/engine.js';
import { isBalanced } from '../../src/packet/ledger.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { TWO_NODES } from '../cli/run-cli.js';
import { needsNative } from '../support/native.js';
import { type RunOptions, type RunResult, run } from './cache-run.js';
import { conversations, epoch, type Sent, traffic } from './cache-trace.js';

const BACKENDS =
  needsNative().skip === false ? (['typescript', 'native'] as const) : (['typescript'] as const);
const FILES = ['cluster', 'dns', 'isolated', 'monitoring', 'web'].map((name) => ({
  name,
  text: readFileSync(join(TWO_NODES, `${name}.yaml`), 'utf8'),
}));

/** Pods of the example that answer. */
const PODS = [
  { name: 'pod-1', address: '10.128.0.2', nodeName: 'node1' },
  { name: 'pod-2', address: '10.128.0.3', nodeName: 'node1' },
  { name: 'pod-3', address: '10.129.0.2', nodeName: 'node2' },
] as const;

/** jws-app with those of its pods whose bit is set, the ready ones by the bits above. */
const jwsApp = (bits: number): WatchEvent => ({
  type: bits === 0 ? 'DELETED' : 'MODIFIED',
  object: {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'jws-app-x7k2p',
      namespace: 'web',
      labels: { 'kubernetes.io/service-name': 'jws-app' },
    },
    addressType: 'IPv4',
    ports: [{ name: '8080-tcp', protocol: 'TCP', port: 8080 }],
    endpoints: PODS.filter((_, i) => (bits & (1 << i)) !== 0).map(({ name, address, nodeName }, i) => ({
      addresses: [address],
      conditions: { ready: (bits & (8 << i)) === 0 },
      nodeName,
      targetRef: { kind: 'Pod', namespace: 'web', name },
    })),
  },
});

const policy = (namespace: string, type: WatchEvent['type']): WatchEvent => ({
  type,
  object: {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'deny-all', namespace },
    spec: { podSelector: {} },
  },
});

/** A Service in front of the others, whose rows it moves; with an endpoint as soon as jws-app's pods are its own. */
const early = (type: WatchEvent['type']): WatchEvent => ({
  type,
  object: {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'aaa', namespace: 'isolated' },
    spec: { clusterIP: '172.30.77.77', ports: [{ name: 'x', port: 80 }], selector: { app: 'jws-app' } },
  },
});

const event: fc.Arbitrary<WatchEvent> = fc.oneof(
  { weight: 5, arbitrary: fc.nat(63).map(jwsApp) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('ADDED' as const, 'DELETED' as const).map((type) => policy('web', type)),
  },
  { weight: 1, arbitrary: fc.constantFrom('ADDED' as const, 'DELETED' as const).map(early) },
);

/** Events by the packet before which they come. */
type Plan = ReadonlyMap<number, WatchEvent>;
type Next = (cluster: LoadedCluster, event: WatchEvent) => Epoch;

const inPlace: Next = (cluster, one) => cluster.apply(one);
const anew: Next = (cluster, one) => {
  cluster.apply(one);
  return cluster.compile();
};

async function runPlan(
  trace: readonly Sent[],
  plan: Plan,
  next: Next,
  options: Partial<RunOptions> & { batch: number },
): Promise<RunResult & { small: number }> {
  const cluster = await loadCluster(FILES);
  let small = 0;
  const install = (one: WatchEvent) => (engine: Engine) => {
    const { history } = engine.epoch;
    engine.install(next(cluster, one));
    if (history !== null && engine.epoch.history === history) small++;
  };
  const before = new Map([...plan].map(([at, one]) => [at, install(one)]));
  return { ...run(trace, { ...options, before, start: cluster.compile(), names: true }), small };
}

async function assertTwins(trace: readonly Sent[], plan: Plan, seed: number): Promise<number> {
  const reference = await runPlan(trace, plan, anew, {
    backend: 'typescript',
    cache: false,
    batch: 64,
    seed,
  });
  assert.ok(isBalanced(reference.ledger), JSON.stringify(reference.ledger));
  let small = 0;
  for (const backend of BACKENDS)
    for (const next of [inPlace, anew])
      for (const batch of [1, 7, 256]) {
        const result = await runPlan(trace, plan, next, { backend, cache: true, batch, seed });
        const at = result.rows.findIndex((row, i) => row !== reference.rows[i]);
        const which = `${backend} ${next === inPlace ? 'in place' : 'anew'} ${batch}`;
        if (at >= 0) assert.equal(result.rows[at], reference.rows[at], `${which}: row ${at}`);
        assert.equal(result.rows.length, reference.rows.length, which);
        assert.deepEqual(result.ledger, reference.ledger, which);
        assert.equal(result.connections, reference.connections, which);
        small += result.small;
      }
  return small;
}

test('random changes in the middle of traffic', async () => {
  let small = 0;
  const changes = fc.array(fc.tuple(fc.nat(), event), { minLength: 1, maxLength: 8 });
  const profile = fc.constantFrom('web' as const, 'dns' as const, 'small' as const);
  const property = fc.asyncProperty(changes, profile, fc.nat(1_000), async (list, name, seed) => {
    const base = traffic({ profile: name, packets: 400, flows: 15, seed });
    const trace = [...base, ...conversations(0, epoch.tables.pods.rows - 1, 4)];
    small += await assertTwins(trace, new Map(list.map(([at, one]) => [at % trace.length, one])), seed);
  });
  await fc.assert(property, { numRuns: 12, seed: 20260302 });
  assert.ok(small > 50, `${small} changes were made in place`);
});

test('an event before every packet', async () => {
  const trace = traffic({ profile: 'web', packets: 300, flows: 6, seed: 3 });
  const plan = new Map(trace.map((_, i) => [i, jwsApp((i * 11) & 63)]));
  assert.ok((await assertTwins(trace, plan, 1)) > trace.length);
});
