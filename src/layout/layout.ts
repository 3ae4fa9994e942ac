/** How a table lies in a buffer: a 64-byte header, then one column after another, each 8-byte aligned, little-endian. */

export type ColumnType = 'u8' | 'u16' | 'u32' | 'i32' | 'f64';

const ARRAYS = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f64: Float64Array,
} as const;

/** A column of `count` items of its own, zeroed. */
export const createColumn = (type: ColumnType, count: number): ColumnArray => new ARRAYS[type](count);
export type ColumnArray = InstanceType<(typeof ARRAYS)[ColumnType]>;

type ArrayConstructorOver = new (buffer: ArrayBufferLike, at: number, count: number) => unknown;
type ArrayOf<T extends ColumnType> = InstanceType<(typeof ARRAYS)[T]>;

export interface TableLayout<C extends Readonly<Record<string, ColumnType>>> {
  /** Four ASCII characters, the last a version digit. */
  readonly magic: string;
  readonly columns: C;
}

/** An open table: its columns as typed arrays of `capacity` items, and the rows in use. */
export type Table<C extends Readonly<Record<string, ColumnType>>> = {
  readonly [K in keyof C]: ArrayOf<C[K]>;
} & { readonly rows: number; readonly capacity: number };

/** The open form of a declared layout: `TableOf<typeof SERVICE_TABLE>`. */
export type TableOf<L> = L extends TableLayout<infer C> ? Table<C> : never;

/** Header, u32 each: magic, version, rows, capacity, epoch, size of the whole table; the rest is zero. */
export const TABLE_HEADER_SIZE = 64;
const TABLE_VERSION = 1;

/** Declare a table. The columns' order here is their order in memory: widest first. */
export const layout = <C extends Readonly<Record<string, ColumnType>>>(
  magic: string,
  columns: C,
): TableLayout<C> => ({ magic, columns });

/** A table could not be opened: what was found and what was expected. */
export class LayoutError extends Error {
  override readonly name = 'LayoutError';
}

const align8 = (size: number): number => (size + 7) & ~7;

const magicWord = (magic: string): number =>
  (magic.charCodeAt(0) |
    (magic.charCodeAt(1) << 8) |
    (magic.charCodeAt(2) << 16) |
    (magic.charCodeAt(3) << 24)) >>>
  0;

/** Bytes that a table of `capacity` rows takes, header included; a multiple of 8. */
export function tableSize(
  table: TableLayout<Readonly<Record<string, ColumnType>>>,
  capacity: number,
): number {
  let size = TABLE_HEADER_SIZE;
  for (const type of Object.values(table.columns)) size += align8(ARRAYS[type].BYTES_PER_ELEMENT * capacity);
  return size;
}

/** Write a fresh header at `at` (8-byte aligned, memory zeroed) and open the table there. */
export function createTable<C extends Readonly<Record<string, ColumnType>>>(
  table: TableLayout<C>,
  buffer: ArrayBufferLike,
  at: number,
  rows: number,
  capacity: number,
  epoch: number,
): Table<C> {
  const words = new Uint32Array(buffer, at, TABLE_HEADER_SIZE / 4);
  words.set([magicWord(table.magic), TABLE_VERSION, rows, capacity, epoch, tableSize(table, capacity)]);
  return openTable(table, buffer, at);
}

/** Open the table at `at`.
 *  @throws LayoutError when magic, version or size are not those of the layout. */
export function openTable<C extends Readonly<Record<string, ColumnType>>>(
  table: TableLayout<C>,
  buffer: ArrayBufferLike,
  at: number,
): Table<C> {
  if (at % 8 !== 0 || at + TABLE_HEADER_SIZE > buffer.byteLength)
    throw new LayoutError(`${table.magic}: no header at byte ${at}`);
  const words = new Uint32Array(buffer, at, TABLE_HEADER_SIZE / 4);
  const rows = words[2]!;
  const capacity = words[3]!;
  if (words[0] !== magicWord(table.magic)) throw new LayoutError(`${table.magic}: wrong magic at byte ${at}`);
  if (words[1] !== TABLE_VERSION)
    throw new LayoutError(`${table.magic}: version ${words[1]}, this build reads ${TABLE_VERSION}`);
  const size = tableSize(table, capacity);
  if (rows > capacity || words[5] !== size || at + size > buffer.byteLength)
    throw new LayoutError(`${table.magic}: ${rows} rows of ${capacity} in ${words[5]} bytes do not fit`);
  const open: Record<string, unknown> = { rows, capacity };
  let offset = at + TABLE_HEADER_SIZE;
  for (const [name, type] of Object.entries(table.columns)) {
    open[name] = new (ARRAYS[type] as ArrayConstructorOver)(buffer, offset, capacity);
    offset += align8(ARRAYS[type].BYTES_PER_ELEMENT * capacity);
  }
  return open as Table<C>;
}
