/** How much faster are two workers than one, over batches that lie in memory, with nobody reading or merging meanwhile?
 *
 *  A case reads the whole trace and hands it out to lanes beforehand. Then this thread gives the workers a stretch of it and
 *  sleeps until the last one is done; the workers run the code of a replay, journal and answers included. One worker is no
 *  thread, as in a replay. Each case runs in a process of its own, in turn, ROUNDS times:
 *  `node dist/bench/scaling.js [PROFILE [PACKETS]]`. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchObjects } from '../src/cli/bench/cluster.js';
import { trafficTopology } from '../src/cli/traffic-topology.js';
import { loadCluster } from '../src/cluster.js';
import { createCapture } from '../src/io/capture-writer.js';
import { TrafficGenerator } from '../src/io/generate.js';
import { TRAFFIC_PROFILES, type TrafficProfileName } from '../src/io/generate-profiles.js';
import { Chunk } from '../src/replay/chunk.js';
import { Director } from '../src/replay/director.js';
import { replay } from '../src/replay/replay.js';
import { TraceMerge } from '../src/replay/trace-merge.js';
import { entryOf } from '../src/workers/epoch-shelf.js';
import { createLanePool, type LanePool } from '../src/workers/lane-pool.js';
import { shareLanes } from '../src/workers/lane-shares.js';

const ROUNDS = 5;
/** The first half warms up. The rest is measured in as many pieces, so that one which the machine disturbs does not spoil all. */
const STRETCHES = 5;
/** A stretch takes well under a second. */
const PATIENCE_MS = 60_000;
const LANES = 8;
const CHUNK_ROWS = 2048;
const FLOWS = 2000;
const WORKERS = [1, 2] as const;

interface Measured {
  /** Wall clock of each stretch. */
  readonly walkNs: readonly number[];
  /** Processor time of the thread that had most of it in all stretches: the walk on cores that nobody else uses. */
  readonly threadNs: number;
  /** A whole replay of the same packets, wall clock. */
  readonly replayNs: number;
  /** Packets of the busiest worker, of all. */
  readonly share: number;
}

const cluster = await loadCluster(benchObjects());
const epoch = cluster.compile();

async function measure(path: string, workers: number): Promise<Measured> {
  const chunks = await chunksOf(path, workers);
  const settings = {
    seed: 1,
    epochNs: 0n,
    respond: false,
    backend: 'auto',
    checkpointSize: 4 << 20,
    isExplained: false,
    isModel: false,
  } as const;
  const pool = createLanePool(
    entryOf(epoch),
    settings,
    chunks.map((chunk) => chunk.parcels),
  );
  const half = chunks.length >> 1;
  await walk(pool, chunks, 0, half);
  const before = threadTimes();
  const walkNs: number[] = [];
  for (let i = 0; i < STRETCHES; i++) {
    const from = half + Math.floor((i * (chunks.length - half)) / STRETCHES);
    const to = half + Math.floor(((i + 1) * (chunks.length - half)) / STRETCHES);
    walkNs.push((await walk(pool, chunks, from, to)) / packetsOf(chunks.slice(from, to)));
  }
  const after = threadTimes();
  await pool.close();
  const measured = chunks.slice(half);
  const packets = packetsOf(measured);
  const shares = chunks[0]!.parcels.map((_, worker) =>
    measured.reduce(
      (sum, { parcels }) => sum + parcels[worker]!.lanes.reduce((rows, { input }) => rows + input.count, 0),
      0,
    ),
  );
  const whole = await replay(epoch, { traces: [path], workers, lanes: LANES });
  return {
    walkNs,
    threadNs: Math.max(...[...after].map(([thread, ns]) => ns - (before.get(thread) ?? 0))) / packets,
    replayNs: (whole.seconds * 1e9) / whole.packets,
    share: Math.max(...shares) / packets,
  };
}

/** Nanoseconds from the first task given to the last one done. */
async function walk(pool: LanePool, chunks: readonly Chunk[], from: number, to: number): Promise<number> {
  const startMs = performance.now();
  const answers = chunks.slice(from, to).map((_, i) => pool.run(from + i));
  const isDone = pool.sleep(PATIENCE_MS);
  const ms = performance.now() - startMs;
  const isFailed = (await Promise.all(answers)).flat().some((answer) => answer instanceof Error);
  if (!isDone || isFailed) throw new Error('a worker failed');
  return ms * 1e6;
}

