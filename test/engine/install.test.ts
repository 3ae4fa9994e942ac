/** Another table set under a running engine: what of connections, waiting packets and counts stays, and what goes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpv4 } from '../../src/addr/ipv4.js';
import { parsePrefix } from '../../src/addr/ipv4-prefix.js';
import { compile } from '../../src/compile/compile.js';
import { LiveTables } from '../../src/compile/delta.js';
import { Engine } from '../../src/engine/engine.js';
import { EngineMetrics } from '../../src/engine/metrics.js';
import type { Cluster } from '../../src/model/cluster.js';
import type { NetworkPolicy } from '../../src/model/policy.js';
import type { Endpoint } from '../../src/model/service.js';
import { Epoch } from '../../src/tables/epoch.js';
import { endOf } from '../support/cases.js';
import { testCluster } from '../support/cluster.js';
import { Journey } from '../support/journey.js';

const base = testCluster();

/** The cluster with other endpoints behind some ports. */
const withEndpoints = (
  cluster: Cluster,
  choose: (endpoints: readonly Endpoint[], service: string) => readonly Endpoint[],
): Cluster => ({
  ...cluster,
  services: cluster.services.map((service) => ({
    ...service,
    ports: service.ports.map((port) => ({ ...port, endpoints: choose(port.endpoints, service.name) })),
  })),
});
const without = (cluster: Cluster, pod: string): Cluster =>
  withEndpoints(cluster, (endpoints) => endpoints.filter((endpoint) => !endpoint.pod.endsWith(`/${pod}`)));

/** The first table set of the base cluster, and the way to those after it. */
interface Sets {
  readonly first: Epoch;
  readonly next: (cluster: Cluster) => Epoch;
}

const anew = (): Sets => ({ first: compile(base), next: (cluster) => compile(cluster, 2) });

function inPlace(): Sets {
  const live = new LiveTables(base, compile(base));
  let before = base;
  const next = (cluster: Cluster): Epoch => {
    const changes = cluster.services
      .map((after, i) => ({ before: before.services[i]!, after }))
      .filter(({ before: old, after }) => JSON.stringify(old) !== JSON.stringify(after));
    before = cluster;
    return live.change({ pods: [], services: changes, policies: null }, live.epoch.number + 1)!;
  };
  return { first: live.epoch, next };
}

const WAYS: readonly (readonly [name: string, begin: () => Sets])[] = [
  ['compiled anew', anew],
  ['in place', inPlace],
];

/** Each [at, packet, what becomes of it]. */
type Step = readonly [at: string, packet: string, end: string];

function walk(journey: Journey, steps: readonly Step[]): void {
  for (const [at, text, end] of steps) assert.equal(endOf(journey.send(at, text)[0]!), end, text);
}

const OPEN: readonly Step[] = [
  ['a', 'a:40000 > c:8080 SYN seq=1', 'delivered pod:web/c'],
  ['c', 'c:8080 > a:40000 SYNACK seq=9 ack=2', 'delivered pod:web/a'],
  ['a', 'a:40000 > c:8080 ACK seq=2 ack=10', 'delivered pod:web/c'],
];
const DENY_C: NetworkPolicy = {
  namespace: 'web',
  name: 'deny-c',
  podSelector: { matchLabels: {}, matchExpressions: [] },
  hasIngress: true,
  hasEgress: false,
  ingress: [],
  egress: [],
};

test('a policy that no longer allows a connection cuts it forward, while replies pass', () => {
  for (const cache of [true, false]) {
    const journey = new Journey(compile(base), { explain: false, cache });
    walk(journey, OPEN);
    walk(journey, [OPEN[2]!, OPEN[2]!]);
    journey.engine.install(compile({ ...base, policies: [...base.policies, DENY_C] }, 2));
    walk(journey, [
      ['a', 'a:40000 > c:8080 ACK seq=2 ack=10', 'dropped policy-ingress'],
      ['c', 'c:8080 > a:40000 ACK seq=10 ack=2', 'delivered pod:web/a'],
      ['a', 'a:40001 > c:8080 SYN', 'dropped policy-ingress'],
    ]);
    journey.engine.install(compile(base, 3));
    walk(journey, [['a', 'a:40000 > c:8080 ACK seq=2 ack=10', 'delivered pod:web/c']]);
  }
});

