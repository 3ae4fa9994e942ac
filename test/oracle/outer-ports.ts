/** Stands in for the mask of the outer source port: from the right range, and the same for all packets of a flow. */
import { innerFrame, isVxlan } from './masks.js';
import type { Sighting } from './witness.js';

/** net.ipv4.ip_local_port_range. */
const RANGE = { first: 32_768, last: 60_999 } as const;

export class OuterPorts {
  readonly #byFlow = new Map<string, number>();

  constructor(readonly vxlanPort: number) {}

  /** What is wrong with the tunnel packets among `sightings`; empty when nothing is. */
  faults(sightings: readonly Sighting[]): string[] {
    const faults: string[] = [];
    for (const { at, bytes } of sightings) {
      if (!isVxlan(bytes, this.vxlanPort)) continue;
      const port = (bytes[34]! << 8) | bytes[35]!;
      const flow = flowOf(innerFrame(bytes));
      const known = this.#byFlow.get(flow) ?? port;
      this.#byFlow.set(flow, known);
      if (port < RANGE.first || port > RANGE.last) faults.push(`${at}: outer source port ${port}`);
      if (port !== known) faults.push(`${at}: outer source port ${port}, but ${known} before`);
    }
    return faults;
  }
}

/** Addresses, protocol and ports; a fragment's, which may have no ports, by its datagram; ARP by its addresses alone. */
function flowOf(frame: Uint8Array): string {
  const isIpv4 = frame[12] === 8 && frame[13] === 0;
  if (!isIpv4) return `arp ${hex(frame.subarray(28, 42))}`;
  const l4 = 14 + (frame[14]! & 15) * 4;
  const isFragment = (((frame[20]! & 0x3f) << 8) | frame[21]!) !== 0;
  if (isFragment)
    return `${hex(frame.subarray(26, 34))} ${frame[23]!} fragment ${hex(frame.subarray(18, 20))}`;
  const hasPorts = frame[23] === 6 || frame[23] === 17;
  // Of ICMP the kernel hashes type, code and an echo's identifier, the userspace switch type and code.
  const word = hasPorts
    ? hex(frame.subarray(l4, l4 + 4))
    : `${hex(frame.subarray(l4, l4 + 2))} ${hex(frame.subarray(l4 + 4, l4 + 6))}`;
  return `${hex(frame.subarray(26, 34))} ${frame[23]!} ${word}`;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
