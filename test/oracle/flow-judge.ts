/** Seeded packets through podplane's br0 and through `ofproto/trace` of a switch with podplane's flows: same rules, in the
 *  same order, same registers, same port. */
import { compile } from '../../src/compile/compile.js';
import { SeededRandom } from '../../src/io/generate-random.js';
import type { PluginMode } from '../../src/model/cluster.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { OFPORT } from '../../src/tables/flows.js';
import {
  type FlowQuestion,
  MANY,
  type MatchedRule,
  type Passage,
  questionsOf,
  sortedMatch,
  UNKNOWN_POD,
} from './flow-questions.js';
import { generateCase } from './generate-cases.js';
import { generateCluster } from './generate-cluster.js';
import { generateFrame } from './generate-frames.js';
import { openBench } from './judge.js';
import { askSwitch } from './ofproto-trace.js';
import type { Plan } from './plan.js';
import { PodplaneSide, type PodplaneStep } from './podplane-side.js';
import { type CaseStep, frameToSend } from './run-cases.js';
import type { Witness } from './witness.js';

/** Copies of a group's packet begin there. */
const COPIES_TABLE = 111;

export const MODES: readonly PluginMode[] = ['networkpolicy', 'multitenant', 'subnet'];

/** A visit on which the two do not agree. */
export interface FlowDifference {
  readonly question: FlowQuestion;
  readonly answer: Passage;
}

export interface FlowReport {
  readonly packets: number;
  readonly visits: number;
  /** Visits that were compared up to a translation only. */
  readonly partial: number;
  /** Packets by plugin mode, and visits by table that they ended in. */
  readonly byMode: Readonly<Record<string, number>>;
  readonly byLastTable: Readonly<Record<string, number>>;
  readonly differences: readonly FlowDifference[];
}

export interface FlowJudgeOptions {
  readonly seed: number;
  /** Packets, at least. */
  readonly packets: number;
  /** Packets in one cluster before the next is built. */
  readonly perCluster: number;
  /** What podplane walks, where it shall not be what the switch was built from. */
  readonly walked?: (epoch: Epoch) => Epoch;
}

/** Build one cluster after the other, each plugin mode in turn, until that many packets were judged. */
export async function judgeFlows(witness: Witness, options: FlowJudgeOptions): Promise<FlowReport> {
  const byMode: Record<string, number> = {};
  const byLastTable: Record<string, number> = {};
  const differences: FlowDifference[] = [];
  let [packets, visits, partial] = [0, 0, 0];
  for (let number = 0; packets < options.packets; number++) {
    const mode = MODES[number % MODES.length]!;
    const random = new SeededRandom(options.seed, number);
    const epoch = compile({ ...generateCluster(random), mode });
    const { plan } = await openBench(witness, epoch);
    const walked = walkPackets(
      random,
      options.walked?.(epoch) ?? epoch,
      plan,
      Math.min(options.perCluster, options.packets - packets),
    );
    const answers = await askSwitch(witness, plan, walked.questions);
    const actions = new Map(plan.nodes.map((node) => [node.name, actionsByRule(node.flows)]));
    walked.questions.forEach((question, i) => {
      const answer = answers[i]!;
      if (!agrees(question, answer, actions.get(question.node)!)) differences.push({ question, answer });
      const last = `${question.expected.rules.at(-1)!.table}`;
      byLastTable[last] = (byLastTable[last] ?? 0) + 1;
    });
    byMode[mode] = (byMode[mode] ?? 0) + walked.packets;
    packets += walked.packets;
    visits += walked.questions.length;
    partial += walked.questions.filter(({ comparable }) => comparable >= 0).length;
  }
  return { packets, visits, partial, byMode, byLastTable, differences };
}

/** Half of the packets are those of the journeys, with their answers, the other half what no decent pod sends. */
function walkPackets(
  random: SeededRandom,
  epoch: Epoch,
  plan: Plan,
  wanted: number,
): { readonly packets: number; readonly questions: readonly FlowQuestion[] } {
  const side = new PodplaneSide(epoch, false);
  const questions: FlowQuestion[] = [];
  let packets = 0;
  const take = (step: PodplaneStep): void => {
    packets++;
    questions.push(...questionsOf(step.traces, plan));
  };
  for (let index = 0; packets < wanted; index++) {
    if (random.below(2) === 0) take(side.send(generateFrame(random, epoch), -1));
    else walkCase(generateCase(random, epoch, index).steps);
  }
  return { packets, questions };

  function walkCase(steps: readonly CaseStep[]): void {
    let seen: PodplaneStep['sightings'] = [];
    for (const step of steps) {
      const frame = frameToSend(step, seen, plan);
      if (frame === null) return;
      const walked = side.send(frame, -1);
      take(walked);
      seen = walked.sightings;
    }
  }
}

