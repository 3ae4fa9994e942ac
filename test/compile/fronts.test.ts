/** Addresses by which Services are reached from outside: which choice of endpoints each leads to, on each node. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpv4 } from '../../src/addr/ipv4.js';
import { parsePrefix } from '../../src/addr/ipv4-prefix.js';
import { compile } from '../../src/compile/compile.js';
import { LiveTables } from '../../src/compile/delta.js';
import type { Cluster } from '../../src/model/cluster.js';
import type { Endpoint, Service } from '../../src/model/service.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { findFront } from '../../src/tables/fronts.js';
import { NONE } from '../../src/tables/nodes.js';
import { rowOfNode } from '../../src/tables/services.js';
import { externalCluster, externalEpoch } from '../support/external.js';

const TCP = 6;
const UDP = 17;
const EXTERNAL = parseIpv4('198.51.100.7');

/** Endpoints of policy Cluster and of policy Local on `node`, by pod name; null where the address has none. */
function choices(epoch: Epoch, ip: number, port: number, node: number, protocol = TCP) {
  const { fronts, frontSlots, services, serviceSlots, endpoints } = epoch.tables;
  const front = findFront(fronts, frontSlots, ip, ((port << 16) | protocol) >>> 0);
  if (front < 0) return null;
  const names = (any: number): string | null => {
    if (any === NONE) return null;
    const row = rowOfNode(services, serviceSlots, any, node);
    const first = services.first[row]!;
    return Array.from({ length: services.count[row]! }, (_, i) =>
      epoch.text(endpoints.name[first + i]!).replace(/.*\//, ''),
    ).join(' ');
  };
  return [names(fronts.cluster[front]!), names(fronts.local[front]!)];
}

const patch = (internalPolicy: 'Cluster' | 'Local', externalPolicy: 'Cluster' | 'Local') => ({
  web: { internalPolicy, externalPolicy, externalIps: [EXTERNAL] },
});

for (const [internal, external, node1, node2] of [
  ['Cluster', 'Cluster', ['a b', null], ['a b', null]],
  ['Local', 'Cluster', ['a b', null], ['a b', null]],
  ['Cluster', 'Local', ['a b', 'a'], ['a b', 'b']],
  ['Local', 'Local', ['a b', 'a'], ['a b', 'b']],
] as const)
  test(`policies ${internal} inside, ${external} outside`, () => {
    const epoch = externalEpoch(patch(internal, external));
    for (const [ip, port] of [
      [0, 30_084],
      [EXTERNAL, 8080],
    ] as const) {
      assert.deepEqual(choices(epoch, ip, port, 0), node1);
      assert.deepEqual(choices(epoch, ip, port, 1), node2);
    }
    assert.equal(choices(epoch, 0, 8080, 0), null, 'the Service’s port is no node port');
    assert.equal(choices(epoch, EXTERNAL, 30_084, 0), null);
    assert.equal(choices(epoch, 0, 30_084, 0, UDP), null);
  });

test('of two Services with one address and port the first has it', () => {
  const epoch = externalEpoch({ far: { externalIps: [EXTERNAL] }, near: { externalIps: [EXTERNAL] } });
  assert.deepEqual(choices(epoch, EXTERNAL, 80, 0), ['b', null]);
});

/** The cluster with pod `pod`'s endpoints in another state. */
const withState = (cluster: Cluster, pod: string, state: Partial<Endpoint>): Cluster => ({
  ...cluster,
  services: cluster.services.map((service) => ({
    ...service,
    ports: service.ports.map((port) => ({
      ...port,
      endpoints: port.endpoints.map((one) => (one.pod.endsWith(`/${pod}`) ? { ...one, ...state } : one)),
    })),
  })),
});
const terminating = { isReady: false, isServing: true, isTerminating: true };

test('policy Local keeps a node’s terminating endpoint while it is the only one there', () => {
  const cluster = withState(externalCluster(patch('Cluster', 'Local')), 'a', terminating);
  assert.deepEqual(choices(compile(cluster), 0, 30_084, 0), ['b', 'a']);
  assert.deepEqual(choices(compile(cluster), 0, 30_084, 1), ['b', 'b']);
});

test('endpoints that change in place change for all addresses', () => {
  const before = externalCluster(patch('Cluster', 'Local'));
  const live = new LiveTables(before, compile(before));
  const after = withState(before, 'a', terminating);
  const changes = before.services
    .map((service, i): { before: Service; after: Service } => ({
      before: service,
      after: after.services[i]!,
    }))
    .filter((change) => JSON.stringify(change.before) !== JSON.stringify(change.after));
  const epoch = live.change({ pods: [], services: changes, policies: null }, 2);
  assert.ok(epoch !== null, 'no whole compile');
  for (const node of [0, 1])
    assert.deepEqual(choices(epoch, 0, 30_084, node), choices(compile(after), 0, 30_084, node));
});

test('source ranges are those of the load balancer’s addresses alone', () => {
  const epoch = externalEpoch({
    near: {
      externalIps: [EXTERNAL],
      loadBalancerIps: [parseIpv4('198.51.100.8')],
      sourceRanges: [parsePrefix('203.0.113.0/24')!],
    },
  });
  const { fronts } = epoch.tables;
  const counts = [...fronts.ip.subarray(0, fronts.rows)].map((ip, row) => [ip, fronts.rangeCount[row]]);
  assert.deepEqual(
    counts.filter(([, count]) => count !== 0).map(([ip]) => ip),
    [parseIpv4('198.51.100.8'), parseIpv4('198.51.100.8')],
    'one for each of its two ports',
  );
});
