/** The short way: packets of connections whose path is known are checked, rewritten and done, without the long way's
 *  tables. Bytes, verdicts and connection state come out exactly as the long way would leave them; whatever is not
 *  plainly of the known kind is left to it. Twin of native/short-path.cc. */
import { adjust16 } from '../wire/checksum.js';
import { ETHERNET } from '../wire/ethernet.js';
import { ICMP } from '../wire/icmp.js';
import { IPV4, PROTOCOL } from '../wire/ipv4.js';
import { TCP, TCP_FLAG } from '../wire/tcp.js';
import { UDP } from '../wire/udp.js';
import { isAllOnes, isTransportRight } from './all-ones.js';
import { CONNECTION, senderAt, WINDOW, WINDOW_FLAG } from './connection-columns.js';
import { PATH, PATH_FLAG } from './path-columns.js';
import {
  boundsBroken,
  countRetransmission,
  highestSack,
  InWindow,
  learnWindow,
  UNACKNOWLEDGED_NS,
  windowTimeoutNs,
} from './tcp-window.js';

/** Longer frames may not fit into the tunnel, which depends on their padding too: the long way sees to them. */
const FRAME_MAX = 65_499;
/** Words of the path cache from which a touch pass pays, and packets that one goes ahead. */
const TOUCH_FROM = 1 << 18;
const GROUP = 32;
const STATE_BITS = 0xff;
const TCP_ESTABLISHED = 3;
const SEGMENT_ACK = 3;
/** CT_FLAG bits where the marks have them. */
const SEEN_REPLY = 0x100;
const ASSURED = 0x200;
const TCP_ESTABLISHED_NS = 86_400e9;
const UDP_NS = 30e9;
const UDP_STREAM_NS = 120e9;
const ICMP_NS = 30e9;

/** Everything that the kernel reads and writes; columns are shared with whoever made them. */
export interface ShortPathViews {
  p: DataView;
  bytes: Uint8Array;
  // Input columns, and the batch lookup's keys and path rows for the rows from `base` on.
  offset: Uint32Array;
  length: Uint32Array;
  tsNs: Float64Array;
  port: Int32Array;
  keys: Int32Array;
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
  verdict: Uint8Array;
  reason: Uint16Array;
  exit: Int32Array;
  outOffset: Uint32Array;
  outLength: Uint32Array;
  outTsNs: Float64Array;
  endpoint: Int32Array;
  service: Int32Array;
  /** Packets by verdict; none has the verdict 0, whose place is scratch. */
  counts: Float64Array;
}

