/** The process of one case: gets its task by message and makes it ready, then measures with tinybench each time it is told to,
 *  until its parent lets go of it. */
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

/** It is ready; or the median time of a packet; or what went wrong. */
export type BenchAnswer =
  | { readonly isReady: true }
  | { readonly nsPerPacket: number }
  | { readonly error: string };

/** What there is to measure, once the task has come. */
let ready: { readonly workload: Workload; readonly timeMs: number } | null = null;

process.on('message', (message: BenchTask | 'measure') => {
  answer(message).then(
    (said) => process.send?.(said),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  );
});

async function answer(message: BenchTask | 'measure'): Promise<BenchAnswer> {
  if (message !== 'measure') {
    ready = { workload: makeWorkload(message), timeMs: message.timeMs };
    return { isReady: true };
  }
  if (ready === null) throw new Error('nothing to measure');
  return { nsPerPacket: await measure(ready.workload, ready.timeMs) };
}

/** Nothing may think that the work is for nothing. */
let sink = 0;

async function measure(workload: Workload, timeMs: number): Promise<number> {
  const bench = new Bench({
    time: timeMs,
    iterations: 32,
    warmupTime: timeMs / 2,
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
