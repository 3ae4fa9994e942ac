/** br0's tables before Open vSwitch itself: the same rules, registers and ports, in the three plugin modes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs } from '../support/needs.js';
import { withoutNetId } from './broken-rule.js';
import { describeFlowDifference, judgeFlows, MODES } from './flow-judge.js';
import { Witness } from './witness.js';

const TOOLS = ['ovs-vswitchd', 'ovs-ofctl', 'iptables-restore', 'ip', 'tc', 'bridge', 'python3', 'root'];
const PACKETS = 200;

test('seeded packets meet the rules that ofproto/trace says', needs(...TOOLS), async () => {
  await using witness = await Witness.start('namespaces');
  const report = await judgeFlows(witness, { seed: 7, packets: PACKETS, perCluster: 67 });
  assert.deepEqual(report.differences.map(describeFlowDifference), []);
  assert.ok(report.packets >= PACKETS);
  assert.deepEqual(Object.keys(report.byMode).sort(), [...MODES].sort());
  // Dropped for a wrong source, sent into the tunnel, sent by tun0, delivered.
  for (const table of ['20', '90', '80']) assert.ok(report.byLastTable[table]! > 0, `ends in table ${table}`);
});

test('one broken rule turns it red', needs(...TOOLS), async () => {
  await using witness = await Witness.start('namespaces');
  const options = { seed: 7, packets: 40, perCluster: 40, walked: withoutNetId };
  const { differences } = await judgeFlows(witness, options);
  assert.ok(differences.length > 0);
  // Tunnel packets only, and only their NetID.
  for (const { question, answer } of differences) {
    const [ours, theirs] = [question.expected.outputs[0]!, answer.outputs[0]!];
    assert.notEqual(ours, theirs);
    assert.equal(ours.replace(/vni \d+/, ''), theirs.replace(/vni \d+/, ''));
  }
});
