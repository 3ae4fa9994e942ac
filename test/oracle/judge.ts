/** One run of the oracle: starts a witness, runs the scenarios and generated cases, takes everything down again. */
import { compile } from '../../src/compile/compile.js';
import { SeededRandom } from '../../src/io/generate-random.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { casesFor, leftOut, OUTSIDE } from './fixed-cases.js';
import { fixedEpoch } from './fixed-cluster.js';
import { generateCase } from './generate-cases.js';
import { generateCluster } from './generate-cluster.js';
import { runFolder, spacePrefix } from './leftovers.js';
import { planOf } from './plan.js';
import { type Bench, type Case, type CaseResult, isRed, runCases, warmUp } from './run-cases.js';
import { SCENARIOS } from './scenarios.js';
import { Witness, type WitnessKind } from './witness.js';

export interface JudgeOptions {
  readonly kind: WitnessKind;
  /** u32: generated clusters and packets. */
  readonly seed: number;
  /** Generated cases, spread over several clusters. */
  readonly cases: number;
  /** Part of the names of the scenarios to run; empty for all. */
  readonly only: string;
  readonly say: (line: string) => void;
}

export interface JudgeReport {
  readonly results: readonly CaseResult[];
  readonly leftOut: readonly string[];
}

/** Generated cases in one cluster before the next is built. */
const CASES_PER_CLUSTER = 60;

export async function judge(options: JudgeOptions): Promise<JudgeReport> {
  const { kind, seed, cases, only, say } = options;
  await using witness = await Witness.start(kind);
  say(await witness.versions());
  const results: CaseResult[] = [];
  const run = async (name: string, epoch: Epoch, wanted: readonly Case[]): Promise<void> => {
    const found = await runCases(await openBench(witness, epoch), wanted);
    say(`${name}: ${found.length} cases, ${found.filter(isRed).length} red`);
    results.push(...found.map((result) => ({ ...result, name: `${name}: ${result.name}` })));
  };
  const fixed = casesFor(SCENARIOS, witness.datapath).filter(({ name }) =>
    only.split('|').some((part) => name.includes(part)),
  );
  await run('scenarios', fixedEpoch(), fixed);
  for (let first = 0; first < cases; first += CASES_PER_CLUSTER) {
    const number = first / CASES_PER_CLUSTER;
    const random = new SeededRandom(seed, number);
    const epoch = compile(generateCluster(random));
    const count = Math.min(CASES_PER_CLUSTER, cases - first);
    const generated = Array.from({ length: count }, (_, i) => generateCase(random, epoch, first + i));
    await run(`seed ${seed} cluster ${number}`, epoch, forWitness(generated, witness));
  }
  return { results, leftOut: leftOut(SCENARIOS, witness.datapath) };
}

/** Build what `epoch` says in the witness, and wait until it takes packets. */
export async function openBench(witness: Witness, epoch: Epoch): Promise<Bench> {
  const plan = planOf(epoch, {
    datapath: witness.datapath,
    prefix: spacePrefix(),
    // A guest has a file system of its own.
    folder: witness.kind === 'guest' ? '/tmp/podplane-oracle' : runFolder(),
    outside: OUTSIDE,
  });
  await witness.build(plan);
  const bench = { witness, plan, epoch };
  await warmUp(bench);
  return bench;
}

/** Userspace Open vSwitch un-NATs no reply, so only first packets are put to it. */
const forWitness = (cases: readonly Case[], witness: Witness): readonly Case[] =>
  witness.kind === 'guest' ? cases : cases.map((one) => ({ ...one, steps: one.steps.slice(0, 1) }));
