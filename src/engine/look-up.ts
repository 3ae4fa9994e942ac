/** The kernels' part of a batch: keys of a run of rows, and which of them are known. */
import type { Kernels } from '../kernels/backend.js';
import type { InputBatch } from '../packet/batch.js';
import type { Tables } from '../tables/epoch.js';
import { NONE } from '../tables/nodes.js';

/** Rows that the kernels look at in one call. */
export const RUN_ROWS = 256;

/** Where known tuples are looked up: conntrack, or the path cache. */
export interface KnownTuples {
  readonly slots: Int32Array;
  readonly rows: Int32Array;
  /** Where in a row its tuples begin. */
  readonly keyAt: number;
}

export class LookUp {
  /** By row of the run: key of 4 words, its hash, and the direction found, or -1. */
  readonly keys = new Int32Array(RUN_ROWS * 4);
  readonly hashes = new Uint32Array(RUN_ROWS);
  readonly rows = new Int32Array(RUN_ROWS);
  readonly #space = new Int32Array(RUN_ROWS);
  readonly #kernels: Kernels;
  readonly #seed: number;

  constructor(kernels: Kernels, seed: number) {
    this.#kernels = kernels;
    this.#seed = seed;
  }

  /** Look at rows `first` .. `first + count`, at most RUN_ROWS, as far as the tables know now. `space` is added to the
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
    const firstSpace = space + 1;
    for (let i = 0; i < count; i++) {
      const port = input.port[first + i]!;
      const node = port >= 0 && port < ports.rows ? ports.node[port]! : NONE;
      if (node === NONE) throw new RangeError(`row ${first + i}: there is no port ${port}`);
      this.#space[i] = node + firstSpace;
    }
    const offset = input.offset.subarray(first, first + count);
    const length = input.length.subarray(first, first + count);
    const { bytes } = input.arena;
    const { fiveTupleBatch, conntrackLookupBatch } = this.#kernels;
    fiveTupleBatch(bytes, offset, length, this.#space, 0, count, this.#seed, this.keys, this.hashes);
    conntrackLookupBatch(known.slots, known.rows, known.keyAt, this.keys, this.hashes, 0, count, this.rows);
  }
}
