/** How many lanes a run has that is told no number. */
import type { Tables } from '../tables/epoch.js';

/** The same on every machine, or the same command would give other bytes. */
const LANES = 8;

/** What of the cluster is exact in one lane alone, as a sentence; empty when nothing is. */
export function splitState({ services }: Tables): string {
  for (let row = 0; row < services.rows; row++)
    if (services.affinity[row]! > 0)
      return 'session affinity: how many clients an endpoint knows counts for all of them';
  return '';
}

/** `split`: what splitState() says of the tables of a run. */
export const defaultLanes = (split: string): number => (split === '' ? LANES : 1);
