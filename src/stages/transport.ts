/** Looks at the transport header once: is it whole, is its checksum right, left to offload, or wrong? */
import { pseudoSum, sumWords } from '../wire/checksum.js';
import { ICMP } from '../wire/icmp.js';
import { ipv4Dst, ipv4HeaderSize, ipv4Protocol, ipv4Src, ipv4TotalLength, PROTOCOL } from '../wire/ipv4.js';
import { TCP, tcpHeaderSize } from '../wire/tcp.js';
import { UDP, udpLength } from '../wire/udp.js';
import { L4, type Walk } from './walk.js';

/** One past the last byte of the IPv4 packet at w.l3: by its total length, and never past the frame. */
export const ipv4End = (w: Walk): number => Math.min(w.l3 + ipv4TotalLength(w.p, w.l3), w.end);

/** Set w.l3 and w.l4 for the IPv4 packet behind the frame's Ethernet header. */
export function findTransport(w: Walk): void {
  w.l3 = w.at + 14;
  w.l4 = w.l3 + ipv4HeaderSize(w.p, w.l3);
}

/** Is the transport header whole (TCP offset and UDP length included)? Other protocols have none to look at. */
export function isTransportWhole(w: Walk): boolean {
  const { p, l4 } = w;
  const size = ipv4End(w) - l4;
  switch (ipv4Protocol(p, w.l3)) {
    case PROTOCOL.TCP: {
      if (size < TCP.MIN_SIZE) return false;
      const header = tcpHeaderSize(p, l4);
      return header >= TCP.MIN_SIZE && header <= size;
    }
    case PROTOCOL.UDP:
      return size >= UDP.SIZE && udpLength(p, l4) >= UDP.SIZE && udpLength(p, l4) <= size;
    case PROTOCOL.ICMP:
      return size >= ICMP.SIZE;
    default:
      return true;
  }
}

/** Status of the checksum of a whole transport header, looked at once per packet and kept. */
export function transportStatus(w: Walk): number {
  if (w.l4Status === L4.UNKNOWN) w.l4Status = computeStatus(w);
  return w.l4Status;
}

function computeStatus(w: Walk): number {
  const { p, l3, l4 } = w;
  const end = ipv4End(w);
  switch (ipv4Protocol(p, l3)) {
    case PROTOCOL.TCP:
      return pseudoStatus(w, PROTOCOL.TCP, end, p.getUint16(l4 + TCP.CHECKSUM));
    case PROTOCOL.UDP: {
      const sum = p.getUint16(l4 + UDP.CHECKSUM);
      return sum === 0 ? L4.NONE : pseudoStatus(w, PROTOCOL.UDP, l4 + udpLength(p, l4), sum);
    }
    case PROTOCOL.ICMP:
      return sumWords(p, l4, end) === 0xffff ? L4.GOOD : L4.BAD;
    default:
      return L4.NONE;
  }
}

/** A sender with checksum offload leaves the pseudo-header's sum in the field (CHECKSUM_PARTIAL); its own captures
 *  show that, and every stack on its host takes it for good. */
function pseudoStatus(w: Walk, protocol: number, end: number, field: number): number {
  const { p, l3, l4 } = w;
  const pseudo = pseudoSum(ipv4Src(p, l3), ipv4Dst(p, l3), protocol, end - l4);
  if (sumWords(p, l4, end, pseudo) === 0xffff) return L4.GOOD;
  return field === sumWords(p, l4, l4, pseudo) ? L4.PARTIAL : L4.BAD;
}
