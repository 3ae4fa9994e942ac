/** Grows the rows of tables that are being compiled, and lays the finished tables side by side in one buffer. */
import { createEpochBuffer, sealEpochBuffer } from './epoch-buffer.js';
import { type ColumnType, createTable, type Table, type TableLayout, tableSize } from './layout.js';

type Columns = Readonly<Record<string, ColumnType>>;

/** Rows as plain numbers until the table is frozen. */
export class TableBuilder<C extends Columns> {
  readonly #values: { [K in keyof C]: number[] };
  readonly #names: readonly (keyof C & string)[];
  rows = 0;

  constructor(readonly layout: TableLayout<C>) {
    this.#names = Object.keys(layout.columns) as (keyof C & string)[];
    this.#values = Object.fromEntries(this.#names.map((name) => [name, []])) as unknown as {
      [K in keyof C]: number[];
    };
  }

  /** Append a row; returns its number. */
  add(row: { readonly [K in keyof C]: number }): number {
    for (const name of this.#names) this.#values[name].push(row[name]);
    return this.rows++;
  }

  get(row: number, name: keyof C & string): number {
    return this.#values[name][row]!;
  }

  set(row: number, name: keyof C & string, value: number): void {
    this.#values[name][row] = value;
  }

  /** Copy the rows into a table opened over the epoch's buffer. */
  freezeInto(table: Table<C>): void {
    for (const name of this.#names)
      (table[name] as { set(v: ArrayLike<number>): void }).set(this.#values[name]);
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