for (const [way, begin] of WAYS) {
  test(`${way}: TCP hangs on to an endpoint that has gone, new connections go to others`, () => {
    const { first: start, next } = begin();
    const journey = new Journey(start);
    const first = journey.send('c', 'c:40000 > web:8080 SYN seq=1')[0]!;
    const [gone, left] = first.endpoint === 'pod:web/a' ? ['a', 'b'] : ['b', 'a'];
    journey.engine.install(next(without(base, gone!)));
    const after = journey.send('c', 'c:40000 > web:8080 SYN seq=1')[0]!;
    assert.equal(endOf(after), `delivered pod:web/${gone}`);
    assert.deepEqual([after.service, after.endpoint], ['web/web', ''], 'no row is its endpoint any more');
    for (let port = 41_000; port < 41_020; port++) {
      const other = journey.send('c', `c:${port} > web:8080 SYN`)[0]!;
      assert.deepEqual([endOf(other), other.endpoint], [`delivered pod:web/${left}`, `pod:web/${left}`]);
    }
  });

  test(`${way}: UDP forgets an endpoint that has gone, with the next packet`, () => {
    const { first, next } = begin();
    const journey = new Journey(first);
    walk(journey, [['c', 'c:40000 > own:90 udp "1"', 'delivered pod:web/a']]);
    const other = base.services.find(({ name }) => name === 'far')!.ports[1]!.endpoints;
    const moved = withEndpoints(base, (endpoints, name) =>
      name === 'own' ? endpoints.map((one, i) => (one.port === 9000 ? other[i]! : one)) : endpoints,
    );
    journey.engine.install(next(moved));
    walk(journey, [['c', 'c:40000 > own:90 udp "2"', 'delivered pod:web/b']]);
    assert.equal(
      journey.engine.metrics.endpointConnections.reduce((sum, count) => sum + count),
      1,
    );
  });

  test(`${way}: a UDP port keeps the connections of endpoints that stay`, () => {
    const { first, next } = begin();
    const journey = new Journey(first);
    walk(journey, [['c', 'c:40000 > own:90 udp "1"', 'delivered pod:web/a']]);
    const { connections } = journey.engine;
    journey.engine.install(next(without(base, 'b')));
    walk(journey, [['c', 'c:40000 > own:90 udp "2"', 'delivered pod:web/a']]);
    assert.equal(journey.engine.connections, connections);
  });

  test(`${way}: a Service without endpoints gets one`, () => {
    const { first, next } = begin();
    const journey = new Journey(first);
    walk(journey, [
      ['c', 'c:40000 > none:90 udp "1"', 'rejected no-endpoints'],
      ['c', 'c:40000 > none:80 SYN', 'rejected no-endpoints'],
    ]);
    const far = base.services.find(({ name }) => name === 'far')!;
    const endpoints = new Map(far.ports.map((port) => [port.name, port.endpoints]));
    const served: Cluster = {
      ...base,
      services: base.services.map((service) =>
        service.name !== 'none'
          ? service
          : {
              ...service,
              ports: service.ports.map((port) => ({ ...port, endpoints: endpoints.get(port.name)! })),
            },
      ),
    };
    journey.engine.install(next(served));
    walk(journey, [
      ['c', 'c:40000 > none:90 udp "1"', 'delivered pod:web/b'],
      ['c', 'c:40000 > none:80 SYN', 'delivered pod:web/b'],
    ]);
  });

  test(`${way}: rows move, and counts and connections move along`, () => {
    const { first, next } = begin();
    const metrics = new EngineMetrics(first.tables, { countsRules: true });
    const journey = new Journey(first, { metrics });
    walk(journey, [['c', 'c:40000 > far:80 SYN', 'delivered pod:web/b']]);
    const counts = countsOf(journey.engine);
    // An endpoint of a lower address in front of each.
    const lower = (endpoints: readonly Endpoint[], service: string): readonly Endpoint[] =>
      // The pods of cluster DNS are in other tables too.
      service === 'dns-default'
        ? endpoints
        : endpoints.flatMap((one) => [{ ...one, address: parseIpv4('10.128.1.9'), pod: '' }, one]);
    journey.engine.install(next(withEndpoints(base, lower)));
    assert.deepEqual(countsOf(journey.engine), counts);
    assert.equal(
      journey.engine.metrics === metrics,
      way === 'in place',
      'only then the rows are the same ones',
    );
    const again = journey.send('c', 'c:40000 > far:80 SYN')[0]!;
    assert.deepEqual(
      [endOf(again), again.service, again.endpoint],
      ['delivered pod:web/b', 'web/far:http', 'pod:web/b'],
    );
  });
}

/** What is counted, by name. */
function countsOf({ epoch, metrics }: Engine): string[] {
  const { services, endpoints, flows } = epoch.tables;
  const lines = [
    ...[...metrics.serviceConnections].map((count, row) => [count, 'service', services.name[row]!] as const),
    ...[...metrics.endpointConnections].map(
      (count, row) => [count, 'endpoint', endpoints.name[row]!] as const,
    ),
    ...[...metrics.rulePackets].map((count, row) => [count, 'rule', flows.rule.object[row]!] as const),
  ];
  return lines
    .filter(([count]) => count > 0)
    .map(([count, kind, name]) => `${kind} ${epoch.text(name)} ${count}`);
}

