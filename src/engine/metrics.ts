/** What one engine counts beside its ledger, as one column of numbers: engines add up, and any thread may read along. */
import type { Tables } from '../tables/epoch.js';
import { STAGE_CELLS } from './stage-times.js';

/** Cells of the head. */
const CELL = { LIVE: 0, CREATED: 1, SHORT: 2, LONG: 3, SIZE: 8 } as const;

export interface MetricsOptions {
  /** Count the packets that each rule of br0 matches. Default false: it costs about a twentieth. */
  readonly countsRules?: boolean;
  /** Measure the time that stages and kernels take. Default false: it costs about a tenth. */
  readonly timesStages?: boolean;
  /** Count in this memory, of metricsSize() bytes, which other threads may read. */
  readonly buffer?: SharedArrayBuffer;
}

/** f64 cells: head[8] | connections by Service row | connections by endpoint row (with room for those that may come) | packets by rule row, where counted |
 *  times of stages, where taken. Written by one engine. */
export class EngineMetrics {
  readonly cells: Float64Array;
  /** The cells that are of no row. */
  readonly head: Float64Array;
  /** Connections that were translated to this Service row, and to this endpoint row. */
  readonly serviceConnections: Float64Array;
  readonly endpointConnections: Float64Array;
  /** Packets that matched this row of flows.rule, as n_packets of ovs-ofctl dump-flows; empty where not counted. */
  readonly rulePackets: Float64Array;
  /** See stage-times; empty where not measured. */
  readonly stageTimes: Float64Array;

  constructor(tables: Tables, options: MetricsOptions = {}) {
    const { services, endpoints, flows } = tables;
    const rules = options.countsRules ? flows.rule.capacity : 0;
    const times = options.timesStages ? STAGE_CELLS : 0;
    const sizes = [CELL.SIZE, services.capacity, endpoints.capacity, rules, times];
    const total = sizes.reduce((sum, size) => sum + size, 0);
    this.cells = options.buffer === undefined ? new Float64Array(total) : new Float64Array(options.buffer);
    let at = 0;
    const column = (i: number): Float64Array => {
      const from = at;
      at += sizes[i]!;
      return this.cells.subarray(from, at);
    };
    this.head = column(0);
    this.serviceConnections = column(1);
    this.endpointConnections = column(2);
    this.rulePackets = column(3);
    this.stageTimes = column(4);
  }

  /** Connections that conntrack holds, all nodes together. Expired ones count until something meets them. */
  get connectionsLive(): number {
    return this.cells[CELL.LIVE]!;
  }

  get connectionsCreated(): number {
    return this.cells[CELL.CREATED]!;
  }

  /** Packets that the path cache knew. How many is up to batch sizes, as a path is known from the next batch on. */
  get pathHits(): number {
    return this.cells[CELL.SHORT]!;
  }

  /** Packets that took the long way while the cache was on. */
  get pathMisses(): number {
    return this.cells[CELL.LONG]!;
  }

  noteConnections(live: number, created: number): void {
    this.cells[CELL.LIVE] = live;
    this.cells[CELL.CREATED] = created;
  }

  notePaths(hits: number, misses: number): void {
    this.cells[CELL.SHORT]! += hits;
    this.cells[CELL.LONG]! += misses;
  }

  /** Add what another engine of the same table set has counted. */
  add(other: EngineMetrics): void {
    for (let i = 0; i < this.cells.length; i++) this.cells[i]! += other.cells[i]!;
  }
}

/** Bytes that EngineMetrics with these options takes. */
export const metricsSize = (tables: Tables, options: MetricsOptions): number =>
  new EngineMetrics(tables, options).cells.byteLength;
