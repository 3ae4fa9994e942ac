/** Makes a recorded server's packet one of the endpoint that the model chose: addresses, port, checksums by difference. */
import { POD_MAC_HI } from '../addr/mac.js';
import { adjust16, adjust32 } from '../wire/checksum.js';
import { ETHERNET, ethDstHi, setEthDst, setEthSrc } from '../wire/ethernet.js';
import { IPV4, ipv4HeaderSize, ipv4Protocol, PROTOCOL, replaceIpv4Address } from '../wire/ipv4.js';
import { TCP } from '../wire/tcp.js';
import { UDP } from '../wire/udp.js';

/** Is the IPv4 packet of the frame at `at` from `address:port`? */
export function isFrom(p: DataView, at: number, address: number, port: number): boolean {
  const l3 = at + ETHERNET.SIZE;
  return p.getUint32(l3 + IPV4.SRC) === address && p.getUint16(l3 + ipv4HeaderSize(p, l3)) === port;
}

/** Give the TCP or UDP packet of the frame at `at` the source `address:port`, and the MACs of that pod and of the
 *  client's, as one pod sends to another. A UDP checksum of zero stays: it means none (RFC 768). */
export function readdressSource(p: DataView, at: number, address: number, port: number): void {
  const l3 = at + ETHERNET.SIZE;
  const l4 = l3 + ipv4HeaderSize(p, l3);
  const oldAddress = p.getUint32(l3 + IPV4.SRC);
  const oldPort = p.getUint16(l4);
  replaceIpv4Address(p, l3, IPV4.SRC, address);
  p.setUint16(l4, port);
  const isUdp = ipv4Protocol(p, l3) === PROTOCOL.UDP;
  const field = l4 + (isUdp ? UDP.CHECKSUM : TCP.CHECKSUM);
  const old = p.getUint16(field);
  if (!isUdp || old !== 0) {
    const sum = adjust16(adjust32(old, oldAddress, address), oldPort, port);
    p.setUint16(field, isUdp && sum === 0 ? 0xffff : sum);
  }
  setEthSrc(p, at, POD_MAC_HI, address);
  if (ethDstHi(p, at) === POD_MAC_HI) setEthDst(p, at, POD_MAC_HI, p.getUint32(l3 + IPV4.DST));
}
