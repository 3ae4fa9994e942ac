/** What a replay tells of itself: its counts while it runs, and its result. */
import type { StageTime } from '../engine/stage-times.js';
import type { Ledger } from '../packet/ledger.js';
import type { ChangeCounts } from './changes.js';
import type { NamedCount, OutcomeCount, PairCount, QuirkCount, RuleCount, ServiceCount } from './counts.js';
import type { ObservationCounts } from './outcomes.js';
import type { TraceSource } from './trace-merge.js';

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
  /** Null when nothing was to change. */
  readonly changes: ChangeCounts | null;
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
