/** How much faster are two workers than one, over batches that lie in memory, with nobody reading or merging meanwhile?
 *
 *  Three cases are alive at once, each a process of its own: one worker, two workers, and two processes of one worker side
 *  by side, which is what the machine itself gives. A case fills a stretch of chunks from the trace; then its thread gives
 *  the workers all of it and sleeps until the last one is done, while the other cases sleep. The cases take turns, stretch by
 *  stretch; the first stretches warm up and are not counted. The workers run the code of a replay, journal and answers
 *  included. Then whole replays of the same trace, in turn.
 *
 *    node dist/bench/scaling.js [PROFILE] [PACKETS] */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Argument } from 'commander';
import { benchObjects } from '../src/cli/bench/cluster.js';
import { trafficTopology } from '../src/cli/traffic-topology.js';
import { loadCluster } from '../src/cluster.js';
import { createCapture } from '../src/io/capture-writer.js';
import { TrafficGenerator } from '../src/io/generate.js';
import { TRAFFIC_PROFILES, type TrafficProfileName } from '../src/io/generate-profiles.js';
import { numberArgument, readArguments } from './lib/arguments.js';
import type { Order, Stretch } from './lib/scaling-case.js';

const REPLAYS = 2;
/** A stretch is disturbed when its busiest thread waited for a core for more than this part of it. */
const DISTURBED = 0.05;
const FLOWS = 2000;
/** Packets of the trace; of a stretch, for which one worker takes tens of milliseconds; and of each case before the measured
 *  ones, by which the heaps of the threads have their size and all hot code is compiled for good. What runs once a task is
 *  compiled late, by a thread of its own, for which two workers on two cores leave no room: they would wait for it. */
const SIZES: Readonly<Record<string, typeof SIZE>> = {
  small: { packets: 6_000_000, stretch: 262_144, warmUp: 3_600_000 },
};
const SIZE = { packets: 2_000_000, stretch: 65_536, warmUp: 1_200_000 };

const CASES = [
  { name: '1 worker', workers: 1, processes: 1 },
  { name: '2 workers', workers: 2, processes: 1 },
  { name: '2 processes', workers: 1, processes: 2 },
] as const;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const startCase = (what: string, path: string, workers: number, stretch = 0): ChildProcess =>
  fork(new URL('./lib/scaling-case.js', import.meta.url), [what, path, String(workers), String(stretch)]);

/** What the process says next.
 *  @throws Error when it ends instead. */
function hear(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onEnd = (code: number | null, signal: string | null): void =>
      reject(new Error(`a case's process ended with ${code ?? signal}`));
    child.once('exit', onEnd);
    child.once('message', (message) => {
      child.off('exit', onEnd);
      resolve(message);
    });
  });
}

function tell(children: readonly ChildProcess[], order: Order): Promise<unknown[]> {
  for (const child of children) child.send(order);
  return Promise.all(children.map(hear));
}

/** A stretch of one case, nanoseconds a packet. */
interface Measured {
  /** By the clock. */
  readonly walk: number;
  /** Processor time of the busiest thread. */
  readonly thread: number;
  /** How long it, or another that had as much to do, was ready to run and had no core: other programs ran there. */
  readonly waited: number;
  /** The busiest worker's part of the packets. */
  readonly share: number;
}

async function measure(path: string, size: typeof SIZE): Promise<Measured[][]> {
  const cases = CASES.map(({ workers, processes }) =>
    Array.from({ length: processes }, () => startCase('walk', path, workers, size.stretch)),
  );
  await Promise.all(cases.flat().map(hear));
  const measured: Measured[][] = CASES.map(() => []);
  console.log(`${'stretch'.padEnd(10)}${CASES.map(({ name }) => name.padStart(14)).join('')}   ns a packet`);
  let warmUp = size.warmUp;
  for (let stretch = 1; ; stretch++) {
    const packets = (await tell(cases.flat(), 'fill')) as number[];
    if (packets.includes(0)) break;
    const now: Measured[] = [];
    for (const children of cases) now.push(together((await tell(children, 'walk')) as Stretch[]));
    const isCounted = warmUp <= 0;
    warmUp -= size.stretch;
    const line = now.map(({ walk }) => walk.toFixed(0).padStart(14)).join('');
    console.log(`${String(stretch).padEnd(10)}${line}${isCounted ? '' : '   warm-up'}`);
    if (isCounted) for (const [i, one] of now.entries()) measured[i]!.push(one);
  }
  for (const child of cases.flat()) child.send('end' satisfies Order);
  return measured;
}

