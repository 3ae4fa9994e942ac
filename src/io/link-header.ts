/** Link headers other than Ethernet: how long each is, and the EtherType that it stands for. */

import { LinkType } from './link-types.js';

/** LINKTYPE_LINUX_SLL: packet type(2) ARPHRD(2) address length(2) address(8) protocol(2), big-endian. */
const SLL = { HARDWARE: 2, PROTOCOL: 14, SIZE: 16 } as const;
/** LINKTYPE_LINUX_SLL2: protocol(2) reserved(2) interface(4) ARPHRD(2) packet type(1) length(1) address(8). */
const SLL2 = { PROTOCOL: 0, HARDWARE: 8, SIZE: 20 } as const;
/** LINKTYPE_NULL and LINKTYPE_LOOP: the address family of BSD sockets in 4 bytes. */
const FAMILY_SIZE = 4;

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
/** Smaller values of an SLL protocol field are Linux' own numbers for 802.2 and the like. IEEE 802.3 3.2.6. */
const ETHERTYPE_MIN = 0x0600;

const AF_INET = 2;
/** AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, Darwin: the file does not say which system wrote it. */
const AF_INET6 = [10, 24, 28, 30];

/** ARPHRD values whose SLL protocol field is no EtherType: FRAD, IEEE 802.11 plain and radiotap, netlink. */
const ARPHRD_WITHOUT_ETHERTYPE = [770, 801, 802, 803, 824];

/** Answered where the bytes name no EtherType. */
export const NO_ETHERTYPE = -1;

/** Bytes of the link header in front of the network header. -1 for a link type that podplane does not read. */
export function linkHeaderSize(linkType: number): number {
  switch (linkType) {
    case LinkType.RawBsd:
    case LinkType.Raw:
    case LinkType.Ipv4:
    case LinkType.Ipv6:
      return 0;
    case LinkType.Null:
    case LinkType.Loop:
      return FAMILY_SIZE;
    case LinkType.LinuxSll:
      return SLL.SIZE;
    case LinkType.LinuxSll2:
      return SLL2.SIZE;
    default:
      return -1;
  }
}

/** EtherType of the packet of `length` bytes at `at`, or NO_ETHERTYPE when its header is cut, unknown or 802.2. */
export function linkEtherType(linkType: number, p: DataView, at: number, length: number): number {
  if (length < linkHeaderSize(linkType)) return NO_ETHERTYPE;
  switch (linkType) {
    case LinkType.RawBsd:
    case LinkType.Raw:
    case LinkType.Ipv4:
    case LinkType.Ipv6:
      return length === 0 ? NO_ETHERTYPE : etherTypeOfVersion(p.getUint8(at) >>> 4);
    case LinkType.Null:
    case LinkType.Loop:
      return etherTypeOfFamily(p, at);
    case LinkType.LinuxSll:
      return etherTypeOfSll(p.getUint16(at + SLL.HARDWARE), p.getUint16(at + SLL.PROTOCOL));
    case LinkType.LinuxSll2:
      return etherTypeOfSll(p.getUint16(at + SLL2.HARDWARE), p.getUint16(at + SLL2.PROTOCOL));
    default:
      return NO_ETHERTYPE;
  }
}

function etherTypeOfVersion(version: number): number {
  if (version === 4) return ETHERTYPE_IPV4;
  return version === 6 ? ETHERTYPE_IPV6 : NO_ETHERTYPE;
}

/** NULL is in the byte order of the capturing host, which may differ from the file's. Families are small
 *  numbers, so the order in which the value is small is the right one. */
function etherTypeOfFamily(p: DataView, at: number): number {
  const big = p.getUint32(at);
  const family = big > 0xffff ? p.getUint32(at, true) : big;
  if (family === AF_INET) return ETHERTYPE_IPV4;
  return AF_INET6.includes(family) ? ETHERTYPE_IPV6 : NO_ETHERTYPE;
}

function etherTypeOfSll(hardware: number, protocol: number): number {
  if (protocol < ETHERTYPE_MIN) return NO_ETHERTYPE;
  return ARPHRD_WITHOUT_ETHERTYPE.includes(hardware) ? NO_ETHERTYPE : protocol;
}
