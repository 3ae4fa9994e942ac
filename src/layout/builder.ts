/** Grows the rows of tables that are being compiled, and lays the finished tables side by side in one buffer. */
import { createEpochBuffer, sealEpochBuffer } from './epoch-buffer.js';
import {
  type ColumnArray,
  type ColumnType,
  createColumn,
  createTable,
  type Table,
  type TableLayout,
  tableSize,
} from './layout.js';

type Columns = Readonly<Record<string, ColumnType>>;

const ROWS_AT_START = 16;

/** Rows in columns of their own until the table is frozen. */
export class TableBuilder<C extends Columns> {
  readonly #names: readonly string[];
  readonly #types: readonly ColumnType[];
  /** In the order of the names. */
  #columns: ColumnArray[];
  #capacity = ROWS_AT_START;
  rows = 0;

  constructor(readonly layout: TableLayout<C>) {
    this.#names = Object.keys(layout.columns);
    this.#types = Object.values(layout.columns);
    this.#columns = this.#types.map((type) => createColumn(type, ROWS_AT_START));
  }

  /** Append a row; returns its number. */
  add(row: { readonly [K in keyof C]: number }): number {
    const at = this.addZeros(1);
    for (let i = 0; i < this.#names.length; i++) this.#columns[i]![at] = row[this.#names[i] as keyof C];
    return at;
  }

  /** Append rows of zeros; returns the first one's number. */
  addZeros(count: number): number {
    const first = this.rows;
    if (first + count > this.#capacity) this.#grow(first + count);
    this.rows += count;
    return first;
  }

  /** The column's rows as they lie now: rows that are added later may not be in it. */
  column(name: keyof C & string): ColumnArray {
    return this.#columns[this.#names.indexOf(name)]!.subarray(0, this.rows);
  }

  get(row: number, name: keyof C & string): number {
    return this.#columns[this.#names.indexOf(name)]![row]!;
  }

  set(row: number, name: keyof C & string, value: number): void {
    this.#columns[this.#names.indexOf(name)]![row] = value;
  }

  /** Copy the rows into a table opened over the epoch's buffer. */
  freezeInto(table: Table<C>): void {
    for (const name of this.#names)
      (table[name as keyof C] as { set(v: ArrayLike<number>): void }).set(this.column(name));
  }

  #grow(rows: number): void {
    while (this.#capacity < rows) this.#capacity *= 2;
    this.#columns = this.#columns.map((column, i) => {
      const longer = createColumn(this.#types[i]!, this.#capacity);
      longer.set(column);
      return longer;
    });
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a list of tables of different columns has no narrower type
type AnyBuilder = TableBuilder<any>;

/** Lay tables out in one SharedArrayBuffer. `epoch` is the number of the table set. */
export function freezeTables(builders: readonly AnyBuilder[], epoch: number): SharedArrayBuffer {
  const sizes = builders.map((builder) => tableSize(builder.layout, builder.rows));
  const { buffer, offsets } = createEpochBuffer(sizes, epoch);
  builders.forEach((builder, i) => {
    builder.freezeInto(createTable(builder.layout, buffer, offsets[i]!, builder.rows, builder.rows, epoch));
  });
  sealEpochBuffer(buffer);
  return buffer;
}