/** Take input rows `first` .. `end`, of which row `base` is the first of keys and found, while each is a hit and earlier
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
  for (let i = first; i < end; i++) {
    if (isLarge && (i - first) % GROUP === 0)
      v.counts[0] = touch(v, i - base, Math.min(i + GROUP, end) - base);
    const found = v.found[i - base]!;
    if (found < 0 || v.tsNs[i]! >= limitNs) return i;
    const row = out + i - first;
    if (!takeOne(v, i, (i - base) * 4, found >> 1, row)) return i;
    v.origin[row] = i;
    v.packet[row] = number + i - first;
    v.parent[row] = -1;
    v.outTsNs[row] = v.tsNs[i]!;
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
    for (let k = 0; k < touches; k++) {
      const row = (paths[base + PATH.TOUCH + k]! >> 1) * CONNECTION.ROW;
      sink |= connections[row]! | connections[row + WINDOW.LAST]!;
    }
  }
  return sink;
}

function takeOne(v: ShortPathViews, i: number, key: number, path: number, row: number): boolean {
  const { p, paths } = v;
  const base = path * PATH.ROW;
  const at = v.offset[i]!;
  const l3 = at + ETHERNET.SIZE;
  if (paths[base + PATH.PORT] !== v.port[i] || !isKey(paths, base + PATH.KEY, v.keys, key)) return false;
  if (p.getUint16(at) !== paths[base + PATH.ASK_MAC] || p.getInt32(at + 2) !== paths[base + PATH.ASK_MAC + 1])
    return false;
  const total = p.getUint16(l3 + IPV4.LENGTH);
  const l4 = l3 + ((p.getUint8(l3) & 15) << 2);
  const packetEnd = l3 + total;
  const shape = paths[base + PATH.SHAPE]!;
  const forwards = (shape >>> 8) & 0xff;
  const flags = shape >>> 16;
  if (v.length[i]! > FRAME_MAX || packetEnd > at + v.length[i]! || total > paths[base + PATH.MTU]!)
    return false;
  if (forwards > 0 && p.getUint8(l3 + IPV4.TTL) <= forwards) return false;
  if ((flags & PATH_FLAG.CHECKS_IP) !== 0 && !isAllOnes(p, l3, l4)) return false;
  const protocol = p.getUint8(l3 + IPV4.PROTOCOL);
  if (!isSound(p, l3, l4, packetEnd, protocol)) return false;
  const touches = shape & 0xff;
  const nowNs = v.tsNs[i]!;
  if (!areTouchesLive(v, base, touches, protocol, nowNs)) return false;
  if (protocol === PROTOCOL.TCP) {
    if (!meetTcp(v, base, touches, l4, packetEnd, nowNs)) return false;
  } else refresh(v, base, touches, protocol, nowNs);
  rewrite(v, base, at, l3, l4, protocol, forwards, flags);
  finish(v, base, row, at, packetEnd);
  return true;
}

function isKey(tuples: Int32Array, t: number, keys: Int32Array, k: number): boolean {
  return (
    tuples[t] === keys[k] &&
    tuples[t + 1] === keys[k + 1] &&
    tuples[t + 2] === keys[k + 2] &&
    tuples[t + 3] === keys[k + 3]
  );
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

/** Are the connections that the path met still there, and in the state in which it met them? */
function areTouchesLive(
  v: ShortPathViews,
  base: number,
  touches: number,
  protocol: number,
  nowNs: number,
): boolean {
  for (let k = 0; k < touches; k++) {
    const touch = v.paths[base + PATH.TOUCH + k]!;
    const row = (touch >> 1) * CONNECTION.ROW;
    if (v.connections[row + CONNECTION.BORN] !== v.paths[base + PATH.BORN + k]) return false;
    if (v.times[(row + CONNECTION.EXPIRES) >> 1]! <= nowNs) return false;
    const marks = v.connections[row + CONNECTION.MARKS]!;
    // The first reply changes what conntrack knows, and so does the packet that makes a TCP connection assured; the long
    // way sees to them.
    const isAnswered = (marks & SEEN_REPLY) !== 0;
    if ((touch & 1) === 1 && !isAnswered) return false;
    if (protocol !== PROTOCOL.TCP) continue;
    if ((isAnswered && (marks & ASSURED) === 0) || (marks & STATE_BITS) !== TCP_ESTABLISHED) return false;
  }
  return true;
}

/** Judge the segment on every connection first, then let each learn: nothing may have changed when one refuses. */
function meetTcp(
  v: ShortPathViews,
  base: number,
  touches: number,
  l4: number,
  packetEnd: number,
  nowNs: number,
): boolean {
  const { p, connections: windows } = v;
  const seq = p.getInt32(l4 + TCP.SEQ);
  const ack = p.getInt32(l4 + TCP.ACK);
  const window = p.getUint16(l4 + TCP.WINDOW);
  const end = (seq + packetEnd - l4 - ((p.getUint8(l4 + TCP.OFFSET) >>> 4) << 2)) | 0;
  let liberal = 0;
  for (let k = 0; k < touches; k++) {
    const touch = v.paths[base + PATH.TOUCH + k]!;
    const sender = senderAt(touch);
    const receiver = senderAt(touch ^ 1);
    if (windows[sender + WINDOW.MAX_WINDOW] === 0) return false;
    const sack = sackOf(p, windows, receiver, l4, ack);
    if (boundsBroken(windows, sender, receiver, seq, end, sack) === InWindow.ACCEPT) continue;
    // A connection picked up in the middle takes the segment all the same, and learns nothing from it.
    if ((windows[sender + WINDOW.FLAGS]! & WINDOW_FLAG.LIBERAL) === 0) return false;
    liberal |= 1 << k;
  }
  for (let k = 0; k < touches; k++) {
    const touch = v.paths[base + PATH.TOUCH + k]!;
    const sender = senderAt(touch);
    const receiver = senderAt(touch ^ 1);
    const row = (touch >> 1) * CONNECTION.ROW;
    const sack = sackOf(p, windows, receiver, l4, ack);
    const scaled = window << windows[sender + WINDOW.SCALE]!;
    if ((liberal & (1 << k)) === 0) {
      learnWindow(windows, sender, receiver, end, ack, sack, scaled, true);
      countRetransmission(windows, row, touch & 1, seq, ack, end, window);
    }
    windows[row + WINDOW.LAST_KIND] = SEGMENT_ACK;
    const isAnswered = (windows[row + CONNECTION.MARKS]! & SEEN_REPLY) !== 0;
    const usual = isAnswered ? TCP_ESTABLISHED_NS : UNACKNOWLEDGED_NS;
    v.times[(row + CONNECTION.EXPIRES) >> 1] = nowNs + windowTimeoutNs(windows, row, true, usual);
  }
  return true;
}

