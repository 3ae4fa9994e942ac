/** The buffer of a table set: its header, its checksum, and who reads it while it changes.
 *
 *  64-byte header, then a directory of u32 offsets, then the tables. Header, u32 each:
 *  magic "PODE" | version | epoch | number of tables | whole size | CRC-32 of all but itself | live | readers
 *  A frozen set is never changed; live and readers are 0. A live one is changed in place while nobody reads it: it has no
 *  checksum, its epoch is BEING_WRITTEN meanwhile, and readers counts who holds it. */
import { crc32 } from 'node:zlib';
import { type ColumnType, LayoutError, openTable, type Table, type TableLayout } from './layout.js';

const EPOCH_MAGIC = 0x45444f50;
const EPOCH_VERSION = 1;
const HEADER_SIZE = 64;
const WORD = { MAGIC: 0, VERSION: 1, EPOCH: 2, TABLES: 3, SIZE: 4, CRC: 5, LIVE: 6, READERS: 7 } as const;
const BEING_WRITTEN = 0xffffffff;
/** Words of a table's own header (layout.ts). */
const TABLE_WORD = { ROWS: 2, EPOCH: 4 } as const;

const headerOf = (buffer: ArrayBufferLike): Uint32Array =>
  new Uint32Array(buffer, 0, HEADER_SIZE / Uint32Array.BYTES_PER_ELEMENT);

/** A zeroed buffer with room for tables of these sizes (bytes, multiples of 8), and where each begins. */
export function createEpochBuffer(
  sizes: readonly number[],
  epoch: number,
): { buffer: SharedArrayBuffer; offsets: readonly number[] } {
  let size = (HEADER_SIZE + sizes.length * 4 + 7) & ~7;
  const offsets = sizes.map((tableSize) => {
    const at = size;
    size += tableSize;
    return at;
  });
  const buffer = new SharedArrayBuffer(size);
  new Uint32Array(buffer, HEADER_SIZE, sizes.length).set(offsets);
  headerOf(buffer).set([EPOCH_MAGIC, EPOCH_VERSION, epoch, sizes.length, size]);
  return { buffer, offsets };
}

/** Freeze the buffer: from now on nothing in it changes. */
export function sealEpochBuffer(buffer: ArrayBufferLike): void {
  const header = headerOf(buffer);
  header[WORD.LIVE] = 0;
  header[WORD.READERS] = 0;
  header[WORD.CRC] = epochCrc(buffer);
}

/** A frozen copy of the bytes, to be written to a file. */
export function sealedCopy(buffer: SharedArrayBuffer): Uint8Array {
  const bytes = Uint8Array.from(new Uint8Array(buffer));
  if (isLive(buffer)) sealEpochBuffer(bytes.buffer);
  return bytes;
}

/** Check an epoch buffer and give the number of its table set and a way to open table `i`.
 *  @throws LayoutError naming what does not fit: magic, version, size, or the checksum of a frozen one. */
export function openTables(buffer: ArrayBufferLike): {
  epoch: number;
  open: <C extends Readonly<Record<string, ColumnType>>>(i: number, layout: TableLayout<C>) => Table<C>;
} {
  if (buffer.byteLength < HEADER_SIZE)
    throw new LayoutError(`epoch: ${buffer.byteLength} bytes hold no header`);
  const header = headerOf(buffer);
  const version = header[WORD.VERSION]!;
  const size = header[WORD.SIZE]!;
  const count = header[WORD.TABLES]!;
  if (header[WORD.MAGIC] !== EPOCH_MAGIC)
    throw new LayoutError('epoch: wrong magic, this is no saved table set');
  if (version !== EPOCH_VERSION)
    throw new LayoutError(`epoch: version ${version}, this build reads ${EPOCH_VERSION}`);
  if (size !== buffer.byteLength)
    throw new LayoutError(`epoch: ${buffer.byteLength} bytes, the header says ${size}`);
  if (!isLive(buffer) && epochCrc(buffer) !== header[WORD.CRC])
    throw new LayoutError('epoch: checksum does not match');
  const offsets = new Uint32Array(buffer, HEADER_SIZE, count);
  return {
    epoch: header[WORD.EPOCH]!,
    open: (i, layout) => {
      if (i >= count) throw new LayoutError(`${layout.magic}: table ${i} of ${count}`);
      return openTable(layout, buffer, offsets[i]!);
    },
  };
}

/** May the tables change once nobody holds them? */
export const isLive = (buffer: ArrayBufferLike): boolean => headerOf(buffer)[WORD.LIVE] !== 0;

/** Let the buffer's tables be changed from now on. */
export function makeLive(buffer: SharedArrayBuffer): void {
  const header = headerOf(buffer);
  header[WORD.LIVE] = 1;
  header[WORD.CRC] = 0;
}

/** Number of the table set that is in the buffer now; none while it is being written. */
export const epochInside = (buffer: ArrayBufferLike): number => Atomics.load(headerOf(buffer), WORD.EPOCH);

/** Keep table set `epoch` from being overwritten. False when it has been already. */
export function holdEpoch(buffer: SharedArrayBuffer, epoch: number): boolean {
  if (!isLive(buffer)) return true;
  const header = headerOf(buffer);
  // First the reader's mark, then the look: beginWrite() does it the other way round, so one of the two sees the other.
  Atomics.add(header, WORD.READERS, 1);
  if (Atomics.load(header, WORD.EPOCH) === epoch) return true;
  Atomics.sub(header, WORD.READERS, 1);
  return false;
}

/** Undo one holdEpoch(). */
export function releaseEpoch(buffer: SharedArrayBuffer): void {
  if (isLive(buffer)) Atomics.sub(headerOf(buffer), WORD.READERS, 1);
}

/** Take the buffer for writing. False when somebody holds it. */
export function beginWrite(buffer: SharedArrayBuffer): boolean {
  const header = headerOf(buffer);
  const before = Atomics.exchange(header, WORD.EPOCH, BEING_WRITTEN);
  if (Atomics.load(header, WORD.READERS) === 0) return true;
  Atomics.store(header, WORD.EPOCH, before);
  return false;
}

/** What is written is table set `epoch` now. */
export function endWrite(buffer: SharedArrayBuffer, epoch: number): void {
  const header = headerOf(buffer);
  const offsets = new Uint32Array(buffer, HEADER_SIZE, header[WORD.TABLES]!);
  for (const at of offsets) new Uint32Array(buffer, at, TABLE_WORD.EPOCH + 1)[TABLE_WORD.EPOCH] = epoch;
  Atomics.store(header, WORD.EPOCH, epoch);
}

/** A live buffer with the same tables that nobody holds, taken for writing. */
export function copyForWriting(buffer: SharedArrayBuffer): SharedArrayBuffer {
  const copy = new SharedArrayBuffer(buffer.byteLength);
  new Uint8Array(copy).set(new Uint8Array(buffer));
  const header = headerOf(copy);
  header[WORD.READERS] = 0;
  header[WORD.EPOCH] = BEING_WRITTEN;
  return copy;
}

/** Byte at which the row count of table `i` stands, a u32. */
export const rowsAt = (buffer: ArrayBufferLike, i: number): number =>
  new Uint32Array(buffer, HEADER_SIZE, i + 1)[i]! + TABLE_WORD.ROWS * 4;

/** Over everything but the checksum's own word. */
function epochCrc(buffer: ArrayBufferLike): number {
  const front = crc32(new Uint8Array(buffer, 0, WORD.CRC * 4));
  return crc32(new Uint8Array(buffer, WORD.CRC * 4 + 4), front);
}
