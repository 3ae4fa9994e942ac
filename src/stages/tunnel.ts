/** vxlan0: writes the outer headers in front of the frame, and takes them off at the other node.
 *  Source: Linux drivers/net/vxlan, net/ipv4/udp_tunnel_core.c, include/net/inet_ecn.h; options of br0's vxlan0 port. */
import { tupleHash } from '../kernels/five-tuple.js';
import { findAddress } from '../tables/addresses.js';
import { Field, OFPORT } from '../tables/flows.js';
import { Reason } from '../verdict/reasons.js';
import { adjust16, pseudoSum, sumWords } from '../wire/checksum.js';
import { ETHERNET, ETHERTYPE, writeEthernet } from '../wire/ethernet.js';
import {
  IPV4,
  IPV4_DF,
  ipv4Dst,
  ipv4HeaderSize,
  ipv4Id,
  ipv4Src,
  ipv4Tos,
  PROTOCOL,
  writeIpv4,
} from '../wire/ipv4.js';
import { UDP, udpLength, writeUdp } from '../wire/udp.js';
import { VXLAN, VXLAN_OVERHEAD, vxlanVni, writeVxlan } from '../wire/vxlan.js';
import { ipv4End } from './transport.js';
import { L4, type Walk } from './walk.js';

export const VxlanOutputNext = { Nic: 0 } as const;
export const VxlanInputNext = { Bridge: 0 } as const;

/** net.ipv4.ip_local_port_range, from which the outer source port comes. */
const PORT_MIN = 32_768;
const PORT_MAX = 60_999;
const TTL = 64;
const ECN_MASK = 3;
const ECN_ECT0 = 2;
const ECN_CE = 3;

/** Encapsulate. Drops: TunnelTooLong. */
export function vxlanOutput(w: Walk): number {
  const { p, tables } = w;
  const { nodes } = tables;
  const inner = w.at;
  const innerLength = w.end - inner;
  const total = innerLength + VXLAN_OVERHEAD - ETHERNET.SIZE;
  if (total > 0xffff) return w.drop(Reason.TunnelTooLong);
  const hash = flowHash(w);
  const at = inner - VXLAN_OVERHEAD;
  const ip = at + ETHERNET.SIZE;
  const udp = ip + IPV4.MIN_SIZE;
  const peer = findAddress(tables.addresses, w.tunDst);
  const other = tables.addresses.row[peer]!;
  const node = w.node;
  writeEthernet(
    p,
    at,
    nodes.nicMacHi[other]!,
    nodes.nicMacLo[other]!,
    nodes.nicMacHi[node]!,
    nodes.nicMacLo[node]!,
    ETHERTYPE.IPV4,
  );
  const source = nodes.address[node]!;
  writeIpv4(p, ip, outerTos(w), total, outerId(w, hash), IPV4_DF, TTL, PROTOCOL.UDP, source, w.tunDst);
  writeUdp(p, udp, sourcePort(hash), tables.config.vxlanPort[0]!, innerLength + UDP.SIZE + VXLAN.SIZE);
  writeVxlan(p, udp + UDP.SIZE, w.tunId);
  w.at = at;
  w.nextHop = w.tunDst;
  w.untrack();
  return VxlanOutputNext.Nic;
}

/** Stable per flow, and the same for every packet of it (udp_flow_src_port). */
function sourcePort(hash: number): number {
  const spread = (hash ^ (hash << 16)) >>> 0;
  return PORT_MIN + Math.floor((spread * (PORT_MAX - PORT_MIN)) / 0x100000000);
}

/** Hash of the inner flow: addresses, protocol and ports where there are any. */
function flowHash(w: Walk): number {
  const { key } = w;
  const ports = w.flowPorts !== 0 ? w.flowPorts : (key[Field.TP_SRC]! << 16) | key[Field.TP_DST]!;
  return tupleHash(w.seed, key[Field.NW_SRC]!, key[Field.NW_DST]!, ports, key[Field.NW_PROTO]!);
}

