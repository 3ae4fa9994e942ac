/** The replay: captures in, every packet carried or compared, the output in order, and the account of it all. */
import { availableParallelism } from 'node:os';
import { EngineMetrics, type MetricsOptions, metricsSize } from '../engine/metrics.js';
import { type StageTime, stageTimes } from '../engine/stage-times.js';
import { addLedger, createLedger, isBalanced, type Ledger } from '../packet/ledger.js';
import type { Epoch } from '../tables/epoch.js';
import type { GroupOutcome } from '../workers/lane-group.js';
import { createLanePool, type LanePool } from '../workers/lane-pool.js';
import type { LaneSettings } from '../workers/lane-runner.js';
import { shareLanes } from '../workers/lane-shares.js';
import { Chunk, Fate } from './chunk.js';
import type { NamedCount, OutcomeCount, PairCount, QuirkCount, RuleCount, ServiceCount } from './counts.js';
import { defaultLanes, splitState } from './default-lanes.js';
import { Director } from './director.js';
import { Fingerprint } from './fingerprint.js';
import { type Consumers, mergeDrained, mergeOutput } from './merge-output.js';
import { type ObservationCounts, Outcomes } from './outcomes.js';
import type { PlaceRule } from './places.js';
import { hasQuirks, quirkCounts } from './quirk-report.js';
import { ResultCapture } from './result-capture.js';
import { ruleCounts } from './rule-report.js';
import { Summary } from './summary.js';
import { TraceMerge, type TraceSource } from './trace-merge.js';

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
  /** Take the short way where it is known; changes nothing but speed. Default true. */
  readonly cache?: boolean;
  /** Count the packets of br0's rules. Default false. */
  readonly countsRules?: boolean;
  /** Measure stages. Default false. */
  readonly timesStages?: boolean;
  /** Told now and then: packets and bytes read so far, and how to get all counts. The run waits for a promise. */
  readonly onProgress?: (packets: number, bytes: number, soFar: () => RunCounts) => Promise<void> | undefined;
}

/** What can be said of a run at any time. */
export interface RunCounts {
  readonly packets: number;
  readonly bytes: number;
  readonly verdicts: readonly NamedCount[];
  readonly reasons: readonly NamedCount[];
  readonly outcomes: readonly OutcomeCount[];
  readonly services: readonly ServiceCount[];
  readonly nodePairs: readonly PairCount[];
  /** Connections made, and held now. */
  readonly connections: number;
  readonly connectionsLive: number;
  /** Packets that the path cache knew, and that took the long way: up to how the run was cut. */
  readonly pathCache: { readonly hits: number; readonly misses: number };
  /** Null unless they are counted. */
  readonly rules: readonly RuleCount[] | null;
  /** Quirks of the SDN's NetworkPolicy that decided about packets. */
  readonly quirks: readonly QuirkCount[];
  readonly stages: readonly StageTime[] | null;
  readonly ledger: Ledger;
  /** Packets that went down with a worker. */
  readonly lost: number;
  /** Workers that died and were replaced, and packets that were dropped because workers died of them. */
  readonly recovered: number;
  readonly quarantined: number;
  readonly lanes: number;
  /** What of the cluster is exact in one lane alone, as a sentence; empty when nothing is. */
  readonly splitState: string;
  readonly workers: number;
  readonly backend: string;
}

export interface ReplayResult extends RunCounts {
  readonly seconds: number;
  readonly packetsPerSecond: number;
  readonly observations: ObservationCounts;
  readonly differences: readonly string[];
  readonly readdressed: number;
  readonly translatedMacs: number;
  readonly sources: readonly TraceSource[];
  readonly fingerprint: string;
  readonly balanced: boolean;
  /** Damage of a capture, after all before it was carried; or what a worker died of. */
  readonly failure: Error | null;
}

const DEFAULT_CHUNK_ROWS = 2048;
const DEFAULT_CHECKPOINT_SIZE = 4 << 20;
const DEFAULT_LOOK_AHEAD = 65_536;
const LOOK_AHEAD_SIZE = 32 << 20;
/** Chunks on their way at once: one is filled and one merged while one or two are walked. */
const SLOTS = 4;

/** Replay captures through the cluster of `epoch`.
 *  @throws InputError when a capture cannot be opened or the output not be written. Damage met later is in the result. */
