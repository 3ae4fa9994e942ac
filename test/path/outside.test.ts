/** Out of the cluster and to the nodes: masquerade, its way back, the node's own packets, and the one-node form. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cases, endOf } from '../support/cases.js';
import { frameFaults } from '../support/checksum.js';
import { testEpoch } from '../support/cluster.js';
import { expectedFrame, hex } from '../support/frames.js';
import { Journey } from '../support/journey.js';

const OUT = 'node1: eth0 br0[0 0 20 27 30 31 99 100 101] tun0 netfilter';
const IN = 'node1: eth0 netfilter tun0 br0[0 30 31 70 80] eth0';

cases('pod to the world and back', testEpoch(), [
  {
    why: 'masqueraded to the node’s address, keeping its free port',
    at: 'a',
    in: 'a:40000 > out:443 SYN id=3',
    ends: 'left nic1',
    frame: 'nic1 > router | n1:40000 > out:443 SYN ttl=63 id=3',
    path: `${OUT} eth0`,
  },
  {
    why: 'the answer is translated back and crosses br0 from tun0',
    at: 'nic1',
    in: 'out:443 > n1:40000 SYNACK',
    via: 'router > nic1',
    ends: 'delivered a',
    frame: 'tun1 > a | out:443 > a:40000 SYNACK ttl=63',
    path: IN,
  },
  {
    why: 'another pod with the same port gets another one',
    at: 'c',
    in: 'c:40000 > out:443 SYN',
    ends: 'left nic1',
    frame: 'nic1 > router | n1:* > out:443 SYN ttl=63',
  },
  {
    why: 'UDP',
    at: 'a',
    in: 'a:40000 > out:53 udp "q"',
    ends: 'left nic1',
    frame: 'nic1 > router | n1:40000 > out:53 udp "q" ttl=63',
  },
  {
    why: 'its answer',
    at: 'nic1',
    in: 'out:53 > n1:40000 udp "r"',
    via: 'router > nic1',
    ends: 'delivered a',
    frame: 'tun1 > a | out:53 > a:40000 udp "r" ttl=63',
  },
  {
    why: 'echo, by its identifier',
    at: 'a',
    in: 'a:7 > out ping',
    ends: 'left nic1',
    frame: 'nic1 > router | n1:7 > out ping ttl=63',
  },
  {
    why: 'its answer',
    at: 'nic1',
    in: 'out:7 > n1 pong',
    via: 'router > nic1',
    ends: 'delivered a',
    frame: 'tun1 > a | out:7 > a pong ttl=63',
    path: IN,
  },
  {
    why: 'what answers nothing is the node’s own',
    at: 'nic1',
    in: 'out:443 > n1:40009 SYN',
    via: 'router > nic1',
    ends: 'delivered nic1',
    path: 'node1: eth0 netfilter host',
  },
]);

test('two pods with one source port leave by different ones, and each gets its own answer', () => {
  const journey = new Journey(testEpoch());
  for (const pod of ['a', 'c'] as const) {
    const [sent] = journey.send(pod, `${pod}:40000 > out:443 SYN`);
    const port = sent!.bytes[34]! * 256 + sent!.bytes[35]!;
    const [answer] = journey.send('nic1', `out:443 > n1:${port} SYNACK`, 'router > nic1');
    assert.equal(answer!.text, `out:443 > ${pod}:40000 SYNACK`);
  }
});

test('an ICMP error from the world finds the pod whose packet it quotes', () => {
  const journey = new Journey(testEpoch());
  const [sent] = journey.send('a', 'a:40000 > out:53 udp "question"');
  const router = '198.51.100.1';
  const text = `router > nic1 | ${router} > n1 icmp 11/0 id=9 (n1:40000 > out:53 udp "question" ttl=1)`;
  const [error] = journey.sendBytes('nic1', expectedFrame(text, sent!.bytes));
  assert.equal(endOf(error!), 'delivered pod:web/a');
  assert.deepEqual(frameFaults(error!.bytes), []);
  const arrives = `tun1 > a | ${router} > a icmp 11/0 ttl=63 (a:40000 > out:53 udp "question" ttl=1)`;
  assert.equal(hex(error!.bytes), hex(expectedFrame(arrives, error!.bytes)));
});

cases('pods and nodes', testEpoch(), [
  {
    why: 'to its own node: no forwarding, no masquerade',
    at: 'a',
    in: 'a:40000 > n1:22 SYN',
    ends: 'delivered tun1',
    path: `${OUT} host`,
  },
  {
    why: 'DNS to its own node goes round the egress firewall',
    at: 'a',
    in: 'a:40001 > n1:53 udp "q"',
    ends: 'delivered tun1',
    path: 'node1: eth0 br0[0 0 20 27 30 31 99] tun0 netfilter host',
  },
  {
    why: 'to another node: masqueraded',
    at: 'a',
    in: 'a:40002 > n2:22 SYN',
    ends: 'delivered nic2',
    frame: 'nic1 > nic2 | n1:40002 > n2:22 SYN ttl=63',
    path: `${OUT} eth0 | node2: eth0 netfilter host`,
  },
  {
    why: 'a node to its pod, as the kubelet probes',
    at: 'tun1',
    in: 'g1:50000 > a:8080 SYN',
    ends: 'delivered a',
    frame: 'tun1 > a | g1:50000 > a:8080 SYN',
    path: 'node1: host tun0 br0[0 30 31 70 80] eth0',
  },
  {
    why: 'the pod’s answer',
    at: 'a',
    in: 'a:8080 > g1:50000 SYNACK',
    ends: 'delivered tun1',
    path: 'node1: eth0 br0[0 0 20 27 30 31] tun0 netfilter host',
  },
  {
    why: 'a node to a pod of another node: VNI 0',
    at: 'tun1',
    in: 'g1:50001 > b:8080 SYN',
    ends: 'delivered b',
    frame: 'tun1 > b | g1:50001 > b:8080 SYN',
    path: 'node1: host tun0 br0[0 30 31 90] vxlan0 eth0 | node2: eth0 vxlan0 br0[0 0 10 30 31 70 80] eth0',
  },
  {
    why: 'a node to a Service: translated in OUTPUT, from the gateway and a random port',
    at: 'tun1',
    in: 'g1:50002 > near:80 SYN',
    ends: 'delivered c',
    frame: 'tun1 > c | g1:* > c:8080 SYN',
    path: 'node1: host tun0 br0[0 30 31 70 80] eth0',
    service: 'web/near:http',
    endpoint: 'c',
  },
  {
    why: 'a node to a Service without endpoints',
    at: 'tun1',
    in: 'g1:50003 > none:80 SYN',
    ends: 'rejected no-endpoints',
    causes: [{ ends: 'delivered tun1' }],
  },
]);

test('one-node form: what goes to the other node has left, tunnel headers and all', () => {
  const one = new Journey(testEpoch(), { node: 'node1' });
  const [out] = one.send('a', 'a:40000 > far:80 SYN');
  assert.equal(endOf(out!), 'left node1:eth0');
  assert.equal(out!.text, 'vxlan n1 > n2 vni 1001 | a:40000 > b:8080 SYN');
  const two = new Journey(testEpoch(), { node: 'node2' });
  const [arrival] = two.sendBytes('nic2', out!.bytes);
  assert.equal(endOf(arrival!), 'delivered pod:web/b');
  const [reply] = two.send('b', 'b:8080 > a:40000 SYNACK');
  assert.equal(endOf(reply!), 'left node2:eth0');
  const [back] = one.sendBytes('nic1', reply!.bytes);
  assert.equal(endOf(back!), 'delivered pod:web/a');
  assert.equal(back!.text, 'far:80 > a:40000 SYNACK');
});

test('an unknown node is a RangeError', () => {
  assert.throws(() => new Journey(testEpoch(), { node: 'node9' }), RangeError);
});
