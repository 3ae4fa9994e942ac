/** IPv4 addresses and prefixes as numbers: dotted text to u32 in host order and back. */

/** A network: `base` has no host bits set; `length` is 0..32. */
export interface Ipv4Prefix {
  readonly base: number;
  readonly length: number;
}

const OCTET = '(0|[1-9]\\d{0,2})';
const DOTTED_QUAD = new RegExp(`^${OCTET}\\.${OCTET}\\.${OCTET}\\.${OCTET}$`);

/** Parse a dotted quad. Returns a u32 in host order, or -1 when the text is no IPv4 address: an octet with a leading zero
 *  is none, as Go's ParseIP has it. Without ip-num, which takes microseconds and kilobytes for each: one event of a watch
 *  may bring a hundred. */
export function parseIpv4(text: string): number {
  const octets = DOTTED_QUAD.exec(text);
  if (octets === null) return -1;
  let address = 0;
  for (let i = 1; i <= 4; i++) {
    const octet = Number(octets[i]);
    if (octet > 255) return -1;
    address = address * 256 + octet;
  }
  return address;
}

/** Write a u32 (or an i32 of the same bits) as a dotted quad. */
export function formatIpv4(address: number): string {
  return `${(address >>> 24) & 255}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

export const formatPrefix = (prefix: Ipv4Prefix): string => `${formatIpv4(prefix.base)}/${prefix.length}`;

/** The netmask of a prefix length, u32. */
export const maskOf = (length: number): number => (length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0);

export const prefixContains = (prefix: Ipv4Prefix, address: number): boolean =>
  (address & maskOf(prefix.length)) >>> 0 === prefix.base;
