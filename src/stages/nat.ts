/** NAT by the connection's two tuples: what a packet's ends become, and the same inside a quoted packet.
 *  Source: Linux net/netfilter/nf_nat_core.c, nf_nat_proto.c (nf_nat_packet, nf_nat_icmp_reply_translation). */
import { tupleAt } from '../kernels/connection-columns.js';
import { CT_FLAG } from '../tables/conntrack.js';
import { fillIcmpChecksum, ICMP } from '../wire/icmp.js';
import { ipv4HeaderSize, PROTOCOL } from '../wire/ipv4.js';
import { End, rewriteEnd } from './rewrite.js';
import { ipv4End } from './transport.js';
import { CtInfo, L4, type Walk } from './walk.js';

/** Is a translation recorded on the packet's connection, new or known? */
export const natFlags = (w: Walk): number =>
  (w.ct >= 0 ? w.conntrack.flags(w.ct >> 1) : w.fresh) & (CT_FLAG.SRC_NAT | CT_FLAG.DST_NAT);

/** The tuple of the other direction: its source is this packet's destination-to-be, and the reverse. */
const otherTuple = (w: Walk): Int32Array => (w.ct >= 0 ? w.conntrack.rows : w.reply);
const otherAt = (w: Walk): number => (w.ct >= 0 ? tupleAt(w.ct ^ 1) : 0);

/** Source port of a tuple, or the identifier of an echo. */
function sourcePort(tuple: Int32Array, at: number): number {
  return tuple[at + 2]! >>> 16;
}

function destinationPort(tuple: Int32Array, at: number): number {
  const word = tuple[at + 2]!;
  return (tuple[at + 3]! & 0xff) === PROTOCOL.ICMP ? word >>> 16 : word & 0xffff;
}

/** Give the packet the destination that its connection says. */
export function natDestination(w: Walk): void {
  const other = otherTuple(w);
  const at = otherAt(w);
  rewriteEnd(w.p, w.l3, w.l4, ipv4End(w), End.DST, other[at]! >>> 0, sourcePort(other, at), isPartial(w));
}

/** Give the packet the source that its connection says. */
export function natSource(w: Walk): void {
  const other = otherTuple(w);
  const at = otherAt(w);
  rewriteEnd(
    w.p,
    w.l3,
    w.l4,
    ipv4End(w),
    End.SRC,
    other[at + 1]! >>> 0,
    destinationPort(other, at),
    isPartial(w),
  );
}

// An UNKNOWN status never reaches here: track looks at the checksum first.
const isPartial = (w: Walk): boolean => w.l4Status === L4.PARTIAL;

/** Both ends at once, as br0's ct(nat) does for a reply; nothing for a connection without translation. */
export function natWhole(w: Walk): void {
  if (natFlags(w) === 0 || w.ct < 0) return;
  if (w.ctInfo === CtInfo.RELATED || w.ctInfo === CtInfo.RELATED_REPLY) {
    translateIcmpError(w);
    return;
  }
  natDestination(w);
  natSource(w);
}

/** Translate an ICMP error: its own ends as a packet of its direction, the quoted packet's ends the other way. */
export function translateIcmpError(w: Walk): void {
  const { p, conntrack: table } = w;
  const flags = table.flags(w.ct >> 1);
  const isReply = (w.ct & 1) === 1;
  const other = table.rows;
  const at = otherAt(w);
  const l3 = w.l4 + ICMP.SIZE;
  const l4 = l3 + ipv4HeaderSize(p, l3);
  const end = ipv4End(w);
  // In the reply direction the source is what DNAT changed; in the original direction it is what SNAT changed.
  const changesSource = (flags & (isReply ? CT_FLAG.DST_NAT : CT_FLAG.SRC_NAT)) !== 0;
  const changesDestination = (flags & (isReply ? CT_FLAG.SRC_NAT : CT_FLAG.DST_NAT)) !== 0;
  if (changesSource) {
    const address = other[at + 1]! >>> 0;
    rewriteEnd(p, l3, l4, end, End.DST, address, destinationPort(other, at), false);
    rewriteAddress(w, End.SRC, address);
  }
  if (changesDestination) {
    const address = other[at]! >>> 0;
    rewriteEnd(p, l3, l4, end, End.SRC, address, sourcePort(other, at), false);
    rewriteAddress(w, End.DST, address);
  }
  fillIcmpChecksum(p, w.l4, end);
}

/** The outer addresses of an ICMP error; it has no port, and its checksum does not cover them. */
function rewriteAddress(w: Walk, which: number, address: number): void {
  rewriteEnd(w.p, w.l3, w.l4, w.l4, which, address, 0, false);
}
