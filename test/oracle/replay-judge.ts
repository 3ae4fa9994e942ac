/** The witness's own captures, replayed: podplane must carry each packet where the witness was seen to carry it. */
import { join } from 'node:path';
import { replay } from '../../src/replay/replay.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { type RecordedStep, type Recording, START_NS } from './recording.js';
import { readOutcomes } from './replay-outcomes.js';

export interface ReplayJudgement {
  /** Packets sent, and how many of them arrived at a pod in the witness. */
  readonly packets: number;
  readonly arrived: number;
  /** Copies at the NICs and at the receivers that were what podplane carried. */
  readonly matched: number;
  /** One line for each packet that ended elsewhere, and for each copy that differs. */
  readonly differences: readonly string[];
}

/** Replay what was recorded in the cluster of `epoch`; `folder` is for the two captures. */
export async function judgeReplay(
  epoch: Epoch,
  recording: Recording,
  folder: string,
): Promise<ReplayJudgement> {
  const [trace, output] = [join(folder, 'witness.pcapng'), join(folder, 'replayed.pcapng')];
  await recording.write(trace);
  const result = await replay(epoch, { traces: [trace], output, workers: 1 });
  if (result.failure !== null) throw result.failure;
  const carried = readOutcomes(output).filter(({ comment }) => !comment.startsWith('caused by'));
  const { steps } = recording;
  const differences = [...result.differences];
  for (const step of steps) {
    const own = carried.filter(({ tsNs }) => isDuring(step, tsNs));
    const at = own[0]?.at ?? 'nowhere';
    const isSame = step.arrivedAt === '' ? !at.startsWith('pod:') : at === step.arrivedAt;
    if (!isSame) differences.push(describe(step, at, own[0]?.comment ?? ''));
    if (own.length > 1) differences.push(`${describe(step, at, '')}: injected ${own.length} times`);
  }
  return {
    packets: steps.length,
    arrived: steps.filter(({ arrivedAt }) => arrivedAt !== '').length,
    matched: result.observations.matched,
    differences,
  };
}

const isDuring = (step: RecordedStep, tsNs: bigint): boolean => {
  const sinceStart = Number(tsNs - START_NS);
  return sinceStart >= step.tsNs && sinceStart < step.endNs;
};

const describe = ({ sent, arrivedAt }: RecordedStep, at: string, comment: string): string =>
  `from ${sent.at}: the witness has it at ${arrivedAt || 'no pod'}, podplane at ${at} (${comment}): ${Buffer.from(sent.bytes.subarray(0, 64)).toString('hex')}`;