/** Processes side by side are done when the last one is. */
function together(stretches: readonly Stretch[]): Measured {
  const packets = stretches.reduce((sum, one) => sum + one.packets, 0);
  const most = (of: (stretch: Stretch) => number): number => Math.max(...stretches.map(of)) / packets;
  return {
    walk: most(({ ns }) => ns),
    thread: most(({ threadNs }) => threadNs),
    waited: most(({ waitedNs }) => waitedNs),
    share: most((stretch) => stretch.most),
  };
}

/** Stretches whose busiest thread had a core nearly all the time: what a machine without other programs would show. */
const quiet = (stretches: readonly Measured[]): Measured[] =>
  stretches.filter(({ walk, waited }) => waited <= walk * DISTURBED);

function report(measured: readonly (readonly Measured[])[]): void {
  const of = (name: keyof Measured, stretches: readonly Measured[]): number =>
    stretches.length === 0 ? Number.NaN : median(stretches.map((one) => one[name]));
  const columns = (name: string, all: readonly number[]) =>
    all.map((ns) => ({
      [`${name}, ns/packet`]: Number(ns.toFixed(0)),
      [`x ${name}`]: Number((all[0]! / ns).toFixed(2)),
    }));
  const clock = columns(
    'median',
    measured.map((stretches) => of('walk', stretches)),
  );
  const undisturbed = columns(
    'undisturbed',
    measured.map((stretches) => of('walk', quiet(stretches))),
  );
  const thread = columns(
    'busiest thread',
    measured.map((stretches) => of('thread', stretches)),
  );
  console.table(
    CASES.map(({ name }, i) => ({
      case: name,
      ...clock[i],
      ...undisturbed[i],
      'of stretches': `${quiet(measured[i]!).length} of ${measured[i]!.length}`,
      ...thread[i],
      'its packets': `${(of('share', measured[i]!) * 100).toFixed(0)} %`,
      'waited for a core': Number(of('waited', measured[i]!).toFixed(0)),
    })),
  );
}

async function reportReplays(path: string): Promise<void> {
  console.log('a whole replay of it, reading and merging included, ns a packet');
  const clocks: number[][] = [[], []];
  const fingerprints = new Set<string>();
  for (let round = 0; round < REPLAYS; round++)
    for (const workers of [1, 2] as const) {
      const { ns, fingerprint } = (await hear(startCase('replay', path, workers))) as {
        ns: number;
        fingerprint: string;
      };
      clocks[workers - 1]!.push(ns);
      fingerprints.add(fingerprint);
      console.log(`${CASES[workers - 1]!.name.padEnd(10)}${ns.toFixed(0).padStart(14)}`);
    }
  if (fingerprints.size !== 1) throw new Error('one worker and two give other bytes');
  const [one, two] = clocks.map((ns) => Math.min(...ns)) as [number, number];
  console.log(`best of each: 2 workers are ${(one / two).toFixed(2)} x 1 worker`);
}

async function writeTraffic(path: string, profile: TrafficProfileName, packets: number): Promise<void> {
  const cluster = await loadCluster(benchObjects());
  const topology = trafficTopology(cluster.model, cluster.compile());
  const generator = new TrafficGenerator(topology, { profile, packets, flows: FLOWS, seed: 1 });
  await using writer = await createCapture(path, { epochNs: 0n });
  const id = writer.addInterface({ name: 'all' });
  const sink = {
    packet: (_pod: number, tsNs: number, bytes: Uint8Array, at: number, length: number): void =>
      writer.write(id, tsNs, bytes, at, length),
  };
  while (generator.run(sink, 2048) > 0) await writer.drain();
}

/** The bench cluster has no DNS Service. */
const PROFILES = Object.keys(TRAFFIC_PROFILES).filter((name) => name !== 'dns');
const [profile, asked] = readArguments('How much faster are two workers than one?', [
  new Argument('[profile]', 'kind of traffic').choices(PROFILES).default('small'),
  numberArgument('packets', 'of the trace (default: 6,000,000 small, else 2,000,000)'),
]) as [TrafficProfileName, number | undefined];
const size = SIZES[profile] ?? SIZE;
const folder = mkdtempSync(join(tmpdir(), 'podplane-scaling-'));
const path = join(folder, 'traffic.pcapng');
try {
  await writeTraffic(path, profile, asked ?? size.packets);
  report(await measure(path, size));
  await reportReplays(path);
} finally {
  rmSync(folder, { recursive: true });
}
