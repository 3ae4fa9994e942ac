/** Flows of one table and priority that look at the same bits of the same fields: a subtable in the making. Flat, as a
 *  large cluster has millions of flows. */
import { hashStep } from '../tables/flows.js';

const ROWS_AT_START = 8;

/** Columns of a flow beside its values. */
export const FLOW_COLUMN = {
  NODE: 0,
  ACTIONS: 1,
  COOKIE: 2,
  OBJECT: 3,
  REASON: 4,
  QUIRK: 5,
  COUNT: 6,
} as const;

export class FlowGroup {
  /** Masked values, `width` a flow. */
  values: Int32Array;
  /** FLOW_COLUMN.COUNT a flow. */
  columns: Uint32Array;
  rows = 0;
  /** Flow + 1 by hash of the values; linear probing, load at most 0.5. */
  #slots = new Int32Array(ROWS_AT_START * 2);

  constructor(
    readonly table: number,
    readonly priority: number,
    readonly fields: Int32Array,
    readonly masks: Int32Array,
  ) {
    this.values = new Int32Array(ROWS_AT_START * fields.length);
    this.columns = new Uint32Array(ROWS_AT_START * FLOW_COLUMN.COUNT);
  }

  get width(): number {
    return this.fields.length;
  }

  /** Is this the group of such flows? The first `width` of `fields` and `masks` count. */
  isOf(table: number, priority: number, fields: Int32Array, masks: Int32Array, width: number): boolean {
    if (table !== this.table || priority !== this.priority || width !== this.width) return false;
    for (let i = 0; i < width; i++)
      if (fields[i] !== this.fields[i] || masks[i] !== this.masks[i]) return false;
    return true;
  }

  /** Append a flow with these masked values; returns its row, or -1 when there is one of the same match: the first stays, as
   *  the second would never be reached. */
  add(values: Int32Array): number {
    if ((this.rows + 1) * 2 > this.#slots.length) this.#grow();
    const slot = this.#slotOf(values, 0);
    if (this.#slots[slot] !== 0) return -1;
    const row = this.rows++;
    this.#slots[slot] = row + 1;
    const at = row * this.width;
    for (let i = 0; i < this.width; i++) this.values[at + i] = values[i]!;
    return row;
  }

  /** Slot of the flow whose values begin at from[at], or the empty one where it belongs. */
  #slotOf(from: Int32Array, at: number): number {
    const { width, values } = this;
    let hash = 0;
    for (let i = 0; i < width; i++) hash = hashStep(hash, from[at + i]!);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot]! - 1;
      if (row < 0) return slot;
      let i = 0;
      while (i < width && values[row * width + i] === from[at + i]) i++;
      if (i === width) return slot;
    }
  }

  #grow(): void {
    const size = this.#slots.length;
    this.values = longer(this.values, new Int32Array(size * this.width));
    this.columns = longer(this.columns, new Uint32Array(size * FLOW_COLUMN.COUNT));
    this.#slots = new Int32Array(size * 2);
    for (let row = 0; row < this.rows; row++)
      this.#slots[this.#slotOf(this.values, row * this.width)] = row + 1;
  }
}

function longer<T extends Int32Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
