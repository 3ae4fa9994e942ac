/** Egress addresses: what leaves the cluster from a namespace goes by the node that hosts its address, and comes back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpv4 } from '../../src/addr/ipv4.js';
import { compile } from '../../src/compile/compile.js';
import { markOf } from '../../src/compile/egress-ips.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { cases, endOf } from '../support/cases.js';
import { type ClusterOptions, testCluster, VNI } from '../support/cluster.js';
import { Journey } from '../support/journey.js';

const EIP = '192.168.1.200';
const EIP2 = '192.168.1.201';
const LOCAL = 'node1: eth0 br0[0 0 20 27 30 31 99 100 101] tun0 netfilter eth0';
const TO_HOST = 'node2: eth0 br0[0 0 20 27 30 31 99 100 101] vxlan0 eth0';
const AT_HOST = 'node1: eth0 vxlan0 br0[0 0 10 30 31 99 100 101] tun0 netfilter eth0';

type Lists = Readonly<Record<string, readonly string[]>>;

/** Addresses by namespace, and by node. */
function epochWith(asked: Lists, hosted: Lists, options: ClusterOptions = {}): Epoch {
  const base = testCluster(options);
  const list = (lists: Lists) =>
    Object.entries(lists).map(([name, texts]) => ({ name, addresses: texts.map(parseIpv4) }));
  const egressIps = list(asked).map(({ name, addresses }) => ({ namespace: name, addresses }));
  const hostedIps = list(hosted).map(({ name, addresses }) => ({ node: name, addresses }));
  return compile({ ...base, network: { ...base.network, egressIps, hostedIps } });
}

for (const mode of ['networkpolicy', 'multitenant'] as const)
  cases(`${mode}: one address, on node1`, epochWith({ web: [EIP] }, { node1: [EIP] }, { mode }), [
    {
      why: 'from a pod of the hosting node: under the address, its port kept',
      at: 'a',
      in: 'a:40000 > out:443 SYN id=3',
      ends: 'left nic1',
      frame: `nic1 > router | ${EIP}:40000 > out:443 SYN ttl=63 id=3`,
      path: LOCAL,
    },
    {
      why: 'the answer is translated back',
      at: 'nic1',
      in: `out:443 > ${EIP}:40000 SYNACK`,
      via: 'router > nic1',
      ends: 'delivered a',
      frame: 'tun1 > a | out:443 > a:40000 SYNACK ttl=63',
    },
    {
      why: 'from a pod of the other node: through the tunnel first, TTL less one at the host alone',
      at: 'b',
      in: 'b:40001 > out:443 SYN id=4',
      ends: 'left nic1',
      frame: `nic1 > router | ${EIP}:40001 > out:443 SYN ttl=63 id=4`,
      path: `${TO_HOST} | ${AT_HOST}`,
    },
    {
      why: 'its answer goes the same way back',
      at: 'nic1',
      in: `out:443 > ${EIP}:40001 SYNACK`,
      via: 'router > nic1',
      ends: 'delivered b',
      frame: 'tun1 > b | out:443 > b:40001 SYNACK ttl=63',
      path: 'node1: eth0 netfilter tun0 br0[0 30 31 90] vxlan0 eth0 | node2: eth0 vxlan0 br0[0 0 10 30 31 70 80] eth0',
    },
    {
      why: 'the connection goes on',
      at: 'b',
      in: 'b:40001 > out:443 ACK',
      ends: 'left nic1',
      frame: `nic1 > router | ${EIP}:40001 > out:443 ACK ttl=63`,
    },
    {
      why: 'the same port of another pod gets another one',
      at: 'c',
      in: 'c:40000 > out:443 SYN',
      ends: 'left nic1',
      frame: `nic1 > router | ${EIP}:* > out:443 SYN ttl=63`,
    },
    { why: 'other namespaces leave by their own node', at: 'p', in: 'p:1 > out:443 SYN', ends: 'left nic2' },
    { why: 'pods are no outside', at: 'a', in: 'a:1 > b:8080 SYN', ends: 'delivered b' },
    {
      why: 'a Service is none, either',
      at: 'b',
      in: 'b:2 > near:80 SYN',
      ends: 'delivered c',
    },
    {
      why: 'the own node is reached by the hosting one, which sends it under the address',
      at: 'b',
      in: 'b:3 > n2:9999 SYN',
      ends: 'delivered nic2',
      frame: `nic1 > nic2 | ${EIP}:* > n2:9999 SYN ttl=63`,
    },
    {
      why: 'nobody connects to the address from outside',
      at: 'nic1',
      in: `out:5 > ${EIP}:22 SYN`,
      via: 'router > nic1',
      ends: 'rejected egress-ip-closed',
      causes: [
        {
          ends: 'left nic1',
          frame: `nic1 > router | ${EIP} > out icmp 3/3 tos=192 id=* (out:5 > ${EIP}:22 SYN)`,
        },
      ],
    },
    {
      why: 'a pod of another namespace does so by tun0 on that node, where all is accepted',
      at: 'd',
      in: `d:6 > ${EIP}:22 SYN`,
      ends: 'delivered tun1',
    },
    {
      why: 'the other node asks for it by the NIC',
      at: 'tun2',
      in: `n2:7 > ${EIP}:22 SYN`,
      ends: 'rejected egress-ip-closed',
      causes: [{ ends: 'delivered nic2' }],
    },
  ]);

cases('no node hosts the address', epochWith({ web: [EIP] }, {}), [
  { why: 'nothing leaves', at: 'a', in: 'a:1 > out:443 SYN', ends: 'dropped egress-ip-unhosted' },
  { why: 'the cluster is reached', at: 'a', in: 'a:1 > b:8080 SYN', ends: 'delivered b' },
]);

