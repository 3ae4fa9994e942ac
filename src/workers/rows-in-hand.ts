/** Says in shared memory which rows are being walked, so that a worker's death names them; keeps out what is in quarantine. */
import type { Faults } from './faults.js';
import type { LaneRows } from './parcel.js';
import { CONTROL, HAND, type WorkerMemory } from './worker-memory.js';

/** Rows that are walked in one go: enough for the kernels, few enough to look for a bad one among them. */
const ROWS_AT_ONCE = 256;

export class RowsInHand {
  readonly #hand: Float64Array;
  readonly #quarantined: ReadonlySet<number>;
  readonly #faults: Faults | null;
  #atOnce: number;

  /** After a death, rows are taken one by one. */
  constructor({ control, hand, quarantine }: WorkerMemory, faults: Faults | null) {
    this.#hand = hand;
    this.#faults = faults;
    this.#quarantined = new Set(quarantine.subarray(1, 1 + quarantine[0]!));
    this.#atOnce = control[CONTROL.DEATHS]! > 0 ? 1 : ROWS_AT_ONCE;
  }

  /** The task that the last worker died of is over: take many rows again. */
  trust(): void {
    this.#atOnce = ROWS_AT_ONCE;
  }

  /** Take rows from `first` on in hand, no further than `end`. Returns one past the last, or `first` when that row must not
   *  be walked. */
  take({ sequence }: LaneRows, first: number, end: number): number {
    let until = Math.min(end, first + this.#atOnce);
    if (this.#quarantined.size > 0)
      for (let i = first; i < until; i++) if (this.#quarantined.has(sequence[i]!)) until = i;
    const isFault = this.#faults !== null && until > first;
    if (isFault) until = this.#faults.cut(sequence, first, until);
    // None between the two, or a death there would name rows that were not in hand.
    this.#hand[HAND.ROWS] = 0;
    this.#hand[HAND.FIRST] = sequence[first]!;
    this.#hand[HAND.LAST] = sequence[until - 1] ?? -1;
    this.#hand[HAND.ROWS] = until - first;
    if (isFault) this.#faults.atRows(sequence, first, until);
    return until;
  }

  /** No row is being walked. */
  release(): void {
    this.#hand[HAND.ROWS] = 0;
  }
}
