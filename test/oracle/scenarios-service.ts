/** Pods and their Services: the way by tun0, and back. */
import {
  ANSWER,
  badIpv4Checksum,
  badTransportChecksum,
  NEEDS_KERNEL,
  NEEDS_KERNEL_CT,
  noUdpChecksum,
  padded,
  type Scenario,
} from './scenario.js';

const text = (size: number): string => 'x'.repeat(size);

export const SERVICES_SCENARIOS: readonly Scenario[] = [
  {
    name: 'ClusterIP, endpoint on the same node',
    why: 'by tun0: TTL 63, tun0’s MAC; the answer is un-NATed in table 31',
    steps: [{ from: 'a', send: 'a:42001 > near:80 SYN id=4660' }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: 'ClusterIP, endpoint on the other node',
    why: 'then the tunnel',
    steps: [{ from: 'a', send: 'a:42002 > far:80 SYN id=4661' }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: 'ClusterIP, UDP',
    why: 'the same for UDP',
    steps: [{ from: 'a', send: 'a:42003 > far:90 udp "hello"' }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: 'ClusterIP, UDP on the same node',
    why: 'the same for UDP',
    steps: [{ from: 'a', send: 'a:42004 > near:90 udp "hello"' }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: 'ClusterIP, first packet only, same node',
    why: 'what every witness can judge',
    steps: [{ from: 'a', send: 'a:42005 > near:80 SYN' }],
  },
  {
    name: 'ClusterIP, first packet only, other node',
    why: 'what every witness can judge',
    steps: [{ from: 'a', send: 'a:42006 > far:80 SYN' }],
  },
  {
    name: 'ClusterIP, one of two endpoints',
    why: 'whichever the kernel takes',
    steps: [{ from: 's', send: 's:42007 > web:8080 SYN' }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: 'cluster DNS stays on the node',
    why: "OpenShift's patch of kube-proxy",
    steps: [{ from: 'b', send: 'b:42008 > dns:53 udp "question"' }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: 'ClusterIP, a whole connection',
    why: 'handshake, data, and end, un-NATed throughout',
    steps: [
      { from: 'a', send: 'a:42009 > far:80 SYN seq=100' },
      ANSWER,
      { from: 'a', send: 'a:42009 > far:80 ACK seq=101 ack=1' },
      { from: 'a', send: 'a:42009 > far:80 PSHACK "GET /" seq=101 ack=1' },
      ANSWER,
      { from: 'a', send: 'a:42009 > far:80 FIN seq=106 ack=1' },
      ANSWER,
    ],
    ...NEEDS_KERNEL,
  },
  {
    name: 'hairpin',
    why: 'masqueraded to the gateway’s address, from a random port',
    hasRandomPort: true,
    steps: [{ from: 'a', send: 'a:42010 > own:80 SYN' }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: 'hairpin, UDP',
    why: 'the same for UDP',
    hasRandomPort: true,
    steps: [{ from: 'a', send: 'a:42011 > own:90 udp "me"' }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: 'hairpin, first packet only',
    why: 'what every witness can judge',
    hasRandomPort: true,
    steps: [{ from: 'a', send: 'a:42012 > own:80 SYN' }],
  },
  {
    name: 'no endpoints, TCP',
    why: 'ICMP 3/3 from tun0, TOS 0xc0, quoting TTL 63',
    steps: [{ from: 'a', send: 'a:42013 > none:80 SYN id=3' }],
  },
  {
    name: 'no endpoints, UDP',
    why: 'the same for UDP',
    steps: [{ from: 'a', send: 'a:42014 > none:90 udp "x" tos=16' }],
  },
  {
    name: 'no endpoints, long datagram',
    why: 'an error quotes no more than fits 576 bytes',
    steps: [{ from: 'a', send: `a:42015 > none:90 udp "${text(1200)}"` }],
  },
  {
    name: 'no endpoints, wrong checksum',
    why: 'REJECT says nothing about a broken packet',
    steps: [{ from: 'a', send: 'a:42016 > none:90 udp "x"', damage: badTransportChecksum }],
  },
  {
    name: 'ClusterIP, TTL 1',
    why: 'ICMP 11/0 from the ClusterIP itself',
    steps: [{ from: 'a', send: 'a:42017 > far:90 udp "x" ttl=1' }],
  },
  {
    name: 'ClusterIP, TTL 2',
    why: 'arrives with 1',
    steps: [{ from: 'a', send: 'a:42018 > far:90 udp "x" ttl=2' }],
  },
  {
    name: 'ClusterIP, no UDP checksum',
    why: 'zero stays zero through DNAT',
    steps: [{ from: 'a', send: 'a:42019 > far:90 udp "x"', damage: noUdpChecksum }],
  },
  {
    name: 'ClusterIP, wrong UDP checksum',
    why: 'invalid: not translated',
    steps: [{ from: 'a', send: 'a:42020 > far:90 udp "x"', damage: badTransportChecksum }],
  },
  {
    name: 'ClusterIP, wrong IPv4 checksum',
    why: 'the host’s ip_rcv drops it',
    steps: [{ from: 'a', send: 'a:42021 > far:90 udp "x"', damage: badIpv4Checksum }],
  },
  {
    name: 'ClusterIP, padded frame',
    why: 'the padding is gone behind tun0',
    steps: [{ from: 'a', send: 'a:42022 > far:90 udp "x"', damage: padded(60) }],
    ...NEEDS_KERNEL_CT,
  },
  {
    name: 'ClusterIP, middle of a connection',
    why: 'picked up and translated',
    steps: [{ from: 'a', send: 'a:42023 > far:80 PSHACK "data" seq=9000 ack=777' }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: 'ClusterIP, isolated endpoint',
    why: 'policy is asked after DNAT, on the endpoint’s node',
    steps: [{ from: 'a', send: 'a:42024 > vault:8200 SYN' }],
  },
  {
    name: 'no endpoints, asked from the isolated namespace',
    why: 'the error comes from the gateway, which policy always lets in',
    steps: [{ from: 'v', send: 'v:42101 > none:80 SYN' }],
    ...NEEDS_KERNEL,
  },
  {
    name: 'ClusterIP, TTL 1, from the isolated namespace, flow cache cold',
    why: 'the first error goes through userspace, and comes back without the connection, which nobody confirmed',
    knownDifference: 'podplane has no flow cache that could be cold: +rpl stays, and the error is delivered',
    steps: [{ from: 'v', send: 'v:42105 > far:90 udp "x" ttl=1' }],
    ...NEEDS_KERNEL,
  },
  {
    name: 'ClusterIP, TTL 1, from the isolated namespace, flow cache warm',
    why: 'the error is a reply to br0, so policy lets it in',
    steps: [
      { from: 'v', send: 'v:42102 > far:90 udp "x" ttl=1', isWarmUp: true },
      { from: 'v', send: 'v:42104 > far:90 udp "x" ttl=1' },
    ],
    ...NEEDS_KERNEL,
  },
  {
    name: 'ClusterIP from the isolated namespace',
    why: 'the answer is a reply, which policy lets in',
    steps: [{ from: 'v', send: 'v:42103 > far:80 SYN' }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: 'ClusterIP, DSCP and CE',
    why: 'kept through the host',
    steps: [{ from: 'a', send: 'a:42025 > far:90 udp "x" tos=187' }],
  },
  {
    name: 'ClusterIP, RST at once',
    why: 'a reset opens nothing',
    steps: [{ from: 'a', send: 'a:42026 > far:80 RST' }],
  },
  {
    name: 'ClusterIP, SYN sent again',
    why: 'the same translation',
    steps: [
      { from: 'a', send: 'a:42027 > far:80 SYN seq=5' },
      { from: 'a', send: 'a:42027 > far:80 SYN seq=5' },
    ],
  },
  {
    name: 'ClusterIP and endpoint from one port',
    why: 'two connections may not look alike to the endpoint, so the second gets another source port',
    hasRandomPort: 'of the sender',
    steps: [
      { from: 'a', send: 'a:42028 > b:8080 SYN' },
      { from: 'a', send: 'a:42028 > far:80 SYN' },
    ],
  },
  {
    name: 'echo to the gateway',
    why: 'the node answers',
    isLive: true,
    steps: [{ from: 'a', send: 'a:13 > g1 ping' }],
  },
  {
    name: 'echo to a ClusterIP',
    why: 'host unreachable after three seconds',
    steps: [{ from: 'a', send: 'a:14 > web ping', wait: 3.6 }],
  },
  {
    name: 'a port that the Service has not',
    why: 'host unreachable after three seconds',
    steps: [{ from: 'a', send: 'a:42030 > web:9999 SYN', wait: 3.6 }],
  },
];