const packetsOf = (chunks: readonly Chunk[]): number => chunks.reduce((sum, { count }) => sum + count, 0);

/** Processor time of each thread of this process so far, in nanoseconds; of none where the system does not tell. */
function threadTimes(): Map<string, number> {
  const folder = '/proc/self/task';
  if (!existsSync(folder)) return new Map([['', Number.NaN]]);
  return new Map(
    readdirSync(folder).map((thread) => {
      const [used] = readFileSync(join(folder, thread, 'schedstat'), 'utf8').split(' ');
      return [thread, Number(used)];
    }),
  );
}

/** The trace as it is handed to workers. */
async function chunksOf(path: string, workers: number): Promise<Chunk[]> {
  const trace = await TraceMerge.open([path]);
  const director = new Director(epoch, trace, {
    lanes: LANES,
    lookAhead: 65_536,
    lookAheadSize: 32 << 20,
    pick: 'recorded',
    places: [],
  });
  const lanesOfWorker = shareLanes(await director.laneWeights(), workers);
  const chunks: Chunk[] = [];
  for (;;) {
    const chunk = new Chunk(CHUNK_ROWS, lanesOfWorker);
    await director.fill(chunk);
    if (chunk.count === 0) break;
    touchOutput(chunk);
    chunks.push(chunk);
  }
  await trace.close();
  return chunks;
}

/** A run uses the same few chunks again and again; here each is used once, and its pages shall not be new to the system. */
function touchOutput(chunk: Chunk): void {
  for (const { input, output, place } of chunk.lanes) {
    const { capacity: _, count: __, ...columns } = output;
    for (const column of [...Object.values(columns), place]) column.fill(0, 0, input.count + 64);
  }
}

async function writeTraffic(path: string, profile: TrafficProfileName, packets: number): Promise<void> {
  const topology = trafficTopology(cluster.model, epoch);
  const generator = new TrafficGenerator(topology, { profile, packets, flows: FLOWS, seed: 1 });
  await using writer = await createCapture(path, { epochNs: 0n });
  const id = writer.addInterface({ name: 'all' });
  const sink = {
    packet: (_pod: number, tsNs: number, bytes: Uint8Array, at: number, length: number): void =>
      writer.write(id, tsNs, bytes, at, length),
  };
  while (generator.run(sink, CHUNK_ROWS) > 0) await writer.drain();
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

function report(rounds: readonly (readonly Measured[])[]): void {
  const of = (i: number, name: keyof Measured): number => median(rounds.flatMap((round) => round[i]![name]));
  const best = (i: number): number => Math.min(...rounds.flatMap((round) => round[i]!.walkNs));
  console.table(
    WORKERS.map((workers, i) => ({
      workers,
      'walk ns/packet': Math.round(of(i, 'walkNs')),
      'x one worker': Number((of(0, 'walkNs') / of(i, 'walkNs')).toFixed(2)),
      'best stretch': Math.round(best(i)),
      'x one worker, best': Number((best(0) / best(i)).toFixed(2)),
      'busiest thread, ns/packet': Math.round(of(i, 'threadNs')),
      'x one worker, by thread': Number((of(0, 'threadNs') / of(i, 'threadNs')).toFixed(2)),
      'its packets': `${Math.round(of(i, 'share') * 100)} %`,
      'replay ns/packet': Math.round(of(i, 'replayNs')),
      'x one worker, replay': Number((of(0, 'replayNs') / of(i, 'replayNs')).toFixed(2)),
    })),
  );
}

const [first = 'small', second = '1000000', third] = process.argv.slice(2);
if (first === '--case') {
  console.log(JSON.stringify(await measure(second, Number(third))));
} else if (!Object.hasOwn(TRAFFIC_PROFILES, first)) {
  console.error(`scaling.js [${Object.keys(TRAFFIC_PROFILES).join('|')}] [packets]`);
  process.exitCode = 2;
} else {
  const folder = mkdtempSync(join(tmpdir(), 'podplane-scaling-'));
  const path = join(folder, 'traffic.pcapng');
  await writeTraffic(path, first as TrafficProfileName, Number(second));
  const self = fileURLToPath(import.meta.url);
  const rounds = Array.from({ length: ROUNDS }, () =>
    WORKERS.map((workers): Measured => {
      const args = [self, '--case', path, String(workers)];
      return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
    }),
  );
  report(rounds);
  rmSync(folder, { recursive: true });
}
