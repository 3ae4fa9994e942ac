/** Who reaches whom in the three plugin modes: joined, isolated and global NetNamespaces, and the nodes' own stacks, which
 *  are the host-network pods'. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile } from '../../src/compile/compile.js';
import type { PluginMode } from '../../src/model/cluster.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { testCluster, VNI } from '../support/cluster.js';
import { Journey } from '../support/journey.js';

const PODS = ['a', 'c', 'b', 'p', 'v', 'd', 'e'] as const;

/** web (a, c on node1, b on node2) has been joined by monitoring (p on node2); isolated (v on node2) is alone with a
 *  policy that lets nobody in; openshift-dns (d on node1, e on node2) is global. NetIDs as the mode has them. */
function epochOf(mode: PluginMode): Epoch {
  const cluster = testCluster({ mode });
  const vnis: Record<PluginMode, (name: string, vni: number) => number> = {
    subnet: () => 0,
    multitenant: (name, vni) => (name === 'monitoring' ? VNI.web : name === 'openshift-dns' ? 0 : vni),
    networkpolicy: (name, vni) => (name === 'openshift-dns' ? 0 : vni),
  };
  const namespaces = cluster.namespaces
    // Only one namespace has NetID 0 in networkpolicy mode.
    .filter(({ name }) => mode !== 'networkpolicy' || name !== 'default')
    .map((one) => ({ ...one, vni: vnis[mode](one.name, one.vni) }));
  return compile({ ...cluster, namespaces, pods: cluster.pods.map((pod) => ({ ...pod, ports: [] })) });
}

/** Everybody but v, where its policy keeps it from all but its own node. */
const OPEN = 'a c b p d e';
const ALL = 'a c b p v d e';

const REACHED: Readonly<Record<PluginMode, Readonly<Record<string, string>>>> = {
  subnet: { a: ALL, b: ALL, p: ALL, v: ALL, d: ALL, e: ALL, tun1: ALL, tun2: ALL },
  multitenant: {
    a: 'a c b p d e',
    b: 'a c b p d e',
    p: 'a c b p d e',
    v: 'v d e',
    d: ALL,
    e: ALL,
    // A node's packets have NetID 0.
    tun1: ALL,
    tun2: ALL,
  },
  networkpolicy: {
    a: OPEN,
    b: OPEN,
    p: OPEN,
    // It may send to everybody: the policy is about ingress.
    v: OPEN,
    d: OPEN,
    e: OPEN,
    // Another node is nobody in particular; the own one is always let in.
    tun1: OPEN,
    tun2: ALL,
  },
};

for (const mode of ['subnet', 'multitenant', 'networkpolicy'] as const)
  test(`${mode}: who reaches whom`, () => {
    const epoch = epochOf(mode);
    const reached = (from: string): string => {
      const source = from.startsWith('tun') ? `g${from.slice(-1)}` : from;
      return PODS.filter((to) => {
        // What a pod says to itself never leaves it.
        if (to === from) return from !== 'v' || mode !== 'networkpolicy';
        const [first] = new Journey(epoch).send(from, `${source}:40000 > ${to}:80 SYN`);
        assert.ok(first!.verdict === 'delivered' || first!.verdict === 'dropped', first!.verdict);
        return first!.verdict === 'delivered';
      }).join(' ');
    };
    const wanted = REACHED[mode];
    assert.deepEqual(
      Object.fromEntries(Object.keys(wanted).map((from) => [from, reached(from)])),
      Object.fromEntries(
        Object.entries(wanted).map(([from, list]) => [
          from,
          PODS.filter((pod) => list.split(' ').includes(pod)).join(' '),
        ]),
      ),
    );
  });

test('multitenant: a denial says that tenants are isolated, behind DNAT and the tunnel too', () => {
  const journey = new Journey(epochOf('multitenant'));
  for (const text of ['a:40000 > v:80 SYN', 'a:40001 > vault:8200 SYN', 'a:1 > v ping'])
    assert.equal(journey.send('a', text)[0]!.reason, 'tenant-isolated', text);
});

test('multitenant: ARP is not isolated', () => {
  const [first, answer] = new Journey(epochOf('multitenant')).send('a', 'arp a who-has v');
  assert.equal(`${first!.verdict} ${first!.exit}`, 'answered pod:isolated/v');
  assert.equal(`${answer!.verdict} ${answer!.exit}`, 'delivered pod:web/a');
});
