/** TCP header, 20 to 60 bytes, RFC 9293 section 3.1.
 *  SPort(16) DPort(16) | Seq(32) | Ack(32) | Offset(4) Rsvd(4) Flags(8) Window(16) | Checksum(16) Urgent(16) | Options. */
import { checksum, pseudoSum } from './checksum.js';
import { PROTOCOL } from './ipv4.js';

export const TCP = {
  SPORT: 0,
  DPORT: 2,
  SEQ: 4,
  ACK: 8,
  OFFSET: 12,
  FLAGS: 13,
  WINDOW: 14,
  CHECKSUM: 16,
  URGENT: 18,
  MIN_SIZE: 20,
} as const;
export const TCP_FLAG = {
  FIN: 0x01,
  SYN: 0x02,
  RST: 0x04,
  PSH: 0x08,
  ACK: 0x10,
  URG: 0x20,
  ECE: 0x40,
  CWR: 0x80,
} as const;

export const tcpFlags = (p: DataView, at: number): number => p.getUint8(at + TCP.FLAGS);
export const tcpSeq = (p: DataView, at: number): number => p.getUint32(at + TCP.SEQ);
export const tcpAck = (p: DataView, at: number): number => p.getUint32(at + TCP.ACK);
export const tcpHeaderSize = (p: DataView, at: number): number => (p.getUint8(at + TCP.OFFSET) >>> 4) << 2;

/** Write a 20-byte header without options; the checksum is filled by fillTcpChecksum. */
export function writeTcp(
  p: DataView,
  at: number,
  sport: number,
  dport: number,
  seq: number,
  ack: number,
  flags: number,
  window: number,
): void {
  p.setUint32(at, ((sport << 16) | dport) >>> 0);
  p.setUint32(at + TCP.SEQ, seq);
  p.setUint32(at + TCP.ACK, ack);
  p.setUint32(at + TCP.OFFSET, ((0x50 << 24) | (flags << 16) | window) >>> 0);
  p.setUint32(at + TCP.CHECKSUM, 0);
}

/** Fill the checksum of the segment [at, end). */
export function fillTcpChecksum(p: DataView, at: number, end: number, src: number, dst: number): void {
  p.setUint16(at + TCP.CHECKSUM, 0);
  p.setUint16(at + TCP.CHECKSUM, checksum(p, at, end, pseudoSum(src, dst, PROTOCOL.TCP, end - at)));
}
