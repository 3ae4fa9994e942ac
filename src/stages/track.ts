/** Conntrack: finds the connection of the packet in hand, or begins one, and keeps its state and timeout.
 *  Both br0's ct() and the host's PREROUTING and OUTPUT ask here: they share zone 0.
 *  Source: Linux net/netfilter/nf_conntrack_core.c, nf_conntrack_proto_{tcp,udp,icmp,generic}.c. */
import { CT_FLAG } from '../tables/conntrack.js';
import { CT } from '../tables/flows.js';
import { Reason } from '../verdict/reasons.js';
import { ICMP, ICMP_TYPE, icmpType, isIcmpError } from '../wire/icmp.js';
import { ipv4Dst, ipv4HeaderSize, ipv4Protocol, ipv4Src, PROTOCOL } from '../wire/ipv4.js';
import { TCP_FLAG, tcpFlags } from '../wire/tcp.js';
import { areTcpFlagsValid, nextTcpState, TcpState } from './tcp-states.js';
import { beginWindow } from './tcp-window.js';
import { meetTcp, Tcp, usualNs } from './track-tcp.js';
import { ipv4End, isTransportWhole, transportStatus } from './transport.js';
import { CtInfo, L4, type Walk } from './walk.js';

const UDP_TIMEOUT_NS = 30e9;
const UDP_STREAM_TIMEOUT_NS = 120e9;
/** A UDP flow with replies counts as a stream when it is older than this. */
const UDP_STREAM_AFTER_NS = 2e9;
const ICMP_TIMEOUT_NS = 30e9;
const GENERIC_TIMEOUT_NS = 600e9;

/** What br0 sees of a conntrack state: Open vSwitch's ct_state bits (net/openvswitch/conntrack.c ovs_ct_get_state). */
export const CT_STATE_BITS: readonly number[] = [
  0,
  CT.TRK | CT.INV,
  CT.TRK | CT.NEW,
  CT.TRK | CT.EST,
  CT.TRK | CT.REL,
  CT.TRK | CT.EST | CT.RPL,
  CT.TRK | CT.REL | CT.RPL,
];

/** Track the packet at w.l3. Afterwards w.ctInfo, w.ct and, for a new connection, w.tuple and w.reply tell. */
export function track(w: Walk): void {
  w.untrack();
  w.ctInfo = CtInfo.INVALID;
  const protocol = ipv4Protocol(w.p, w.l3);
  const isSound = isTransportWhole(w) && transportStatus(w) !== L4.BAD;
  if (!isSound || w.l4Status === L4.PARTIAL) w.isRecordable = false;
  if (!isSound) return;
  if (protocol === PROTOCOL.ICMP && !isEcho(icmpType(w.p, w.l4))) {
    w.isRecordable = false;
    if (isIcmpError(icmpType(w.p, w.l4))) relate(w);
    return;
  }
  if (protocol === PROTOCOL.TCP && !areTcpFlagsValid(tcpFlags(w.p, w.l4))) {
    w.isRecordable = false;
    return;
  }
  readTuple(w, w.l3, w.l4, w.tuple);
  const found = findConnection(w);
  if (found >= 0 && meet(w, found, protocol)) return;
  w.isRecordable = false;
  begin(w, protocol);
}

const isEcho = (type: number): boolean => type === ICMP_TYPE.ECHO || type === ICMP_TYPE.ECHO_REPLY;

/** The tuple of the packet at l3, l4 in this node's space. */
function readTuple(w: Walk, l3: number, l4: number, tuple: Int32Array): void {
  const { p } = w;
  const protocol = ipv4Protocol(p, l3);
  tuple[0] = ipv4Src(p, l3);
  tuple[1] = ipv4Dst(p, l3);
  tuple[2] = transportWord(p, l4, ipv4EndOf(w, l3), protocol);
  tuple[3] = ((w.node + 1) << 8) | protocol;
}

const ipv4EndOf = (w: Walk, l3: number): number => (l3 === w.l3 ? ipv4End(w) : w.end);

function transportWord(p: DataView, l4: number, end: number, protocol: number): number {
  switch (protocol) {
    case PROTOCOL.TCP:
    case PROTOCOL.UDP:
    case PROTOCOL.SCTP:
      return end - l4 < 4 ? 0 : p.getInt32(l4);
    case PROTOCOL.ICMP:
      return end - l4 < ICMP.SIZE ? 0 : (p.getUint16(l4 + ICMP.ID) << 16) | p.getUint16(l4);
    default:
      return 0;
  }
}

/** Write the tuple of the answers to `from` into `to`. */
export function invertTuple(from: Int32Array, at: number, to: Int32Array): void {
  const protocol = from[at + 3]! & 0xff;
  const word = from[at + 2]!;
  const source = from[at]!;
  to[0] = from[at + 1]!;
  to[1] = source;
  // An echo's answer has the same identifier and the other type.
  to[2] = protocol === PROTOCOL.ICMP ? word ^ (ICMP_TYPE.ECHO << 8) : (word << 16) | (word >>> 16);
  to[3] = from[at + 3]!;
}

function findConnection(w: Walk): number {
  const { hint, tuple, nowNs } = w;
  // The batch lookup speaks of the first question only: of the tuple as it came in, on the node where it came in.
  w.hint = -2;
  if (hint >= 0 && w.conntrack.holds(hint, tuple, nowNs)) return hint;
  return w.conntrack.findTuple(tuple, nowNs);
}

