/** What a capture is read into: the caller's arena and columns, one row a packet, no object per packet. */

import type { Arena, InputBatch } from '../packet/batch.js';
import type { CaptureInterface } from './capture-interface.js';
import { copyBytes } from './copy-bytes.js';
import { linkEtherType, linkHeaderSize, NO_ETHERTYPE } from './link-header.js';

/** What stands at a row's offset. */
export const FrameKind = {
  /** The Ethernet frame of the capture. */
  Ethernet: 0,
  /** The capture's packet behind an Ethernet header made here: both MACs zero, the EtherType of the packet. */
  Made: 1,
  /** A link type that podplane does not read, or a packet without EtherType; the bytes as they are. */
  Unsupported: 2,
} as const;

/** The largest packet that a capture may hold, as libpcap and Wireshark limit it for Ethernet. */
export const CAPTURED_MAX = 262_144;

const ETHERNET_SIZE = 14;

/** Row i is arena.bytes[offset[i] .. offset[i]+length[i]). */
export interface CaptureColumns {
  readonly arena: Arena;
  /** offset + 14 is a multiple of 4, so that a network header behind an Ethernet header is aligned. */
  readonly offset: Uint32Array;
  readonly length: Uint32Array;
  /** Length on the wire; counts the made Ethernet header in place of the capture's link header. */
  readonly originalLength: Uint32Array;
  /** Nanoseconds since the reader's epochNs; exact up to 2^53, which is 104 days away from it. */
  readonly tsNs: Float64Array;
  /** Index into the reader's interfaces. */
  readonly interfaceId: Uint32Array;
  /** A FrameKind. */
  readonly kind: Uint8Array;
  /** 1 where the capture holds less than was on the wire. */
  readonly truncated: Uint8Array;
  readonly capacity: number;
  /** Free bytes in front of each packet, at least. */
  readonly headroom: number;
  /** Bytes of the arena that may be filled; the rest is the caller's. */
  readonly byteLimit: number;
  count: number;
}

/** Columns of their own, over `arena`. */
export function createColumns(
  arena: Arena,
  capacity: number,
  headroom = 0,
  byteLimit = arena.bytes.length,
): CaptureColumns {
  const own = { offset: new Uint32Array(capacity), length: new Uint32Array(capacity) };
  return { ...own, tsNs: new Float64Array(capacity), ...rest(arena, capacity, headroom, byteLimit) };
}

/** Columns that share arena, offset, length and tsNs with an engine's input: nothing is copied between them.
 *  The caller sets input.count to what read() returned. */
export function columnsOfInput(input: InputBatch, byteLimit = input.arena.bytes.length): CaptureColumns {
  const { offset, length, tsNs } = input;
  return { offset, length, tsNs, ...rest(input.arena, offset.length, input.headroom, byteLimit) };
}

function rest(arena: Arena, capacity: number, headroom: number, byteLimit: number) {
  return {
    arena,
    capacity,
    headroom,
    byteLimit,
    originalLength: new Uint32Array(capacity),
    interfaceId: new Uint32Array(capacity),
    kind: new Uint8Array(capacity),
    truncated: new Uint8Array(capacity),
    count: 0,
  };
}

/** Put the packet at from[at..at+captured) into the next row. The caller has seen that a row is free.
 *  Returns false, with nothing changed, when the arena has no room left.
 *  @throws RangeError when even the empty arena is too small for it. */
export function appendPacket(
  columns: CaptureColumns,
  source: CaptureInterface,
  from: Uint8Array,
  fromView: DataView,
  at: number,
  captured: number,
  original: number,
  tsNs: number,
): boolean {
  const etherType = source.isEthernet ? NO_ETHERTYPE : linkEtherType(source.linkType, fromView, at, captured);
  const isMade = etherType !== NO_ETHERTYPE;
  const skip = isMade ? linkHeaderSize(source.linkType) : 0;
  const made = isMade ? ETHERNET_SIZE : 0;
  const wire = original - source.fcsSize;
  const kept = source.fcsSize > 0 && captured > wire ? Math.max(wire, 0) : captured;

  const { arena } = columns;
  const length = kept - skip + made;
  const offset = ((arena.used + columns.headroom + ETHERNET_SIZE + 3) & ~3) - ETHERNET_SIZE;
  if (offset + length > columns.byteLimit) return hasNoRoom(columns, length);

  const row = columns.count;
  columns.offset[row] = offset;
  columns.length[row] = length;
  columns.originalLength[row] = Math.max(wire - skip + made, 0);
  columns.tsNs[row] = tsNs;
  columns.interfaceId[row] = source.id;
  columns.truncated[row] = captured < original ? 1 : 0;
  columns.kind[row] = kindOf(source, isMade);
  if (isMade) writeEthernet(arena.view, offset, etherType);
  copyBytes(from, fromView, at + skip, arena.bytes, arena.view, offset + made, kept - skip);
  arena.used = offset + length;
  columns.count = row + 1;
  source.packets++;
  return true;
}

function kindOf(source: CaptureInterface, isMade: boolean): number {
  if (source.isEthernet) return FrameKind.Ethernet;
  if (isMade) return FrameKind.Made;
  source.unsupported++;
  return FrameKind.Unsupported;
}

function writeEthernet(p: DataView, at: number, etherType: number): void {
  p.setUint32(at, 0);
  p.setUint32(at + 4, 0);
  p.setUint32(at + 8, 0);
  p.setUint16(at + 12, etherType);
}

function hasNoRoom(columns: CaptureColumns, length: number): false {
  if (columns.count === 0) {
    throw new RangeError(`the arena's ${columns.byteLimit} bytes cannot hold a packet of ${length} bytes`);
  }
  return false;
}
