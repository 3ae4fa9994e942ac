/** The network between nodes: tunnel packets from elsewhere, pods that talk to the outside, nodes to pods. */
import type { Scenario } from './scenario.js';

export const UNDERLAY_SCENARIOS: readonly Scenario[] = [
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
  {
    name: 'node to a pod of its own',
    why: 'from the gateway address, which policy always lets in',
    steps: [{ from: 'tun1', send: 'g1:44101 > c:8080 SYN id=9' }],
  },
  {
    name: 'node to a pod of the other node',
    why: 'VNI 0',
    steps: [{ from: 'tun1', send: 'g1:44102 > b:8080 SYN id=9' }],
  },
  {
    name: 'node to an isolated pod of its own',
    why: 'table 80, priority 300',
    steps: [{ from: 'tun2', send: 'g2:44103 > v:8200 SYN id=9' }],
  },
  {
    name: 'node to an isolated pod of the other node',
    why: 'another gateway address is not let in',
    steps: [{ from: 'tun1', send: 'g1:44104 > v:8200 SYN id=9' }],
  },
  {
    name: 'node to a ClusterIP',
    why: 'DNAT in OUTPUT; did not come in by tun0, so it is masqueraded',
    hasRandomPort: true,
    steps: [{ from: 'tun1', send: 'g1:44105 > far:80 SYN id=9' }],
  },
  {
    name: 'node to a ClusterIP, endpoint of its own',
    why: 'the same on the same node',
    hasRandomPort: true,
    steps: [{ from: 'tun1', send: 'g1:44106 > near:90 udp "x" id=9' }],
  },
];
