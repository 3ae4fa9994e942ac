/** How much room in output and arena a packet needs before it is taken, so that nothing on its way runs out of it. */
import { type Arena, HEADROOM, type OutputBatch, ROWS_MAX, ROWS_PER_PACKET } from '../packet/batch.js';
import { type Fragments, QUEUE_FLAG } from '../tables/fragments.js';
import { ETHERNET, ETHERTYPE } from '../wire/ethernet.js';
import {
  IPV4,
  IPV4_DF,
  IPV4_MF,
  IPV4_OFFSET_MASK,
  ipv4Fragment,
  ipv4HeaderSize,
  ipv4Id,
  ipv4Protocol,
  ipv4TotalLength,
  isFragment,
  PROTOCOL,
} from '../wire/ipv4.js';
import { VXLAN_OVERHEAD } from '../wire/vxlan.js';

/** Free arena bytes that a packet of `length` may need: itself moved, an answer as long as itself, answers to that. */
const arenaNeed = (length: number): number => 2 * (length + 2 * HEADROOM) + 4096;

export const hasRoom = (output: OutputBatch, arena: Arena, length: number): boolean =>
  output.capacity - output.count >= ROWS_PER_PACKET && arena.bytes.length - arena.used >= arenaNeed(length);

/** Stops on the longest way at which a datagram is put together and cut again: outside the tunnel, in both bridges, in
 *  the host between two passes of the first, where it arrives. */
const GATHERS = 6;
/** Bytes of a piece that are not payload, and what lies between two of them. */
const PIECE = 14 + 60 + HEADROOM + 6;

/** The same for a packet that may become, or be cut into, many.
 *  @throws RangeError when not even an empty output has the rows. */
export function hasRoomFor(
  output: OutputBatch,
  arena: Arena,
  at: number,
  length: number,
  mtu: number,
  fragments: Fragments,
): boolean {
  if (!hasRoom(output, arena, length)) return false;
  need.pieces = 0;
  need.bytes = 0;
  if (mayBeCut(arena.view, at, length, mtu)) askFor(piecesOf(length, mtu), length);
  if (fragments.queues > 0) {
    askForDatagram(arena.view, at, length, mtu, fragments);
    askForDatagram(arena.view, at + VXLAN_OVERHEAD, length - VXLAN_OVERHEAD, mtu, fragments);
  }
  return need.pieces === 0 || hasRoomNeeded(output, arena, length);
}

function hasRoomNeeded(output: OutputBatch, arena: Arena, length: number): boolean {
  const rows = Math.min(need.pieces + ROWS_PER_PACKET, ROWS_MAX);
  if (output.capacity < rows)
    throw new RangeError(`an output of ${output.capacity} rows for a datagram that may need ${rows}`);
  const size = arenaNeed(length) + GATHERS * (2 * need.bytes + need.pieces * PIECE);
  return output.capacity - output.count >= rows && arena.bytes.length - arena.used >= size;
}

/** The same for a copy of a datagram that came in fragments, the longest of `mru` bytes; 0 when it came whole. */
export function hasRoomToCut(output: OutputBatch, arena: Arena, length: number, mru: number): boolean {
  if (mru === 0) return hasRoom(output, arena, length);
  need.pieces = piecesOf(length, mru);
  need.bytes = length;
  return hasRoomNeeded(output, arena, length);
}

const need = { pieces: 0, bytes: 0 };

function askFor(pieces: number, bytes: number): void {
  need.pieces = Math.max(need.pieces, pieces);
  need.bytes = Math.max(need.bytes, bytes);
}

/** At the least payload that goes into a piece, behind the longest header. */
const piecesOf = (length: number, mtu: number): number => Math.ceil(length / Math.max(8, (mtu - 60) & ~7));

const isIpv4 = (p: DataView, at: number, length: number): boolean =>
  length >= ETHERNET.SIZE + IPV4.MIN_SIZE && p.getUint16(at + ETHERNET.TYPE) === ETHERTYPE.IPV4;

/** Longer than the path's MTU, free to be cut, and nothing that offload cuts? */
function mayBeCut(p: DataView, at: number, length: number, mtu: number): boolean {
  const l3 = at + ETHERNET.SIZE;
  if (length <= mtu + ETHERNET.SIZE || !isIpv4(p, at, length)) return false;
  return (
    ipv4TotalLength(p, l3) > mtu &&
    (ipv4Fragment(p, l3) & IPV4_DF) === 0 &&
    ipv4Protocol(p, l3) !== PROTOCOL.TCP
  );
}

/** The frame at `at` may be the fragment that makes a datagram whole, or that ends it. Addresses may have changed on
 *  the way, the identification has not. */
function askForDatagram(p: DataView, at: number, length: number, mtu: number, fragments: Fragments): void {
  const l3 = at + ETHERNET.SIZE;
  if (!isIpv4(p, at, length) || !isFragment(p, l3)) return;
  const { queue } = fragments;
  const idProto = ((ipv4Id(p, l3) << 16) | ipv4Protocol(p, l3)) >>> 0;
  const field = ipv4Fragment(p, l3);
  const offset = (field & IPV4_OFFSET_MASK) << 3;
  const size = Math.min(ipv4TotalLength(p, l3), length - ETHERNET.SIZE) - ipv4HeaderSize(p, l3);
  const isLast = (field & IPV4_MF) === 0;
  const end = offset + (isLast ? size : size & ~7);
  for (let q = 0; q < fragments.queues; q++) {
    if (queue.idProto[q] !== idProto) continue;
    const total = Math.max(queue.length[q]!, end);
    const hasLast = isLast || (queue.flags[q]! & QUEUE_FLAG.LAST_IN) !== 0;
    const isWhole = hasLast && queue.meat[q]! + end - offset === total;
    const shortest = Math.min(mtu, Math.max(queue.maxSize[q]!, size));
    // What ends a datagram causes nothing else, so that the rows of a plain packet are there for its fragments.
    const before = queue.fragments[q]!;
    if (isWhole) askFor(Math.max(before + 1, piecesOf(total, shortest)), total);
    else if (before >= ROWS_PER_PACKET) askFor(before, queue.meat[q]!);
  }
}
