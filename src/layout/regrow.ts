/** Lays the tables of a set out anew, some with room for more rows. */
import { createEpochBuffer, makeLive, openTables } from './epoch-buffer.js';
import { type ColumnType, createTable, type Table, type TableLayout, tableSize } from './layout.js';
import type { StateArray } from './state-buffer.js';

type AnyLayout = TableLayout<Readonly<Record<string, ColumnType>>>;

/** A live copy of the tables in `buffer`, which are of these layouts. `spare`: rows more than it has that table `i` gets room
 *  for; a table whose answer is 0 keeps its capacity. */
export function regrowTables(
  buffer: SharedArrayBuffer,
  layouts: readonly AnyLayout[],
  spare: (layout: AnyLayout, rows: number) => number,
): SharedArrayBuffer {
  const { epoch, open } = openTables(buffer);
  const tables: Table<Readonly<Record<string, ColumnType>>>[] = layouts.map((layout, i) => open(i, layout));
  const capacities = tables.map(({ rows, capacity }, i) =>
    Math.max(capacity, rows + spare(layouts[i]!, rows)),
  );
  const grown = createEpochBuffer(
    layouts.map((layout, i) => tableSize(layout, capacities[i]!)),
    epoch,
  );
  layouts.forEach((layout, i) => {
    const from = tables[i]!;
    const to = createTable(layout, grown.buffer, grown.offsets[i]!, from.rows, capacities[i]!, epoch);
    for (const name of Object.keys(layout.columns))
      new Uint8Array(to[name]!.buffer, to[name]!.byteOffset).set(bytesOf(from[name]!));
  });
  makeLive(grown.buffer);
  return grown.buffer;
}

const bytesOf = (column: StateArray): Uint8Array =>
  new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
