/** One process of the scaling bench: fills chunks from a trace, and walks them when it is told to.
 *  `scaling-case.js walk TRACE WORKERS STRETCH` obeys messages; `scaling-case.js replay TRACE WORKERS` answers once. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { benchObjects } from '../../src/cli/bench/cluster.js';
import { loadCluster } from '../../src/cluster.js';
import { Chunk } from '../../src/replay/chunk.js';
import { Director } from '../../src/replay/director.js';
import { replay } from '../../src/replay/replay.js';
import { TraceMerge } from '../../src/replay/trace-merge.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { entryOf } from '../../src/workers/epoch-shelf.js';
import { createLanePool, type LanePool } from '../../src/workers/lane-pool.js';
import { shareLanes } from '../../src/workers/lane-shares.js';

/** Fill the chunks of a stretch; walk what was filled; end. */
export type Order = 'fill' | 'walk' | 'end';

/** What one stretch gave; no packets: the trace has ended. */
export interface Stretch {
  readonly packets: number;
  /** Wall clock, from the first task given to the last one done. */
  readonly ns: number;
  /** Processor time of the thread that had most of it; the longest that one with at least half as much was ready to run and
   *  had no core. */
  readonly threadNs: number;
  readonly waitedNs: number;
  /** Packets of the busiest worker. */
  readonly most: number;
}

const LANES = 8;
const CHUNK_ROWS = 2048;
/** A stretch takes well under a second. */
const PATIENCE_MS = 60_000;

class Walker {
  #filled = 0;

  private constructor(
    readonly trace: TraceMerge,
    readonly director: Director,
    readonly chunks: readonly Chunk[],
    readonly pool: LanePool,
  ) {}

  static async open(epoch: Epoch, path: string, workers: number, packets: number): Promise<Walker> {
    const trace = await TraceMerge.open([path]);
    const director = new Director(epoch, trace, {
      lanes: LANES,
      lookAhead: 65_536,
      lookAheadSize: 32 << 20,
      pick: 'recorded',
      places: [],
    });
    const shares = shareLanes(await director.laneWeights(), workers);
    // A run uses the same few chunks again and again, and so does this.
    const chunks = Array.from({ length: packets / CHUNK_ROWS }, () => new Chunk(CHUNK_ROWS, shares));
    const settings = {
      seed: 1,
      epochNs: trace.epochNs,
      respond: false,
      backend: 'auto',
      checkpointSize: 4 << 20,
      isExplained: false,
    } as const;
    const parcels = chunks.map((chunk) => chunk.parcels);
    return new Walker(trace, director, chunks, createLanePool(entryOf(epoch), settings, parcels));
  }

  /** Returns the packets of the stretch; none once the trace does not fill one. */
  async fill(): Promise<number> {
    for (const chunk of this.chunks) await this.director.fill(chunk);
    const isWhole = this.chunks.at(-1)!.count > 0;
    this.#filled = isWhole ? this.chunks.reduce((sum, { count }) => sum + count, 0) : 0;
    return this.#filled;
  }

  async walk(): Promise<Stretch> {
    const before = threadTimes();
    const startMs = performance.now();
    const answers = this.chunks.map((_, slot) => this.pool.run(slot));
    const isDone = this.pool.sleep(PATIENCE_MS);
    const ns = (performance.now() - startMs) * 1e6;
    const isFailed = (await Promise.all(answers)).flat().some((answer) => answer instanceof Error);
    if (!isDone || isFailed) throw new Error('a worker failed');
    const [threadNs, waitedNs] = busiest(before, threadTimes());
    return { packets: this.#filled, ns, threadNs, waitedNs, most: this.#most() };
  }

  async close(): Promise<void> {
    await this.pool.close();
    await this.trace.close();
  }

  #most(): number {
    const shares = this.chunks[0]!.parcels.map((_, worker) =>
      this.chunks
        .flatMap(({ parcels }) => parcels[worker]!.lanes)
        .reduce((rows, { input }) => rows + input.count, 0),
    );
    return Math.max(...shares);
  }
}

type ThreadTimes = readonly [ranNs: number, waitedNs: number];

/** Of each thread of this process so far: how long it ran, and how long it waited for a core (Linux: schedstat). */
function threadTimes(): Map<string, ThreadTimes> {
  const folder = '/proc/self/task';
  if (!existsSync(folder)) return new Map([['', [Number.NaN, Number.NaN]]]);
  return new Map(
    readdirSync(folder).map((thread) => {
      const [ran, waited] = readFileSync(`${folder}/${thread}/schedstat`, 'utf8').split(' ');
      return [thread, [Number(ran), Number(waited)]];
    }),
  );
}

/** What threads did between the two: how long the busiest ran; how long one that did much waited. */
function busiest(before: Map<string, ThreadTimes>, after: Map<string, ThreadTimes>): ThreadTimes {
  const spent = [...after].map(([thread, [ran, waited]]): ThreadTimes => {
    const [ranBefore, waitedBefore] = before.get(thread) ?? [0, 0];
    return [ran - ranBefore, waited - waitedBefore];
  });
  const most = Math.max(...spent.map(([ran]) => ran));
  return [most, Math.max(...spent.map(([ran, waited]) => (ran >= most / 2 ? waited : 0)))];
}

const [what, path, workerText, stretchText] = process.argv.slice(2) as [string, string, string, string];
const workers = Number(workerText);
const epoch = (await loadCluster(benchObjects())).compile();
if (what === 'replay') {
  const { seconds, packets, fingerprint } = await replay(epoch, { traces: [path], workers, lanes: LANES });
  process.send!({ ns: (seconds * 1e9) / packets, fingerprint });
  process.disconnect();
} else {
  const walker = await Walker.open(epoch, path, workers, Number(stretchText));
  process.on('message', async (order: Order) => {
    if (order === 'fill') process.send!(await walker.fill());
    else if (order === 'walk') process.send!(await walker.walk());
    else {
      await walker.close();
      process.disconnect();
    }
  });
  process.send!('ready');
}
