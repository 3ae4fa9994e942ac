/** A table set that is changed in place: where the next change is written, and how many rows of each table are in use. */
import { openTables, rowsAt } from '../layout/epoch-buffer.js';
import type { TableOf } from '../layout/layout.js';
import { LiveBuffers } from '../layout/live-buffers.js';
import type { StateArray } from '../layout/state-buffer.js';
import { EPOCH_ORDER, Epoch, type Tables } from '../tables/epoch.js';
import { STRING_BYTES, STRING_INDEX } from '../tables/strings.js';

interface Views {
  readonly tables: Tables;
  readonly strings: TableOf<typeof STRING_INDEX>;
  readonly bytes: TableOf<typeof STRING_BYTES>;
}

/** Number of a table in the set. */
export const tableAt = (layout: unknown): number =>
  EPOCH_ORDER.indexOf(layout as (typeof EPOCH_ORDER)[number]);

export class LiveSet {
  readonly #buffers: LiveBuffers;
  readonly #known = new WeakMap<SharedArrayBuffer, Views>();
  #buffer: SharedArrayBuffer;
  #views: Views;

  /** `buffer`: of regrowTables. */
  constructor(buffer: SharedArrayBuffer) {
    this.#buffers = new LiveBuffers(buffer);
    this.#buffer = buffer;
    this.#views = this.#viewsOf(buffer);
  }

  /** The tables that are written, or were last. Their row counts are those from before. */
  get tables(): Tables {
    return this.#views.tables;
  }

  get strings(): TableOf<typeof STRING_INDEX> {
    return this.#views.strings;
  }

  get bytes(): TableOf<typeof STRING_BYTES> {
    return this.#views.bytes;
  }

  /** What DnsDelta writes by. */
  get buffers(): LiveBuffers {
    return this.#buffers;
  }

  /** Begin the next change. */
  begin(): void {
    this.#buffer = this.#buffers.begin();
    this.#views = this.#viewsOf(this.#buffer);
  }

  /** Write an element of a column of `tables`. */
  set(column: StateArray, index: number, value: number): void {
    this.#buffers.set(column, index, value);
  }

  /** Write the first elements of a column. */
  setAll(column: StateArray, values: ArrayLike<number>): void {
    this.#buffers.setAll(column, values);
  }

  setBytes(column: Uint8Array, index: number, octets: Uint8Array): void {
    this.#buffers.setBytes(column, index, octets);
  }

  /** The change is table set number `epoch`. `rows`: how many of each table are in use now. */
  publish(epoch: number, rows: Iterable<readonly [layout: unknown, rows: number]>): SharedArrayBuffer {
    for (const [layout, count] of rows)
      this.set(new Uint32Array(this.#buffer, rowsAt(this.#buffer, tableAt(layout)), 1), 0, count);
    this.#buffers.publish(epoch);
    return this.#buffer;
  }

  #viewsOf(buffer: SharedArrayBuffer): Views {
    const known = this.#known.get(buffer);
    if (known !== undefined) return known;
    const { open } = openTables(buffer);
    const views = {
      tables: new Epoch(buffer).tables,
      strings: open(tableAt(STRING_INDEX), STRING_INDEX),
      bytes: open(tableAt(STRING_BYTES), STRING_BYTES),
    };
    this.#known.set(buffer, views);
    return views;
  }
}
