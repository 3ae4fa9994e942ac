/** Pod to pod, on one node and through the tunnel. */
import {
  ANSWER,
  badIpv4Checksum,
  badTransportChecksum,
  NEEDS_KERNEL_CT,
  noUdpChecksum,
  padded,
  type Scenario,
} from './scenario.js';

const text = (size: number): string => 'x'.repeat(size);

export const DIRECT_SCENARIOS: readonly Scenario[] = [
  {
    name: 'same node, TCP',
    why: 'TTL and MACs stay',
    steps: [{ from: 'a', send: 'a:41001 > c:8080 SYN id=4660' }, ANSWER],
  },
  {
    name: 'same node, UDP',
    why: 'br0 alone',
    steps: [{ from: 'a', send: 'a:41002 > c:9000 udp "hello"' }, ANSWER],
  },
  { name: 'same node, echo', why: 'br0 alone', steps: [{ from: 'a', send: 'a:11 > c ping' }, ANSWER] },
  {
    name: 'other node, TCP',
    why: "the tunnel carries the sender's NetID",
    steps: [{ from: 'a', send: 'a:41003 > b:8080 SYN id=77' }, ANSWER],
  },
  {
    name: 'other node, UDP',
    why: 'TTL and MACs stay in the tunnel',
    steps: [{ from: 'a', send: 'a:41004 > b:9000 udp "hello"' }, ANSWER],
  },
  {
    name: 'other node, echo',
    why: 'the same for ICMP',
    steps: [{ from: 'a', send: 'a:12 > b ping' }, ANSWER],
  },
  {
    name: 'other node, TTL 1',
    why: 'no router on the way, so it arrives',
    steps: [{ from: 'a', send: 'a:41005 > b:9000 udp "x" ttl=1' }],
  },
  {
    name: 'other node, DSCP and CE',
    why: 'outer ECT(0) for CE; DSCP is not copied',
    steps: [{ from: 'a', send: 'a:41006 > b:9000 udp "x" tos=187' }],
  },
  {
    name: 'other node, ECT(0)',
    why: 'ECN is copied out',
    steps: [{ from: 'a', send: 'a:41007 > b:9000 udp "x" tos=2' }],
  },
  {
    name: 'other node, DF clear',
    why: 'the outer header has DF all the same',
    steps: [{ from: 'a', send: 'a:41008 > b:9000 udp "x" fragment=0 id=9' }],
  },
  {
    name: 'other node, full MTU',
    why: 'MTU 1450 fits into 1500',
    steps: [{ from: 'a', send: `a:41009 > b:9000 udp "${text(1422)}"` }],
  },
  {
    name: 'other node, wrong IPv4 checksum',
    why: 'br0 and the tunnel do not look',
    steps: [{ from: 'a', send: 'a:41010 > b:9000 udp "x"', damage: badIpv4Checksum }],
  },
  {
    name: 'other node, wrong UDP checksum',
    why: 'conntrack calls it invalid, nobody commits it',
    steps: [{ from: 'a', send: 'a:41011 > b:9000 udp "x"', damage: badTransportChecksum }],
  },
  {
    name: 'other node, no UDP checksum',
    why: 'zero stays zero',
    steps: [{ from: 'a', send: 'a:41012 > b:9000 udp "x"', damage: noUdpChecksum }],
  },
  {
    name: 'other node, padded frame',
    why: 'ct() cuts the frame to its packet',
    steps: [{ from: 'a', send: 'a:41013 > b:9000 udp "x"', damage: padded(60) }],
    ...NEEDS_KERNEL_CT,
  },
  {
    name: 'same node, padded frame',
    why: 'ct() cuts the frame to its packet',
    steps: [{ from: 'a', send: 'a:41014 > c:9000 udp "x"', damage: padded(60) }],
    ...NEEDS_KERNEL_CT,
  },
  {
    name: 'middle of a connection',
    why: 'conntrack picks it up without a handshake',
    steps: [{ from: 'a', send: 'a:41015 > b:8080 PSHACK "data" seq=9000 ack=777' }, ANSWER],
  },
  {
    name: 'SYN-ACK out of nothing',
    why: 'invalid to conntrack, but br0 does not ask',
    steps: [{ from: 'a', send: 'a:41016 > b:8080 SYNACK seq=1 ack=2' }],
  },
  {
    name: 'other namespace',
    why: 'not isolated, so it passes',
    steps: [{ from: 'a', send: 'a:41017 > p:9090 SYN' }, ANSWER],
  },
  {
    name: 'no such pod, same node',
    why: 'table 70 knows it not',
    steps: [{ from: 'a', send: 'a:41018 > nobody:80 SYN' }],
  },
  {
    name: 'no such subnet',
    why: 'table 90 knows it not',
    steps: [{ from: 'a', send: 'a:41019 > nowhere:80 SYN' }],
  },
  {
    name: 'somebody else’s address',
    why: 'table 20 compares port and source',
    steps: [{ from: 'a', send: 'nobody:41020 > b:8080 SYN' }],
  },
  {
    name: 'VXLAN from a pod',
    why: 'table 20 forbids it',
    steps: [{ from: 'a', send: 'a:41021 > b:4789 udp "x"' }],
  },
  {
    name: 'isolated namespace, other node',
    why: 'dropped on the destination’s node, after the tunnel',
    steps: [{ from: 'a', send: 'a:41022 > v:8200 SYN' }],
  },
  {
    name: 'out of the isolated namespace',
    why: 'ingress alone is isolated; the answer comes back',
    steps: [{ from: 'v', send: 'v:41023 > a:8080 SYN' }, ANSWER],
  },
];
