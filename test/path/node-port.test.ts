/** Node ports: from outside, from pods, from nodes, by both traffic policies, and the way back of each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cases, endOf } from '../support/cases.js';
import { externalEpoch } from '../support/external.js';
import { expectedFrame, hex } from '../support/frames.js';
import { Journey } from '../support/journey.js';

const IN = 'node1: eth0 netfilter tun0';
const OUT = 'node1: eth0 br0[0 0 20 27 30 31 99 100 101] tun0 netfilter';
const LOCAL = { near: { externalPolicy: 'Local' }, far: { externalPolicy: 'Local' } } as const;
const FROM_ROUTER = 'router > nic1';

/** Source port of a frame without IP options. */
const portOf = (bytes: Uint8Array): number => bytes[34]! * 256 + bytes[35]!;

cases('from outside, policy Cluster', externalEpoch(), [
  {
    why: 'an endpoint of this node sees tun0’s address and a random port; TTL one less',
    at: 'nic1',
    in: 'out:40000 > n1:30080 SYN id=7',
    via: FROM_ROUTER,
    ends: 'delivered c',
    frame: 'tun1 > c | g1:* > c:8080 SYN ttl=63 id=7',
    path: `${IN} br0[0 30 31 70 80] eth0`,
    service: 'web/near:http',
    endpoint: 'c',
  },
  {
    why: 'one of another node: VNI 0, the first node’s tun0 as the source',
    at: 'nic1',
    in: 'out:40001 > n1:30081 SYN',
    via: FROM_ROUTER,
    ends: 'delivered b',
    frame: 'tun1 > b | g1:* > b:8080 SYN ttl=63',
    path: `${IN} br0[0 30 31 90] vxlan0 eth0 | node2: eth0 vxlan0 br0[0 0 10 30 31 70 80] eth0`,
    service: 'web/far:http',
    endpoint: 'b',
  },
  {
    why: 'UDP',
    at: 'nic1',
    in: 'out:40002 > n1:30180 udp "q"',
    via: FROM_ROUTER,
    ends: 'delivered c',
    frame: 'tun1 > c | g1:* > c:9000 udp "q" ttl=63',
  },
  {
    why: 'the gateway’s address is the node’s, too',
    at: 'nic1',
    in: 'out:40003 > g1:30080 SYN',
    via: FROM_ROUTER,
    ends: 'delivered c',
  },
  {
    why: 'without endpoints: rejected in INPUT, by the address asked',
    at: 'nic1',
    in: 'out:40004 > n1:30082 SYN',
    via: FROM_ROUTER,
    ends: 'rejected no-endpoints',
    causes: [
      {
        ends: 'left nic1',
        frame: 'nic1 > router | n1 > out icmp 3/3 tos=192 id=* (out:40004 > n1:30082 SYN)',
      },
    ],
  },
  {
    why: 'a port of the other protocol is the host’s own',
    at: 'nic1',
    in: 'out:40005 > n1:30180 SYN',
    via: FROM_ROUTER,
    ends: 'delivered nic1',
  },
  {
    why: 'the ClusterIP, routed to a node: masqueraded',
    at: 'nic1',
    in: 'out:40006 > near:80 SYN',
    via: FROM_ROUTER,
    ends: 'delivered c',
    frame: 'tun1 > c | g1:* > c:8080 SYN ttl=63',
  },
]);

for (const [name, port, server, back] of [
  ['on the node itself', 30_080, 'c', 'node1: eth0 br0[0 0 20 27 30 31] tun0 netfilter eth0'],
  [
    'on another node',
    30_081,
    'b',
    'node2: eth0 br0[0 0 20 27 30 31 90] vxlan0 eth0 | node1: eth0 vxlan0 br0[0 0 10 30 31] tun0 netfilter eth0',
  ],
] as const)
  test(`the answer of an endpoint ${name} is translated back by the first node`, () => {
    const journey = new Journey(externalEpoch());
    const [sent] = journey.send('nic1', `out:40000 > n1:${port} SYN`, FROM_ROUTER);
    const request = `${server}:8080 > g1:${portOf(sent!.bytes)} SYNACK`;
    const [answer] = journey.send(server, request, `${server} > tun1`);
    assert.equal(endOf(answer!), 'left node1:eth0');
    const frame = `nic1 > router | n1:${port} > out:40000 SYNACK ttl=63`;
    assert.equal(hex(answer!.bytes), hex(expectedFrame(frame, answer!.bytes)));
    assert.equal(answer!.path, back);
    const [more] = journey.send('nic1', `out:40000 > n1:${port} ACK`, FROM_ROUTER);
    assert.equal(endOf(more!), `delivered pod:web/${server}`);
    assert.equal(portOf(more!.bytes), portOf(sent!.bytes), 'the port stays');
  });

