/** br0's flows as compiled, against the tables of openshift/sdn's ovscontroller.go (rule version 13). */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { compile } from '../../src/compile/compile.js';
import { ruleText } from '../../src/engine/explain.js';
import { NONE } from '../../src/tables/nodes.js';
import { type ClusterOptions, testCluster, testEpoch } from '../support/cluster.js';

/** Every flow that node1 (row 0) has, what quirks leave out apart, as `table priority match -> actions`, and the object behind it. */
function flowsOf(options: ClusterOptions = {}): { line: string; object: string; cookie: number }[] {
  const epoch = testEpoch(options);
  const { rule, subtable } = epoch.tables.flows;
  return Array.from({ length: rule.rows }, (_, row) => row)
    .filter((row) => rule.node[row] === NONE || rule.node[row] === 0)
    .filter((row) => rule.quirk[row] === 0)
    .map((row) => {
      const { priority, match, actions, object, cookie } = ruleText(epoch, row, 0);
      const table = subtable.table[rule.subtable[row]!]!;
      return { line: `${table} ${priority} ${match || 'any'} -> ${actions}`, object, cookie };
    });
}

const FROM_TUNNEL = 'move:NXM_NX_TUN_ID[0..31]->NXM_NX_REG0[],goto_table:10';
const toNode = (dotted: string): string =>
  `move:NXM_NX_REG0[]->NXM_NX_TUN_ID[0..31],set_field:${dotted}->tun_dst,output:1`;

const POD_MAC_OF_NW_DST =
  'move:NXM_OF_IP_DST[]->NXM_OF_ETH_DST[0..31],set_field:0a:58:00:00:00:00/ff:ff:00:00:00:00->eth_dst';

/** What the bridge has in every mode, pods apart. */
const COMMON = [
  '0 1000 ip,ct_state=-trk -> ct(table=0)',
  '0 400 ip,in_port=2,nw_src=10.128.0.1 -> goto_table:30',
  '0 300 ip,in_port=2,nw_src=10.128.0.0/23,nw_dst=10.128.0.0/14 -> goto_table:25',
  '0 250 ip,in_port=2,nw_dst=224.0.0.0/4 -> drop',
  `0 200 arp,in_port=1,arp_spa=10.128.0.0/14,arp_tpa=10.128.0.0/23 -> ${FROM_TUNNEL}`,
  `0 200 ip,in_port=1,nw_src=10.128.0.0/14 -> ${FROM_TUNNEL}`,
  `0 200 ip,in_port=1,nw_dst=10.128.0.0/14 -> ${FROM_TUNNEL}`,
  '0 200 arp,in_port=2,arp_spa=10.128.0.1,arp_tpa=10.128.0.0/14 -> goto_table:30',
  '0 200 ip,in_port=2 -> goto_table:30',
  '0 150 in_port=1 -> drop',
  '0 150 in_port=2 -> drop',
  '0 100 arp -> goto_table:20',
  '0 100 ip -> goto_table:20',
  '0 0 any -> drop',
  '10 210 ip,dl_dst=52:54:c0:a8:01:65,nw_dst=10.128.0.1 -> set_field:c2:00:0a:80:00:01->eth_dst,resubmit:10',
  `10 200 ip,dl_dst=52:54:c0:a8:01:65,nw_dst=10.128.0.0/23 -> ${POD_MAC_OF_NW_DST},resubmit:10`,
  '10 100 tun_src=192.168.1.102 -> goto_table:30',
  '10 0 any -> drop',
  '20 300 udp,tp_dst=4789 -> drop',
  '20 0 any -> drop',
  '25 0 any -> drop',
  '27 0 any -> drop',
  '30 0 any -> goto_table:31',
  '31 300 arp,arp_tpa=10.128.0.1 -> output:2',
  '31 300 ip,nw_dst=10.128.0.1 -> output:2',
  '31 250 ip,nw_dst=10.128.0.0/23,ct_state=+rpl -> ct(nat,table=70)',
  '31 200 arp,arp_tpa=10.128.0.0/23 -> goto_table:40',
  '31 200 ip,nw_dst=10.128.0.0/23 -> goto_table:70',
  '31 100 arp,arp_tpa=10.128.0.0/14 -> goto_table:50',
  '31 100 ip,nw_dst=172.30.0.0/16 -> goto_table:60',
  '31 100 ip,nw_dst=10.128.0.0/14 -> goto_table:90',
  '31 50 ip,in_port=1,nw_dst=224.0.0.0/4 -> goto_table:120',
  '31 25 ip,nw_dst=224.0.0.0/4 -> goto_table:110',
  '31 0 ip -> goto_table:99',
  '31 0 arp -> drop',
  '40 0 any -> drop',
  `50 100 arp,arp_tpa=10.129.0.0/23 -> ${toNode('192.168.1.102')}`,
  '50 0 any -> drop',
  '60 200 any -> output:2',
  '70 0 any -> drop',
  '80 300 ip,nw_src=10.128.0.1 -> output:NXM_NX_REG2[]',
  '80 0 any -> drop',
  `90 100 ip,nw_dst=10.129.0.0/23 -> ${toNode('192.168.1.102')}`,
  '90 0 any -> drop',
  '99 200 tcp,nw_dst=192.168.1.101,tp_dst=53 -> output:2',
  '99 200 udp,nw_dst=192.168.1.101,tp_dst=53 -> output:2',
  '99 0 any -> goto_table:100',
  '100 0 any -> goto_table:101',
  '101 150 ct_state=+rpl -> output:2',
  '101 0 any -> output:2',
  '110 0 any -> drop',
  `111 100 any -> ${toNode('192.168.1.102')},goto_table:120`,
  '120 0 any -> drop',
];

