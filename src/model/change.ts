/** What differs between a cluster's model and the one before it, where that is little. */
import type { Pod } from './cluster.js';
import type { NetworkPolicy } from './policy.js';
import type { Service } from './service.js';

/** A Service that came, differs or went; null: it was, or is, not there. */
export interface ServiceChange {
  readonly before: Service | null;
  readonly after: Service | null;
}

/** A pod that came, differs or went; null: it was, or is, not there. */
export interface PodChange {
  readonly before: Pod | null;
  readonly after: Pod | null;
}

export interface SmallChange {
  readonly pods: readonly PodChange[];
  readonly services: readonly ServiceChange[];
  /** All policies as they are now, where one differs; null: none does. */
  readonly policies: readonly NetworkPolicy[] | null;
}

/** All that differs; null: anything may. */
export type ModelChange = SmallChange | null;
