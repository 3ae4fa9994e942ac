/** Ports that nobody listens on: RST by the rules of RFC 9293, ICMP port unreachable, both translated back for a client
 *  that came through a Service. */
import { cases } from '../support/cases.js';
import { testEpoch } from '../support/cluster.js';

const BACK_FROM_NODE2 =
  'node2: eth0 br0[0 0 20 27 30 31 90] vxlan0 eth0 | node1: eth0 vxlan0 br0[0 0 10 30 31 70 80] eth0';

cases('closed TCP ports', testEpoch(), [
  {
    why: 'a SYN: sequence 0, acknowledging the SYN',
    at: 'a',
    in: 'a:40000 > c:81 SYN seq=1000',
    ends: 'answered c tcp-reset',
    frame: 'a > c | a:40000 > c:81 SYN seq=1000',
    causes: [{ ends: 'delivered a', frame: 'c > a | c:81 > a:40000 RSTACK seq=0 ack=1001 window=0' }],
  },
  {
    why: 'a segment with ACK: its own acknowledgement number, no ACK',
    at: 'a',
    in: 'a:40001 > c:81 PSHACK "data" seq=5 ack=777',
    ends: 'answered c tcp-reset',
    causes: [{ ends: 'delivered a', frame: 'c > a | c:81 > a:40001 RST seq=777 ack=0 window=0' }],
  },
  {
    why: 'a reset is answered by nothing',
    at: 'a',
    in: 'a:40002 > c:81 RST',
    ends: 'dropped socket-none',
  },
  {
    why: 'the sequence number wraps',
    at: 'a',
    in: 'a:40003 > c:81 SYN seq=4294967295',
    ends: 'answered c tcp-reset',
    causes: [{ ends: 'delivered a', frame: 'c > a | c:81 > a:40003 RSTACK seq=0 ack=0 window=0' }],
  },
  {
    why: 'a pod that declares no ports listens on all',
    at: 'a',
    in: 'a:40004 > s:81 SYN',
    ends: 'delivered s',
  },
  {
    why: 'UDP and TCP ports are not the same',
    at: 'a',
    in: 'a:40005 > c:9000 SYN',
    ends: 'answered c tcp-reset',
    causes: [{ ends: 'delivered a' }],
  },
  {
    why: 'through a Service: the reset comes back as the ClusterIP’s',
    at: 'a',
    in: 'a:40006 > far:91 SYN seq=50',
    ends: 'answered b tcp-reset',
    frame: 'tun1 > b | a:40006 > b:9999 SYN seq=50 ttl=63',
    causes: [
      {
        ends: 'delivered a',
        frame: 'b > a | far:91 > a:40006 RSTACK seq=0 ack=51 window=0',
        path: BACK_FROM_NODE2,
      },
    ],
  },
]);

cases('closed UDP ports', testEpoch(), [
  {
    why: 'port unreachable from the pod',
    at: 'a',
    in: 'a:40000 > c:81 udp "data"',
    ends: 'answered c port-unreachable',
    causes: [
      { ends: 'delivered a', frame: 'c > a | c > a icmp 3/3 tos=192 id=* (a:40000 > c:81 udp "data")' },
    ],
  },
  {
    why: 'through a Service: outside and inside the ClusterIP',
    at: 'a',
    in: 'a:40001 > far:91 udp "data"',
    ends: 'answered b port-unreachable',
    frame: 'tun1 > b | a:40001 > b:9999 udp "data" ttl=63',
    causes: [
      {
        ends: 'delivered a',
        frame: 'b > a | far > a icmp 3/3 tos=192 id=* (a:40001 > far:91 udp "data" ttl=63)',
        path: BACK_FROM_NODE2,
      },
    ],
  },
  {
    why: 'without a checksum the quoted packet has none either',
    at: 'a',
    in: 'a:40002 > far:91 udp',
    ends: 'answered b port-unreachable',
    causes: [
      { ends: 'delivered a', frame: 'b > a | far > a icmp 3/3 tos=192 id=* (a:40002 > far:91 udp ttl=63)' },
    ],
  },
]);
