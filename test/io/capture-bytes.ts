/** Builds captures byte by byte in either byte order, and reads any capture whole, for the tests of this folder. */

import { createColumns } from '../../src/io/capture-columns.js';
import type { CaptureInterface } from '../../src/io/capture-interface.js';
import { openCapture } from '../../src/io/capture-reader.js';
import { createArena } from '../../src/packet/batch.js';

/** A number and the bytes it takes. */
type Field = readonly [size: 1 | 2 | 4, value: number];

/** The fields one after another in one byte order. */
export function pack(isLittle: boolean, ...fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.map(([size, value]) => {
      const bytes = Buffer.alloc(size);
      if (isLittle) bytes.writeUIntLE(value, 0, size);
      else bytes.writeUIntBE(value, 0, size);
      return bytes;
    }),
  );
}

/** A pcap file header; `magic` as the writing machine means it, so it too turns with the byte order. */
export function pcapHeader(isLittle: boolean, magic: number, linkWord: number, minor = 4): Buffer {
  return pack(isLittle, [4, magic], [2, 2], [2, minor], [4, 0], [4, 0], [4, 262_144], [4, linkWord]);
}

export function pcapRecord(
  isLittle: boolean,
  seconds: number,
  fraction: number,
  data: Uint8Array,
  original = data.length,
  extra = 0,
): Buffer {
  const head = pack(isLittle, [4, seconds], [4, fraction], [4, data.length], [4, original]);
  return Buffer.concat([head, Buffer.alloc(extra, 0xee), data]);
}

const padded = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);

/** A pcapng block around `body`, which it pads. */
export function block(isLittle: boolean, type: number, ...body: readonly Uint8Array[]): Buffer {
  const inside = padded(Buffer.concat(body));
  const length = inside.length + 12;
  return Buffer.concat([pack(isLittle, [4, type], [4, length]), inside, pack(isLittle, [4, length])]);
}

export function option(isLittle: boolean, code: number, value: Uint8Array): Buffer {
  return Buffer.concat([pack(isLittle, [2, code], [2, value.length]), padded(value)]);
}

export function sectionHeader(isLittle: boolean, minor = 0): Buffer {
  return block(
    isLittle,
    0x0a0d0d0a,
    pack(isLittle, [4, 0x1a2b3c4d], [2, 1], [2, minor], [4, 0xffffffff], [4, 0xffffffff]),
  );
}

export function interfaceBlock(
  isLittle: boolean,
  linkType: number,
  snapLength: number,
  ...options: readonly Uint8Array[]
): Buffer {
  return block(isLittle, 1, pack(isLittle, [2, linkType], [2, 0], [4, snapLength]), ...options);
}

export function enhancedPacket(
  isLittle: boolean,
  index: number,
  units: bigint,
  data: Uint8Array,
  original = data.length,
): Buffer {
  const head = pack(
    isLittle,
    [4, index],
    [4, Number(units >> 32n)],
    [4, Number(units & 0xffff_ffffn)],
    [4, data.length],
    [4, original],
  );
  return block(isLittle, 6, head, data);
}

/** One packet as a reader gave it. */
export interface ReadPacket {
  readonly tsNs: bigint;
  readonly data: Buffer;
  readonly originalLength: number;
  readonly interfaceId: number;
  readonly kind: number;
  readonly truncated: number;
  /** Where it lay in the arena. */
  readonly offset: number;
}

export interface ReadResult {
  readonly packets: readonly ReadPacket[];
  readonly interfaces: readonly CaptureInterface[];
  readonly firstEpochNs: bigint;
  /** What ended the reading; null at a proper end. */
  readonly error: Error | null;
}

export async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Read a path or bytes to the end. `rows` is the size of a burst, `chunkSize` that of the pieces of a stream. */
export async function readAll(
  input: string | Uint8Array,
  rows = 7,
  headroom = 0,
  chunkSize = 4096,
): Promise<ReadResult> {
  const packets: ReadPacket[] = [];
  const columns = createColumns(createArena(300_000), rows, headroom);
  let reader: Awaited<ReturnType<typeof openCapture>> | null = null;
  let error: Error | null = null;
  try {
    reader = await openCapture(typeof input === 'string' ? input : chunked(input, chunkSize));
    while ((await reader.read(columns)) > 0) {
      for (let i = 0; i < columns.count; i++) {
        const offset = columns.offset[i]!;
        packets.push({
          tsNs: reader.epochNs + BigInt(columns.tsNs[i]!),
          data: Buffer.from(columns.arena.bytes.slice(offset, offset + columns.length[i]!)),
          originalLength: columns.originalLength[i]!,
          interfaceId: columns.interfaceId[i]!,
          kind: columns.kind[i]!,
          truncated: columns.truncated[i]!,
          offset,
        });
      }
    }
  } catch (thrown) {
    error = thrown instanceof Error ? thrown : new Error(String(thrown));
  }
  return { packets, interfaces: reader?.interfaces ?? [], firstEpochNs: reader?.firstEpochNs ?? 0n, error };
}