const BY_MODE = {
  subnet: ['27 500 any -> goto_table:30', '80 200 any -> output:NXM_NX_REG2[]'],
  multitenant: [
    '27 500 any -> goto_table:30',
    '80 200 reg0=0 -> output:NXM_NX_REG2[]',
    '80 200 reg1=0 -> output:NXM_NX_REG2[]',
    '80 100 reg0=0x3e9,reg1=0x3e9 -> output:NXM_NX_REG2[]',
    '80 100 reg0=0x3ea,reg1=0x3ea -> output:NXM_NX_REG2[]',
    '80 100 reg0=0x3eb,reg1=0x3eb -> output:NXM_NX_REG2[]',
    '80 100 reg0=0x3ec,reg1=0x3ec -> output:NXM_NX_REG2[]',
  ],
  networkpolicy: [
    '27 300 ip,nw_dst=172.30.0.0/16 -> goto_table:30',
    '27 200 ip,ct_state=+rpl -> goto_table:30',
    ...['0', '0x3e9', '0x3ea', '0x3eb', '0x3ec'].map((vni) => `27 50 ip,reg0=${vni} -> goto_table:30`),
    '30 100 ip,nw_src=10.128.0.0/14,nw_dst=10.128.0.0/14,ct_state=-rpl -> ct(commit,table=31)',
    '80 200 ip,ct_state=+rpl -> output:NXM_NX_REG2[]',
    // Namespace `isolated` (0x3ea) has none: its policy takes every pod, so the table's last rule drops.
    ...['0', '0x3e9', '0x3eb', '0x3ec'].map((vni) => `80 50 ip,reg1=${vni} -> output:NXM_NX_REG2[]`),
  ],
} as const;

/** A node's own HostSubnet is never asked for, since its subnet turns off in table 31; table 60 always matches before. */
const BESIDE_UPSTREAM = new Set([
  '10 100 tun_src=192.168.1.101 -> goto_table:30',
  `50 100 arp,arp_tpa=10.128.0.0/23 -> ${toNode('192.168.1.101')}`,
  `90 100 ip,nw_dst=10.128.0.0/23 -> ${toNode('192.168.1.101')}`,
  '60 0 any -> drop',
]);

for (const mode of ['subnet', 'multitenant', 'networkpolicy'] as const)
  test(`${mode}: the pipeline, line by line`, () => {
    const lines = flowsOf({ mode })
      .filter(({ object }) => !object.startsWith('Pod '))
      .map(({ line }) => line)
      .filter((line) => !BESIDE_UPSTREAM.has(line));
    assert.deepEqual(lines.sort(), [...COMMON, ...BY_MODE[mode]].sort());
  });

test('five tables know a pod, and name it', () => {
  const own = flowsOf().filter(({ object }) => object === 'Pod web/a');
  assert.deepEqual(own.map(({ line }) => line).sort(), [
    '20 100 arp,in_port=3,arp_spa=10.128.0.2,arp_sha=00:00:0a:80:00:02/00:00:ff:ff:ff:ff -> load:0x3e9->NXM_NX_REG0[],goto_table:30',
    '20 100 ip,in_port=3,nw_src=10.128.0.2 -> load:0x3e9->NXM_NX_REG0[],goto_table:27',
    '25 100 ip,nw_src=10.128.0.2 -> load:0x3e9->NXM_NX_REG0[],goto_table:27',
    '40 100 arp,arp_tpa=10.128.0.2 -> output:3',
    '70 100 ip,nw_dst=10.128.0.2 -> load:0x3e9->NXM_NX_REG1[],load:0x3->NXM_NX_REG2[],goto_table:80',
  ]);
});

test('a HostSubnet’s flows have the cookie made of its UID', () => {
  const cookie = createHash('sha256').update('uid-node2').digest().readUInt32BE(0);
  const flows = flowsOf().filter(({ object }) => object === 'HostSubnet node2');
  assert.deepEqual(
    flows.map((flow) => flow.cookie),
    [cookie, cookie, cookie],
  );
});

test('a HostSubnet may fix the NetID of what is sent to it', () => {
  const cluster = testCluster();
  const fixedVnis = [{ node: 'node2', vni: 0x1234 }];
  const epoch = compile({ ...cluster, network: { ...cluster.network, fixedVnis } });
  const { rule } = epoch.tables.flows;
  const actions = Array.from({ length: rule.rows }, (_, row) => ruleText(epoch, row))
    .filter(({ object }) => object === 'HostSubnet node2')
    .map((text) => text.actions);
  const fixed = 'load:0x1234->NXM_NX_TUN_ID[0..31],set_field:192.168.1.102->tun_dst,output:1';
  assert.deepEqual(actions, ['goto_table:30', fixed, fixed]);
});
