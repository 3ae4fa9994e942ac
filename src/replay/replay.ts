/** The replay: captures in, every packet carried or compared, the output in order, and the account of it all. */
import { availableParallelism } from 'node:os';
import type { MetricsOptions } from '../engine/metrics.js';
import { stageTimes } from '../engine/stage-times.js';
import { addLedger, createLedger, isBalanced } from '../packet/ledger.js';
import { changesBetween, type Epoch } from '../tables/epoch.js';
import type { GroupOutcome } from '../workers/lane-group.js';
import { createLanePool, type LanePool } from '../workers/lane-pool.js';
import { WALK_ONLY } from '../workers/lane-program.js';
import type { SentSettings } from '../workers/lane-runner.js';
import { shareLanes } from '../workers/lane-shares.js';
import { ChangeTimeline } from './change-timeline.js';
import { type ClusterChanges, nodesGone } from './changes.js';
import { Chunk, Fate } from './chunk.js';
import { defaultLanes } from './default-lanes.js';
import { Director } from './director.js';
import { EpochsInUse } from './epochs-in-use.js';
import { Fingerprint } from './fingerprint.js';
import { type Consumers, mergeDrained, mergeOutput } from './merge-output.js';
import { Outcomes } from './outcomes.js';
import type { PlaceRule } from './places.js';
import { hasQuirks, quirkCounts } from './quirk-report.js';
import type { ReplayResult, RunCounts } from './replay-result.js';
import { ResultCapture } from './result-capture.js';
import { ruleCounts } from './rule-report.js';
import { MODEL_PROGRAM } from './server-choices.js';
import { Summary } from './summary.js';
import { TraceMerge } from './trace-merge.js';

export type { ReplayResult, RunCounts } from './replay-result.js';

export interface ReplayOptions {
  readonly traces: readonly string[];
  /** Capture of the output; none is written without. */
  readonly output?: string;
  readonly isByHop?: boolean;
  readonly seed?: number;
  readonly respond?: boolean;
  /** Fire pending timers at the end. Default true. */
  readonly drain?: boolean;
  readonly pick?: 'recorded' | 'model';
  readonly places?: readonly PlaceRule[];
  /** A property of the run: the result depends on it. Default 8, or 1 where state is exact in one lane alone. */
  readonly lanes?: number;
  /** Threads that share the lanes: the result does not depend on it. Default: two, if there are two cores and the trace is
   *  longer than the look-ahead; else one, which is no thread of its own. */
  readonly workers?: number;
  /** Packets seen ahead to learn endpoints from. Default 65,536. */
  readonly lookAhead?: number;
  readonly backend?: 'auto' | 'typescript' | 'native';
  /** Packets that are handed to the lanes in one go: the result does not depend on it. Default 2,048. */
  readonly chunkRows?: number;
  /** Bytes of packets after which a worker writes down what it knows: the result does not depend on it. Default 4 MiB. */
  readonly checkpointSize?: number;
  /** Changes of the cluster in the course of the trace. */
  readonly changes?: ClusterChanges;
  /** Take the short way where it is known; changes nothing but speed. Default true. */
  readonly cache?: boolean;
  /** Count the packets of br0's rules. Default false. */
  readonly countsRules?: boolean;
  /** Measure stages. Default false. */
  readonly timesStages?: boolean;
  /** Told now and then: packets and bytes read so far, and how to get all counts. The run waits for a promise. */
  readonly onProgress?: (packets: number, bytes: number, soFar: () => RunCounts) => Promise<void> | undefined;
}

const DEFAULT_CHUNK_ROWS = 2048;
const DEFAULT_CHECKPOINT_SIZE = 4 << 20;
const DEFAULT_LOOK_AHEAD = 65_536;
const LOOK_AHEAD_SIZE = 32 << 20;
/** Chunks on their way at once: one is filled and one merged while one or two are walked. */
const SLOTS = 4;

/** Replay captures through the cluster of `epoch`, and what becomes of it.
 *  @throws InputError when a capture cannot be opened, a change not be made or the output not be written. Damage met later is
 *  in the result. */
