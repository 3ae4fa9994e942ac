/** Rewrites addresses and ports in place, every checksum by difference (RFC 1624 equation 3), as nf_nat_proto does. */
import { adjust16, adjust32 } from '../wire/checksum.js';
import { ICMP } from '../wire/icmp.js';
import { IPV4, ipv4Protocol, PROTOCOL, replaceIpv4Address } from '../wire/ipv4.js';
import { fillSctpChecksum } from '../wire/sctp.js';
import { TCP } from '../wire/tcp.js';
import { UDP } from '../wire/udp.js';

export const End = { SRC: 0, DST: 1 } as const;

/** Put `address` (u32) and `port` (a port, or an echo's identifier) into the source or destination of the packet at
 *  `l3`. `l4End` is one past the last byte that is there; a header cut before its checksum keeps it (a quoted one).
 *  `isPartial`: the checksum field holds the pseudo-header's sum alone. */
export function rewriteEnd(
  p: DataView,
  l3: number,
  l4: number,
  l4End: number,
  which: number,
  address: number,
  port: number,
  isPartial: boolean,
): void {
  const field = which === End.SRC ? IPV4.SRC : IPV4.DST;
  const old = p.getUint32(l3 + field);
  const protocol = ipv4Protocol(p, l3);
  replaceIpv4Address(p, l3, field, address);
  switch (protocol) {
    case PROTOCOL.TCP:
      rewritePorts(p, l4, l4End, which, old, address, port, TCP.CHECKSUM, isPartial, false);
      return;
    case PROTOCOL.UDP:
      rewritePorts(p, l4, l4End, which, old, address, port, UDP.CHECKSUM, isPartial, true);
      return;
    case PROTOCOL.ICMP:
      rewriteEchoId(p, l4, l4End, port);
      return;
    case PROTOCOL.SCTP:
      rewriteSctpPort(p, l4, l4End, which, port);
      return;
    default:
  }
}

function rewritePorts(
  p: DataView,
  l4: number,
  l4End: number,
  which: number,
  oldAddress: number,
  address: number,
  port: number,
  checksumAt: number,
  isPartial: boolean,
  zeroIsNone: boolean,
): void {
  const portAt = l4 + which * 2;
  if (portAt + 2 > l4End) return;
  const oldPort = p.getUint16(portAt);
  p.setUint16(portAt, port);
  if (l4 + checksumAt + 2 > l4End) return;
  const sum = p.getUint16(l4 + checksumAt);
  if (zeroIsNone && sum === 0) return;
  if (isPartial) {
    // The field is a plain sum, not its complement, and covers the pseudo-header alone (inet_proto_csum_replace4).
    p.setUint16(l4 + checksumAt, ~adjust32(~sum & 0xffff, oldAddress, address) & 0xffff);
    return;
  }
  const next = adjust16(adjust32(sum, oldAddress, address), oldPort, port);
  p.setUint16(l4 + checksumAt, zeroIsNone && next === 0 ? 0xffff : next);
}

function rewriteEchoId(p: DataView, l4: number, l4End: number, id: number): void {
  if (l4 + ICMP.SIZE > l4End) return;
  const old = p.getUint16(l4 + ICMP.ID);
  if (old === id) return;
  p.setUint16(l4 + ICMP.ID, id);
  p.setUint16(l4 + ICMP.CHECKSUM, adjust16(p.getUint16(l4 + ICMP.CHECKSUM), old, id));
}

function rewriteSctpPort(p: DataView, l4: number, l4End: number, which: number, port: number): void {
  const portAt = l4 + which * 2;
  if (portAt + 2 > l4End || p.getUint16(portAt) === port) return;
  p.setUint16(portAt, port);
  if (l4 + 12 <= l4End) fillSctpChecksum(p, l4, l4End);
}
