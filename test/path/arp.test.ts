/** ARP: unicast by br0 to whom it asks for, answered there, across the tunnel too; what nobody has is dropped by name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cases } from '../support/cases.js';
import { testEpoch } from '../support/cluster.js';
import { hex, patched } from '../support/frames.js';
import { frameOf, Journey } from '../support/journey.js';
import { macOf } from '../support/macs.js';

const ASKS = 'node1: eth0 br0[0 20 30 31';

cases('a pod asks', testEpoch(), [
  {
    why: 'for the gateway: tun0 answers',
    at: 'a',
    in: 'arp a who-has g1',
    ends: 'answered tun1 arp-answered',
    path: `${ASKS}] tun0 host`,
    causes: [{ ends: 'delivered a arp-learned', path: 'node1: br0[0 30 31 40] eth0' }],
  },
  {
    why: 'for a pod of its node',
    at: 'a',
    in: 'arp a who-has c',
    ends: 'answered c arp-answered',
    path: `${ASKS} 40] eth0`,
    causes: [{ ends: 'delivered a arp-learned', path: 'node1: eth0 br0[0 20 30 31 40] eth0' }],
  },
  {
    why: 'for a pod of another node, through the tunnel',
    at: 'a',
    in: 'arp a who-has b',
    ends: 'answered b arp-answered',
    path: `${ASKS} 50] vxlan0 eth0 | node2: eth0 vxlan0 br0[0 10 30 31 40] eth0`,
    causes: [
      {
        ends: 'delivered a arp-learned',
        path: 'node2: eth0 br0[0 20 30 31 50] vxlan0 eth0 | node1: eth0 vxlan0 br0[0 10 30 31 40] eth0',
      },
    ],
  },
  {
    why: 'for a pod of another, isolated namespace: ARP is not isolated',
    at: 'a',
    in: 'arp a who-has v',
    ends: 'answered v arp-answered',
    causes: [{ ends: 'delivered a arp-learned' }],
  },
  {
    why: 'for an address of its subnet that nobody has',
    at: 'a',
    in: 'arp a who-has nobody',
    ends: 'dropped arp-unknown-pod',
    path: `${ASKS} 40]`,
  },
  {
    why: 'for one of the other node’s subnet: dropped there',
    at: 'a',
    in: 'arp a who-has 10.129.0.77',
    ends: 'dropped arp-unknown-pod',
    path: `${ASKS} 50] vxlan0 eth0 | node2: eth0 vxlan0 br0[0 10 30 31 40]`,
  },
  {
    why: 'for one that is in no node’s subnet',
    at: 'a',
    in: 'arp a who-has nowhere',
    ends: 'dropped arp-unknown-subnet',
    path: `${ASKS} 50]`,
  },
  {
    why: 'for a ClusterIP',
    at: 'a',
    in: 'arp a who-has web',
    ends: 'dropped arp-outside-cluster',
    path: `${ASKS}]`,
  },
  {
    why: 'for the world',
    at: 'a',
    in: 'arp a who-has out',
    ends: 'dropped arp-outside-cluster',
    path: `${ASKS}]`,
  },
  {
    why: 'under another address',
    at: 'a',
    in: 'arp c who-has g1',
    ends: 'dropped source-spoofed',
    path: 'node1: eth0 br0[0 20]',
  },
  {
    why: 'with another pod’s MAC in the message: only the low four octets are looked at',
    at: 'a',
    in: patched(frameOf('arp a who-has c'), 27, 9),
    ends: 'dropped source-spoofed',
  },
  {
    why: 'a probe for its own address, from 0.0.0.0',
    at: 'a',
    in: 'arp 0.0.0.0 who-has a',
    ends: 'dropped source-spoofed',
  },
  {
    why: 'a gratuitous one: br0 never sends out of the port it came by',
    at: 'a',
    in: 'arp a who-has a',
    ends: 'dropped bridge-suppressed',
    path: `${ASKS} 40]`,
  },
  {
    why: 'a cut one',
    at: 'a',
    in: frameOf('arp a who-has c').subarray(0, 40),
    ends: 'dropped arp-malformed',
  },
]);

for (const [target, mac] of [
  ['g1', 'tun1'],
  ['c', 'c'],
  ['b', 'b'],
] as const)
  test(`the answer about ${target} names the MAC of ${mac}`, () => {
    const [, reply] = new Journey(testEpoch()).send('a', `arp a who-has ${target}`);
    const octets = ({ hi, lo }: { hi: number; lo: number }): number[] => [
      hi >> 8,
      hi & 255,
      ...[24, 16, 8, 0].map((shift) => (lo >>> shift) & 255),
    ];
    const asked = frameOf(`arp a who-has ${target}`);
    const owner = octets(macOf(mac));
    const asker = octets(macOf('a'));
    const answer = Uint8Array.of(
      ...[...asker, ...owner, 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 2],
      ...[...owner, ...asked.subarray(38, 42), ...asker, ...asked.subarray(28, 32)],
    );
    assert.equal(hex(reply!.bytes), hex(answer));
  });
