/** UDP header, 8 bytes, RFC 768. SPort(16) DPort(16) Length(16) Checksum(16). */
import { checksum, pseudoSum } from './checksum.js';
import { PROTOCOL } from './ipv4.js';

export const UDP = { SPORT: 0, DPORT: 2, LENGTH: 4, CHECKSUM: 6, SIZE: 8 } as const;

export const udpLength = (p: DataView, at: number): number => p.getUint16(at + UDP.LENGTH);

/** Write the header of the datagram [at, end) with checksum zero, which over IPv4 means none. */
export function writeUdp(p: DataView, at: number, sport: number, dport: number, length: number): void {
  p.setUint32(at, ((sport << 16) | dport) >>> 0);
  p.setUint32(at + UDP.LENGTH, (length << 16) >>> 0);
}

/** Fill the checksum of the datagram [at, end); a computed zero is sent as 0xFFFF (RFC 768). */
export function fillUdpChecksum(p: DataView, at: number, end: number, src: number, dst: number): void {
  p.setUint16(at + UDP.CHECKSUM, 0);
  const sum = checksum(p, at, end, pseudoSum(src, dst, PROTOCOL.UDP, end - at));
  p.setUint16(at + UDP.CHECKSUM, sum === 0 ? 0xffff : sum);
}
