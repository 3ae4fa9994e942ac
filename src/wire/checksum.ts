/** The Internet checksum, whole (RFC 1071) and by difference (RFC 1624 equation 3). */

/** One's complement sum of the 16-bit words of [at, end), folded to 16 bits; an odd last byte is padded with zero. */
export function sumWords(p: DataView, at: number, end: number, start = 0): number {
  let sum = start;
  let i = at;
  // 32-bit reads: the carry between halves folds out in the end (RFC 1071 section 2, deferred carries).
  for (; i + 4 <= end; i += 4) {
    const word = p.getUint32(i);
    sum += (word >>> 16) + (word & 0xffff);
  }
  for (; i + 2 <= end; i += 2) sum += p.getUint16(i);
  if (i < end) sum += p.getUint8(i) << 8;
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return sum;
}

/** The checksum of [at, end) as it is written into a header. */
export const checksum = (p: DataView, at: number, end: number, start = 0): number =>
  ~sumWords(p, at, end, start) & 0xffff;

/** Pseudo-header sum of TCP and UDP over IPv4 (RFC 9293 section 3.1): source, destination, protocol, length. */
export const pseudoSum = (src: number, dst: number, protocol: number, length: number): number =>
  (src >>> 16) + (src & 0xffff) + (dst >>> 16) + (dst & 0xffff) + protocol + length;

/** HC' = ~(~HC + ~m + m'), RFC 1624 equation 3, for one 16-bit word. */
export function adjust16(hc: number, from: number, to: number): number {
  let sum = (~hc & 0xffff) + (~from & 0xffff) + (to & 0xffff);
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** The same for one 32-bit word at an even offset. */
export const adjust32 = (hc: number, from: number, to: number): number =>
  adjust16(adjust16(hc, from >>> 16, to >>> 16), from & 0xffff, to & 0xffff);
