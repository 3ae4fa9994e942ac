/** IPv4 header, 20 to 60 bytes, RFC 791 section 3.1.
 *  Version(4) IHL(4) TOS(8) TotalLength(16) | Id(16) Flags(3) FragmentOffset(13) | TTL(8) Protocol(8) Checksum(16)
 *  | Source(32) | Destination(32) | Options. */
import { Reason } from '../verdict/reasons.js';
import { adjust16, adjust32, checksum, sumWords } from './checksum.js';

export const IPV4 = {
  VERSION: 0,
  TOS: 1,
  LENGTH: 2,
  ID: 4,
  FRAGMENT: 6,
  TTL: 8,
  PROTOCOL: 9,
  CHECKSUM: 10,
  SRC: 12,
  DST: 16,
  MIN_SIZE: 20,
} as const;
export const PROTOCOL = { ICMP: 1, TCP: 6, UDP: 17, SCTP: 132 } as const;
export const IPV4_DF = 0x4000;
export const IPV4_MF = 0x2000;
/** Fragment offset, in units of 8 bytes. */
export const IPV4_OFFSET_MASK = 0x1fff;

export const ipv4HeaderSize = (p: DataView, at: number): number => (p.getUint8(at) & 15) << 2;
export const ipv4Tos = (p: DataView, at: number): number => p.getUint8(at + IPV4.TOS);
export const ipv4TotalLength = (p: DataView, at: number): number => p.getUint16(at + IPV4.LENGTH);
export const ipv4Id = (p: DataView, at: number): number => p.getUint16(at + IPV4.ID);
export const ipv4Fragment = (p: DataView, at: number): number => p.getUint16(at + IPV4.FRAGMENT);
export const ipv4Ttl = (p: DataView, at: number): number => p.getUint8(at + IPV4.TTL);
export const ipv4Protocol = (p: DataView, at: number): number => p.getUint8(at + IPV4.PROTOCOL);
export const ipv4Src = (p: DataView, at: number): number => p.getUint32(at + IPV4.SRC);
export const ipv4Dst = (p: DataView, at: number): number => p.getUint32(at + IPV4.DST);

/** MF set or a fragment offset: not a whole datagram. */
export const isFragment = (p: DataView, at: number): boolean => (ipv4Fragment(p, at) & 0x3fff) !== 0;
export const isLaterFragment = (p: DataView, at: number): boolean => (ipv4Fragment(p, at) & 0x1fff) !== 0;

/** Is a whole header at `at`, as Open vSwitch's flow key asks? `end` is one past the last byte.
 *  Source: openvswitch net/openvswitch/flow.c check_iphdr. */
export function checkIpv4(p: DataView, at: number, end: number): Reason {
  if (end - at < IPV4.MIN_SIZE) return Reason.Ipv4Truncated;
  if (p.getUint8(at) >>> 4 !== 4) return Reason.Ipv4BadVersion;
  const size = ipv4HeaderSize(p, at);
  if (size < IPV4.MIN_SIZE) return Reason.Ipv4BadHeaderLength;
  return size > end - at ? Reason.Ipv4Truncated : Reason.None;
}

/** What a host stack checks besides: checksum and total length. Source: Linux net/ipv4/ip_input.c ip_rcv_core. */
export function checkIpv4Host(p: DataView, at: number, end: number): Reason {
  const size = ipv4HeaderSize(p, at);
  if (sumWords(p, at, at + size) !== 0xffff) return Reason.Ipv4BadChecksum;
  const length = ipv4TotalLength(p, at);
  return length < size || length > end - at ? Reason.Ipv4BadTotalLength : Reason.None;
}

/** Write the checksum of the header at `at`, whole. */
export function fillIpv4Checksum(p: DataView, at: number): void {
  p.setUint16(at + IPV4.CHECKSUM, 0);
  p.setUint16(at + IPV4.CHECKSUM, checksum(p, at, at + ipv4HeaderSize(p, at)));
}

/** TTL - 1, checksum by difference as Linux ip_decrease_ttl does. */
export function decrementTtl(p: DataView, at: number): void {
  const word = p.getUint16(at + IPV4.TTL);
  p.setUint16(at + IPV4.CHECKSUM, adjust16(p.getUint16(at + IPV4.CHECKSUM), word, word - 0x100));
  p.setUint8(at + IPV4.TTL, (word >>> 8) - 1);
}

/** Replace the address at `at + field` (IPV4.SRC or IPV4.DST), header checksum by difference. */
export function replaceIpv4Address(p: DataView, at: number, field: number, address: number): void {
  const old = p.getUint32(at + field);
  p.setUint16(at + IPV4.CHECKSUM, adjust32(p.getUint16(at + IPV4.CHECKSUM), old, address));
  p.setUint32(at + field, address);
}

/** Write a 20-byte header with its checksum. `fragment` holds flags and offset. */
export function writeIpv4(
  p: DataView,
  at: number,
  tos: number,
  totalLength: number,
  id: number,
  fragment: number,
  ttl: number,
  protocol: number,
  src: number,
  dst: number,
): void {
  p.setUint32(at, 0x45000000 | (tos << 16) | totalLength);
  p.setUint32(at + IPV4.ID, (id << 16) | fragment);
  p.setUint32(at + IPV4.TTL, (ttl << 24) | (protocol << 16));
  p.setUint32(at + IPV4.SRC, src);
  p.setUint32(at + IPV4.DST, dst);
  fillIpv4Checksum(p, at);
}
