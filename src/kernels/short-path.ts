/** The short way: packets of connections whose path is known are checked, rewritten and done, without the long way's
 *  tables. Bytes, verdicts and connection state come out exactly as the long way would leave them; whatever is not
 *  plainly of the known kind is left to it. Twin of native/short-path.cc.
 *
 *  The key of a path is not looked at again: whoever empties the cache sees to it that what was found before is not used.
 *
 *  The work goes in groups of packets and in three steps over each: what the packet alone says, what its connections
 *  say, what it becomes. Each step is small enough for the compiler to keep its columns in registers. */
import { ETHERNET } from '../wire/ethernet.js';
import { ICMP } from '../wire/icmp.js';
import { IPV4, PROTOCOL } from '../wire/ipv4.js';
import { TCP, TCP_FLAG } from '../wire/tcp.js';
import { UDP } from '../wire/udp.js';
import { isAllOnes, isTransportRight } from './all-ones.js';
import { CONNECTION } from './connection-columns.js';
import { PATH, PATH_FLAG } from './path-columns.js';
import { meetTcp, refresh } from './path-connections.js';
import { rewrite } from './path-rewrite.js';

/** Longer frames may not fit into the tunnel, which depends on their padding too: the long way sees to them. */
const FRAME_MAX = 65_499;
/** Words of the path cache from which a touch pass pays, and packets of a group. */
const TOUCH_FROM = 1 << 18;
const GROUP = 32;
/** Place in the counts of the latest time seen; verdicts have those before it. */
export const LATEST = 7;

/** Everything that the kernel reads and writes; columns are shared with whoever made them. */
export interface ShortPathViews {
  p: DataView;
  bytes: Uint8Array;
  // Input columns, and the path rows that the batch lookup has found for the rows from `base` on.
  offset: Uint32Array;
  length: Uint32Array;
  tsNs: Float64Array;
  port: Int32Array;
  sequence: Float64Array;
  found: Int32Array;
  // Path cache.
  paths: Int32Array;
  // Conntrack: its rows, and the same memory by eight bytes.
  connections: Int32Array;
  times: Float64Array;
  // Output columns.
  origin: Int32Array;
  packet: Float64Array;
  parent: Float64Array;
  root: Float64Array;
  verdict: Uint8Array;
  reason: Uint16Array;
  exit: Int32Array;
  outOffset: Uint32Array;
  outLength: Uint32Array;
  outTsNs: Float64Array;
  endpoint: Int32Array;
  service: Int32Array;
  /** Packets by verdict; none has the verdict 0, whose place is scratch. LATEST: the latest time of any. */
  counts: Float64Array;
}

/** Of each packet of the group in hand: first word of its path's row, its transport header, its end, its protocol. A call
 *  ends before another begins, so that they may be the module's. */
const pathAt = new Int32Array(GROUP);
const transportAt = new Int32Array(GROUP);
const packetEnd = new Int32Array(GROUP);
const protocolOf = new Uint8Array(GROUP);

/** Take input rows `first` .. `end`, of which row `base` is the first of found, while each is a hit and earlier
 *  than `limitNs`. Output rows are written from `out` on, packet numbers from `number` on: one each.
 *  Returns the first row not taken. */
export function shortPath(
  v: ShortPathViews,
  first: number,
  end: number,
  base: number,
  out: number,
  number: number,
  limitNs: number,
): number {
  const isLarge = v.paths.length >= TOUCH_FROM;
  for (let group = first; group < end; group += GROUP) {
    const stop = Math.min(group + GROUP, end);
    if (isLarge) v.counts[0] = touch(v, group - base, stop - base);
    const sound = checkFrames(v, group, stop, base, limitNs);
    const taken = meetConnections(v, group, sound);
    rewrite(v, group, taken, pathAt, transportAt, protocolOf);
    putRows(v, group, taken, out + group - first, number + group - first);
    if (taken < stop) return taken;
  }
  return end;
}

/** Read the lines that the hits from..to will need, up to the first miss: reads that wait for none other overlap in the
 *  processor. The answer means nothing; the caller stores it, so that the reads are not optimized away. */
function touch(v: ShortPathViews, from: number, to: number): number {
  const { found, paths, connections } = v;
  let sink = 0;
  let hits = from;
  for (; hits < to && found[hits]! >= 0; hits++) {
    const base = (found[hits]! >> 1) * PATH.ROW;
    sink |= paths[base]! | paths[base + PATH.MTU]!;
  }
  for (let i = from; i < hits; i++) {
    const base = (found[i]! >> 1) * PATH.ROW;
    const touches = paths[base + PATH.SHAPE]! & 0xff;
    for (let k = 0; k < touches; k++)
      sink |= connections[(paths[base + PATH.TOUCH + k]! >> 1) * CONNECTION.ROW]!;
  }
  return sink;
}

