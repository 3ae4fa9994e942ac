/** ICMP, RFC 792. Type(8) Code(8) Checksum(16) | Rest(32): identifier and sequence of an echo, MTU of a 3/4. */
import { checksum } from './checksum.js';

export const ICMP = { TYPE: 0, CODE: 1, CHECKSUM: 2, ID: 4, SEQ: 6, SIZE: 8 } as const;
export const ICMP_TYPE = {
  ECHO_REPLY: 0,
  UNREACHABLE: 3,
  REDIRECT: 5,
  ECHO: 8,
  TIME_EXCEEDED: 11,
  PARAMETER: 12,
} as const;
export const ICMP_UNREACHABLE = { HOST: 1, PORT: 3, FRAGMENTATION_NEEDED: 4 } as const;

export const icmpType = (p: DataView, at: number): number => p.getUint8(at + ICMP.TYPE);
export const icmpCode = (p: DataView, at: number): number => p.getUint8(at + ICMP.CODE);

/** An error message quotes a packet; it is never answered by another error (RFC 1122 section 3.2.2). */
export const isIcmpError = (type: number): boolean =>
  type === ICMP_TYPE.UNREACHABLE ||
  type === 4 ||
  type === ICMP_TYPE.REDIRECT ||
  type === ICMP_TYPE.TIME_EXCEEDED ||
  type === ICMP_TYPE.PARAMETER;

/** Fill the checksum of the message [at, end). */
export function fillIcmpChecksum(p: DataView, at: number, end: number): void {
  p.setUint16(at + ICMP.CHECKSUM, 0);
  p.setUint16(at + ICMP.CHECKSUM, checksum(p, at, end));
}
