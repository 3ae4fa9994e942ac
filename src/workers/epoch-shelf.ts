/** The table sets that lanes may need: the one in force, those given for tasks to come, and those since the last checkpoint. */
import { Epoch, type EpochHistory, joinChanges, type RowChanges } from '../tables/epoch.js';

/** A table set as it is handed to workers. All buffers are shared. */
export interface EpochEntry {
  readonly number: number;
  readonly buffer: SharedArrayBuffer;
  /** What differs from the set given before; null when anything may. */
  readonly changed: RowChanges | null;
  /** Where lanes count, by lane number; empty when nobody reads along. The same memory as before unless `changed` is null. */
  readonly counters: readonly SharedArrayBuffer[];
}

/** An entry, opened. */
export interface ShelvedEpoch {
  readonly epoch: Epoch;
  readonly counters: readonly SharedArrayBuffer[];
}

/** Sets of one history: each grew out of the one given before it. */
class GivenHistory implements EpochHistory {
  readonly #changes: { readonly number: number; readonly changes: RowChanges }[] = [];

  add(number: number, changes: RowChanges): void {
    this.#changes.push({ number, changes });
  }

  /** Forget what only sets before `number` need. */
  dropBefore(number: number): void {
    while (this.#changes.length > 0 && this.#changes[0]!.number <= number) this.#changes.shift();
  }

  changes(from: number, to: number): RowChanges | null {
    return joinChanges(
      this.#changes.filter(({ number }) => number > from && number <= to).map(({ changes }) => changes),
    );
  }
}

export class EpochShelf {
  readonly #shelved = new Map<number, ShelvedEpoch>();
  #history: GivenHistory | null = null;
  #counters: readonly SharedArrayBuffer[] = [];

  /** `first`: in the order in which they take force. */
  constructor(first: readonly EpochEntry[]) {
    for (const entry of first) this.take(entry);
  }

  /** Put the next set on the shelf. */
  take({ number, buffer, changed, counters }: EpochEntry): void {
    if (this.#history === null || changed === null) {
      this.#history = new GivenHistory();
      // Kept until they change: what comes from another thread is the same memory in another object.
      this.#counters = counters;
    } else this.#history.add(number, changed);
    this.#shelved.set(number, { epoch: new Epoch(buffer, this.#history), counters: this.#counters });
  }

  has(number: number): boolean {
    return this.#shelved.has(number);
  }

  /** Set `number`.
   *  @throws RangeError when it was never given, or is dropped. */
  get(number: number): ShelvedEpoch {
    const found = this.#shelved.get(number);
    if (found === undefined) throw new RangeError(`table set ${number} is not on the shelf`);
    return found;
  }

  /** Sets before `number` are not asked for any more. */
  dropBefore(number: number): void {
    for (const old of this.#shelved.keys()) if (old < number) this.#shelved.delete(old);
    this.#history?.dropBefore(number);
  }
}

/** The entry of a table set that stands alone, and whose counts nobody reads. */
export const entryOf = ({ number, buffer }: Epoch): EpochEntry => ({
  number,
  buffer,
  changed: null,
  counters: [],
});
