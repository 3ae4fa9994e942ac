/** The short way's last word on a packet: MACs, TTL, addresses, ports and checksums as they leave. */
import { ETHERNET } from '../wire/ethernet.js';
import { ICMP } from '../wire/icmp.js';
import { IPV4, PROTOCOL } from '../wire/ipv4.js';
import { TCP } from '../wire/tcp.js';
import { UDP } from '../wire/udp.js';
import { PATH, PATH_FLAG } from './path-columns.js';
import type { ShortPathViews } from './short-path.js';

/** Rewrite the packets of rows first..end; the last three columns begin with row `first`. */
export function rewrite(
  v: ShortPathViews,
  first: number,
  end: number,
  pathAt: Int32Array,
  transportAt: Int32Array,
  protocolOf: Uint8Array,
): void {
  const { p, paths, offset } = v;
  for (let i = first; i < end; i++) {
    const path = pathAt[i - first]!;
    const at = offset[i]!;
    const l3 = at + ETHERNET.SIZE;
    const shape = paths[path + PATH.SHAPE]!;
    const forwards = (shape >>> 8) & 0xff;
    if ((shape & (PATH_FLAG.MAC << 16)) !== 0) {
      p.setInt32(at, paths[path + PATH.MACS]!, true);
      p.setInt32(at + 4, paths[path + PATH.MACS + 1]!, true);
      p.setInt32(at + 8, paths[path + PATH.MACS + 2]!, true);
    }
    const isNat = (shape & (PATH_FLAG.NAT << 16)) !== 0;
    if (forwards === 0 && !isNat) continue;
    const deltas = paths[path + PATH.DELTAS]!;
    // TTL, protocol, checksum.
    const word = p.getInt32(l3 + IPV4.TTL);
    p.setInt32(
      l3 + IPV4.TTL,
      ((word & 0xffff0000) - (forwards << 24)) | adjusted(word & 0xffff, deltas & 0xffff),
    );
    if (!isNat) continue;
    p.setInt32(l3 + IPV4.SRC, paths[path + PATH.SRC]!, true);
    p.setInt32(l3 + IPV4.DST, paths[path + PATH.DST]!, true);
    const protocol = protocolOf[i - first]!;
    rewriteTransport(p, transportAt[i - first]!, protocol, paths[path + PATH.PORTS]!, deltas >>> 16);
  }
}

/** A checksum after a one's complement difference that is not 0 (RFC 1624 equation 3). */
function adjusted(checksum: number, delta: number): number {
  const sum = (~checksum & 0xffff) + delta;
  return ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
}

/** `ports`: both, or the echo's identifier in the first two bytes, as they lie in the packet. */
function rewriteTransport(p: DataView, l4: number, protocol: number, ports: number, delta: number): void {
  if (protocol === PROTOCOL.TCP) {
    p.setInt32(l4, ports, true);
    p.setUint16(l4 + TCP.CHECKSUM, adjusted(p.getUint16(l4 + TCP.CHECKSUM), delta));
  } else if (protocol === PROTOCOL.UDP) {
    p.setInt32(l4, ports, true);
    const sum = p.getUint16(l4 + UDP.CHECKSUM);
    if (sum !== 0) p.setUint16(l4 + UDP.CHECKSUM, adjusted(sum, delta) || 0xffff);
  } else if (p.getUint16(l4 + ICMP.ID, true) !== (ports & 0xffff)) {
    p.setUint16(l4 + ICMP.ID, ports & 0xffff, true);
    p.setUint16(l4 + ICMP.CHECKSUM, adjusted(p.getUint16(l4 + ICMP.CHECKSUM), delta));
  }
}
