/** The lanes of one worker: runs them over a parcel, one after the other, and adds up their ledgers. */
import { addLedger, createLedger, type Ledger } from '../packet/ledger.js';
import type { Epoch } from '../tables/epoch.js';
import { type LaneOutcome, LaneRunner, type LaneSettings } from './lane-runner.js';
import type { Parcel } from './parcel.js';

/** What a worker answers for one parcel. */
export interface GroupOutcome {
  /** In the order of the parcel's lanes. */
  readonly lanes: readonly LaneOutcome[];
  /** Of all packets so far. */
  readonly ledger: Ledger;
  readonly connections: number;
  readonly backend: string;
}

export class LaneGroup {
  readonly #runners: readonly LaneRunner[];

  constructor(epoch: Epoch, lanes: number, settings: LaneSettings) {
    this.#runners = Array.from({ length: lanes }, () => new LaneRunner(epoch, settings));
  }

  run(parcel: Parcel): GroupOutcome {
    return this.#outcome(parcel.lanes.map((rows, i) => this.#runners[i]!.run(rows)));
  }

  /** Fire the timers that are left; `end` is the place of what they give out. */
  drain(parcel: Parcel, end: number): GroupOutcome {
    return this.#outcome(parcel.lanes.map((rows, i) => this.#runners[i]!.drain(rows, end)));
  }

  #outcome(lanes: readonly LaneOutcome[]): GroupOutcome {
    const ledger = createLedger();
    let connections = 0;
    for (const { engine } of this.#runners) {
      addLedger(ledger, engine.ledger);
      connections += engine.connections;
    }
    return { lanes, ledger, connections, backend: this.#runners[0]?.engine.backend ?? '' };
  }
}