const UNUSABLE: { why: string; asked: Lists; hosted: Lists; ends: Lists }[] = [
  {
    why: 'two nodes host the address',
    asked: { web: [EIP] },
    hosted: { node1: [EIP], node2: [EIP] },
    ends: { a: ['dropped egress-ip-unhosted'] },
  },
  {
    why: 'two namespaces ask for it: neither gets it',
    asked: { web: [EIP], monitoring: [EIP] },
    hosted: { node1: [EIP] },
    ends: { a: ['dropped egress-ip-unhosted'], p: ['dropped egress-ip-unhosted'] },
  },
  {
    why: 'an address of its own does not help a namespace that shares another',
    asked: { web: [EIP2, EIP], monitoring: [EIP] },
    hosted: { node1: [EIP], node2: [EIP2] },
    ends: { a: ['dropped egress-ip-unhosted'] },
  },
  {
    why: 'two addresses of a namespace on one node',
    asked: { web: [EIP, EIP2] },
    hosted: { node1: [EIP, EIP2] },
    ends: { a: ['dropped egress-ip-unhosted'] },
  },
  {
    why: 'the second address is hosted, the first is not',
    asked: { web: [EIP, EIP2] },
    hosted: { node1: [EIP2] },
    ends: { a: ['left node1:eth0'] },
  },
];

for (const [what, address] of [
  ["the host's own", '192.168.1.101'],
  ["a pod's", '10.128.0.9'],
  ['in the Service network', '172.30.99.9'],
] as const)
  cases(`an egress address that is ${what}`, epochWith({ web: [address] }, { node1: [address] }), [
    {
      why: 'the node that hosts it has no rules for it and masquerades',
      at: 'b',
      in: 'b:40001 > out:443 SYN',
      ends: 'left nic1',
      frame: 'nic1 > router | n1:40001 > out:443 SYN ttl=63',
      path: `${TO_HOST} | ${AT_HOST}`,
    },
    {
      why: 'the answer comes back',
      at: 'nic1',
      in: 'out:443 > n1:40001 SYNACK',
      via: 'router > nic1',
      ends: 'delivered b',
    },
  ]);

for (const { why, asked, hosted, ends } of UNUSABLE)
  test(`which addresses are in use: ${why}`, () => {
    const journey = new Journey(epochWith(asked, hosted));
    for (const [pod, wanted] of Object.entries(ends))
      assert.deepEqual(journey.send(pod, `${pod}:1 > out:443 SYN`).map(endOf), wanted);
  });

test('two hosts: a pod of neither spreads its connections, a pod of one stays there', () => {
  const base = testCluster();
  const third = {
    ...base.nodes[1]!,
    name: 'node3',
    address: parseIpv4('192.168.1.103'),
    subnet: { base: parseIpv4('10.130.0.0'), length: 23 },
  };
  const pods = base.pods.map((pod) =>
    pod.name === 'b' ? { ...pod, node: 'node3', address: parseIpv4('10.130.0.2') } : pod,
  );
  const network = {
    ...base.network,
    egressIps: [{ namespace: 'web', addresses: [EIP, EIP2].map(parseIpv4) }],
    hostedIps: [
      { node: 'node1', addresses: [parseIpv4(EIP)] },
      { node: 'node2', addresses: [parseIpv4(EIP2)] },
    ],
  };
  const journey = new Journey(compile({ ...base, nodes: [...base.nodes, third], pods, network }));
  const exits = (pod: string, from: string): Map<string, number> => {
    const counts = new Map<string, number>();
    for (let port = 1; port <= 64; port++) {
      const [first] = journey.send(pod, `${from}:${port} > out:443 SYN`, `${pod} > tun1`);
      counts.set(first!.exit, (counts.get(first!.exit) ?? 0) + 1);
    }
    return counts;
  };
  const spread = exits('b', '10.130.0.2');
  assert.deepEqual([...spread.keys()].sort(), ['node1:eth0', 'node2:eth0']);
  assert.ok(
    [...spread.values()].every((count) => count > 16),
    JSON.stringify([...spread]),
  );
  assert.deepEqual([...exits('a', 'a')], [['node1:eth0', 64]]);
  const [again, same] = ['a', 'b'].map(
    (data) => journey.send('b', `10.130.0.2:1 > out:53 udp "${data}"`, 'b > tun1')[0]!,
  );
  assert.equal(again!.exit, same!.exit, 'a flow keeps its host');
});

test('the rule of table 101 names the NetNamespace and the address', () => {
  const [first] = new Journey(epochWith({ web: [EIP] }, { node1: [EIP] })).send('b', 'b:1 > out:443 SYN');
  const rules = first!.trace!.hops.filter((hop) => hop.table === 101).map(({ rule }) => rule!);
  assert.deepEqual(
    rules.map(({ object }) => object),
    [`NetNamespace web egress IP ${EIP}`, `NetNamespace web egress IP ${EIP}`],
  );
  assert.deepEqual(
    rules.map(({ match, actions }) => `${match} -> ${actions}`),
    [
      `ip,reg0=0x${VNI.web.toString(16)} -> group:${VNI.web}`,
      `ip,reg0=0x${VNI.web.toString(16)} -> group:${VNI.web}`,
    ],
  );
});

test('marks keep clear of kubelet’s bit and the masquerade bit, and of one another', () => {
  assert.equal(markOf(0, 1), 0xff000000);
  assert.equal(markOf(0x1000, 1), 0x1000);
  assert.equal(markOf(0x1001, 1), 0x01001000);
  assert.equal(markOf(0x8002, 1), 0x10000002);
  assert.equal(markOf(0x8003, 1), 0x11000002);
  assert.equal(markOf(0x4000, 0x4000), 0x01000000);
});
