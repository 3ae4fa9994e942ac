/** br0's tables before Open vSwitch itself, at full size: thousands of packets, dozens of clusters. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFlowDifference, judgeFlows } from './flow-judge.js';
import { Witness } from './witness.js';

const PACKETS = 3000;

test(`${PACKETS} seeded packets meet the rules that ofproto/trace says`, async (t) => {
  await using witness = await Witness.start('namespaces');
  const report = await judgeFlows(witness, { seed: 1, packets: PACKETS, perCluster: 150 });
  assert.deepEqual(report.differences.slice(0, 20).map(describeFlowDifference), []);
  assert.ok(report.packets >= PACKETS);
  t.diagnostic(
    `${report.packets} packets, ${report.visits} visits to br0, ${report.partial} up to a translation`,
  );
  t.diagnostic(
    `by mode ${JSON.stringify(report.byMode)}; by last table ${JSON.stringify(report.byLastTable)}`,
  );
});
