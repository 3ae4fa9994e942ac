/** SCTP common header, 12 bytes, RFC 9260 section 3.1. SPort(16) DPort(16) | Tag(32) | Checksum(32), a CRC-32c. */

export const SCTP = { SPORT: 0, DPORT: 2, TAG: 4, CHECKSUM: 8, SIZE: 12 } as const;

const CRC32C = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c >>> 0;
});

/** Fill the CRC-32c of the packet [at, end); it is written least significant byte first (RFC 9260 appendix A). */
export function fillSctpChecksum(p: DataView, at: number, end: number): void {
  p.setUint32(at + SCTP.CHECKSUM, 0);
  let crc = 0xffffffff;
  for (let i = at; i < end; i++) crc = CRC32C[(crc ^ p.getUint8(i)) & 255]! ^ (crc >>> 8);
  p.setUint32(at + SCTP.CHECKSUM, (crc ^ 0xffffffff) >>> 0, true);
}