/** First row of first..end whose packet does not fit its path, whatever its connections are; `end` where all do. */
function checkFrames(v: ShortPathViews, first: number, end: number, base: number, limitNs: number): number {
  const { p, paths, found, port, offset, length, tsNs } = v;
  for (let i = first; i < end; i++) {
    const hit = found[i - base]!;
    if (hit < 0 || !(tsNs[i]! < limitNs)) return i;
    const row = (hit >> 1) * PATH.ROW;
    if (paths[row + PATH.PORT] !== port[i]) return i;
    const at = offset[i]!;
    const size = length[i]!;
    const l3 = at + ETHERNET.SIZE;
    const isAsked =
      p.getInt32(at, true) === paths[row + PATH.ASK_MAC] &&
      p.getUint16(at + 4, true) === paths[row + PATH.ASK_MAC + 1];
    if (!isAsked) return i;
    const total = p.getUint16(l3 + IPV4.LENGTH);
    const l4 = l3 + ((p.getUint8(l3) & 15) << 2);
    const packet = l3 + total;
    const shape = paths[row + PATH.SHAPE]!;
    if (size > FRAME_MAX || packet > at + size || total > paths[row + PATH.MTU]!) return i;
    const forwards = (shape >>> 8) & 0xff;
    if (forwards > 0 && p.getUint8(l3 + IPV4.TTL) <= forwards) return i;
    if ((shape & (PATH_FLAG.CHECKS_IP << 16)) !== 0 && !isAllOnes(p, l3, l4)) return i;
    const protocol = p.getUint8(l3 + IPV4.PROTOCOL);
    if (!isSound(p, l3, l4, packet, protocol)) return i;
    const k = i - first;
    protocolOf[k] = protocol;
    pathAt[k] = row;
    transportAt[k] = l4;
    packetEnd[k] = packet;
  }
  return end;
}

/** A whole transport header with a right checksum, and in TCP's case a segment that changes no state. */
function isSound(p: DataView, l3: number, l4: number, end: number, protocol: number): boolean {
  const size = end - l4;
  if (protocol === PROTOCOL.TCP) {
    if (size < TCP.MIN_SIZE) return false;
    const header = (p.getUint8(l4 + TCP.OFFSET) >>> 4) << 2;
    if (header < TCP.MIN_SIZE || header > size) return false;
    const flags = p.getUint8(l4 + TCP.FLAGS) & (TCP_FLAG.SYN | TCP_FLAG.FIN | TCP_FLAG.RST | TCP_FLAG.ACK);
    return flags === TCP_FLAG.ACK && isTransportRight(p, l3, l4, end, protocol);
  }
  if (protocol === PROTOCOL.UDP) {
    if (size < UDP.SIZE) return false;
    const length = p.getUint16(l4 + UDP.LENGTH);
    if (length < UDP.SIZE || length > size) return false;
    return p.getUint16(l4 + UDP.CHECKSUM) === 0 || isTransportRight(p, l3, l4, l4 + length, protocol);
  }
  return protocol === PROTOCOL.ICMP && size >= ICMP.SIZE && isAllOnes(p, l4, end);
}

/** First row of first..end that its connections do not let pass; those before it have been seen by them. */
function meetConnections(v: ShortPathViews, first: number, end: number): number {
  const { p, paths, connections, times, tsNs } = v;
  for (let i = first; i < end; i++) {
    const k = i - first;
    const path = pathAt[k]!;
    const protocol = protocolOf[k]!;
    const isTaken =
      protocol === PROTOCOL.TCP
        ? meetTcp(p, paths, path, connections, times, transportAt[k]!, packetEnd[k]!, tsNs[i]!)
        : refresh(paths, path, connections, times, protocol, tsNs[i]!);
    if (!isTaken) return i;
  }
  return end;
}

/** The output's rows. */
function putRows(v: ShortPathViews, first: number, end: number, out: number, number: number): void {
  const { paths, offset, tsNs, sequence, origin, packet, parent, root, outTsNs, counts } = v;
  const { verdict, reason, exit, outOffset, outLength, endpoint, service } = v;
  let latest = counts[LATEST]!;
  for (let i = first; i < end; i++) {
    const k = i - first;
    const row = out + k;
    const path = pathAt[k]!;
    const at = offset[i]!;
    const outcome = paths[path + PATH.OUTCOME]!;
    const ns = tsNs[i]!;
    if (ns > latest) latest = ns;
    verdict[row] = outcome;
    reason[row] = outcome >>> 8;
    exit[row] = paths[path + PATH.EXIT]!;
    endpoint[row] = paths[path + PATH.ENDPOINT]!;
    service[row] = paths[path + PATH.SERVICE]!;
    outOffset[row] = at;
    outLength[row] = packetEnd[k]! - at;
    outTsNs[row] = ns;
    origin[row] = i;
    packet[row] = number + k;
    parent[row] = -1;
    root[row] = sequence[i]!;
    counts[outcome & 0xff]!++;
  }
  counts[LATEST] = latest;
}
