import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { parseIpv4 } from '../../src/addr/ipv4.js';
import { compile } from '../../src/compile/compile.js';
import { dumpFlows, dumpGroups } from '../../src/dump/openflow.js';
import { groupText, ruleText } from '../../src/engine/explain.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { testCluster, testEpoch } from '../support/cluster.js';
import { needs } from '../support/needs.js';

const NODE1 = 0;
const NODE2 = 1;
const flowsOf = (epoch: Epoch, node: number) => dumpFlows(epoch, node, (rule) => ruleText(epoch, rule, node));
const linesOf = (epoch: Epoch, node: number): string[] => flowsOf(epoch, node).map(({ text }) => text);

/** One line each of what tells a table set from another. */
const NODE1_HAS = [
  'cookie=0,table=0,priority=1000,ip,ct_state=-trk,actions=ct(table=0)',
  'cookie=0,table=0,priority=400,ip,in_port=2,nw_src=10.128.0.1,actions=goto_table:30',
  'cookie=0,table=20,priority=300,udp,tp_dst=4789,actions=drop',
  'cookie=0,table=27,priority=200,ip,ct_state=+rpl,actions=goto_table:30',
  'cookie=0,table=30,priority=100,ip,nw_src=10.128.0.0/14,nw_dst=10.128.0.0/14,ct_state=-rpl,actions=ct(commit,table=31)',
  'cookie=0,table=31,priority=250,ip,nw_dst=10.128.0.0/23,ct_state=+rpl,actions=ct(nat,table=70)',
  'cookie=0,table=60,priority=200,actions=output:2',
  'cookie=0,table=253,priority=32768,actions=note:02.0D.00.00.00.00',
];

test("a node's dump has the lines of rule version 13", () => {
  const lines = linesOf(testEpoch(), NODE1);
  assert.deepEqual(
    NODE1_HAS.filter((line) => !lines.includes(line)),
    [],
  );
});

test('a node has no flows to its own HostSubnet, and one of each kind to the other', () => {
  const flows = flowsOf(testEpoch(), NODE1);
  assert.deepEqual(
    flows
      .filter(({ object }) => object.startsWith('HostSubnet'))
      .map(({ table, object }) => `${table} ${object}`),
    ['10 HostSubnet node2', '50 HostSubnet node2', '90 HostSubnet node2'],
  );
  assert.ok(flows.filter(({ table }) => table === 90)[0]!.cookie !== 0);
});

test("policy is installed where the namespace has a pod, and only that node's pods are known", () => {
  const epoch = testEpoch();
  const monitoring = 'reg1=0x3ec';
  assert.ok(
    !linesOf(epoch, NODE1).some((line) => line.includes(monitoring)),
    'no pod of monitoring on node1',
  );
  assert.ok(linesOf(epoch, NODE2).some((line) => line.includes(monitoring)));
  assert.ok(!linesOf(epoch, NODE1).some((line) => /table=70,.*nw_dst=10\.129\./.test(line)));
});

test('each plugin mode leaves its own number in table 253', () => {
  const notes = (['subnet', 'multitenant', 'networkpolicy'] as const).map((mode) =>
    linesOf(testEpoch({ mode }), NODE1)
      .find((line) => line.includes('table=253'))!
      .slice(-17),
  );
  assert.deepEqual(notes, ['00.0D.00.00.00.00', '01.0D.00.00.00.00', '02.0D.00.00.00.00']);
});

test('ovs-ofctl accepts every line, in every mode', needs('ovs-ofctl'), () => {
  for (const mode of ['subnet', 'multitenant', 'networkpolicy'] as const) {
    const lines = linesOf(testEpoch({ mode }), NODE1);
    const input = lines.map((line) => `${line} # why`).join('\n');
    const parsed = spawnSync('ovs-ofctl', ['-O', 'OpenFlow13', 'parse-flows', '-'], {
      input,
      encoding: 'utf8',
    });
    assert.equal(parsed.status, 0, parsed.stderr);
    assert.equal(parsed.stdout.split('\n').filter((line) => line.includes('ADD')).length, lines.length);
  }
});

test('an egress address is a group, on each node its own, and a rule that sends to it', () => {
  const base = testCluster();
  const address = parseIpv4('192.168.1.200');
  const egressIps = [{ namespace: 'web', addresses: [address] }];
  const hostedIps = [{ node: 'node2', addresses: [address] }];
  const epoch = compile({ ...base, network: { ...base.network, egressIps, hostedIps } });
  const groups = (node: number): string[] =>
    dumpGroups(epoch, node, (rule) => groupText(epoch, rule)).map(({ text }) => text);
  assert.deepEqual(groups(NODE1), [
    'group_id=1001,type=select,bucket=actions=ct(commit),move:NXM_NX_REG0[]->NXM_NX_TUN_ID[0..31],set_field:192.168.1.102->tun_dst,output:1',
  ]);
  // 1001 has the masquerade bit, which a mark must not have.
  assert.deepEqual(groups(NODE2), [
    'group_id=1001,type=select,bucket=actions=set_field:c2:00:0a:81:00:01->eth_dst,set_field:0x010003e8->pkt_mark,output:2',
  ]);
  const wanted = 'cookie=0,table=101,priority=100,ip,reg0=0x3e9,actions=group:1001';
  for (const node of [NODE1, NODE2]) assert.ok(linesOf(epoch, node).includes(wanted));
});
