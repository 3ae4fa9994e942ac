/** Podplane before its judges. The witness is built from podplane's own dumps; see `npm run oracle` for more cases. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { compile } from '../../src/compile/compile.js';
import { SeededRandom } from '../../src/io/generate-random.js';
import { normaliseIptables } from '../dump/normalise.js';
import { needs } from '../support/needs.js';
import { withoutNetId } from './broken-rule.js';
import { casesFor } from './fixed-cases.js';
import { fixedEpoch } from './fixed-cluster.js';
import { generateCase } from './generate-cases.js';
import { generateCluster } from './generate-cluster.js';
import { openBench } from './judge.js';
import { runFolder } from './leftovers.js';
import { Recording } from './recording.js';
import { judgeReplay } from './replay-judge.js';
import { type Bench, describeResults, isRed, runCases } from './run-cases.js';
import { SCENARIOS } from './scenarios.js';
import { Witness, type WitnessKind } from './witness.js';

const TOOLS = ['ovs-vswitchd', 'ovs-ofctl', 'iptables-restore', 'ip', 'python3', 'root'];
const NEEDED: Readonly<Record<WitnessKind, readonly string[]>> = {
  guest: [...TOOLS, 'qemu-system-x86_64', 'setpriv', 'busybox', 'cpio', 'depmod', 'apt-get'],
  namespaces: [...TOOLS, 'tc', 'bridge'],
};
/** A case that both witnesses can judge, and that a missing NetID must turn red. */
const ACROSS = 'other node, TCP';
const GENERATED = 40;
const SEED = 2;

for (const kind of ['namespaces', 'guest'] as const)
  test(
    `the same bytes as Linux and Open vSwitch, hop by hop (${kind})`,
    needs(...NEEDED[kind]),
    async (t) => {
      await using witness = await Witness.start(kind);
      const bench = await openBench(witness, fixedEpoch());
      const cases = casesFor(SCENARIOS, witness.datapath);

      await t.test('switch and kernel hold what was dumped', () => checkRules(bench));

      const recording = new Recording();
      await t.test('the written scenarios', async () => {
        const results = await runCases({ ...bench, recording }, cases);
        assert.deepEqual(results.filter(isRed), [], describeResults(results));
        assert.ok(results.length > 50);
      });

      await t.test("the witness's captures end in a replay where they ended there", async () => {
        const folder = runFolder();
        mkdirSync(folder, { recursive: true });
        const judgement = await judgeReplay(bench.epoch, recording, folder);
        assert.deepEqual(judgement.differences, []);
        assert.ok(judgement.packets > 50 && judgement.arrived > 30 && judgement.matched > 60);
      });

      await t.test('one broken rule turns the case red', async () => {
        const broken = { ...bench, epoch: withoutNetId(bench.epoch) };
        const again = cases.filter(({ name }) => name === ACROSS).map((one) => ({ ...one, isLive: false }));
        const [result] = await runCases(broken, again);
        assert.ok(isRed(result!));
        assert.ok(result!.differences.every(({ kind: what }) => what === 'bytes'));
        assert.match(describeResults([result!]), /! vxlan\.vni +1001 +0\n/);
      });

      await t.test('generated packets in a generated cluster', async () => {
        const random = new SeededRandom(SEED);
        const epoch = compile(generateCluster(random));
        const generated = Array.from({ length: GENERATED }, (_, i) => generateCase(random, epoch, i));
        const wanted =
          kind === 'guest' ? generated : generated.map((one) => ({ ...one, steps: one.steps.slice(0, 1) }));
        const results = await runCases(await openBench(witness, epoch), wanted);
        assert.deepEqual(results.filter(isRed), [], describeResults(results));
      });
    },
  );

/** Flows and rules, read back from the witness's nodes, are those of the dumps. */
async function checkRules({ witness, plan }: Bench): Promise<void> {
  for (const node of plan.nodes) {
    const { iptables, difference } = await witness.rules(plan.prefix, node);
    assert.equal(difference, '', `flows of ${node.name}`);
    assert.deepEqual(normaliseIptables(iptables), normaliseIptables(node.iptables));
  }
}
