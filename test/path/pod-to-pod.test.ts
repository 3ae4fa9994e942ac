/** Pod to pod, without a Service: br0 alone on one node, the tunnel between two. Nothing is rewritten. */
import { cases } from '../support/cases.js';
import { testEpoch } from '../support/cluster.js';

const SAME = 'node1: eth0 br0[0 0 20 27 30 31 70 80] eth0';
const TO_NODE2 =
  'node1: eth0 br0[0 0 20 27 30 31 90] vxlan0 eth0 | node2: eth0 vxlan0 br0[0 0 10 30 31 70 80] eth0';
const TO_NODE1 =
  'node2: eth0 br0[0 0 20 27 30 31 90] vxlan0 eth0 | node1: eth0 vxlan0 br0[0 0 10 30 31 70 80] eth0';

cases('same node: br0 carries the frame as it is', testEpoch(), [
  {
    why: 'MACs, TTL and ID stay',
    at: 'a',
    in: 'a:40000 > c:8080 SYN ttl=64 id=7',
    ends: 'delivered c',
    frame: 'a > c | a:40000 > c:8080 SYN ttl=64 id=7',
    path: SAME,
  },
  {
    why: 'the reply takes the same road',
    at: 'c',
    in: 'c:8080 > a:40000 SYNACK',
    ends: 'delivered a',
    frame: 'c > a | c:8080 > a:40000 SYNACK',
    path: SAME,
  },
  {
    why: 'data',
    at: 'a',
    in: 'a:40000 > c:8080 PSHACK "GET / HTTP/1.1"',
    ends: 'delivered c',
    frame: 'a > c | a:40000 > c:8080 PSHACK "GET / HTTP/1.1"',
  },
  { why: 'UDP', at: 'a', in: 'a:40000 > c:9000 udp "x"', ends: 'delivered c', path: SAME },
  {
    why: 'without respond an echo request is taken and not answered',
    at: 'a',
    in: 'a:9 > c ping',
    ends: 'delivered c',
    frame: 'a > c | a:9 > c ping',
    path: SAME,
  },
  {
    why: 'and its answer, sent by the other side, arrives',
    at: 'c',
    in: 'c:9 > a pong',
    ends: 'delivered a',
    frame: 'c > a | c:9 > a pong',
    path: SAME,
  },
  { why: 'TTL 1 suffices', at: 'a', in: 'a:40001 > c:8080 SYN ttl=1', ends: 'delivered c', path: SAME },
  {
    why: 'nobody has the address',
    at: 'a',
    in: 'a:40000 > nobody:80 SYN',
    ends: 'dropped unknown-pod',
    path: 'node1: eth0 br0[0 0 20 27 30 31 70]',
  },
  {
    why: 'no node has the subnet',
    at: 'a',
    in: 'a:40000 > nowhere:80 SYN',
    ends: 'dropped unknown-subnet',
    path: 'node1: eth0 br0[0 0 20 27 30 31 90]',
  },
]);

cases('other node: the tunnel, and inside it nothing changes', testEpoch(), [
  {
    why: 'source MAC, TTL and ID survive the tunnel',
    at: 'a',
    in: 'a:40000 > b:8080 SYN ttl=64 id=7',
    ends: 'delivered b',
    frame: 'a > b | a:40000 > b:8080 SYN ttl=64 id=7',
    path: TO_NODE2,
  },
  {
    why: 'back',
    at: 'b',
    in: 'b:8080 > a:40000 SYNACK',
    ends: 'delivered a',
    frame: 'b > a | b:8080 > a:40000 SYNACK',
    path: TO_NODE1,
  },
  {
    why: 'TTL 1 arrives: no router is passed',
    at: 'a',
    in: 'a:40001 > b:8080 SYN ttl=1',
    ends: 'delivered b',
    frame: 'a > b | a:40001 > b:8080 SYN ttl=1',
    path: TO_NODE2,
  },
  { why: 'echo', at: 'a', in: 'a:9 > b ping', ends: 'delivered b', path: TO_NODE2 },
  { why: 'its answer', at: 'b', in: 'b:9 > a pong', ends: 'delivered a', path: TO_NODE1 },
]);

for (const mode of ['subnet', 'multitenant'] as const) {
  const same = 'node1: eth0 br0[0 0 20 27 30 31 70 80] eth0';
  cases(`${mode} mode: table 27 lets all pass, table 30 commits nothing`, testEpoch({ mode }), [
    { why: 'same node', at: 'a', in: 'a:40000 > c:8080 SYN', ends: 'delivered c', path: same },
    {
      why: 'other node, same namespace',
      at: 'a',
      in: 'a:40000 > b:8080 SYN',
      ends: 'delivered b',
      frame: 'a > b | a:40000 > b:8080 SYN',
      path: TO_NODE2,
    },
    {
      why: 'another namespace',
      at: 'a',
      in: 'a:40000 > p:9090 SYN',
      ends: mode === 'subnet' ? 'delivered p' : 'dropped tenant-isolated',
    },
    {
      why: 'the namespace that a NetworkPolicy isolates: this mode knows no policy',
      at: 'a',
      in: 'a:40000 > v:8200 SYN',
      ends: mode === 'subnet' ? 'delivered v' : 'dropped tenant-isolated',
    },
    {
      why: 'a Service is translated as ever',
      at: 'a',
      in: 'a:40001 > far:80 SYN',
      ends: 'delivered b',
      frame: 'tun1 > b | a:40001 > b:8080 SYN ttl=63',
    },
    {
      why: 'its reply is translated back, by the connection that the host made',
      at: 'b',
      in: 'b:8080 > a:40001 SYNACK',
      ends: 'delivered a',
      frame: 'b > a | far:80 > a:40001 SYNACK',
    },
    {
      why: 'a Service of another tenant is found, and isolation acts on the backend',
      at: 'a',
      in: 'a:40002 > vault:8200 SYN',
      ends: mode === 'subnet' ? 'delivered v' : 'dropped tenant-isolated',
    },
    {
      why: 'the node reaches every pod of its own',
      at: 'tun1',
      in: 'g1:50000 > a:8080 SYN',
      ends: 'delivered a',
      frame: 'tun1 > a | g1:50000 > a:8080 SYN',
    },
    {
      why: 'and those of other nodes, as the global namespace',
      at: 'tun1',
      in: 'g1:50000 > v:8200 SYN',
      ends: 'delivered v',
      frame: 'tun1 > v | g1:50000 > v:8200 SYN',
    },
  ]);
}