/** The packet meets a known connection. False when it ends that one and begins another (a SYN after TIME_WAIT). */
function meet(w: Walk, found: number, protocol: number): boolean {
  const { conntrack: table, nowNs } = w;
  const row = found >> 1;
  const direction = found & 1;
  if (protocol === PROTOCOL.TCP) {
    const state = table.state(row);
    const met = meetTcp(w, row, direction, state);
    if (met === Tcp.REOPENS) {
      table.remove(row);
      return false;
    }
    if (met !== Tcp.TAKEN) w.isRecordable = false;
    if (met === Tcp.INVALID) return true;
    refer(w, found);
    if (met === Tcp.IGNORED) return true;
    // A reset before any reply: the connection never was.
    const isReset = (tcpFlags(w.p, w.l4) & TCP_FLAG.RST) !== 0;
    const isAnswered = (table.flags(row) & CT_FLAG.SEEN_REPLY) !== 0;
    if (isReset && !isAnswered) {
      table.remove(row);
      return true;
    }
    const wasOpen = state === TcpState.SYN_RECV || state === TcpState.ESTABLISHED;
    if (isAnswered && wasOpen && table.state(row) === TcpState.ESTABLISHED)
      table.addFlags(row, CT_FLAG.ASSURED);
  } else {
    refer(w, found);
    const isStream = (table.flags(row) & CT_FLAG.SEEN_REPLY) !== 0 && nowNs > table.streamNs(row);
    if (isStream && protocol === PROTOCOL.UDP) table.addFlags(row, CT_FLAG.ASSURED);
    table.setExpiresNs(row, nowNs + timeoutNs(protocol, isStream));
  }
  if (direction === 1) table.addFlags(row, CT_FLAG.SEEN_REPLY);
  return true;
}

/** The packet refers to this connection and direction (resolve_normal_ct). */
function refer(w: Walk, found: number): void {
  const row = found >> 1;
  w.ct = found;
  w.touch(found);
  if ((found & 1) === 1) w.ctInfo = CtInfo.REPLY;
  else w.ctInfo = (w.conntrack.flags(row) & CT_FLAG.SEEN_REPLY) !== 0 ? CtInfo.ESTABLISHED : CtInfo.NEW;
  w.service = w.conntrack.service(row);
  w.endpoint = w.conntrack.endpoint(row);
}

function timeoutNs(protocol: number, isStream: boolean): number {
  if (protocol === PROTOCOL.UDP) return isStream ? UDP_STREAM_TIMEOUT_NS : UDP_TIMEOUT_NS;
  return protocol === PROTOCOL.ICMP ? ICMP_TIMEOUT_NS : GENERIC_TIMEOUT_NS;
}

/** No connection: may this packet begin one? It is kept only if somebody confirms it. */
function begin(w: Walk, protocol: number): void {
  w.ct = -1;
  w.freshState = 0;
  if (protocol === PROTOCOL.TCP) {
    w.freshState = nextTcpState(0, tcpFlags(w.p, w.l4), TcpState.NONE);
    if (w.freshState >= TcpState.INVALID) {
      w.ctInfo = CtInfo.INVALID;
      return;
    }
  } else if (protocol === PROTOCOL.ICMP && icmpType(w.p, w.l4) !== ICMP_TYPE.ECHO) {
    w.ctInfo = CtInfo.INVALID;
    return;
  }
  w.ctInfo = CtInfo.NEW;
  invertTuple(w.tuple, 0, w.reply);
}

/** Keep a new connection (nf_conntrack_confirm). Answers why it could not be kept, or None: then the packet goes on. */
export function confirm(w: Walk): Reason {
  if (w.ct >= 0 || w.ctInfo !== CtInfo.NEW) return Reason.None;
  const { conntrack: table, nowNs } = w;
  // Datagrams may share a tuple (allow_clash); a stream may not.
  if ((w.tuple[3]! & 0xff) === PROTOCOL.TCP && table.findTuple(w.reply, nowNs) >= 0)
    return Reason.ConntrackClash;
  const row = table.insert(w.tuple, w.reply, nowNs);
  if (row < 0) return Reason.ConntrackFull;
  const protocol = w.tuple[3]! & 0xff;
  table.setState(row, w.freshState);
  table.addFlags(row, w.fresh);
  table.setServer(row, w.service, w.endpoint);
  if (protocol === PROTOCOL.TCP) {
    table.setExpiresNs(row, nowNs + usualNs(w.freshState, 0));
    beginWindow(w, row);
  } else {
    table.setExpiresNs(row, nowNs + timeoutNs(protocol, false));
    table.setStreamNs(row, nowNs + UDP_STREAM_AFTER_NS);
  }
  // On later nodes it is a connection to the endpoint, which no Service table has seen.
  if ((w.fresh & CT_FLAG.DST_NAT) !== 0 && w.endpoint >= 0) {
    w.serviceConnections[w.service]!++;
    w.endpointConnections[w.endpoint]!++;
  }
  w.ct = row * 2;
  return Reason.None;
}

const inner = new Int32Array(4);
const inverse = new Int32Array(4);

/** An ICMP error belongs to the connection of the packet that it quotes (nf_conntrack_inet_error). */
function relate(w: Walk): void {
  const { p } = w;
  const l3 = w.l4 + ICMP.SIZE;
  const end = ipv4End(w);
  if (end - l3 < 20) return;
  const l4 = l3 + ipv4HeaderSize(p, l3);
  if (p.getUint8(l3) >>> 4 !== 4 || l4 - l3 < 20 || end - l4 < 8) return;
  readTuple(w, l3, l4, inner);
  invertTuple(inner, 0, inverse);
  const found = w.conntrack.findTuple(inverse, w.nowNs);
  if (found < 0 || inverse[1] !== (ipv4Dst(p, w.l3) | 0)) return;
  w.ct = found;
  w.ctInfo = (found & 1) === 1 ? CtInfo.RELATED_REPLY : CtInfo.RELATED;
  w.service = w.conntrack.service(found >> 1);
  w.endpoint = w.conntrack.endpoint(found >> 1);
}
