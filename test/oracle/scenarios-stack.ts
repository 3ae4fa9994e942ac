/** What the stacks of pods and nodes answer by themselves, and ARP. */
import { NEEDS_KERNEL, type Scenario } from './scenario.js';

export const STACKS_SCENARIOS: readonly Scenario[] = [
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
