/** The kernels' part of a batch: keys of a run of rows, and which of them are known. */
import type { Kernels } from '../kernels/backend.js';
import type { InputBatch } from '../packet/batch.js';
import type { Tables } from '../tables/epoch.js';

/** Rows that the kernels look at in one call: few where connections begin, whose next packets would be unknown. */
const RUN_MIN = 256;
const RUN_MAX = 1024;

/** Where known tuples are looked up: conntrack, or the path cache. */
export interface KnownTuples {
  readonly slots: Int32Array;
  readonly rows: Int32Array;
  /** Where in a row its tuples begin. */
  readonly keyAt: number;
}

export class LookUp {
  /** By row of the run: key of 4 words, its hash, and the direction found, or -1. */
  readonly keys = new Int32Array(RUN_MAX * 4);
  readonly hashes = new Uint32Array(RUN_MAX);
  readonly rows = new Int32Array(RUN_MAX);
  /** How many rows to look at next. */
  length = RUN_MIN;
  readonly #kernels: Kernels;
  readonly #seed: number;

  constructor(kernels: Kernels, seed: number) {
    this.#kernels = kernels;
    this.#seed = seed;
  }

  /** A run has ended: did all of it take the short way? */
  note(isKnown: boolean): void {
    this.length = isKnown ? RUN_MAX : RUN_MIN;
  }

  /** Look at rows `first` .. `first + count`, at most `length`, as far as the tables know now. `space` is added to the
   *  nodes' spaces in the keys.
   *  @throws RangeError when a row names a port that does not exist. */
  find(
    input: InputBatch,
    first: number,
    count: number,
    ports: Tables['ports'],
    known: KnownTuples,
    space: number,
  ): void {
    const { arena, offset, length, port } = input;
    const { fiveTupleBatch, conntrackLookupBatch } = this.#kernels;
    const { keys, hashes } = this;
    const { node } = ports;
    const done = fiveTupleBatch(
      arena.bytes,
      offset,
      length,
      port,
      node,
      ports.rows,
      space + 1,
      first,
      count,
      this.#seed,
      keys,
      hashes,
    );
    if (done < count) throw new RangeError(`row ${first + done}: there is no port ${port[first + done]}`);
    conntrackLookupBatch(known.slots, known.rows, known.keyAt, keys, hashes, 0, count, this.rows);
  }
}
