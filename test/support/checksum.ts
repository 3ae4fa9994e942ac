/** Checks every checksum and length of a frame from its bytes alone: written apart from src/wire, to judge it. */

/** One's complement of the one's complement sum, byte by byte (RFC 1071). */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) {
    sum += i % 2 === 0 ? bytes[i]! * 256 : bytes[i]!;
    if (sum >= 65_536) sum -= 65_535;
  }
  return 65_535 - sum;
}

const u16 = (bytes: Uint8Array, at: number): number => bytes[at]! * 256 + bytes[at + 1]!;

/** What is wrong with the checksums and lengths of an Ethernet frame; empty when nothing is. Tunnels are looked into.
 *  A UDP checksum of zero means none. Errors are checked with the packet that they quote. */
export function frameFaults(frame: Uint8Array, prefix = ''): string[] {
  if (frame.length < 14 || u16(frame, 12) !== 0x0800) return [];
  return ipv4Faults(frame.subarray(14), prefix);
}

function ipv4Faults(ip: Uint8Array, prefix: string): string[] {
  const header = (ip[0]! % 16) * 4;
  const total = u16(ip, 2);
  if (ip[0]! >>> 4 !== 4 || header < 20) return [`${prefix}no IPv4 header`];
  if (total > ip.length) return [`${prefix}total length ${total} of ${ip.length} bytes`];
  const faults: string[] = [];
  if (internetChecksum(ip.subarray(0, header)) !== 0) faults.push(`${prefix}IPv4 checksum`);
  return [...faults, ...transportFaults(ip.subarray(0, total), header, prefix)];
}

function transportFaults(ip: Uint8Array, header: number, prefix: string): string[] {
  const l4 = ip.subarray(header);
  const protocol = ip[9]!;
  const pseudo = Uint8Array.of(...ip.subarray(12, 20), 0, protocol, l4.length >>> 8, l4.length & 255);
  const isRight = (): boolean => internetChecksum(Uint8Array.of(...pseudo, ...l4)) === 0;
  if (protocol === 6) return isRight() ? [] : [`${prefix}TCP checksum`];
  if (protocol === 17) return udpFaults(l4, isRight, prefix);
  if (protocol !== 1) return [];
  const faults = internetChecksum(l4) === 0 ? [] : [`${prefix}ICMP checksum`];
  const isError = [3, 4, 5, 11, 12].includes(l4[0]!);
  if (!isError) return faults;
  const quoted = l4.subarray(8);
  // A long packet is quoted in part: then only its IPv4 header can be checked.
  const isCut = u16(quoted, 2) > quoted.length;
  if (!isCut) return [...faults, ...ipv4Faults(quoted, `${prefix}quoted `)];
  const size = (quoted[0]! % 16) * 4;
  return internetChecksum(quoted.subarray(0, size)) === 0
    ? faults
    : [...faults, `${prefix}quoted IPv4 checksum`];
}

function udpFaults(l4: Uint8Array, isRight: () => boolean, prefix: string): string[] {
  const faults: string[] = [];
  if (u16(l4, 4) !== l4.length) faults.push(`${prefix}UDP length`);
  if (u16(l4, 6) !== 0 && !isRight()) faults.push(`${prefix}UDP checksum`);
  return u16(l4, 2) === 4789 ? [...faults, ...frameFaults(l4.subarray(16), `${prefix}inner `)] : faults;
}