export async function replay(epoch: Epoch, options: ReplayOptions): Promise<ReplayResult> {
  const startedMs = performance.now();
  const trace = await TraceMerge.open(options.traces);
  try {
    const lanes = options.lanes ?? defaultLanes(epoch.tables);
    const director = new Director(epoch, trace, {
      lanes,
      lookAhead: options.lookAhead ?? DEFAULT_LOOK_AHEAD,
      lookAheadSize: LOOK_AHEAD_SIZE,
      pick: options.pick ?? 'recorded',
      places: options.places ?? [],
    });
    const weights = await director.laneWeights();
    const workers = Math.min(options.workers ?? defaultWorkers(trace.isEnded), lanes);
    const shares = shareLanes(weights, workers);
    return await new Run(epoch, trace, director, shares, options, startedMs).run();
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
  readonly outcome: Promise<readonly (GroupOutcome | Error)[]>;
}

class Run {
  readonly #options: ReplayOptions;
  readonly #trace: TraceMerge;
  readonly #epoch: Epoch;
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
  readonly #counters: readonly SharedArrayBuffer[];
  readonly #startedMs: number;
  #bytes = 0;
  #dropped = 0;
  #lost = 0;
  #readdressed = 0;
  #failure: Error | null = null;

  constructor(
    epoch: Epoch,
    trace: TraceMerge,
    director: Director,
    lanesOfWorker: readonly (readonly number[])[],
    options: ReplayOptions,
    startedMs: number,
  ) {
    this.#startedMs = startedMs;
    this.#epoch = epoch;
    this.#trace = trace;
    this.#options = options;
    this.#director = director;
    this.#lanes = lanesOfWorker.flat().length;
    this.#workers = lanesOfWorker.length;
    const pick = options.pick ?? 'recorded';
    this.#summary = new Summary(epoch);
    this.#outcomes = new Outcomes(pick === 'model');
    const slots = this.#workers === 1 ? 1 : SLOTS;
    const rows = options.chunkRows ?? DEFAULT_CHUNK_ROWS;
    this.#chunks = Array.from({ length: slots }, () => new Chunk(rows, lanesOfWorker));
    this.#accounts = lanesOfWorker.map(() => null);
    this.#counted = {
      countsRules: options.countsRules === true || hasQuirks(epoch),
      timesStages: options.timesStages ?? false,
    };
    const size = metricsSize(epoch.tables, this.#counted);
    this.#counters = Array.from({ length: this.#lanes }, () => new SharedArrayBuffer(size));
    const settings: LaneSettings = {
      seed: options.seed ?? 1,
      epochNs: trace.epochNs,
      respond: options.respond ?? false,
      backend: options.backend ?? 'auto',
      isExplained: options.isByHop ?? false,
      checkpointSize: options.checkpointSize ?? DEFAULT_CHECKPOINT_SIZE,
      isModel: pick === 'model',
      cache: options.cache ?? true,
      counted: this.#counted,
      counters: this.#counters,
    };
    this.#pool = createLanePool(
      epoch,
      settings,
      this.#chunks.map((chunk) => chunk.parcels),
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
      if (chunk.count === 0) break;
      for (let row = 0; row < chunk.count; row++) this.#bytes += chunk.length[row]!;
      flights.push({ chunk, slot, outcome: this.#pool.run(slot) });
    }
    for (const flight of flights) await this.#land(flight, to);
  }

  async #land({ chunk, outcome }: Flight, to: Consumers): Promise<void> {
    this.#take(chunk, await outcome);
    for (let row = 0; row < chunk.count; row++) if (chunk.fate[row] === Fate.Drop) this.#dropped++;
    mergeOutput(chunk, to);
    await to.capture?.drain();
    await this.#options.onProgress?.(chunk.first + chunk.count, this.#bytes, () => this.#counts());
  }

  async #drain(to: Consumers): Promise<void> {
    const chunk = this.#chunks[0]!;
    chunk.reset(this.#director.sequence);
    this.#take(chunk, await this.#pool.run(0, this.#director.sequence));
    mergeDrained(chunk, to);
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
    const metrics = this.#metrics();
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
      rules: this.#options.countsRules === true ? ruleCounts(this.#epoch, metrics.rulePackets) : null,
      quirks: quirkCounts(this.#epoch, metrics.rulePackets),
      stages: this.#counted.timesStages === true ? stageTimes(metrics.stageTimes) : null,
      ledger,
      lost: this.#lost,
      recovered: this.#pool.recovered,
      quarantined: this.#pool.quarantined,
      lanes: this.#lanes,
      splitState: splitState(this.#epoch.tables),
      workers: this.#workers,
      backend: this.#accounts.find((account) => account !== null)?.backend ?? '',
    };
  }

  /** Sum over the lanes. */
  #metrics(): EngineMetrics {
    const sum = new EngineMetrics(this.#epoch.tables, this.#counted);
    for (const buffer of this.#counters)
      sum.add(new EngineMetrics(this.#epoch.tables, { ...this.#counted, buffer }));
    return sum;
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
