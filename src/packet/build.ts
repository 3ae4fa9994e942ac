/** Builds whole Ethernet frames from plain numbers: Ethernet, IPv4 and TCP, UDP, ICMP, ARP or VXLAN, checksums filled. */
import { writeArp } from '../wire/arp.js';
import { ETHERNET, ETHERTYPE, writeEthernet } from '../wire/ethernet.js';
import { fillIcmpChecksum, ICMP, ICMP_TYPE } from '../wire/icmp.js';
import { IPV4, IPV4_DF, PROTOCOL, writeIpv4 } from '../wire/ipv4.js';
import { fillTcpChecksum, TCP, writeTcp } from '../wire/tcp.js';
import { fillUdpChecksum, UDP, writeUdp } from '../wire/udp.js';
import { VXLAN, writeVxlan } from '../wire/vxlan.js';
import { type Arena, HEADROOM } from './batch.js';

/** Where a frame lies: arena.bytes[offset .. offset + length), with HEADROOM free bytes in front of it. */
export interface BuiltFrame {
  readonly offset: number;
  readonly length: number;
}

/** MACs as `Hi` (first two octets) and `Lo` (last four), as addr/mac has them. */
export interface EthernetFields {
  readonly dstMacHi: number;
  readonly dstMacLo: number;
  readonly srcMacHi: number;
  readonly srcMacLo: number;
}

/** Addresses are u32 in host order. What is left out is as Linux sends: TTL 64, DF, TOS 0; the identification is 0. */
export interface Ipv4Fields extends EthernetFields {
  readonly src: number;
  readonly dst: number;
  readonly ttl?: number;
  readonly tos?: number;
  readonly id?: number;
  /** Flags and offset in one u16; IPV4_DF when left out. */
  readonly fragment?: number;
}

export interface TcpFields extends Ipv4Fields {
  readonly sport: number;
  readonly dport: number;
  /** TCP_FLAG bits. */
  readonly flags: number;
  readonly seq?: number;
  readonly ack?: number;
  readonly window?: number;
  /** A multiple of four bytes, at most 40. */
  readonly options?: Uint8Array;
  readonly payload?: Uint8Array;
}

export interface UdpFields extends Ipv4Fields {
  readonly sport: number;
  readonly dport: number;
  readonly payload?: Uint8Array;
}

export interface EchoFields extends Ipv4Fields {
  /** ICMP_TYPE.ECHO when left out; ECHO_REPLY for the answer. */
  readonly type?: number;
  readonly identifier: number;
  readonly sequence: number;
  readonly payload?: Uint8Array;
}

export interface ArpFields extends EthernetFields {
  readonly oper: number;
  readonly senderMacHi: number;
  readonly senderMacLo: number;
  readonly sender: number;
  readonly targetMacHi: number;
  readonly targetMacLo: number;
  readonly target: number;
}

export interface VxlanFields extends Ipv4Fields {
  readonly sport: number;
  readonly dport: number;
  readonly vni: number;
  /** The whole inner frame. */
  readonly inner: Uint8Array;
}

const NO_BYTES = new Uint8Array(0);
const FRAME_IP = ETHERNET.SIZE;
const FRAME_L4 = FRAME_IP + IPV4.MIN_SIZE;

/** Options of a SYN: MSS, window scale 7, SACK permitted (RFC 9293 section 3.2, RFC 7323, RFC 2018). 12 bytes. */
export const synOptions = (mss: number): Uint8Array =>
  Uint8Array.of(2, 4, mss >>> 8, mss & 255, 1, 3, 3, 7, 1, 1, 4, 2);

/** @throws RangeError, as all builders do, when the arena is full or the packet is longer than IPv4 allows. */
export function buildTcp(arena: Arena, fields: TcpFields): BuiltFrame {
  const options = fields.options ?? NO_BYTES;
  const payload = fields.payload ?? NO_BYTES;
  const size = TCP.MIN_SIZE + options.length;
  const frame = reserveIpv4(arena, fields, PROTOCOL.TCP, size + payload.length);
  const at = frame.offset + FRAME_L4;
  const { view } = arena;
  const window = fields.window ?? 64_240;
  writeTcp(view, at, fields.sport, fields.dport, fields.seq ?? 0, fields.ack ?? 0, fields.flags, window);
  view.setUint8(at + TCP.OFFSET, size << 2);
  arena.bytes.set(options, at + TCP.MIN_SIZE);
  arena.bytes.set(payload, at + size);
  fillTcpChecksum(view, at, frame.offset + frame.length, fields.src, fields.dst);
  return frame;
}

