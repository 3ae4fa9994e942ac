/** Pods, Services and policies that come, change and go under a running engine: it walks as one whose cluster was compiled anew after each event, packet
 *  by packet, with the same explanations; and its tables say the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIpv4 } from '../../src/addr/ipv4.js';
import { type LoadedCluster, loadCluster, type WatchEvent } from '../../src/cluster.js';
import { Engine, type EngineOptions } from '../../src/engine/engine.js';
import { EngineMetrics } from '../../src/engine/metrics.js';
import type { PolicyMode } from '../../src/model/policy.js';
import { ruleCounts } from '../../src/replay/rule-report.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { NONE } from '../../src/tables/nodes.js';
import { ANY_NODE } from '../../src/tables/services.js';
import { InputError } from '../../src/verdict/input-error.js';
import { Quirk } from '../../src/verdict/quirks.js';
import { runFrames, type SentFrame } from '../support/batches.js';
import { epochText } from '../support/epoch-text.js';
import { packetBytes } from '../support/packets.js';
import { type KubeObject, keyOf } from '../support/watch.js';
import {
  ADDRESSES,
  CLUSTER_IPS,
  FRONTS,
  PLACE,
  POLICIES,
  podEvent,
  podFacts,
  podObject,
  TOO_MANY,
} from '../support/watch-pods.js';

const TARGETS = [
  ...ADDRESSES.flatMap((address) => [`${address}:8080`, `${address}:8081`, `${address}:9000`]),
  ...CLUSTER_IPS.flatMap((address) => [`${address}:80`, `${address}:90`]),
  ...FRONTS,
  ...['192.168.1.2:22', '203.0.113.9:443', '172.30.0.10:53'],
];
const WHAT = ['SYN', 'SYN', 'ACK seq=1 ack=1', 'udp "x"', 'udp "x"', 'ping'] as const;

/** A packet to be sent by some pod, told by numbers so that it does not depend on rows. */
const probe = fc.record({ from: fc.nat(), to: fc.nat(), what: fc.nat(WHAT.length - 1), port: fc.nat(2) });
type Probe = typeof probe extends fc.Arbitrary<infer P> ? P : never;

/** The probes as frames of the pods that are in `epoch`, in order of their names. */
function framesOf(epoch: Epoch, probes: readonly Probe[], tsNs: number): SentFrame[] {
  const { pods, nodes } = epoch.tables;
  const senders = Array.from({ length: pods.rows }, (_, row) => row)
    .filter((row) => pods.node[row] !== NONE)
    .sort((a, b) => (epoch.text(pods.name[a]!) < epoch.text(pods.name[b]!) ? -1 : 1));
  if (senders.length === 0) return [];
  return probes.map(({ from, to, what, port }, i) => {
    const pod = senders[from % senders.length]!;
    const target = TARGETS[to % TARGETS.length]!;
    const text = WHAT[what]!;
    const node = pods.node[pod]!;
    const source = formatIpv4(pods.address[pod]!);
    const isPod = target.startsWith('10.128.');
    const dstMac = isPod ? undefined : { hi: nodes.tunMacHi[node]!, lo: nodes.tunMacLo[node]! };
    const line =
      text === 'ping'
        ? `${source} > ${target.split(':')[0]} ping`
        : `${source}:${40_000 + port} > ${target} ${text}`;
    const bytes = packetBytes(line, dstMac === undefined ? {} : { dstMac });
    return { bytes, port: pods.port[pod]!, tsNs: tsNs + i * 1e6 };
  });
}

/** What came out, with names in the place of rows; then the explanations, where the engine gives them. */
function outcome(engine: Engine, frames: readonly SentFrame[]): string[] {
  const { ports, services, endpoints } = engine.epoch.tables;
  const name = (column: Uint32Array, row: number): string => (row < 0 ? '' : engine.epoch.text(column[row]!));
  return runFrames(engine, frames, { isGoingOn: true }).map(({ bytes, exit, service, endpoint, ...row }) => {
    const places = [name(ports.name, exit), name(services.name, service), name(endpoints.name, endpoint)];
    return `${JSON.stringify(row)} ${places.join(' ')} ${Buffer.from(bytes).toString('hex')}`;
  });
}

/** The explanations, a line a hop and one for how each packet ended. */
const traces = (engine: Engine, frames: readonly SentFrame[]): string[] =>
  frames.flatMap((_, i) =>
    engine
      .explain(i)
      .flatMap(({ hops, ...rest }) => [
        ...hops.map(
          ({ bytes, ...hop }) => `${i} ${JSON.stringify(hop)} ${Buffer.from(bytes).toString('hex')}`,
        ),
        `${i} ${JSON.stringify(rest)}`,
      ]),
  );

/** Rules that have counted packets, in any order. Those that speak of no pod any more may be there or not. */
const rulesCounted = (engine: Engine): string[] =>
  ruleCounts(engine.epoch, engine.metrics.rulePackets)
    .filter(({ match }) => !match.includes('{0 pods}'))
    .map(({ rank: _rank, ...rest }) => JSON.stringify(rest))
    .sort();

/** Connections that each row of a Service, and each endpoint of it, has had, in any order. */
function connectionsCounted({ epoch, metrics }: Engine): string[] {
  const { services, endpoints, nodes } = epoch.tables;
  const lines: string[] = [];
  for (let row = 0; row < services.rows; row++) {
    const node = services.node[row] === ANY_NODE ? '' : epoch.text(nodes.name[services.node[row]!]!);
    const name = `${epoch.text(services.name[row]!)} ${services.portProto[row]} ${services.scope[row]} ${node}`;
    const first = services.first[row]!;
    if (metrics.serviceConnections[row]! > 0) lines.push(`${name}: ${metrics.serviceConnections[row]}`);
    for (let at = first; at < first + services.count[row]!; at++)
      if (metrics.endpointConnections[at]! > 0)
        lines.push(`${name} ${epoch.text(endpoints.name[at]!)}: ${metrics.endpointConnections[at]}`);
  }
  return lines.sort();
}

