/** Shapes of the counts that a run's summary gives. */

export interface Count {
  readonly packets: number;
  readonly bytes: number;
}

export interface NamedCount extends Count {
  readonly name: string;
}

/** A reason, under the verdict that it was given with. */
export interface OutcomeCount extends Count {
  readonly verdict: string;
  readonly reason: string;
}

export interface EndpointCount extends NamedCount {
  /** New connections that were translated to it. */
  readonly connections: number;
}

export interface ServiceCount extends EndpointCount {
  readonly endpoints: readonly EndpointCount[];
}

/** Packets that matched a rule of br0. */
export interface RuleCount {
  readonly node: string;
  readonly table: number;
  readonly priority: number;
  readonly match: string;
  /** As `NetworkPolicy web/allow`; empty for rules of the pipeline itself. */
  readonly object: string;
  /** Its place among the rules of its table, in the order of the tables: up to the cluster alone. */
  readonly rank: number;
  readonly packets: number;
}

/** Packets that a quirk of the SDN decided about. */
export interface QuirkCount {
  readonly quirk: string;
  readonly sentence: string;
  /** As `NetworkPolicy shop/web-allow ingress[0].ports[1]`. */
  readonly rule: string;
  readonly verdict: 'let through' | 'denied';
  readonly packets: number;
}

/** Packets that entered at one node and ended at another, or the same. */
export interface PairCount extends Count {
  readonly from: string;
  readonly to: string;
}
