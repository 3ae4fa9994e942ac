/** Makes a recorded server's packet one of the endpoint that the model chose: addresses, port, checksums by difference. */
import { POD_MAC_HI } from '../addr/mac.js';
import { adjust32 } from '../wire/checksum.js';
import { ETHERNET, setEthDst, setEthSrc } from '../wire/ethernet.js';
import {
  IPV4,
  ipv4HeaderSize,
  ipv4Protocol,
  isLaterFragment,
  PROTOCOL,
  replaceIpv4Address,
} from '../wire/ipv4.js';
import { TCP } from '../wire/tcp.js';
import { UDP } from '../wire/udp.js';

/** Who answers whom, after all translation of the client's packets. Addresses u32. */
export interface ReplyAddresses {
  readonly server: number;
  readonly serverPort: number;
  readonly client: number;
  readonly clientPort: number;
}

/** Make the TCP or UDP packet of the frame at `at` one from server to client, with the MACs that the server's pod writes:
 *  `nextHi`, `nextLo` is its next hop. Returns false when it is that already, addresses and ports.
 *  A UDP checksum of zero stays: it means none (RFC 768). */
export function readdress(
  p: DataView,
  at: number,
  to: ReplyAddresses,
  nextHi: number,
  nextLo: number,
): boolean {
  const l3 = at + ETHERNET.SIZE;
  const l4 = l3 + ipv4HeaderSize(p, l3);
  if (isLaterFragment(p, l3)) return readdressRest(p, at, to, nextHi, nextLo);
  const ports = ((to.serverPort << 16) | to.clientPort) >>> 0;
  const oldSrc = p.getUint32(l3 + IPV4.SRC);
  const oldDst = p.getUint32(l3 + IPV4.DST);
  const oldPorts = p.getUint32(l4);
  if (oldSrc === to.server && oldDst === to.client && oldPorts === ports) return false;
  replaceIpv4Address(p, l3, IPV4.SRC, to.server);
  replaceIpv4Address(p, l3, IPV4.DST, to.client);
  p.setUint32(l4, ports);
  const isUdp = ipv4Protocol(p, l3) === PROTOCOL.UDP;
  const field = l4 + (isUdp ? UDP.CHECKSUM : TCP.CHECKSUM);
  const old = p.getUint16(field);
  if (!isUdp || old !== 0) {
    const sum = adjust32(adjust32(adjust32(old, oldSrc, to.server), oldDst, to.client), oldPorts, ports);
    p.setUint16(field, isUdp && sum === 0 ? 0xffff : sum);
  }
  setEthSrc(p, at, POD_MAC_HI, to.server);
  setEthDst(p, at, nextHi, nextLo);
  return true;
}

/** Of a later fragment: there are no ports, and the checksum is in the first. */
function readdressRest(p: DataView, at: number, to: ReplyAddresses, nextHi: number, nextLo: number): boolean {
  const l3 = at + ETHERNET.SIZE;
  if (p.getUint32(l3 + IPV4.SRC) === to.server && p.getUint32(l3 + IPV4.DST) === to.client) return false;
  replaceIpv4Address(p, l3, IPV4.SRC, to.server);
  replaceIpv4Address(p, l3, IPV4.DST, to.client);
  setEthSrc(p, at, POD_MAC_HI, to.server);
  setEthDst(p, at, nextHi, nextLo);
  return true;
}
