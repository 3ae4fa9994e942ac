/** Shapes of the counts that a run's summary gives. */

export interface Count {
  readonly packets: number;
  readonly bytes: number;
}

export interface NamedCount extends Count {
  readonly name: string;
}

export interface ServiceCount extends NamedCount {
  readonly endpoints: readonly NamedCount[];
}

/** Packets that entered at one node and ended at another, or the same. */
export interface PairCount extends Count {
  readonly from: string;
  readonly to: string;
}
