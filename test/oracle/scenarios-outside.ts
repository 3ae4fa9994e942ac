/** In by node ports and external addresses, out by egress rules and addresses, and groups; cluster of fixed-cluster.ts. */
import { PLACES } from './fixed-cluster.js';
import { ANSWER, NEEDS_KERNEL, type Scenario } from './scenario.js';

const { balancer, egressIp, external, group, kept, sticky } = PLACES;
const MARKED = {
  notIn: { netdev: 'userspace Open vSwitch hands no mark to netfilter' },
} as const;
/** The replay takes the tunnel's copy on a NIC for a packet of its own. */
const COPY_UNKNOWN = { notReplayed: 'the copy on the NIC is not recognised' } as const;
const OF_THE_GATEWAYS = 'of the gateways';

export const OUTSIDE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'node port from outside, endpoint on that node, a whole connection',
    why: 'masqueraded to the gateway; answers are translated back twice',
    hasRandomPort: OF_THE_GATEWAYS,
    steps: [
      { from: 'nic1', send: 'out:46001 > n1:30080 SYN seq=100 id=7', via: 'router > nic1' },
      ANSWER,
      { from: 'nic1', send: 'out:46001 > n1:30080 ACK seq=101 ack=1', via: 'router > nic1' },
      { from: 'nic1', send: 'out:46001 > n1:30080 PSHACK "GET /" seq=101 ack=1', via: 'router > nic1' },
      ANSWER,
    ],
    ...NEEDS_KERNEL,
  },
  {
    name: 'node port from outside, endpoint on the other node',
    why: 'VNI 0 there, and back by the node that was asked',
    hasRandomPort: OF_THE_GATEWAYS,
    steps: [{ from: 'nic1', send: 'out:46002 > n1:30081 SYN seq=100', via: 'router > nic1' }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: 'node port from outside, UDP',
    why: 'the same for UDP',
    hasRandomPort: OF_THE_GATEWAYS,
    steps: [{ from: 'nic1', send: 'out:46003 > n1:30180 udp "q"', via: 'router > nic1' }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: 'node port from outside, no endpoints',
    why: 'rejected in INPUT, by the address asked',
    steps: [{ from: 'nic1', send: 'out:46004 > n1:30082 SYN', via: 'router > nic1' }],
  },
  {
    name: 'node port, policy Local, no endpoint on that node',
    why: 'dropped in silence',
    steps: [{ from: 'nic1', send: 'out:46005 > n1:30090 SYN', via: 'router > nic1' }],
  },
  {
    name: 'node port, policy Local, endpoint on that node',
    why: "the client's address is kept",
    steps: [{ from: 'nic2', send: 'out:46006 > n2:30090 SYN seq=9', via: 'router > nic2' }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: 'node port, policy Local, from a pod of that node',
    why: 'served by any endpoint, as itself',
    steps: [{ from: 'a', send: 'a:46007 > n1:30090 SYN' }, ANSWER],
    ...NEEDS_KERNEL,
    ...COPY_UNKNOWN,
  },
  {
    name: 'node port of its own node, from a pod',
    why: 'masqueraded like all that comes to a node port',
    hasRandomPort: OF_THE_GATEWAYS,
    steps: [{ from: 's', send: 's:46008 > n1:30080 SYN' }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: 'node port of the other node, from a pod',
    why: 'masqueraded by each node, and back through both',
    hasRandomPort: OF_THE_GATEWAYS,
    steps: [{ from: 'a', send: 'a:46009 > n2:30081 SYN' }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: 'node port, from a pod, no endpoints',
    why: 'the node asked says so',
    steps: [{ from: 'a', send: 'a:46010 > n1:30082 SYN id=3' }],
  },
  {
    name: 'node port, from the pod behind it',
    why: 'hairpin',
    hasRandomPort: OF_THE_GATEWAYS,
    steps: [{ from: 'a', send: 'a:46011 > n1:30083 SYN' }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: 'node port, from the node itself',
    why: 'DNAT in OUTPUT, by tun0 from the gateway',
    hasRandomPort: OF_THE_GATEWAYS,
    steps: [{ from: 'tun1', send: 'n1:46012 > n1:30080 SYN id=9' }],
  },
  {
    name: 'node port of policy Local, from the node itself',
    why: 'by any endpoint, masqueraded',
    hasRandomPort: OF_THE_GATEWAYS,
    steps: [{ from: 'tun1', send: 'n1:46013 > n1:30090 SYN id=9' }],
  },
  {
    name: 'external address from outside',
    why: 'routed to the node by somebody else; masqueraded',
    hasRandomPort: OF_THE_GATEWAYS,
    steps: [{ from: 'nic1', send: `out:46014 > ${external}:80 SYN`, via: 'router > nic1' }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: "load balancer's address, from a pod",
    why: 'never leaves the node',
    hasRandomPort: OF_THE_GATEWAYS,
    steps: [{ from: 'a', send: `a:46015 > ${balancer}:80 SYN` }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: 'external address, a port that the Service has not',
    why: 'goes where the route leads',
    steps: [{ from: 'a', send: `a:46016 > ${external}:81 SYN` }],
  },
  {
    name: 'ClusterIP from outside',
    why: 'somebody routed it to the node: masqueraded',
    hasRandomPort: OF_THE_GATEWAYS,
    steps: [{ from: 'nic1', send: 'out:46017 > near:80 SYN', via: 'router > nic1' }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: 'ClusterIP of a policy Local Service',
    why: 'the policy is for those outside alone',
    steps: [{ from: 'a', send: `a:46018 > ${kept}:80 SYN` }, ANSWER],
    ...NEEDS_KERNEL,
  },
  {
    name: 'session affinity, three connections of one client',
    why: 'all to the endpoint of the first, whichever the kernel took for it',
    isSticky: true,
    steps: [
      { from: 's', send: `s:46021 > ${sticky}:8080 SYN` },
      { from: 's', send: `s:46022 > ${sticky}:8080 SYN` },
      { from: 's', send: `s:46023 > ${sticky}:8080 SYN` },
    ],
  },
  {
    name: 'machine config server, from the node',
    why: 'OUTPUT rejects the SYN: nothing leaves',
    steps: [
      { from: 'tun1', send: 'n1:46024 > out:22623 SYN' },
      { from: 'tun1', send: 'g1:46025 > b:22624 SYN' },
      { from: 'tun1', send: 'n1:46026 > out:22625 SYN id=9' },
    ],
  },
  {
    name: 'machine config server, from outside to outside',
    why: 'FORWARD rejects: ICMP 3/3 to the sender',
    steps: [{ from: 'nic1', send: 'out:46027 > 198.51.100.7:22623 SYN', via: 'router > nic1' }],
  },
  {
    name: 'egress firewall, allowed',
    why: 'table 100 sends it on to be masqueraded',
    steps: [{ from: 'p', send: 'p:46028 > out:443 SYN' }],
  },
  {
    name: 'egress firewall, denied',
    why: 'table 100 drops it',
    steps: [{ from: 'p', send: 'p:46029 > 203.0.113.77:443 SYN' }],
  },
  {
    name: 'egress address, pod of the hosting node, out and back',
    why: 'SNAT by the mark of br0, port kept',
    steps: [
      { from: 'd', send: 'd:46030 > out:443 SYN id=3' },
      { from: 'nic1', send: `out:443 > ${egressIp}:46030 SYNACK`, via: 'router > nic1' },
    ],
    ...MARKED,
  },
  {
    name: 'egress address, pod of another node, out and back',
    why: 'through the tunnel first, and back through it',
    steps: [
      { from: 'e', send: 'e:46031 > out:443 SYN id=4' },
      { from: 'nic1', send: `out:443 > ${egressIp}:46031 SYNACK`, via: 'router > nic1' },
    ],
    ...MARKED,
    ...COPY_UNKNOWN,
  },
  {
    name: 'group of a namespace that may',
    why: 'a copy to each other pod of it, on both nodes',
    steps: [{ from: 'a', send: `a:46032 > ${group}:5001 udp "hi" ttl=1` }],
  },
  {
    name: 'group of a namespace that may not',
    why: 'table 110 drops it',
    steps: [{ from: 'p', send: `p:46033 > ${group}:5001 udp "hi"` }],
  },
];
