/** The process of one case: gets its task by message, measures with tinybench, answers by message. */
import { Bench } from 'tinybench';
import { Epoch } from '../../tables/epoch.js';
import type { BenchCase } from './cases.js';
import { fillWorkload, floorWorkload } from './floor.js';
import { kernelsWorkload } from './kernels.js';
import { establishedWorkload, newWorkload } from './path.js';
import type { Route } from './routes.js';
import { alternating, type Workload } from './workload.js';

export interface BenchTask {
  readonly benchCase: BenchCase;
  /** A saved table set. */
  readonly epoch: Uint8Array;
  readonly routes: readonly Route[];
  readonly timeMs: number;
}

/** Median time of a packet, or what went wrong. */
export type BenchAnswer = { readonly nsPerPacket: number } | { readonly error: string };

process.once('message', (task: BenchTask) => {
  measure(task).then(
    (nsPerPacket) => answer({ nsPerPacket }),
    (error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) }),
  );
});

function answer(message: BenchAnswer): void {
  process.send?.(message, () => process.disconnect());
}

/** Nothing may think that the work is for nothing. */
let sink = 0;

async function measure(task: BenchTask): Promise<number> {
  const workload = makeWorkload(task);
  const bench = new Bench({
    time: task.timeMs,
    iterations: 32,
    warmupTime: task.timeMs / 2,
    warmupIterations: 32,
    retainSamples: true,
    throws: true,
  });
  bench.add('case', () => {
    sink ^= workload.run();
  });
  await bench.run();
  const [measured] = bench.tasks;
  const result = measured!.result;
  if (!('latency' in result)) throw new Error(`no measurement: ${result.state}, sink ${sink}`);
  return (result.latency.p50 * 1e6) / workload.packets;
}

function makeWorkload({ benchCase, epoch: bytes, routes }: BenchTask): Workload {
  const { kind, connections, backend } = benchCase;
  if (kind === 'fill') return fillWorkload(connections);
  if (kind === 'floor') return floorWorkload(connections, backend);
  const make = { kernels: kernelsWorkload, established: establishedWorkload, new: newWorkload }[kind];
  const half = (): Workload => make(Epoch.load(bytes), routes, connections / 2, backend);
  return alternating(half(), half());
}
