/** Walks packets as graph-walk does and looks at the clock on the way: of each stage for a sample of the packets, of the
 *  kernels at every call. */
import type { Kernels } from '../kernels/backend.js';
import { DONE, type Walk } from '../stages/walk.js';
import { Reason } from '../verdict/reasons.js';
import { EDGES_MAX, GRAPH, NEXT_STAGE, STEPS_MAX } from './graph.js';
import { leadForks } from './graph-walk.js';
import { countPackets, countTime, KERNEL_NAMES } from './stage-times.js';

/** One packet of this many is measured, on average. */
const SAMPLE = 16;
/** Readings that tell what a reading takes. */
const CALIBRATION = 101;

const { bigint: clock } = process.hrtime;
const sinceNs = (from: bigint): number => Number(clock() - from);
const FIRST_KERNEL = GRAPH.length;
const [FIVE_TUPLE, LOOK_UP, SHORT_WAY] = KERNEL_NAMES.map((_, i) => FIRST_KERNEL + i) as [
  number,
  number,
  number,
];

export class StageClock {
  #cells: Float64Array;
  /** What a reading of the clock takes itself; every measured time has one in it. */
  readonly #readingNs = readingNs();
  /** Packets until the next that is measured. Steps of changing length, lest a pattern in the traffic is hit or missed. */
  #left = 1;
  #state = 1;

  /** `cells`: EngineMetrics.stageTimes. */
  constructor(cells: Float64Array) {
    this.#cells = cells;
  }

  /** Count in other cells from now on. */
  useCells(cells: Float64Array): void {
    this.#cells = cells;
  }

  /** As graph-walk's walkGraph. */
  run(w: Walk, stage: number): void {
    if (--this.#left === 0) {
      this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
      this.#left = SAMPLE / 2 + ((this.#state >>> 16) % (SAMPLE + 1));
      this.#runMeasured(w, stage);
      return;
    }
    let current = stage;
    for (let step = 0; step < STEPS_MAX; step++) {
      if (w.hops !== null) w.hops.stage(w, current);
      countPackets(this.#cells, current, 1);
      const edge = GRAPH[current]!.run(w);
      if (edge < 0) {
        if (edge !== DONE) leadForks(w, current, edge);
        return;
      }
      current = NEXT_STAGE[current * EDGES_MAX + edge]!;
    }
    w.drop(Reason.WalkTooLong);
  }

  #runMeasured(w: Walk, stage: number): void {
    let current = stage;
    for (let step = 0; step < STEPS_MAX; step++) {
      if (w.hops !== null) w.hops.stage(w, current);
      const from = clock();
      const edge = GRAPH[current]!.run(w);
      this.#count(current, 1, sinceNs(from));
      if (edge < 0) {
        if (edge !== DONE) leadForks(w, current, edge);
        return;
      }
      current = NEXT_STAGE[current * EDGES_MAX + edge]!;
    }
    w.drop(Reason.WalkTooLong);
  }

  /** The same kernels, measured. */
  timed(kernels: Kernels): Kernels {
    return {
      ...kernels,
      fiveTupleBatch: (
        bytes,
        offset,
        length,
        port,
        nodes,
        ports,
        space,
        first,
        count,
        seed,
        keys,
        hashes,
      ) => {
        const from = clock();
        const { fiveTupleBatch } = kernels;
        const done = fiveTupleBatch(
          bytes,
          offset,
          length,
          port,
          nodes,
          ports,
          space,
          first,
          count,
          seed,
          keys,
          hashes,
        );
        this.#count(FIVE_TUPLE, done, sinceNs(from));
        return done;
      },
      conntrackLookupBatch: (slots, rows, keyAt, keys, hashes, first, count, found) => {
        const from = clock();
        kernels.conntrackLookupBatch(slots, rows, keyAt, keys, hashes, first, count, found);
        this.#count(LOOK_UP, count, sinceNs(from));
      },
      shortPath: (views, first, end, base, out, number, limitNs) => {
        const from = clock();
        const next = kernels.shortPath(views, first, end, base, out, number, limitNs);
        this.#count(SHORT_WAY, next - first, sinceNs(from));
        return next;
      },
    };
  }

  #count(row: number, packets: number, ns: number): void {
    countPackets(this.#cells, row, packets);
    countTime(this.#cells, row, packets, Math.max(0, ns - this.#readingNs));
  }
}

/** Median of the time between two readings with nothing in between. */
function readingNs(): number {
  const times: number[] = [];
  for (let i = 0; i < CALIBRATION; i++) {
    const from = clock();
    times.push(sinceNs(from));
  }
  return times.sort((a, b) => a - b)[CALIBRATION >> 1]!;
}
