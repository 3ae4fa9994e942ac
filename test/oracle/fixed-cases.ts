/** The scenarios as cases for the test cluster. */
import { NAMES, portOf } from '../support/cluster.js';
import { frameOf } from '../support/journey.js';
import { macsOf, sentMacs } from '../support/macs.js';
import type { Datapath } from './plan.js';
import type { Case, CaseStep } from './run-cases.js';
import type { Scenario, Step } from './scenario.js';

/** Address outside that the witness's router answers for. */
export const OUTSIDE = NAMES.out;

/** Cases that a witness with this datapath can judge. */
export const casesFor = (scenarios: readonly Scenario[], datapath: Datapath): Case[] =>
  scenarios
    .filter((scenario) => scenario.notIn?.[datapath] === undefined)
    .map((scenario) => ({
      name: scenario.name,
      steps: scenario.steps.map(stepOf),
      isLive: scenario.isLive ?? false,
      hasRandomPort: scenario.hasRandomPort ?? false,
      isSticky: scenario.isSticky ?? false,
      isReplayed: scenario.notReplayed === undefined,
      comparesArp: scenario.comparesArp ?? false,
      knownDifference: scenario.knownDifference ?? '',
    }));

/** What a witness with this datapath leaves out, and why. */
export const leftOut = (scenarios: readonly Scenario[], datapath: Datapath): string[] =>
  scenarios.flatMap(({ name, notIn }) =>
    notIn?.[datapath] === undefined ? [] : [`${name}: ${notIn[datapath]}`],
  );

function stepOf(step: Step): CaseStep {
  if ('answer' in step) return { isAnswer: true };
  const frame = frameOf(
    step.send,
    step.via === undefined ? sentMacs(step.from, step.send) : macsOf(step.via),
  );
  const bytes = step.damage === undefined ? frame : step.damage(frame);
  return {
    frame: { at: portOf(step.from), bytes },
    waitSeconds: step.wait ?? 0,
    isWarmUp: step.isWarmUp ?? false,
  };
}