/** DSCP is not copied; ECN is, CE becoming ECT(0) outside (RFC 6040, INET_ECN_encapsulate). */
function outerTos(w: Walk): number {
  if (w.etherType !== ETHERTYPE.IPV4) return 0;
  const ecn = ipv4Tos(w.p, w.at + ETHERNET.SIZE) & ECN_MASK;
  return ecn === ECN_CE ? ECN_ECT0 : ecn;
}

/** The kernel's identifiers are counters from a random start; ours are a keyed function, so that no order matters. */
function outerId(w: Walk, hash: number): number {
  const innerId = w.etherType === ETHERTYPE.IPV4 ? ipv4Id(w.p, w.at + ETHERNET.SIZE) : 0;
  return (innerId ^ (hash >>> 16)) & 0xffff;
}

/** Decapsulate; w.l3 and w.l4 are those of the outer headers. Drops: VxlanTruncated,
 *  VxlanMalformed, VxlanBadChecksum, VxlanEcn. */
export function vxlanInput(w: Walk): number {
  const { p, l3, l4 } = w;
  const end = ipv4End(w);
  const vxlan = l4 + UDP.SIZE;
  const inner = vxlan + VXLAN.SIZE;
  if (end - inner < ETHERNET.SIZE || udpLength(p, l4) < UDP.SIZE + VXLAN.SIZE + ETHERNET.SIZE)
    return w.drop(Reason.VxlanTruncated);
  const udpEnd = l4 + udpLength(p, l4);
  if (udpEnd > end) return w.drop(Reason.VxlanTruncated);
  if (p.getUint16(l4 + UDP.CHECKSUM) !== 0) {
    const pseudo = pseudoSum(ipv4Src(p, l3), ipv4Dst(p, l3), PROTOCOL.UDP, udpEnd - l4);
    if (sumWords(p, l4, udpEnd, pseudo) !== 0xffff) return w.drop(Reason.VxlanBadChecksum);
  }
  // The I flag and nothing else; vxlan_rcv calls frames with unknown bits unparsable.
  if (p.getUint32(vxlan + VXLAN.FLAGS) !== 0x08000000 || p.getUint8(vxlan + 7) !== 0)
    return w.drop(Reason.VxlanMalformed);
  const tos = ipv4Tos(p, l3);
  w.tunId = vxlanVni(p, vxlan);
  w.key[Field.TUN_SRC] = ipv4Src(p, l3) | 0;
  w.at = inner;
  w.end = udpEnd;
  w.ofport = OFPORT.VXLAN0;
  w.l4Status = L4.UNKNOWN;
  w.mru = 0;
  w.untrack();
  return decapsulateEcn(w, tos) ? VxlanInputNext.Bridge : w.drop(Reason.VxlanEcn);
}

/** A congestion mark set on the way goes into the inner header; false when that is not ECN-capable (RFC 6040
 *  section 4.2). */
function decapsulateEcn(w: Walk, outerTos: number): boolean {
  const { p } = w;
  const ip = w.at + ETHERNET.SIZE;
  if ((outerTos & ECN_MASK) !== ECN_CE || w.end - ip < IPV4.MIN_SIZE) return true;
  if (p.getUint16(w.at + ETHERNET.TYPE) !== ETHERTYPE.IPV4 || ipv4HeaderSize(p, ip) < IPV4.MIN_SIZE)
    return true;
  const tos = ipv4Tos(p, ip);
  if ((tos & ECN_MASK) === 0) return false;
  if ((tos & ECN_MASK) === ECN_CE) return true;
  p.setUint8(ip + IPV4.TOS, tos | ECN_CE);
  p.setUint16(ip + IPV4.CHECKSUM, adjust16(p.getUint16(ip + IPV4.CHECKSUM), tos, tos | ECN_CE));
  return true;
}
