/** The lanes of one worker: runs them over a parcel, one after the other, and adds up their ledgers. */

import type { StateBuffer } from '../layout/state-buffer.js';
import { addLedger, createLedger, type Ledger } from '../packet/ledger.js';
import type { ShelvedEpoch } from './epoch-shelf.js';
import { type LaneOutcome, LaneRunner, type LaneSettings } from './lane-runner.js';
import type { Parcel } from './parcel.js';
import type { RowsInHand } from './rows-in-hand.js';
import type { Work } from './worker-memory.js';

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
  readonly #inHand: RowsInHand;
  #epoch: number;

  /** `lanes`: their numbers. */
  constructor(first: ShelvedEpoch, lanes: readonly number[], settings: LaneSettings, inHand: RowsInHand) {
    this.#inHand = inHand;
    this.#epoch = first.epoch.number;
    this.#runners = lanes.map((lane) => new LaneRunner(first, lane, settings, inHand));
  }

  /** Number of the table set in force. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Go on by another table set. */
  install(next: ShelvedEpoch): void {
    for (const runner of this.#runners) runner.install(next);
    this.#epoch = next.epoch.number;
  }

  /** Walk the parcel's rows; or, with `drainAt` >= 0, fire timers: the place of what they give out. */
  walk(parcel: Parcel, { drainAt, untilNs }: Work): GroupOutcome {
    const lanes = parcel.lanes.map((rows, i) => {
      const runner = this.#runners[i]!;
      return drainAt < 0 ? runner.run(rows) : runner.drain(rows, drainAt, untilNs);
    });
    this.#inHand.release();
    return this.#outcome(lanes);
  }

  /** Copy what all lanes know of the packets so far. */
  save(to: StateBuffer): void {
    for (const runner of this.#runners) runner.save(to);
  }

  /** Become what save() copied. */
  restore(from: StateBuffer): void {
    for (const runner of this.#runners) runner.restore(from);
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