/** Is the switch's passage podplane's, as far as the switch can know it? */
function agrees(
  { expected, comparable }: FlowQuestion,
  answer: Passage,
  actions: ReadonlyMap<string, string>,
): boolean {
  // Copies are walks of their own: what rules they met, behind table 111's, is not in this one.
  const isCopied = expected.outputs.length > 1 || expected.rules.at(-1)?.table === COPIES_TABLE;
  const whole = isCopied ? expected.rules.length : Math.max(expected.rules.length, answer.rules.length);
  const count = comparable < 0 ? whole : comparable;
  for (let i = 0; i < count; i++) if (!isSameRule(expected.rules[i], answer.rules[i], actions)) return false;
  if (comparable >= 0) return true;
  const isSamePort =
    expected.outputs.length === answer.outputs.length &&
    expected.outputs.every(
      (output, i) => output === answer.outputs[i] || isAnyPod(output, answer.outputs[i]!),
    );
  return isSamePort && expected.registers.every((value, i) => value === answer.registers[i]);
}

/** Of a group's packet that the pod's stack refused, podplane does not say which pod that was. */
const isAnyPod = (ours: string, theirs: string): boolean =>
  ours === UNKNOWN_POD && Number(theirs) >= OFPORT.FIRST_POD;

/** Where two rules of one priority match, OpenFlow leaves open which one counts: the real table 0 has such, with the same
 *  actions. */
function isSameRule(
  one: MatchedRule | undefined,
  other: MatchedRule | undefined,
  actions: ReadonlyMap<string, string>,
): boolean {
  if (one === undefined || other === undefined) return one === other;
  if (one.table !== other.table || one.priority !== other.priority) return false;
  if (one.match === other.match) return true;
  const wanted = actions.get(ruleKey(one));
  // A rule that stands for many flows is in no dump.
  return wanted === undefined ? isOneOfMany(one.match, other.match) : wanted === actions.get(ruleKey(other));
}

/** Is `flow` one of those that `rule` stands for: the same but for the ends and ports that it has many of? An end may be
 *  a NetID as well. */
function isOneOfMany(rule: string, flow: string): boolean {
  const parts = rule.split(',');
  const isMany = (part: string): boolean => part.endsWith(`=${MANY}`) || PORT_RANGE.test(part);
  const fields = parts.filter(isMany).map(fieldOf);
  const left = parts.filter((part) => !isMany(part));
  const rest = flow
    .split(',')
    .filter(
      (part) => left.includes(part) || !(fields.includes(fieldOf(part)) || fieldOf(part) === SOURCE_NETID),
    );
  return fields.length > 0 && rest.join(',') === left.join(',');
}

const fieldOf = (part: string): string => part.split('=')[0]!;
const PORT_RANGE = /^tp_dst=\d+-\d+$/;
const SOURCE_NETID = 'reg0';

const ruleKey = ({ table, priority, match }: MatchedRule): string => `${table} ${priority} ${match}`;

/** Rule -> actions, of a flow dump. */
function actionsByRule(flows: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, table, priority, match, actions] of flows.matchAll(
    /table=(\d+),priority=(\d+)(?:,(.*))?,actions=(.*)$/gm,
  ))
    found.set(
      ruleKey({ table: Number(table), priority: Number(priority), match: sortedMatch(match ?? '') }),
      actions!,
    );
  return found;
}

/** The difference for a reader: the frame, then both passages. */
export function describeFlowDifference({ question, answer }: FlowDifference): string {
  const frame = Buffer.from(question.frame).toString('hex');
  return [
    `${question.node} in_port=${question.inPort} ct_state=${question.ctState} ct-next=${question.ctNext.join(' ')} ${frame}`,
    `  podplane: ${describePassage(question.expected)}`,
    `  switch:   ${describePassage(answer)}`,
  ].join('\n');
}

const describePassage = ({ rules, registers, outputs }: Passage): string =>
  `${rules.map(({ table, priority, match }) => `${table}(${priority} ${match})`).join(' ')} registers ${registers.join(' ')} outputs ${outputs.join(', ')}`;