export function buildUdp(arena: Arena, fields: UdpFields): BuiltFrame {
  const payload = fields.payload ?? NO_BYTES;
  const size = UDP.SIZE + payload.length;
  const frame = reserveIpv4(arena, fields, PROTOCOL.UDP, size);
  const at = frame.offset + FRAME_L4;
  writeUdp(arena.view, at, fields.sport, fields.dport, size);
  arena.bytes.set(payload, at + UDP.SIZE);
  fillUdpChecksum(arena.view, at, at + size, fields.src, fields.dst);
  return frame;
}

/** An ICMP echo request or reply. */
export function buildEcho(arena: Arena, fields: EchoFields): BuiltFrame {
  const payload = fields.payload ?? NO_BYTES;
  const size = ICMP.SIZE + payload.length;
  const frame = reserveIpv4(arena, fields, PROTOCOL.ICMP, size);
  const at = frame.offset + FRAME_L4;
  const { view } = arena;
  view.setUint32(at, (fields.type ?? ICMP_TYPE.ECHO) << 24);
  view.setUint16(at + ICMP.ID, fields.identifier);
  view.setUint16(at + ICMP.SEQ, fields.sequence);
  arena.bytes.set(payload, at + ICMP.SIZE);
  fillIcmpChecksum(view, at, at + size);
  return frame;
}

export function buildArp(arena: Arena, fields: ArpFields): BuiltFrame {
  const frame = reserve(arena, fields, ETHERTYPE.ARP, 28);
  writeArp(
    arena.view,
    frame.offset + ETHERNET.SIZE,
    fields.oper,
    fields.senderMacHi,
    fields.senderMacLo,
    fields.sender,
    fields.targetMacHi,
    fields.targetMacLo,
    fields.target,
  );
  return frame;
}

/** A frame inside a tunnel packet, UDP checksum zero as Linux sends it (RFC 7348 section 5). */
export function buildVxlan(arena: Arena, fields: VxlanFields): BuiltFrame {
  const size = UDP.SIZE + VXLAN.SIZE + fields.inner.length;
  const frame = reserveIpv4(arena, fields, PROTOCOL.UDP, size);
  const at = frame.offset + FRAME_L4;
  writeUdp(arena.view, at, fields.sport, fields.dport, size);
  writeVxlan(arena.view, at + UDP.SIZE, fields.vni);
  arena.bytes.set(fields.inner, at + UDP.SIZE + VXLAN.SIZE);
  return frame;
}

/** A frame from its bytes, for what no builder would write. */
export function placeFrame(arena: Arena, frame: Uint8Array): BuiltFrame {
  const { offset } = claim(arena, frame.length);
  arena.bytes.set(frame, offset);
  return { offset, length: frame.length };
}

function reserveIpv4(arena: Arena, fields: Ipv4Fields, protocol: number, size: number): BuiltFrame {
  const total = IPV4.MIN_SIZE + size;
  if (total > 0xffff) throw new RangeError(`${total} bytes are longer than an IPv4 packet can be (65535)`);
  const frame = reserve(arena, fields, ETHERTYPE.IPV4, total);
  writeIpv4(
    arena.view,
    frame.offset + FRAME_IP,
    fields.tos ?? 0,
    total,
    fields.id ?? 0,
    fields.fragment ?? IPV4_DF,
    fields.ttl ?? 64,
    protocol,
    fields.src,
    fields.dst,
  );
  return frame;
}

function reserve(arena: Arena, fields: EthernetFields, type: number, size: number): BuiltFrame {
  const frame = claim(arena, ETHERNET.SIZE + size);
  const { dstMacHi, dstMacLo, srcMacHi, srcMacLo } = fields;
  writeEthernet(arena.view, frame.offset, dstMacHi, dstMacLo, srcMacHi, srcMacLo, type);
  return frame;
}

/** Two bytes past a word, so that the IPv4 header behind the 14-byte Ethernet header is aligned (Linux NET_IP_ALIGN). */
function claim(arena: Arena, length: number): BuiltFrame {
  const offset = ((arena.used + HEADROOM + 3) & ~3) + 2;
  const end = offset + length;
  if (end > arena.bytes.length)
    throw new RangeError(
      `a frame of ${length} bytes does not fit: ${arena.used} of ${arena.bytes.length} used`,
    );
  arena.used = end;
  return { offset, length };
}