const loadAll = (objects: Iterable<KubeObject>, policy: PolicyMode): Promise<LoadedCluster> =>
  loadCluster({ objects: [...objects] }, { policy });

for (const policy of ['sdn', 'api'] as const)
  test(`${policy}: an engine that installs events one by one walks as one whose cluster is compiled anew`, async () => {
    const seen = { small: 0, whole: 0, refused: 0, rows: 0, counted: 0 };
    const property = fc.asyncProperty(
      fc.array(podFacts, { maxLength: 8 }),
      fc.subarray([...POLICIES]),
      fc.array(fc.tuple(podEvent, fc.array(probe, { minLength: 4, maxLength: 12 })), {
        minLength: 1,
        maxLength: 14,
      }),
      async (facts, policies, steps) => {
        const objects = new Map<string, KubeObject>();
        const used = new Set<string>();
        for (const one of facts) {
          const object = podObject(one);
          const place = one.isHostNetwork || one.phase !== 'Running' ? '' : `${one.node} ${one.slot}`;
          if (place === '' || !used.has(place)) objects.set(keyOf(object), object);
          used.add(place);
        }
        for (const object of [...PLACE, ...policies]) objects.set(keyOf(object), object);
        await follow(objects, steps, policy, seen);
      },
    );
    await fc.assert(property, { numRuns: 20, seed: 20260418 });
    assert.ok(seen.small > 60 && seen.whole > 0, JSON.stringify(seen));
    assert.ok(seen.refused > 0 && seen.rows > 300 && seen.counted > 40, JSON.stringify(seen));
  });

async function follow(
  objects: Map<string, KubeObject>,
  steps: readonly (readonly [WatchEvent & { readonly object: KubeObject }, readonly Probe[]])[],
  policy: PolicyMode,
  seen: { small: number; whole: number; refused: number; rows: number; counted: number },
): Promise<void> {
  const cluster = await loadAll(objects.values(), policy).catch(() => null);
  // Two pods of one name may have come to one address.
  if (cluster === null) return;
  const start = cluster.compile();
  const options: EngineOptions = { seed: 5, respond: true };
  const counting = (): EngineOptions => ({
    ...options,
    explain: true,
    cache: false,
    backend: 'typescript',
    metrics: new EngineMetrics(start.tables, { countsRules: true }),
  });
  using inPlace = new Engine(start, counting());
  using cached = new Engine(start, options);
  using anew = new Engine(start, counting());
  let number = 1;
  for (const [step, [event, probes]] of steps.entries()) {
    const wanted = new Map(objects);
    if (event.type === 'DELETED') wanted.delete(keyOf(event.object));
    else wanted.set(keyOf(event.object), event.object);
    const full = await loadAll(wanted.values(), policy).catch((error: unknown) => error);
    if (full instanceof InputError) {
      assert.throws(() => cluster.apply(event), InputError);
      seen.refused++;
      continue;
    }
    const { model, notes } = full as LoadedCluster;
    const compiled = (full as LoadedCluster).compile(++number);
    objects.clear();
    for (const [key, object] of wanted) objects.set(key, object);
    const epoch = cluster.apply(event);
    if (epoch.history === null) seen.whole++;
    else seen.small++;
    assert.deepEqual(cluster.model, model);
    assert.deepEqual(cluster.notes, notes);
    assert.deepEqual(epochText(epoch), epochText(compiled));
    for (const engine of [inPlace, cached]) engine.install(epoch);
    anew.install(compiled);
    const tsNs = step * 1e9;
    const [frames, same] = [epoch, compiled].map((one) => framesOf(one, probes, tsNs));
    const expected = outcome(anew, same!);
    const words = traces(anew, same!);
    assert.deepEqual(outcome(inPlace, frames!), expected);
    assert.deepEqual(traces(inPlace, frames!), words);
    assert.deepEqual(rulesCounted(inPlace), rulesCounted(anew));
    const counted = connectionsCounted(anew);
    assert.deepEqual(connectionsCounted(inPlace), counted);
    seen.counted += counted.length;
    // Twice, so that the second meets paths that the first one left.
    assert.deepEqual(outcome(cached, frames!), expected);
    seen.rows += expected.length;
  }
}

test('sdn: a policy’s allows go when its flows become too many, and come back', async () => {
  const plain = { namespace: 'web', node: 1, labels: { app: 'a' }, phase: 'Running', isHostNetwork: false };
  const named = (n: number): KubeObject => podObject({ ...plain, n, slot: n, isReady: true, port: 8080 });
  const objects = new Map([...PLACE, TOO_MANY, named(1)].map((object) => [keyOf(object), object]));
  const cluster = await loadAll(objects.values(), 'sdn');
  cluster.compile();
  const leftOut = (epoch: Epoch): boolean => epoch.tables.flows.rule.quirk.includes(Quirk.TooManyFlows);
  const events = [
    ...[2, 3].map((n) => ({ type: 'ADDED' as const, object: named(n) })),
    { type: 'DELETED' as const, object: named(1) },
  ];
  const found = [];
  for (const event of events) {
    if (event.type === 'ADDED') objects.set(keyOf(event.object), event.object);
    else objects.delete(keyOf(event.object));
    const epoch = cluster.apply(event);
    found.push([leftOut(epoch), epoch.history !== null]);
    assert.equal(leftOut((await loadAll(objects.values(), 'sdn')).compile()), leftOut(epoch));
  }
  assert.deepEqual(found, [
    [false, true],
    [true, true],
    [false, true],
  ]);
});
