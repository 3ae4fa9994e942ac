/** What an engine can be told when it is made. */
import type { EngineMetrics } from './metrics.js';

export interface EngineOptions {
  /** u32; every random decision is keyed by it. Default 1. */
  readonly seed?: number;
  /** Nanoseconds since 1970 that a batch's tsNs 0 stands for. Default 0. */
  readonly epochNs?: bigint;
  /** Pods answer SYN, echo and UDP; DNS pods answer queries. */
  readonly respond?: boolean;
  /** One-node form: walk this node alone; what its NIC sends has left. */
  readonly node?: string;
  readonly backend?: 'auto' | 'typescript' | 'native';
  /** Remember the paths of connections, which changes no byte and saves time. Default true; off with `explain`. */
  readonly cache?: boolean;
  /** Keep the hops of the last call for explain(). */
  readonly explain?: boolean;
  /** Where to count, and what: made of the same table set. Without it the engine makes its own, without rules and times. */
  readonly metrics?: EngineMetrics;
  /** Rows of the connection table, all nodes together. Default 131,072 a node, as kube-proxy sets it. */
  readonly connectionsMax?: number;
}