const sackOf = (p: DataView, windows: Int32Array, receiver: number, l4: number, ack: number): number =>
  (windows[receiver + WINDOW.FLAGS]! & WINDOW_FLAG.SACK_PERMITTED) !== 0 ? highestSack(p, l4, ack) : ack;

/** UDP and echo: only the timeout moves. */
function refresh(v: ShortPathViews, base: number, touches: number, protocol: number, nowNs: number): void {
  const { connections, times } = v;
  for (let k = 0; k < touches; k++) {
    const row = (v.paths[base + PATH.TOUCH + k]! >> 1) * CONNECTION.ROW;
    const hasReply = (connections[row + CONNECTION.MARKS]! & SEEN_REPLY) !== 0;
    const isStream = hasReply && nowNs > times[(row + CONNECTION.STREAM) >> 1]!;
    if (isStream && protocol === PROTOCOL.UDP) connections[row + CONNECTION.MARKS]! |= ASSURED;
    const timeoutNs = protocol === PROTOCOL.ICMP ? ICMP_NS : isStream ? UDP_STREAM_NS : UDP_NS;
    times[(row + CONNECTION.EXPIRES) >> 1] = nowNs + timeoutNs;
  }
}

function rewrite(
  v: ShortPathViews,
  base: number,
  at: number,
  l3: number,
  l4: number,
  protocol: number,
  forwards: number,
  flags: number,
): void {
  const { p, paths } = v;
  if ((flags & PATH_FLAG.MAC) !== 0) {
    p.setUint16(at, paths[base + PATH.DST_MAC]!);
    p.setInt32(at + 2, paths[base + PATH.DST_MAC + 1]!);
    p.setUint16(at + ETHERNET.SRC, paths[base + PATH.SRC_MAC]!);
    p.setInt32(at + ETHERNET.SRC + 2, paths[base + PATH.SRC_MAC + 1]!);
  }
  const deltas = paths[base + PATH.DELTAS]!;
  if (forwards > 0 || (flags & PATH_FLAG.NAT) !== 0) {
    const word = p.getUint16(l3 + IPV4.TTL);
    let sum = adjust16(p.getUint16(l3 + IPV4.CHECKSUM), word, word - forwards * 0x100);
    p.setUint8(l3 + IPV4.TTL, (word >>> 8) - forwards);
    if ((flags & PATH_FLAG.NAT) !== 0) sum = adjust16(sum, 0, deltas & 0xffff);
    p.setUint16(l3 + IPV4.CHECKSUM, sum);
  }
  if ((flags & PATH_FLAG.NAT) === 0) return;
  p.setInt32(l3 + IPV4.SRC, paths[base + PATH.SRC]!);
  p.setInt32(l3 + IPV4.DST, paths[base + PATH.DST]!);
  const ports = paths[base + PATH.PORTS]!;
  const delta = deltas >>> 16;
  if (protocol === PROTOCOL.TCP) {
    p.setInt32(l4, ports);
    p.setUint16(l4 + TCP.CHECKSUM, adjust16(p.getUint16(l4 + TCP.CHECKSUM), 0, delta));
  } else if (protocol === PROTOCOL.UDP) {
    p.setInt32(l4, ports);
    const sum = p.getUint16(l4 + UDP.CHECKSUM);
    if (sum !== 0) p.setUint16(l4 + UDP.CHECKSUM, adjust16(sum, 0, delta) || 0xffff);
  } else if (p.getUint16(l4 + ICMP.ID) !== ports >>> 16) {
    p.setUint16(l4 + ICMP.ID, ports >>> 16);
    p.setUint16(l4 + ICMP.CHECKSUM, adjust16(p.getUint16(l4 + ICMP.CHECKSUM), 0, delta));
  }
}

function finish(v: ShortPathViews, base: number, row: number, at: number, end: number): void {
  const { paths } = v;
  const outcome = paths[base + PATH.OUTCOME]!;
  const verdict = outcome & 0xff;
  v.verdict[row] = verdict;
  v.reason[row] = outcome >>> 8;
  v.exit[row] = paths[base + PATH.EXIT]!;
  v.outOffset[row] = at;
  v.outLength[row] = end - at;
  v.endpoint[row] = paths[base + PATH.ENDPOINT]!;
  v.service[row] = paths[base + PATH.SERVICE]!;
  v.counts[verdict]!++;
}
