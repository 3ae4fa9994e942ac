/** Runs the cases: those of as many connections in rounds, in turn, every case in a process of its own, so that none warms up
 *  another. Then those of the next number of connections. */
import { availableParallelism, freemem } from 'node:os';
import type { LoadedCluster } from '../../cluster.js';
import type { BackendName } from '../../kernels/backend.js';
import { trafficTopology } from '../traffic-topology.js';
import { CaseProcess } from './case-process.js';
import { type BenchCase, caseName } from './cases.js';
import type { BenchTask } from './child.js';
import { benchRoutes } from './routes.js';

/** What a process takes beside its connections, and for each of them, in bytes, about. */
const PROCESS_SIZE = 100e6;
const CONNECTION_SIZE = 1_000;

export interface BenchPlan {
  readonly cluster: LoadedCluster;
  readonly cases: readonly BenchCase[];
  readonly rounds: number;
  /** Measuring time of each process. */
  readonly timeMs: number;
  /** Told what goes on, before it does. */
  readonly onStart?: (what: string, benchCase: BenchCase) => void;
  /** Told of a case when its last round is over. */
  readonly onResult?: (result: BenchResult) => void;
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
  const sizes = [...new Set(tasks.map(({ benchCase }) => benchCase.connections))];
  const results: BenchResult[] = [];
  for (const size of sizes) {
    const group = tasks.filter(({ benchCase }) => benchCase.connections === size);
    results.push(...(await runGroup(group, plan)));
  }
  return results;
}

/** Processes stay alive from round to round where memory allows it: to open a million connections takes far longer than to
 *  measure them. */
async function runGroup(tasks: readonly BenchTask[], plan: BenchPlan): Promise<BenchResult[]> {
  const needed = tasks.reduce(
    (sum, task) => sum + PROCESS_SIZE + task.benchCase.connections * CONNECTION_SIZE,
    0,
  );
  const isKept = needed < freemem() / 2;
  const processes = new Map<BenchTask, CaseProcess>();
  const prepare = async (task: BenchTask): Promise<CaseProcess> => {
    plan.onStart?.('making ready', task.benchCase);
    const process = new CaseProcess(task);
    processes.set(task, process);
    await process.prepare();
    return process;
  };
  const samples = tasks.map((): number[] => []);
  const floorOf = (backend: BackendName): number => {
    const floor = tasks.findIndex(
      ({ benchCase }) => benchCase.kind === 'floor' && benchCase.backend === backend,
    );
    return floor < 0 || samples[floor]!.length === 0 ? Number.NaN : median(samples[floor]!);
  };
  try {
    // As many at a time as there are cores: nothing is measured meanwhile.
    const waiting = isKept ? [...tasks] : [];
    const next = async (): Promise<void> => {
      for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) await prepare(task);
    };
    await Promise.all(Array.from({ length: availableParallelism() }, next));
    for (let round = 0; round < plan.rounds; round++)
      for (const [i, task] of tasks.entries()) {
        const process = isKept ? processes.get(task)! : await prepare(task);
        plan.onStart?.(`round ${round + 1}`, task.benchCase);
        samples[i]!.push(await process.measure());
        if (!isKept) process.close();
        if (round + 1 < plan.rounds) continue;
        // Floors come first, that of the best back end before all.
        plan.onResult?.(resultOf(task.benchCase, samples[i]!, floorOf));
      }
    return tasks.map(({ benchCase }, i) => resultOf(benchCase, samples[i]!, floorOf));
  } finally {
    for (const process of processes.values()) process.close();
  }
}

function resultOf(
  benchCase: BenchCase,
  samples: readonly number[],
  floorOf: (backend: BackendName) => number,
): BenchResult {
  const ns = median(samples);
  const [native, typescript] = [floorOf('native'), floorOf('typescript')];
  return {
    ...benchCase,
    name: caseName(benchCase),
    nsPerPacket: ns,
    bestNs: Math.min(...samples),
    worstNs: Math.max(...samples),
    millionsPerSecond: 1_000 / ns,
    ratio: ns / (Number.isNaN(native) ? typescript : native),
    ratioTypescript: ns / typescript,
  };
}

/** Of an even number of values the lower middle, a value that was measured. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >>> 1]!;
}
