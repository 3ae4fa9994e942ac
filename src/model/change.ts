/** What differs between a cluster's model and the one before it, where that is little. */
import type { Service } from './service.js';

/** A Service of which nothing but endpoints differs. */
export interface ServiceChange {
  readonly before: Service;
  readonly after: Service;
}

/** The Services whose endpoints differ, when nothing else does; null: anything may differ. */
export type ModelChange = readonly ServiceChange[] | null;
