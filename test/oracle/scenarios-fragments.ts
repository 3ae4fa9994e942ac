/** Datagrams in fragments: through br0, the tunnel and netfilter, in any order, and what is too long. */
import { fragment } from '../support/fragments.js';
import { NEEDS_KERNEL, type Scenario, type Step } from './scenario.js';

/** 8 bytes of UDP header and 92 more, to be cut; DF clear. */
const DATAGRAM = `udp "${'abcdefgh'.repeat(12).slice(0, 92)}" fragment=0`;
const END = 100;
/** With its headers longer than tun0's 1450, and no longer than a NIC's 1500. */
const LONG = 'x'.repeat(1460);
const piece =
  (from: number, end: number) =>
  (frame: Uint8Array): Uint8Array =>
    fragment(frame, from, end);
const FIRST = piece(0, 40);
const MIDDLE = piece(40, 80);
const LAST = piece(80, END);
const REST = piece(40, END);

type Cut = (frame: Uint8Array) => Uint8Array;

/** One datagram of a pod, in these pieces. */
const cold = (from: string, text: string, ...cuts: readonly Cut[]) =>
  cuts.map((damage) => ({ from, send: `${from}:${text.replace('…', DATAGRAM)}`, damage }));

/** The same behind another one that fills the flow cache: what goes through ovs-vswitchd loses its shape. */
const pieces = (text: string, ...cuts: readonly Cut[]): Step[] => [
  ...cold('a', text.replace('id=', 'id=1'), FIRST, REST).map((step) => ({ ...step, isWarmUp: true })),
  ...cold('a', text, ...cuts),
];

export const FRAGMENTS_SCENARIOS: readonly Scenario[] = [
  {
    name: 'fragments, same node, two',
    why: 'br0 holds them until all have come, and sends them on as they were',
    steps: pieces('47001 > c:9000 … id=701', FIRST, REST),
    ...NEEDS_KERNEL,
  },
  {
    name: 'fragments, same node, three',
    why: 'the same for more',
    steps: pieces('47002 > c:9000 … id=702', FIRST, MIDDLE, LAST),
    ...NEEDS_KERNEL,
  },
  {
    name: 'fragments, other node, two',
    why: 'each has a tunnel frame of its own',
    steps: pieces('47003 > b:9000 … id=703', FIRST, REST),
    ...NEEDS_KERNEL,
  },
  {
    name: 'fragments, other node, out of order',
    why: 'sent on in order',
    steps: pieces('47004 > b:9000 … id=704', LAST, FIRST, MIDDLE),
    ...NEEDS_KERNEL,
  },
  {
    name: 'fragments, Service on the same node, three',
    why: 'translated as a whole, cut again',
    steps: pieces('47005 > near:90 … id=705', FIRST, MIDDLE, LAST),
    ...NEEDS_KERNEL,
  },
  {
    name: 'fragments, Service on the other node, out of order',
    why: 'the same through the tunnel',
    steps: pieces('47006 > far:90 … id=706', REST, FIRST),
    ...NEEDS_KERNEL,
  },
  {
    name: 'fragments, one of them twice',
    why: 'the copy is ignored',
    steps: pieces('47007 > c:9000 … id=707', FIRST, FIRST, REST),
    ...NEEDS_KERNEL,
  },
  {
    name: 'fragments, flow cache cold',
    why: 'ovs-vswitchd gets the datagram whole, and it is cut anew to the longest of its fragments',
    knownDifference: 'podplane has no flow cache that could be cold: the pieces stay as they came',
    steps: cold('s', '47010 > c:9000 … id=710', FIRST, REST),
    ...NEEDS_KERNEL,
  },
  {
    name: 'fragments that overlap',
    why: 'the whole datagram is dropped',
    steps: pieces('47008 > c:9000 … id=708', FIRST, piece(32, 80), LAST),
    ...NEEDS_KERNEL,
  },
  {
    name: 'fragments from outside to a node port',
    why: 'the host puts them together before it translates; all but the last are alike, so that a new cut gives the same',
    hasRandomPort: 'of the gateways',
    steps: [FIRST, MIDDLE, LAST].map((damage) => ({
      from: 'nic1',
      send: `out:47009 > n1:30180 ${DATAGRAM} id=709`,
      via: 'router > nic1',
      damage,
    })),
    ...NEEDS_KERNEL,
  },
  {
    name: 'too long for tun0, DF set, from outside to a node port',
    why: 'ICMP 3/4 with tun0’s MTU',
    hasRandomPort: 'of the gateways',
    steps: [{ from: 'nic1', send: `out:47011 > n1:30180 udp "${LONG}" id=711`, via: 'router > nic1' }],
    ...NEEDS_KERNEL,
  },
  {
    name: 'too long for tun0, DF clear, from outside to a node port',
    why: 'the host cuts it',
    hasRandomPort: 'of the gateways',
    steps: [
      { from: 'nic1', send: `out:47012 > n1:30180 udp "${LONG}" id=712 fragment=0`, via: 'router > nic1' },
    ],
    ...NEEDS_KERNEL,
  },
];
