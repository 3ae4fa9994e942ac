/** Grows the rows of tables that are being compiled, and lays the finished tables side by side in one buffer. */
import {
  type ColumnType,
  createTable,
  LayoutError,
  openTable,
  type Table,
  type TableLayout,
  tableSize,
} from './layout.js';

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

/** Epoch buffer: 64-byte header, then a directory of u32 offsets, then the tables.
 *  Header, u32 each: magic "PODE", version, epoch, number of tables, whole size, CRC-32 of all but itself. */
const EPOCH_MAGIC = 0x45444f50;
const EPOCH_VERSION = 1;
const HEADER_SIZE = 64;
const CRC_WORD = 5;

// biome-ignore lint/suspicious/noExplicitAny: a list of tables of different columns has no narrower type
type AnyBuilder = TableBuilder<any>;

/** Lay tables out in one SharedArrayBuffer. `epoch` is the number of the table set. */
export function freezeTables(builders: readonly AnyBuilder[], epoch: number): SharedArrayBuffer {
  const directory = HEADER_SIZE;
  let size = (directory + builders.length * 4 + 7) & ~7;
  const offsets = builders.map((builder) => {
    const at = size;
    size += tableSize(builder.layout, builder.rows);
    return at;
  });
  const buffer = new SharedArrayBuffer(size);
  new Uint32Array(buffer, directory, builders.length).set(offsets);
  builders.forEach((builder, i) => {
    builder.freezeInto(createTable(builder.layout, buffer, offsets[i]!, builder.rows, builder.rows, epoch));
  });
  const header = new Uint32Array(buffer, 0, HEADER_SIZE / 4);
  header.set([EPOCH_MAGIC, EPOCH_VERSION, epoch, builders.length, size, 0]);
  header[CRC_WORD] = epochCrc(buffer);
  return buffer;
}

/** Check an epoch buffer and give the number of its table set and a way to open table `i`.
 *  @throws LayoutError naming what does not fit: magic, version, size or checksum. */
export function openTables(buffer: ArrayBufferLike): {
  epoch: number;
  open: <C extends Columns>(i: number, layout: TableLayout<C>) => Table<C>;
} {
  if (buffer.byteLength < HEADER_SIZE)
    throw new LayoutError(`epoch: ${buffer.byteLength} bytes hold no header`);
  const header = new Uint32Array(buffer, 0, HEADER_SIZE / 4);
  const [magic, version, epoch, count, size, crc] = header as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (magic !== EPOCH_MAGIC) throw new LayoutError('epoch: wrong magic, this is no saved table set');
  if (version !== EPOCH_VERSION)
    throw new LayoutError(`epoch: version ${version}, this build reads ${EPOCH_VERSION}`);
  if (size !== buffer.byteLength)
    throw new LayoutError(`epoch: ${buffer.byteLength} bytes, the header says ${size}`);
  if (epochCrc(buffer) !== crc) throw new LayoutError('epoch: checksum does not match');
  const offsets = new Uint32Array(buffer, HEADER_SIZE, count);
  return {
    epoch,
    open: (i, layout) => {
      if (i >= count) throw new LayoutError(`${layout.magic}: table ${i} of ${count}`);
      return openTable(layout, buffer, offsets[i]!);
    },
  };
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c >>> 0;
});

/** Over everything but the checksum's own word. */
function epochCrc(buffer: ArrayBufferLike): number {
  const front = crc32(new Uint8Array(buffer, 0, CRC_WORD * 4));
  return crc32(new Uint8Array(buffer, CRC_WORD * 4 + 4), front);
}

/** CRC-32 (IEEE 802.3), u32; `before` is the checksum of the bytes in front. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let crc = before ^ 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = CRC_TABLE[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
