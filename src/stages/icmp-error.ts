/** ICMP errors that a host sends: which packets get one, and its bytes.
 *  Source: Linux net/ipv4/icmp.c (icmp_send, icmp_glue_bits), RFC 1812 section 4.3.2. */
import { tupleAt } from '../kernels/connection-columns.js';
import { CT_FLAG } from '../tables/conntrack.js';
import { ETHERNET, ETHERTYPE, writeEthernet } from '../wire/ethernet.js';
import { fillIcmpChecksum, ICMP, icmpType, isIcmpError } from '../wire/icmp.js';
import {
  IPV4,
  ipv4Dst,
  ipv4HeaderSize,
  ipv4Protocol,
  ipv4Src,
  ipv4Tos,
  isLaterFragment,
  PROTOCOL,
  writeIpv4,
} from '../wire/ipv4.js';
import { natFlags } from './nat.js';
import { packetRandom } from './random.js';
import { End, rewriteEnd } from './rewrite.js';
import { ipv4End } from './transport.js';
import { CtInfo, type Walk } from './walk.js';

/** An error is at most 576 bytes long, so that much of the packet is quoted. */
const QUOTE_MAX = 576 - IPV4.MIN_SIZE - ICMP.SIZE;
const TTL = 64;
/** Precedence "internetwork control", beside the packet's own TOS bits. */
const TOS_CONTROL = 0xc0;
const TOS_MASK = 0x1e;

/** May the packet at w.l3 be answered by an ICMP error at all? */
export function deservesIcmpError(w: Walk): boolean {
  const { p, l3 } = w;
  const source = ipv4Src(p, l3);
  const destination = ipv4Dst(p, l3);
  if (isLaterFragment(p, l3) || !isUnicast(source) || !isUnicast(destination)) return false;
  if (ipv4Protocol(p, l3) !== PROTOCOL.ICMP) return true;
  return ipv4End(w) - w.l4 >= 1 && !isIcmpError(icmpType(p, w.l4));
}

const isUnicast = (address: number): boolean => {
  const first = address >>> 24;
  return first !== 0 && first !== 127 && first < 224;
};

/** Write the error about the packet at w.l3 from `source`; `rest` is the word behind the checksum (a 3/4's MTU).
 *  Returns the frame's offset (its end is w.arena.used); Ethernet addresses are left zero.
 *  The error inherits the packet's connection, so the quoted packet and the ends are translated back at once. */
export function writeIcmpError(w: Walk, type: number, code: number, rest: number, source: number): number {
  const { p, bytes, l3 } = w;
  const quote = Math.min(ipv4End(w) - l3, QUOTE_MAX);
  const length = ETHERNET.SIZE + IPV4.MIN_SIZE + ICMP.SIZE + quote;
  const at = w.allocate(length);
  const ip = at + ETHERNET.SIZE;
  const icmp = ip + IPV4.MIN_SIZE;
  const quoted = icmp + ICMP.SIZE;
  const end = quoted + quote;
  bytes.copyWithin(quoted, l3, l3 + quote);
  const restored = restoreQuoted(w, quoted, end);
  const to = ipv4Src(p, quoted);
  // A translated destination answers for itself: in the reply direction its address is put back (nf_nat).
  const from = restored & CT_FLAG.DST_NAT ? ipv4Dst(p, quoted) : source;
  writeEthernet(p, at, 0, 0, 0, 0, ETHERTYPE.IPV4);
  const id = packetRandom(w.seed, p, quoted, w.nowNs, type) & 0xffff;
  const tos = (ipv4Tos(p, l3) & TOS_MASK) | TOS_CONTROL;
  writeIpv4(p, ip, tos, length - ETHERNET.SIZE, id, 0, TTL, PROTOCOL.ICMP, from, to);
  p.setUint32(icmp, ((type << 24) | (code << 16)) >>> 0);
  p.setUint32(icmp + ICMP.ID, rest);
  fillIcmpChecksum(p, icmp, end);
  return at;
}

/** Conntrack state that an error inherits from the packet it is about (nf_conntrack_attach). */
export function inheritedInfo(w: Walk): number {
  if (w.ctInfo <= CtInfo.INVALID) return CtInfo.UNTRACKED;
  const isOriginal = w.ct < 0 || (w.ct & 1) === 0;
  return isOriginal ? CtInfo.RELATED_REPLY : CtInfo.RELATED;
}

/** Put the ends back into a quoted packet that its connection has translated. Returns which translations there are. */
function restoreQuoted(w: Walk, l3: number, end: number): number {
  if (w.ctInfo <= CtInfo.INVALID) return 0;
  const flags = natFlags(w);
  if (flags === 0) return 0;
  const { p } = w;
  const tuple = w.ct >= 0 ? w.conntrack.rows : w.tuple;
  const at = w.ct >= 0 ? tupleAt(w.ct) : 0;
  const l4 = l3 + ipv4HeaderSize(p, l3);
  const word = tuple[at + 2]!;
  const destinationPort = (tuple[at + 3]! & 0xff) === PROTOCOL.ICMP ? word >>> 16 : word & 0xffff;
  rewriteEnd(p, l3, l4, end, End.DST, tuple[at + 1]! >>> 0, destinationPort, false);
  rewriteEnd(p, l3, l4, end, End.SRC, tuple[at]! >>> 0, word >>> 16, false);
  return flags;
}
