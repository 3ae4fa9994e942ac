/** Runs one lane: its engine, its part of every chunk, and the order in which its output belongs into the trace. */
import { Engine } from '../engine/engine.js';
import type { PacketTrace } from '../engine/explain.js';
import { EngineMetrics, type MetricsOptions } from '../engine/metrics.js';
import type { StateBuffer } from '../layout/state-buffer.js';
import type { Arena } from '../packet/batch.js';
import { Reason } from '../verdict/reasons.js';
import type { ShelvedEpoch } from './epoch-shelf.js';
import type { CreateChoices, LaneChoices } from './lane-program.js';
import { PacketEnds } from './packet-ends.js';
import { copySegment, type LaneRows, RowRole, type Segment } from './parcel.js';
import type { RowsInHand } from './rows-in-hand.js';

/** What a run's lanes have in common, and is sent to their threads. */
export interface SentSettings {
  readonly seed: number;
  readonly epochNs: bigint;
  readonly respond: boolean;
  readonly backend: 'auto' | 'typescript' | 'native';
  /** Paths of connections are remembered. Default true. */
  readonly cache?: boolean;
  /** What lanes count beside the ledger; where, comes with each table set. */
  readonly counted?: Pick<MetricsOptions, 'countsRules' | 'timesStages'>;
  /** Bytes of packets after which a worker writes down what its lanes know. */
  readonly checkpointSize: number;
  /** Keep explanations. */
  readonly isExplained: boolean;
}

/** The same in a thread, with what cannot be sent. */
export interface LaneSettings extends SentSettings {
  readonly createChoices: CreateChoices | null;
}

/** An explanation, and the packet of the trace at whose turn it was given. */
export interface PlacedTrace {
  readonly place: number;
  readonly root: number;
  readonly trace: PacketTrace;
}

/** What a lane made of a chunk, besides the rows in its own columns. */
export interface LaneOutcome {
  /** Rows that came before those. */
  readonly spilled: readonly Segment[];
  readonly count: number;
  readonly traces: readonly PlacedTrace[];
  readonly readdressed: number;
}

/** Arena bytes that the next lane finds free at least. */
const SPARE_SIZE = 1 << 20;

export class LaneRunner {
  readonly engine: Engine;
  readonly #lane: number;
  readonly #settings: LaneSettings;
  readonly #inHand: RowsInHand;
  readonly #choices: LaneChoices | null;
  readonly #ends: PacketEnds;
  /** Where it counts; undefined: in memory of its own. */
  #counters: SharedArrayBuffer | undefined;
  #clockNs = Number.NEGATIVE_INFINITY;
  #spilled: Segment[] = [];
  #traces: PlacedTrace[] = [];
  #readdressed = 0;
  /** Where the lane's own packets end: the arena is free from there on once its output is spilled. */
  #base = 0;
  /** Input rows whose clock, or whose turn, has passed. */
  #clocked = 0;
  #met = 0;

  constructor(first: ShelvedEpoch, lane: number, settings: LaneSettings, inHand: RowsInHand) {
    const { epoch } = first;
    this.#lane = lane;
    this.#counters = first.counters[lane];
    this.#settings = settings;
    this.#inHand = inHand;
    this.engine = new Engine(epoch, {
      seed: settings.seed,
      epochNs: settings.epochNs,
      respond: settings.respond,
      backend: settings.backend,
      cache: settings.cache ?? true,
      metrics: laneMetrics(first, lane, settings),
      explain: settings.isExplained,
    });
    // A worker that died may have counted here: its packets are counted again.
    this.engine.metrics.cells.fill(0);
    this.#choices = settings.createChoices?.(epoch.tables) ?? null;
    this.#ends = new PacketEnds(epoch.tables.config.vxlanPort[0]!);
  }