cases('from outside, policy Local', externalEpoch(LOCAL), [
  {
    why: 'the client’s address is kept',
    at: 'nic1',
    in: 'out:40000 > n1:30080 SYN',
    via: FROM_ROUTER,
    ends: 'delivered c',
    frame: 'tun1 > c | out:40000 > c:8080 SYN ttl=63',
    path: `${IN} br0[0 30 31 70 80] eth0`,
    service: 'web/near:http',
  },
  {
    why: 'its answer leaves as the node port’s',
    at: 'c',
    in: 'c:8080 > out:40000 SYNACK',
    ends: 'left nic1',
    frame: 'nic1 > router | n1:30080 > out:40000 SYNACK ttl=63',
    path: `${OUT} eth0`,
  },
  {
    why: 'a node without an endpoint drops',
    at: 'nic1',
    in: 'out:40000 > n1:30081 SYN',
    via: FROM_ROUTER,
    ends: 'dropped no-local-endpoints',
  },
  {
    why: 'a pod is served by any endpoint all the same, as itself',
    at: 'a',
    in: 'a:40001 > n1:30081 SYN',
    ends: 'delivered b',
    frame: 'tun1 > b | a:40001 > b:8080 SYN ttl=63',
  },
  {
    why: 'and gets the answer from the node port',
    at: 'b',
    in: 'b:8080 > a:40001 SYNACK',
    ends: 'delivered a',
    frame: 'b > a | n1:30081 > a:40001 SYNACK',
  },
  {
    why: 'the node itself by any endpoint, masqueraded',
    at: 'tun1',
    in: 'n1:40002 > n1:30081 SYN',
    ends: 'delivered b',
    frame: 'tun1 > b | g1:* > b:8080 SYN',
  },
  {
    why: 'a pod on another node is outside here',
    at: 'v',
    in: 'v:40003 > n1:30081 SYN',
    ends: 'dropped no-local-endpoints',
  },
  {
    why: 'and comes from its node',
    at: 'v',
    in: 'v:40004 > n1:30080 SYN',
    ends: 'delivered c',
    frame: 'tun1 > c | n2:40004 > c:8080 SYN ttl=62',
  },
]);

cases('from pods, policy Cluster', externalEpoch(), [
  {
    why: 'own node: masqueraded like all that comes to a node port',
    at: 's',
    in: 's:40000 > n1:30080 SYN',
    ends: 'delivered c',
    frame: 'tun1 > c | g1:* > c:8080 SYN ttl=63',
    path: `${OUT} tun0 br0[0 30 31 70 80] eth0`,
  },
  {
    why: 'other node: masqueraded by each',
    at: 'a',
    in: 'a:40001 > n2:30081 SYN',
    ends: 'delivered b',
    frame: 'tun2 > b | g2:* > b:8080 SYN ttl=62',
    path: `${OUT} eth0 | node2: eth0 netfilter tun0 br0[0 30 31 70 80] eth0`,
  },
  {
    why: 'hairpin: a pod reaches itself',
    at: 'a',
    in: 'a:40002 > n1:30083 SYN',
    ends: 'delivered a',
    frame: 'tun1 > a | g1:* > a:8080 SYN ttl=63',
  },
  {
    why: 'no endpoints',
    at: 'a',
    in: 'a:40003 > n1:30082 SYN',
    ends: 'rejected no-endpoints',
    causes: [
      {
        ends: 'delivered a',
        frame: 'tun1 > a | n1 > a icmp 3/3 tos=192 id=* (a:40003 > n1:30082 SYN)',
      },
    ],
  },
]);

test('a pod’s connection to another node’s port, there and back', () => {
  const journey = new Journey(externalEpoch());
  const [sent] = journey.send('a', 'a:40001 > n2:30081 SYN');
  const [answer] = journey.send('b', `b:8080 > g2:${portOf(sent!.bytes)} SYNACK`);
  assert.equal(endOf(answer!), 'delivered pod:web/a');
  const frame = 'tun1 > a | n2:30081 > a:40001 SYNACK ttl=62';
  assert.equal(hex(answer!.bytes), hex(expectedFrame(frame, answer!.bytes)));
});

test('the node’s own connection to its node port, there and back', () => {
  const journey = new Journey(externalEpoch());
  const [sent] = journey.send('tun1', 'n1:40001 > n1:30080 SYN');
  assert.equal(endOf(sent!), 'delivered pod:web/c');
  const [answer] = journey.send('c', `c:8080 > g1:${portOf(sent!.bytes)} SYNACK`);
  assert.equal(endOf(answer!), 'delivered node1:tun0');
  assert.equal(answer!.text, 'n1:30080 > n1:40001 SYNACK');
});

test('the node’s own connection to a ClusterIP hears the ClusterIP answer', () => {
  const journey = new Journey(externalEpoch());
  const [sent] = journey.send('tun1', 'g1:50002 > near:80 SYN');
  const [answer] = journey.send('c', `c:8080 > g1:${portOf(sent!.bytes)} SYNACK`);
  assert.equal(endOf(answer!), 'delivered node1:tun0');
  assert.equal(answer!.text, 'near:80 > g1:50002 SYNACK');
});