export async function replay(epoch: Epoch, options: ReplayOptions): Promise<ReplayResult> {
  const startedMs = performance.now();
  const trace = await TraceMerge.open(options.traces);
  try {
    const timeline = new ChangeTimeline(epoch, options.changes, trace);
    const { servers } = timeline;
    const lanes = options.lanes ?? defaultLanes(timeline.splitState);
    const director = new Director(epoch, trace, {
      lanes,
      lookAhead: options.lookAhead ?? DEFAULT_LOOK_AHEAD,
      lookAheadSize: LOOK_AHEAD_SIZE,
      pick: options.pick ?? 'recorded',
      places: options.places ?? [],
      ...(servers === undefined ? {} : { servers }),
    });
    const weights = await director.laneWeights();
    const workers = Math.min(options.workers ?? defaultWorkers(trace.isEnded), lanes);
    const shares = shareLanes(weights, workers);
    return await new Run(epoch, trace, timeline, director, shares, options, startedMs).run();
  } finally {
    await trace.close();
  }
}

/** More than two wait for the thread that reads, as long as packets are cheaper to walk than to read. What is seen whole
 *  before it begins is over before threads have started. */
const defaultWorkers = (isShort: boolean): number => (isShort ? 1 : Math.min(2, availableParallelism()));

interface Flight {
  readonly chunk: Chunk;
  readonly slot: number;
  /** In force for the chunk. */
  readonly epoch: Epoch;
  /** Timers alone: there is no packet in the chunk. */
  readonly isTimers: boolean;
  readonly outcome: Promise<readonly (GroupOutcome | Error)[]>;
}

class Run {
  readonly #options: ReplayOptions;
  readonly #trace: TraceMerge;
  /** In force for what is given to the lanes; for what has come back from them. */
  #epoch: Epoch;
  #merged: Epoch;
  readonly #epochs: EpochsInUse;
  readonly #timeline: ChangeTimeline;
  readonly #director: Director;
  readonly #summary: Summary;
  readonly #fingerprint = new Fingerprint();
  readonly #outcomes: Outcomes;
  readonly #chunks: readonly Chunk[];
  readonly #pool: LanePool;
  /** By worker: the last account that it gave. */
  readonly #accounts: (GroupOutcome | null)[];
  readonly #lanes: number;
  readonly #workers: number;
  readonly #counted: MetricsOptions;
  readonly #startedMs: number;
  #bytes = 0;
  #dropped = 0;
  #lost = 0;
  #readdressed = 0;
  #failure: Error | null = null;

