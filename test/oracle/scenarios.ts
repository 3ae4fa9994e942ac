/** The paths that podplane claims, as the witness walks them: cluster and names of test/support/cluster. */
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

const DIRECT: readonly Scenario[] = [
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

const SERVICES: readonly Scenario[] = [
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
    why: 'the error belongs to a connection that nobody confirmed: br0 calls it invalid, and policy drops it',
    steps: [{ from: 'v', send: 'v:42101 > none:80 SYN' }],
    ...NEEDS_KERNEL,
  },
  {
    name: 'ClusterIP, TTL 1, from the isolated namespace',
    why: 'the same for the error of an expired TTL',
    steps: [{ from: 'v', send: 'v:42102 > far:90 udp "x" ttl=1' }],
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
    why: 'the second connection gets another source port',
    hasRandomPort: false,
    steps: [
      { from: 'a', send: 'a:42028 > b:8080 SYN' },
      { from: 'a', send: 'a:42028 > far:8080 SYN' },
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

const STACKS: readonly Scenario[] = [
  {
    name: 'closed TCP port',
    why: 'the pod’s stack answers RST',
    isLive: true,
    steps: [{ from: 'a', send: 'a:43001 > b:81 SYN seq=7' }],
  },
  {
    name: 'closed UDP port',
    why: 'the pod’s stack answers ICMP 3/3',
    isLive: true,
    steps: [{ from: 'a', send: 'a:43002 > b:91 udp "x"' }],
  },
  {
    name: 'closed UDP port behind a Service',
    why: 'the error is translated back in br0',
    isLive: true,
    steps: [{ from: 'a', send: 'a:43003 > far:91 udp "x"' }],
    ...NEEDS_KERNEL,
  },
  {
    name: 'echo, answered by the pod',
    why: 'TTL 64, the same payload',
    isLive: true,
    steps: [{ from: 'a', send: 'a:15 > b ping' }],
  },
  {
    name: 'open TCP port',
    why: 'the pod’s stack answers SYN-ACK',
    isLive: true,
    steps: [{ from: 'a', send: 'a:43004 > b:8080 SYN seq=7' }],
  },
  {
    name: 'ARP for a pod on the same node',
    why: 'unicast to its port, answered by its stack',
    isLive: true,
    comparesArp: true,
    steps: [{ from: 'a', send: 'arp a who-has c', via: 'a > all' }],
  },
  {
    name: 'ARP for a pod on the other node',
    why: 'by the tunnel',
    isLive: true,
    comparesArp: true,
    steps: [{ from: 'a', send: 'arp a who-has b', via: 'a > all' }],
  },
  {
    name: 'ARP for the gateway',
    why: 'answered by tun0',
    isLive: true,
    comparesArp: true,
    steps: [{ from: 'a', send: 'arp a who-has g1', via: 'a > all' }],
  },
  {
    name: 'ARP for nobody',
    why: 'table 40 drops it',
    comparesArp: true,
    steps: [{ from: 'a', send: 'arp a who-has nobody', via: 'a > all' }],
  },
  {
    name: 'ARP for a ClusterIP',
    why: 'table 31 drops it',
    comparesArp: true,
    steps: [{ from: 'a', send: 'arp a who-has web', via: 'a > all' }],
  },
  {
    name: 'ARP in another’s name',
    why: 'table 20 drops it',
    comparesArp: true,
    steps: [{ from: 'a', send: 'arp nobody who-has c', via: 'a > all' }],
  },
];

const UNDERLAY: readonly Scenario[] = [
  {
    name: 'VXLAN of podplane’s own making',
    why: 'the witness takes it as another node’s',
    steps: [{ from: 'nic2', send: 'vxlan n1 > n2 vni 1001 | a:44001 > b:8080 SYN', via: 'nic1 > nic2' }],
  },
  {
    name: 'VXLAN from a stranger',
    why: 'table 10 drops it',
    steps: [
      { from: 'nic2', send: 'vxlan 192.168.1.77 > n2 vni 1001 | a:44002 > b:8080 SYN', via: 'router > nic2' },
    ],
  },
  {
    name: 'VXLAN for nobody',
    why: 'table 70 drops it',
    steps: [
      { from: 'nic2', send: 'vxlan n1 > n2 vni 1001 | a:44003 > 10.129.0.99:80 SYN', via: 'nic1 > nic2' },
    ],
  },
  {
    name: 'pod to the outside',
    why: 'masqueraded to the node’s address, port kept',
    steps: [{ from: 'a', send: 'a:44004 > out:80 SYN' }],
  },
  {
    name: 'pod to the outside, echo',
    why: 'the identifier is kept',
    steps: [{ from: 'a', send: 'a:16 > out ping' }],
  },
  {
    name: 'pod to the outside and back',
    why: 'un-NATed on the host, then by tun0',
    steps: [
      { from: 'a', send: 'a:44005 > out:80 SYN seq=1' },
      { from: 'nic1', send: 'out:80 > n1:44005 SYNACK seq=5 ack=2', via: 'router > nic1' },
    ],
  },
];

export const SCENARIOS: readonly Scenario[] = [...DIRECT, ...SERVICES, ...STACKS, ...UNDERLAY];
