/** Whole-namespace isolation by a NetworkPolicy: on the destination's node, after the tunnel, and never for replies. */
import { cases } from '../support/cases.js';
import { testEpoch } from '../support/cluster.js';

cases('nothing enters the isolated namespace', testEpoch(), [
  {
    why: 'from another namespace and node: dropped behind the tunnel',
    at: 'a',
    in: 'a:40000 > v:8200 SYN',
    ends: 'dropped policy-ingress',
    path: 'node1: eth0 br0[0 0 20 27 30 31 90] vxlan0 eth0 | node2: eth0 vxlan0 br0[0 0 10 30 31 70 80]',
  },
  {
    why: 'from another namespace of its node',
    at: 'b',
    in: 'b:40000 > v:8200 SYN',
    ends: 'dropped policy-ingress',
    path: 'node2: eth0 br0[0 0 20 27 30 31 70 80]',
  },
  {
    why: 'through its Service: the policy acts on the pod behind it',
    at: 'b',
    in: 'b:40001 > vault:8200 SYN',
    ends: 'dropped policy-ingress',
    path: 'node2: eth0 br0[0 0 20 27 30 31 60] tun0 netfilter tun0 br0[0 25 27 30 31 70 80]',
    service: 'isolated/vault',
    endpoint: 'v',
  },
  { why: 'UDP', at: 'a', in: 'a:40000 > v:9000 udp', ends: 'dropped policy-ingress' },
  { why: 'echo', at: 'a', in: 'a:1 > v ping', ends: 'dropped policy-ingress' },
  {
    why: 'the pod’s own node always may (kubelet probes)',
    at: 'tun2',
    in: 'g2:50000 > v:8200 SYN',
    ends: 'delivered v',
    frame: 'tun2 > v | g2:50000 > v:8200 SYN',
    path: 'node2: host tun0 br0[0 30 31 70 80] eth0',
  },
  {
    why: 'another node may not',
    at: 'tun1',
    in: 'g1:50000 > v:8200 SYN',
    ends: 'dropped policy-ingress',
    path: 'node1: host tun0 br0[0 30 31 90] vxlan0 eth0 | node2: eth0 vxlan0 br0[0 0 10 30 31 70 80]',
  },
]);

cases('but its own requests get their replies', testEpoch(), [
  { why: 'to another node', at: 'v', in: 'v:50000 > a:8080 SYN', ends: 'delivered a' },
  {
    why: 'SYN-ACK passes table 80 at priority 200',
    at: 'a',
    in: 'a:8080 > v:50000 SYNACK',
    ends: 'delivered v',
    frame: 'a > v | a:8080 > v:50000 SYNACK',
    path: 'node1: eth0 br0[0 0 20 27 30 31 90] vxlan0 eth0 | node2: eth0 vxlan0 br0[0 0 10 30 31 70 80] eth0',
  },
  {
    why: 'a SYN-ACK that answers nothing does not',
    at: 'a',
    in: 'a:8080 > v:50001 SYNACK',
    ends: 'dropped policy-ingress',
  },
  { why: 'through a Service', at: 'v', in: 'v:50002 > near:80 SYN', ends: 'delivered c' },
  {
    why: 'the translated reply',
    at: 'c',
    in: 'c:8080 > v:50002 SYNACK',
    ends: 'delivered v',
    frame: 'c > v | near:80 > v:50002 SYNACK',
  },
  { why: 'UDP', at: 'v', in: 'v:50003 > c:9000 udp "q"', ends: 'delivered c' },
  { why: 'its reply', at: 'c', in: 'c:9000 > v:50003 udp "r"', ends: 'delivered v' },
  {
    why: 'until conntrack has forgotten the request: 30 s after the last packet',
    after: 31,
    at: 'c',
    in: 'c:9000 > v:50003 udp "late"',
    ends: 'dropped policy-ingress',
  },
  { why: 'echo', at: 'v', in: 'v:7 > a ping', ends: 'delivered a' },
  { why: 'its answer', at: 'a', in: 'a:7 > v pong', ends: 'delivered v' },
  {
    why: 'to a closed UDP port: the error about the request passes as related',
    at: 'v',
    in: 'v:50004 > c:81 udp "q"',
    ends: 'answered c port-unreachable',
    causes: [{ ends: 'delivered v', frame: 'c > v | c > v icmp 3/3 tos=192 (v:50004 > c:81 udp "q")' }],
  },
]);