  /** Go on by another table set. Between two chunks.
   *  @throws RangeError as Engine.install() does. */
  install(next: ShelvedEpoch): void {
    const { epoch, counters } = next;
    const isElsewhere = counters[this.#lane] !== this.#counters;
    this.engine.install(epoch, isElsewhere ? laneMetrics(next, this.#lane, this.#settings) : undefined);
    this.#counters = counters[this.#lane];
    this.#choices?.use(epoch.tables);
    this.#ends.use(epoch.tables.config.vxlanPort[0]!);
  }

  /** Walk the lane's rows. Their output is in rows.output, and before it in the outcome's segments. */
  run(rows: LaneRows): LaneOutcome {
    this.#begin(rows.input.arena);
    const { count } = rows.input;
    if (this.#choices !== null) this.#followChoices(rows, this.#choices);
    this.#processUntil(rows, count);
    return this.#finish(rows);
  }

  /** Fire the timers that are due at `untilNs` or before; with Infinity all. `end` is the place of what they give out. */
  drain(rows: LaneRows, end: number, untilNs: number): LaneOutcome {
    this.#begin(rows.input.arena);
    for (let due = this.engine.nextTimerNs(); due <= untilNs; due = this.engine.nextTimerNs()) {
      if (due === Number.POSITIVE_INFINITY) break;
      const before = rows.output.count;
      this.#advance(due, rows);
      for (let i = before; i < rows.output.count; i++) {
        rows.place[i] = end;
      }
      this.#ends.note(rows.output, before, rows.input.arena.view, rows.ends);
      if (this.#settings.isExplained) this.#keepTraces(rows, rows.input.next, before);
      if (rows.output.count === before || rows.output.count > rows.output.capacity / 2) this.#spill(rows);
    }
    // Then nothing is due, and the time passes all the same: for packets from the past that come later.
    if (untilNs < Number.POSITIVE_INFINITY) this.#advance(untilNs, rows);
    return this.#finish(rows);
  }

  #advance(ns: number, { input, output }: LaneRows): void {
    this.engine.advance(ns, output, input.arena);
    if (ns > this.#clockNs) this.#clockNs = ns;
  }

  /** Copy what is known of the packets so far. Between two chunks. */
  save(to: StateBuffer): void {
    this.engine.saveState(to);
    to.putNumber(this.#clockNs);
    this.#choices?.save(to);
  }

  /** Become what save() copied. */
  restore(from: StateBuffer): void {
    this.engine.restoreState(from);
    this.#clockNs = from.takeNumber();
    this.#choices?.restore(from);
  }

  #begin(arena: Arena): void {
    this.#spilled = [];
    this.#traces = [];
    this.#readdressed = 0;
    this.#base = arena.used;
    this.#clocked = 0;
    this.#met = 0;
  }

  #finish(rows: LaneRows): LaneOutcome {
    const { arena } = rows.input;
    if (arena.bytes.length - arena.used < SPARE_SIZE) this.#spill(rows);
    return {
      spilled: this.#spilled,
      count: rows.output.count,
      traces: this.#traces,
      readdressed: this.#readdressed,
    };
  }

  #processUntil(rows: LaneRows, end: number): void {
    const { input, output } = rows;
    while (input.next < end) {
      const [next, before] = [input.next, output.count];
      const until = this.#inHand.take(rows, next, end);
      input.count = Math.max(until, next + 1);
      if (until === next) this.engine.refuse(input, output, Reason.WorkerQuarantine);
      else this.engine.process(input, output);
      this.#absorb(rows, before);
      this.#ends.note(output, before, input.arena.view, rows.ends);
      if (this.#settings.isExplained) this.#keepTraces(rows, next, before);
      if (input.next === input.count) continue;
      if (input.next === next && output.count === 0)
        throw new Error('an empty arena has no room for the next packet');
      this.#spill(rows);
    }
    input.count = end;
  }

  /** Say of each new output row where it belongs. What a timer gave out belongs before the packet that made the time
   *  pass: the first whose clock is not before the row's. So batches may be cut anywhere. */
  #absorb(rows: LaneRows, before: number): void {
    const { input, output, sequence, place } = rows;
    for (let i = before; i < output.count; i++) {
      const origin = output.origin[i]!;
      const tsNs = output.tsNs[i]!;
      if (origin >= 0) {
        const isOwn = output.parent[i] === -1 && output.root[i] === sequence[origin];
        this.#meet(rows, origin, isOwn);
        place[i] = sequence[origin]!;
        if (isOwn) this.#choices?.note(rows, origin, i);
        continue;
      }
      // The clock passes each input once; the row's turn is the first input that brings it so far.
      while (this.#clocked < input.count && Math.max(this.#clockNs, input.tsNs[this.#clocked]!) < tsNs)
        this.#pass(rows);
      const turn = Math.min(Math.max(this.#clocked, this.#met), input.count - 1);
      this.#met = Math.max(this.#met, turn);
      place[i] = sequence[turn]!;
    }
    while (this.#clocked < input.next) this.#pass(rows);
    this.#met = Math.max(this.#met, input.next);
  }

  #pass(rows: LaneRows): void {
    const tsNs = rows.input.tsNs[this.#clocked++]!;
    if (tsNs > this.#clockNs) this.#clockNs = tsNs;
  }

  /** Input `origin` gave a row. */
  #meet(rows: LaneRows, origin: number, isOwn: boolean): void {
    this.#met = Math.max(this.#met, isOwn ? origin + 1 : origin);
    while (this.#clocked < origin) this.#pass(rows);
  }

  #spill(rows: LaneRows): void {
    if (rows.output.count > 0) this.#spilled.push(copySegment(rows, rows.input.arena.bytes));
    rows.output.count = 0;
    rows.input.arena.used = this.#base;
  }

  /** Explanations of the inputs from `first` on and of the output rows from `before` on, in the order of output. */
  #keepTraces(rows: LaneRows, first: number, before: number): void {
    const { input, output, sequence, place } = rows;
    const traces: PlacedTrace[] = [];
    for (const trace of this.engine.explain(-1)) {
      const row = output.packet.indexOf(trace.packet, before);
      // A row of its own shows whose turn it was; what is held again shows later.
      if (row >= 0 && row < output.count) traces.push({ place: place[row]!, root: output.root[row]!, trace });
    }
    // The row after them may have given some of its rows, and have copies still to come.
    for (let i = first; i <= input.next && i < input.count; i++)
      for (const trace of this.engine.explain(i))
        traces.push({ place: sequence[i]!, root: sequence[i]!, trace });
    this.#traces.push(...traces.sort((a, b) => a.place - b.place));
  }

  /** Before a recorded server's packet goes in, its client's have gone, so that their choice is known. */
  #followChoices(rows: LaneRows, choices: LaneChoices): void {
    const { role, input } = rows;
    const { count } = input;
    let isChoiceDue = false;
    for (let i = 0; i < count; i++) {
      if (role[i] === RowRole.OPENS || (role[i] === RowRole.TO_SERVICE && !choices.has(rows, i)))
        isChoiceDue = true;
      if (role[i] !== RowRole.FROM_SERVER) continue;
      if (isChoiceDue) this.#processUntil(rows, i);
      isChoiceDue = false;
      const isAllowed = this.#inHand.take(rows, i, i + 1) > i;
      if (isAllowed && choices.follow(rows, i)) this.#readdressed++;
    }
  }
}

/** The lane's counters, where others can read them when they gave memory for it. */
function laneMetrics(
  { epoch, counters }: ShelvedEpoch,
  lane: number,
  { counted }: LaneSettings,
): EngineMetrics {
  const buffer = counters[lane];
  return new EngineMetrics(epoch.tables, { ...counted, ...(buffer === undefined ? {} : { buffer }) });
}
