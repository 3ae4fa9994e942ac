/** Runs the cases: round after round, every case in a process of its own, so that none warms up another. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { LoadedCluster } from '../../cluster.js';
import type { BackendName } from '../../kernels/backend.js';
import { trafficTopology } from '../traffic-topology.js';
import { type BenchCase, caseName } from './cases.js';
import type { BenchAnswer, BenchTask } from './child.js';
import { benchRoutes } from './routes.js';

export interface BenchPlan {
  readonly cluster: LoadedCluster;
  readonly cases: readonly BenchCase[];
  readonly rounds: number;
  /** Measuring time of each process. */
  readonly timeMs: number;
  /** Told before each process. */
  readonly onStart?: (round: number, benchCase: BenchCase) => void;
}

export interface BenchResult extends BenchCase {
  readonly name: string;
  /** Median of the rounds, and its best and worst. */
  readonly nsPerPacket: number;
  readonly bestNs: number;
  readonly worstNs: number;
  readonly millionsPerSecond: number;
  /** To the floors of as many connections in the same run: in C++ where the addon is there, and in TypeScript. */
  readonly ratio: number;
  readonly ratioTypescript: number;
}

/** @throws Error when a case cannot run, with the reason that its process gave. */
export async function runRounds(plan: BenchPlan): Promise<BenchResult[]> {
  const epoch = plan.cluster.compile();
  const topology = trafficTopology(plan.cluster.model, epoch);
  const saved = epoch.save();
  const tasks = plan.cases.flatMap((benchCase): BenchTask[] => {
    const needsRoutes = benchCase.kind !== 'floor' && benchCase.kind !== 'fill';
    const routes = needsRoutes ? benchRoutes(topology, benchCase.path || 'other-node') : [];
    // A cluster of one node has no path to another.
    if (needsRoutes && routes.length === 0) return [];
    return [{ benchCase, epoch: saved, routes, timeMs: plan.timeMs }];
  });
  const samples = tasks.map((): number[] => []);
  for (let round = 0; round < plan.rounds; round++) {
    for (const [i, task] of tasks.entries()) {
      plan.onStart?.(round, task.benchCase);
      samples[i]!.push(await runOne(task));
    }
  }
  const medians = samples.map(median);
  const floors = tasks.map(({ benchCase }, i) => ({ ...benchCase, ns: medians[i]! }));
  const floorOf = ({ connections }: BenchCase, wanted: BackendName): number =>
    floors.find(
      ({ kind, backend, ...floor }) =>
        kind === 'floor' && backend === wanted && floor.connections === connections,
    )?.ns ?? Number.NaN;
  const best = floors.some(({ backend }) => backend === 'native') ? 'native' : 'typescript';
  return tasks.map(({ benchCase }, i) => ({
    ...benchCase,
    name: caseName(benchCase),
    nsPerPacket: medians[i]!,
    bestNs: Math.min(...samples[i]!),
    worstNs: Math.max(...samples[i]!),
    millionsPerSecond: 1_000 / medians[i]!,
    ratio: medians[i]! / floorOf(benchCase, best),
    ratioTypescript: medians[i]! / floorOf(benchCase, 'typescript'),
  }));
}

async function runOne(task: BenchTask): Promise<number> {
  const child = fork(new URL('./child.js', import.meta.url), { serialization: 'advanced' });
  const answers: BenchAnswer[] = [];
  child.on('message', (message: BenchAnswer) => answers.push(message));
  child.send(task);
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  const answer = answers[0] ?? { error: `its process ended with ${code ?? signal}` };
  if ('error' in answer) throw new Error(`${caseName(task.benchCase)}: ${answer.error}`);
  return answer.nsPerPacket;
}

/** Of an even number of values the lower middle, a value that was measured. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >>> 1]!;
}