/** The test cluster with a node in front of both others, whose rows it moves. */
const grown: Cluster = {
  ...base,
  nodes: [
    {
      ...base.nodes[0]!,
      name: 'node0',
      address: parseIpv4('192.168.1.100'),
      subnet: parsePrefix('10.130.0.0/23')!,
      hostSubnetUid: 'uid-node0',
    },
    ...base.nodes,
  ],
};

test('a node more: connections on the others go on, replies are translated back', () => {
  const journey = new Journey(compile(base));
  walk(journey, [['a', 'a:40000 > far:80 SYN seq=1', 'delivered pod:web/b']]);
  const { connections } = journey.engine;
  journey.engine.install(compile(grown, 2));
  const [reply] = journey.send('b', 'b:8080 > a:40000 SYNACK seq=9 ack=2');
  assert.match(reply!.text, /^far:80 > a:40000/);
  walk(journey, [['a', 'a:40000 > far:80 ACK seq=2 ack=10', 'delivered pod:web/b']]);
  assert.equal(journey.engine.connections, connections, 'no connection was made anew');
  journey.engine.install(compile(base, 3));
  walk(journey, [['a', 'a:40000 > far:80 ACK seq=2 ack=10', 'delivered pod:web/b']]);
  assert.equal(journey.engine.connections, connections);
});

test('a node less takes its connections with it', () => {
  const alone: Cluster = {
    ...base,
    nodes: base.nodes.slice(0, 1),
    pods: base.pods.filter(({ node }) => node === 'node1'),
  };
  const journey = new Journey(compile(base));
  walk(journey, [...OPEN, ['a', 'a:40000 > far:80 SYN seq=1', 'delivered pod:web/b']]);
  const live = journey.engine.metrics.connectionsLive;
  journey.engine.install(compile(alone, 2));
  walk(journey, [['a', 'a:40000 > c:8080 ACK seq=2 ack=10', 'delivered pod:web/c']]);
  assert.equal(journey.engine.metrics.connectionsLive, live - 1, 'node2 knew the connection to b');
});

test('a packet that waits goes on waiting, on its node wherever that is now', () => {
  const journey = new Journey(compile(base));
  assert.deepEqual(journey.send('b', 'b > web ping'), []);
  assert.equal(journey.engine.ledger.pending, 1);
  journey.engine.install(compile(grown, 2));
  const [rejected, error] = journey.wait(4);
  assert.equal(endOf(rejected!), 'rejected host-unreachable');
  assert.equal(endOf(error!), 'delivered pod:web/b');
});

test('what cannot be carried is refused, and the engine goes on as before', () => {
  const alone: Cluster = {
    ...base,
    nodes: base.nodes.slice(0, 1),
    pods: base.pods.filter(({ node }) => node === 'node1'),
  };
  const single = new Engine(compile(base), { node: 'node2' });
  assert.throws(() => single.install(compile(alone, 2)), /no node node2/);
  assert.equal(single.epoch.number, 1);
  const journey = new Journey(compile(base));
  journey.send('b', 'b > web ping');
  assert.throws(() => journey.engine.install(compile(alone, 2)), RangeError);
  assert.equal(endOf(journey.wait(4)[0]!), 'rejected host-unreachable');
  journey.engine.install(compile(alone, 2));
  assert.equal(journey.epoch.number, 2);
});

test('a view of the buffer alone, as another thread has it, holds and is installed like any other', () => {
  const { first, next } = inPlace();
  const journey = new Journey(new Epoch(first.buffer));
  for (let i = 0; i < 4; i++) next(i % 2 === 0 ? without(base, 'b') : base);
  walk(journey, [['a', 'a:40000 > far:80 SYN', 'delivered pod:web/b']]);
  journey.engine.install(new Epoch(next(without(base, 'b')).buffer));
  const old = journey.send('a', 'a:40000 > far:80 SYN')[0]!;
  assert.deepEqual([endOf(old), old.service, old.endpoint], ['delivered pod:web/b', 'web/far:http', '']);
  walk(journey, [['a', 'a:40001 > far:80 SYN', 'rejected no-endpoints']]);
});

test('an engine keeps the table set that it runs on while the cluster moves on', () => {
  const { first, next } = inPlace();
  const journey = new Journey(first);
  const changed = without(base, 'b');
  for (let i = 0; i < 5; i++) next(i % 2 === 0 ? changed : base);
  walk(journey, [['a', 'a:40000 > far:80 SYN', 'delivered pod:web/b']]);
  journey.engine.install(next(changed));
  walk(journey, [['a', 'a:40001 > far:80 SYN', 'rejected no-endpoints']]);
  journey.engine[Symbol.dispose]();
  journey.engine[Symbol.dispose]();
});