  constructor(
    epoch: Epoch,
    trace: TraceMerge,
    timeline: ChangeTimeline,
    director: Director,
    lanesOfWorker: readonly (readonly number[])[],
    options: ReplayOptions,
    startedMs: number,
  ) {
    this.#startedMs = startedMs;
    this.#epoch = epoch;
    this.#merged = epoch;
    this.#trace = trace;
    this.#options = options;
    this.#timeline = timeline;
    this.#director = director;
    director.stopNs = timeline.nextNs;
    this.#lanes = lanesOfWorker.flat().length;
    this.#workers = lanesOfWorker.length;
    const pick = options.pick ?? 'recorded';
    this.#summary = new Summary(epoch);
    this.#outcomes = new Outcomes(pick === 'model');
    const slots = this.#workers === 1 ? 1 : SLOTS;
    const rows = options.chunkRows ?? DEFAULT_CHUNK_ROWS;
    this.#chunks = Array.from({ length: slots }, () => new Chunk(rows, lanesOfWorker));
    this.#accounts = lanesOfWorker.map(() => null);
    // A change may bring what the first tables have not.
    const mayHaveQuirks = hasQuirks(epoch) || options.changes !== undefined;
    this.#counted = {
      countsRules: options.countsRules === true || mayHaveQuirks,
      timesStages: options.timesStages ?? false,
    };
    this.#epochs = new EpochsInUse(this.#lanes, this.#counted);
    const settings: SentSettings = {
      seed: options.seed ?? 1,
      epochNs: trace.epochNs,
      respond: options.respond ?? false,
      backend: options.backend ?? 'auto',
      isExplained: options.isByHop ?? false,
      checkpointSize: options.checkpointSize ?? DEFAULT_CHECKPOINT_SIZE,
      cache: options.cache ?? true,
      counted: this.#counted,
    };
    this.#pool = createLanePool(
      this.#epochs.add(epoch),
      settings,
      this.#chunks.map((chunk) => chunk.parcels),
      pick === 'model' ? MODEL_PROGRAM : WALK_ONLY,
    );
  }

  async run(): Promise<ReplayResult> {
    const { output } = this.#options;
    const capture =
      output === undefined ? null : await ResultCapture.create(output, this.#epoch, this.#trace.epochNs);
    const consumers: Consumers = {
      summary: this.#summary,
      fingerprint: this.#fingerprint,
      outcomes: this.#outcomes,
      capture,
      isByHop: this.#options.isByHop ?? false,
    };
    try {
      await this.#carry(consumers);
      if (this.#options.drain !== false && this.#failure === null) await this.#drain(consumers);
    } finally {
      // What was written is whole records whatever happened.
      await capture?.close();
      await this.#pool.close();
      this.#epochs.releaseAll();
    }
    return this.#result();
  }

  /** Fill, walk, merge: chunks are merged in the order in which they were filled. */
  async #carry(to: Consumers): Promise<void> {
    const flights: Flight[] = [];
    const free = this.#chunks.map((_, slot) => slot);
    for (;;) {
      const slot = free.shift();
      if (slot === undefined || this.#failure !== null) {
        const flight = flights.shift();
        if (flight === undefined) return;
        await this.#land(flight, to);
        free.push(flight.slot);
        continue;
      }
      const chunk = this.#chunks[slot]!;
      await this.#director.fill(chunk);
      if (chunk.count === 0) {
        if (!this.#director.isStopped) break;
        if (this.#change(slot, flights)) free.unshift(slot);
        continue;
      }
      for (let row = 0; row < chunk.count; row++) this.#bytes += chunk.length[row]!;
      flights.push({ chunk, slot, epoch: this.#epoch, isTimers: false, outcome: this.#pool.run(slot) });
    }
    for (const flight of flights) await this.#land(flight, to);
  }

  /** Make the next change: timers that are due by then fire by the tables before. Returns whether the slot is still free. */
  #change(slot: number, flights: Flight[]): boolean {
    const { sequence } = this.#director;
    const { nextNs } = this.#timeline;
    const [before, chunk] = [this.#epoch, this.#chunks[slot]!];
    let after: Epoch;
    try {
      after = this.#timeline.take(sequence);
    } catch (error) {
      this.#failure ??= error instanceof Error ? error : new Error(String(error));
      return true;
    }
    const entry = this.#epochs.add(after);
    if (sequence > 0) {
      chunk.reset(sequence);
      // Between two packets. What waits on a node that goes is given up at once.
      const drain = {
        at: sequence - 0.5,
        untilNs: nodesGone(before, after) ? Number.POSITIVE_INFINITY : nextNs,
      };
      flights.push({ chunk, slot, epoch: before, isTimers: true, outcome: this.#pool.run(slot, drain) });
    }
    this.#pool.use(entry);
    this.#director.use(after, entry.changed !== null);
    this.#director.stopNs = this.#timeline.nextNs;
    this.#epoch = after;
    return sequence === 0;
  }

  async #land({ chunk, epoch, isTimers, outcome }: Flight, to: Consumers): Promise<void> {
    const outcomes = await outcome;
    this.#turnTo(epoch, to);
    this.#take(chunk, outcomes);
    if (isTimers) {
      mergeDrained(chunk, to);
      return;
    }
    for (let row = 0; row < chunk.count; row++) if (chunk.fate[row] === Fate.Drop) this.#dropped++;
    mergeOutput(chunk, to);
    await to.capture?.drain();
    await this.#options.onProgress?.(chunk.first + chunk.count, this.#bytes, () => this.#counts());
  }

  async #drain(to: Consumers): Promise<void> {
    const chunk = this.#chunks[0]!;
    chunk.reset(this.#director.sequence);
    const drain = { at: this.#director.sequence, untilNs: Number.POSITIVE_INFINITY };
    const outcomes = await this.#pool.run(0, drain);
    this.#turnTo(this.#epoch, to);
    this.#take(chunk, outcomes);
    mergeDrained(chunk, to);
  }

  /** What comes back from now on is in rows of `epoch`. */
  #turnTo(epoch: Epoch, { summary, capture }: Consumers): void {
    if (epoch === this.#merged) return;
    summary.use(epoch, changesBetween(this.#merged, epoch)?.services ?? null);
    capture?.use(epoch);
    this.#merged = epoch;
    this.#epochs.releaseBefore(Math.min(epoch.number, this.#pool.oldestEpoch));
  }

  /** Note what each worker answered; of one that failed, the packets that it had. */
  #take(chunk: Chunk, outcomes: readonly (GroupOutcome | Error)[]): void {
    outcomes.forEach((outcome, worker) => {
      const parcel = chunk.parcels[worker]!;
      if (outcome instanceof Error) {
        this.#failure ??= outcome;
        for (const rows of parcel.lanes) {
          this.#lost += rows.input.count;
          rows.output.count = 0;
          chunk.spilled[rows.lane] = [];
          chunk.traces[rows.lane] = [];
        }
        return;
      }
      this.#accounts[worker] = outcome;
      parcel.lanes.forEach((rows, i) => {
        const lane = outcome.lanes[i]!;
        chunk.spilled[rows.lane] = lane.spilled;
        chunk.traces[rows.lane] = lane.traces;
        this.#readdressed += lane.readdressed;
      });
    });
  }

  #counts(): RunCounts {
    const ledger = createLedger();
    let connections = 0;
    for (const account of this.#accounts) {
      if (account === null) continue;
      addLedger(ledger, account.ledger);
      connections += account.connections;
    }
    ledger.in += this.#dropped + this.#lost;
    ledger.dropped += this.#dropped;
    const metrics = this.#epochs.metrics(this.#merged);
    return {
      packets: this.#director.sequence,
      bytes: this.#bytes,
      verdicts: this.#summary.verdicts(),
      reasons: this.#summary.reasons(),
      outcomes: this.#summary.outcomes(),
      services: this.#summary.services(metrics),
      nodePairs: this.#summary.nodePairs(),
      connections,
      connectionsLive: metrics.connectionsLive,
      pathCache: { hits: metrics.pathHits, misses: metrics.pathMisses },
      rules: this.#options.countsRules === true ? ruleCounts(this.#merged, metrics.rulePackets) : null,
      quirks: quirkCounts(this.#merged, metrics.rulePackets),
      stages: this.#counted.timesStages === true ? stageTimes(metrics.stageTimes) : null,
      ledger,
      changes: this.#timeline.counts,
      lost: this.#lost,
      recovered: this.#pool.recovered,
      quarantined: this.#pool.quarantined,
      lanes: this.#lanes,
      splitState: this.#timeline.splitState,
      workers: this.#workers,
      backend: this.#accounts.find((account) => account !== null)?.backend ?? '',
    };
  }

  #result(): ReplayResult {
    const counts = this.#counts();
    const seconds = (performance.now() - this.#startedMs) / 1000;
    return {
      ...counts,
      seconds,
      packetsPerSecond: seconds > 0 ? Math.round(counts.packets / seconds) : 0,
      observations: this.#outcomes.counts,
      differences: this.#outcomes.notes,
      readdressed: this.#readdressed,
      translatedMacs: this.#director.translatedMacs,
      sources: this.#trace.sources,
      fingerprint: this.#fingerprint.finish(),
      balanced: isBalanced(counts.ledger),
      failure: this.#failure ?? this.#trace.failure,
    };
  }
}
