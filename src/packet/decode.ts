/** Takes a frame apart into plain fields for reports: never on the packet path, since it allocates. */
import { arpOper, arpShaHi, arpShaLo, arpSpa, arpTpa, isArpIpv4 } from '../wire/arp.js';
import { ETHERNET, ETHERTYPE, ethDstHi, ethDstLo, etherType, ethSrcHi, ethSrcLo } from '../wire/ethernet.js';
import { ICMP, icmpCode, icmpType, isIcmpError } from '../wire/icmp.js';
import {
  checkIpv4,
  ipv4Dst,
  ipv4Fragment,
  ipv4HeaderSize,
  ipv4Id,
  ipv4Protocol,
  ipv4Src,
  ipv4Tos,
  ipv4TotalLength,
  ipv4Ttl,
  isLaterFragment,
  PROTOCOL,
} from '../wire/ipv4.js';
import { TCP, tcpAck, tcpFlags, tcpSeq } from '../wire/tcp.js';
import { UDP } from '../wire/udp.js';
import { VXLAN, VXLAN_FLAG_I, vxlanVni } from '../wire/vxlan.js';

/** What a frame says, outermost header first. Fields of headers that are not whole are absent. */
export interface DecodedFrame {
  /** Bytes of the frame, Ethernet header included. */
  readonly length: number;
  readonly dstMacHi: number;
  readonly dstMacLo: number;
  readonly srcMacHi: number;
  readonly srcMacLo: number;
  readonly etherType: number;
  readonly arp?: DecodedArp;
  readonly ip?: DecodedIpv4;
  readonly vxlan?: DecodedVxlan;
}

export interface DecodedArp {
  readonly oper: number;
  readonly senderMacHi: number;
  readonly senderMacLo: number;
  readonly sender: number;
  readonly target: number;
}

/** Addresses are u32 in host order. */
export interface DecodedIpv4 {
  readonly src: number;
  readonly dst: number;
  readonly tos: number;
  readonly id: number;
  /** Flags and offset in one u16. */
  readonly fragment: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly totalLength: number;
  /** TCP and UDP. */
  readonly sport?: number;
  readonly dport?: number;
  readonly tcp?: { readonly flags: number; readonly seq: number; readonly ack: number };
  readonly icmp?: DecodedIcmp;
}

export interface DecodedIcmp {
  readonly type: number;
  readonly code: number;
  /** Identifier and sequence of an echo; for errors the unused word's halves. */
  readonly identifier: number;
  readonly sequence: number;
  /** The packet that an error quotes. */
  readonly quoted?: DecodedIpv4;
}

export interface DecodedVxlan {
  readonly vni: number;
  readonly inner: DecodedFrame;
}

/** Decode bytes[offset .. offset + length); null when not even the Ethernet header is whole.
 *  `vxlanPort` is the UDP destination that means a tunnel. */
export function decodeFrame(
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
  vxlanPort = 4789,
): DecodedFrame | null {
  const p = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return decode(p, offset, offset + length, vxlanPort);
}

function decode(p: DataView, at: number, end: number, vxlanPort: number): DecodedFrame | null {
  if (end - at < ETHERNET.SIZE) return null;
  const type = etherType(p, at);
  const payload = at + ETHERNET.SIZE;
  const frame = {
    length: end - at,
    dstMacHi: ethDstHi(p, at),
    dstMacLo: ethDstLo(p, at),
    srcMacHi: ethSrcHi(p, at),
    srcMacLo: ethSrcLo(p, at),
    etherType: type,
  };
  if (type === ETHERTYPE.ARP && isArpIpv4(p, payload, end)) return { ...frame, arp: decodeArp(p, payload) };
  if (type !== ETHERTYPE.IPV4 || checkIpv4(p, payload, end) !== 0) return frame;
  const ip = decodeIpv4(p, payload, end);
  const vxlan =
    ip.protocol === PROTOCOL.UDP && ip.dport === vxlanPort ? inner(p, payload, end, vxlanPort) : null;
  return vxlan === null ? { ...frame, ip } : { ...frame, ip, vxlan };
}

function inner(p: DataView, ip: number, end: number, vxlanPort: number): DecodedVxlan | null {
  const at = ip + ipv4HeaderSize(p, ip) + UDP.SIZE;
  if (end - at < VXLAN.SIZE || (p.getUint8(at) & VXLAN_FLAG_I) === 0) return null;
  const frame = decode(p, at + VXLAN.SIZE, end, vxlanPort);
  return frame === null ? null : { vni: vxlanVni(p, at), inner: frame };
}

const decodeArp = (p: DataView, at: number): DecodedArp => ({
  oper: arpOper(p, at),
  senderMacHi: arpShaHi(p, at),
  senderMacLo: arpShaLo(p, at),
  sender: arpSpa(p, at),
  target: arpTpa(p, at),
});

function decodeIpv4(p: DataView, at: number, end: number): DecodedIpv4 {
  const protocol = ipv4Protocol(p, at);
  const ip = {
    src: ipv4Src(p, at),
    dst: ipv4Dst(p, at),
    tos: ipv4Tos(p, at),
    id: ipv4Id(p, at),
    fragment: ipv4Fragment(p, at),
    ttl: ipv4Ttl(p, at),
    protocol,
    totalLength: ipv4TotalLength(p, at),
  };
  const l4 = at + ipv4HeaderSize(p, at);
  if (isLaterFragment(p, at)) return ip;
  if (protocol === PROTOCOL.ICMP && end - l4 >= ICMP.SIZE) return { ...ip, icmp: decodeIcmp(p, l4, end) };
  if (!(protocol === PROTOCOL.TCP || protocol === PROTOCOL.UDP) || end - l4 < UDP.SIZE) return ip;
  const ports = { sport: p.getUint16(l4 + UDP.SPORT), dport: p.getUint16(l4 + UDP.DPORT) };
  if (protocol !== PROTOCOL.TCP || end - l4 < TCP.MIN_SIZE) return { ...ip, ...ports };
  return { ...ip, ...ports, tcp: { flags: tcpFlags(p, l4), seq: tcpSeq(p, l4), ack: tcpAck(p, l4) } };
}

function decodeIcmp(p: DataView, at: number, end: number): DecodedIcmp {
  const type = icmpType(p, at);
  const icmp = {
    type,
    code: icmpCode(p, at),
    identifier: p.getUint16(at + ICMP.ID),
    sequence: p.getUint16(at + ICMP.SEQ),
  };
  const quoted = at + ICMP.SIZE;
  return isIcmpError(type) && checkIpv4(p, quoted, end) === 0
    ? { ...icmp, quoted: decodeIpv4(p, quoted, end) }
    : icmp;
}
