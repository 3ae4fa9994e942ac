/** What an engine knows of the packets before, so that it can go back: all but the tables and the path cache, on which no
 *  byte depends.
 *
 *  seed, epoch, packets, clock | ledger | conntrack | packets that wait | clients of session affinity | copies to be made |
 *  fragments that wait | metrics */
import type { StateBuffer } from '../layout/state-buffer.js';
import type { Ledger } from '../packet/ledger.js';
import type { Conntrack } from '../tables/conntrack.js';
import type { Copies } from '../tables/copies.js';
import type { Fragments } from '../tables/fragments.js';
import type { HeldPackets } from '../tables/held.js';
import type { RecentLists } from '../tables/recent-lists.js';
import type { EngineMetrics } from './metrics.js';

/** Where saveState() copies to. Rewind it before it is read, and before it is used again. */
export type EngineState = StateBuffer;

export interface EngineParts {
  readonly seed: number;
  /** Number of the table set: rows that state names are rows of it. */
  readonly epoch: number;
  readonly ledger: Ledger;
  readonly conntrack: Conntrack;
  readonly held: HeldPackets;
  readonly recent: RecentLists;
  readonly copies: Copies;
  readonly fragments: Fragments;
  readonly metrics: EngineMetrics;
}

export interface EngineCounters {
  readonly packets: number;
  readonly clockNs: number;
}

export function saveEngine(to: EngineState, parts: EngineParts, counters: EngineCounters): void {
  for (const value of [parts.seed, parts.epoch, counters.packets, counters.clockNs]) to.putNumber(value);
  for (const name of ledgerNames(parts.ledger)) to.putNumber(parts.ledger[name]);
  parts.conntrack.save(to);
  parts.held.save(to);
  parts.recent.save(to);
  parts.copies.save(to);
  parts.fragments.save(to);
  to.putArray(parts.metrics.cells, parts.metrics.cells.length);
}

/** @throws RangeError when the state is of another seed or table set, or counts other things. */
export function restoreEngine(from: EngineState, parts: EngineParts): EngineCounters {
  const [seed, epoch] = [from.takeNumber(), from.takeNumber()];
  if (seed !== parts.seed || epoch !== parts.epoch)
    throw new RangeError(
      `state of seed ${seed}, epoch ${epoch} for an engine of ${parts.seed}, ${parts.epoch}`,
    );
  const counters = { packets: from.takeNumber(), clockNs: from.takeNumber() };
  for (const name of ledgerNames(parts.ledger)) parts.ledger[name] = from.takeNumber();
  parts.conntrack.restore(from);
  parts.held.restore(from);
  parts.recent.restore(from);
  parts.copies.restore(from);
  parts.fragments.restore(from);
  from.takeArray(parts.metrics.cells);
  return counters;
}

const ledgerNames = (ledger: Ledger): (keyof Ledger)[] => Object.keys(ledger) as (keyof Ledger)[];
