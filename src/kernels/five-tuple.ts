/** The five-tuple kernel: a batch of frames to conntrack keys with their hashes. Twin of native/five-tuple.cc.
 *
 *  key of row i, i32[4], words in host order:
 *    [ source | destination | ports | space << 8 | protocol ]
 *    ports: TCP, UDP, SCTP   source port << 16 | destination port
 *           ICMP echo        identifier << 16 | type << 8 | code
 *    no key: the last word is 0 (a space is 1 or more, so a real key's is not), and the hash is 0.
 *
 *  The ICMP form is that of Linux (net/netfilter/nf_conntrack_proto_icmp.c): a request and its reply differ in
 *  the type alone, and each is the other's inverse. Fragments have no key: only the first has the ports, and
 *  netfilter sees none of them before they are put together. */
import { ETHERNET, ETHERTYPE } from '../wire/ethernet.js';
import { ICMP as ICMP_HEADER, ICMP_TYPE } from '../wire/icmp.js';
import { IPV4, IPV4_MF, IPV4_OFFSET_MASK, PROTOCOL } from '../wire/ipv4.js';
import { UDP as UDP_HEADER } from '../wire/udp.js';
import { tupleHash } from './tuple-hash.js';

export { tupleHash } from './tuple-hash.js';

const { SIZE: ETHERNET_SIZE, TYPE: ETHER_TYPE_AT } = ETHERNET;
const { IPV4: ETHER_TYPE_IPV4 } = ETHERTYPE;
const { MIN_SIZE: IPV4_MIN_SIZE } = IPV4;
const { ICMP, TCP, UDP, SCTP } = PROTOCOL;
const { ECHO_REPLY: ICMP_ECHO_REPLY, ECHO: ICMP_ECHO } = ICMP_TYPE;
const FRAGMENT_MASK = IPV4_MF | IPV4_OFFSET_MASK;
const ICMP_ECHO_SIZE = ICMP_HEADER.SIZE;
/** Both ports lie in front of what else a transport has. */
const PORTS_SIZE = UDP_HEADER.LENGTH;
const NONE = -1;
const NO_NODE = 0xffffffff;

/** Fill `keys` (4 words a row) and `hashes`, from row 0 on, for the input rows `first` .. `first + count`. Returns how many
 *  are done: it stops at a row whose port is none of the first `ports` rows of `nodes`, or a spare one, of no node.
 *
 *  `offset`, `length`: bytes of the row's Ethernet frame in `bytes`. `port`: where it enters; its conntrack space, 1 or
 *  more, is nodes[port] + `space`.
 *  A frame that is not a whole, unfragmented IPv4 header with the ports behind it (inside the IPv4 total
 *  length: Ethernet padding is no port) gets no key. Nothing is checked beyond that: no checksum, no address. */
export function fiveTupleBatch(
  bytes: Uint8Array,
  offset: Uint32Array,
  length: Uint32Array,
  port: Int32Array,
  nodes: Uint32Array,
  ports: number,
  space: number,
  first: number,
  count: number,
  seed: number,
  keys: Int32Array,
  hashes: Uint32Array,
): number {
  const p = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < count; i++) {
    const at = offset[first + i]!;
    const size = length[first + i]!;
    const entry = port[first + i]!;
    if (entry >>> 0 >= ports || nodes[entry] === NO_NODE) return i;
    const l4 = at + size > bytes.length ? NONE : transportAt(p, at, size);
    const k = i * 4;
    if (l4 === NONE) {
      keys[k] = keys[k + 1] = keys[k + 2] = keys[k + 3] = 0;
      hashes[i] = 0;
      continue;
    }
    const ip = at + ETHERNET_SIZE;
    const protocol = p.getUint8(ip + 9);
    const source = p.getInt32(ip + 12);
    const destination = p.getInt32(ip + 16);
    const sides = protocol === ICMP ? (p.getUint16(l4 + 4) << 16) | p.getUint16(l4) : p.getInt32(l4);
    const owner = ((nodes[entry]! + space) << 8) | protocol;
    keys[k] = source;
    keys[k + 1] = destination;
    keys[k + 2] = sides;
    keys[k + 3] = owner;
    hashes[i] = tupleHash(seed, source, destination, sides, owner);
  }
  return count;
}

/** Offset of the transport header of a frame that has a key, else NONE. */
function transportAt(p: DataView, at: number, size: number): number {
  if (size < ETHERNET_SIZE + IPV4_MIN_SIZE) return NONE;
  const ip = at + ETHERNET_SIZE;
  const versionAndSize = p.getUint8(ip);
  const headerSize = (versionAndSize & 15) * 4;
  if (p.getUint16(at + ETHER_TYPE_AT) !== ETHER_TYPE_IPV4 || versionAndSize >> 4 !== 4) return NONE;
  if (headerSize < IPV4_MIN_SIZE || (p.getUint16(ip + 6) & FRAGMENT_MASK) !== 0) return NONE;
  // A total length past the frame (a capture cut short) still has its ports, if the frame reaches them.
  const payload = Math.min(size - ETHERNET_SIZE, p.getUint16(ip + 2)) - headerSize;
  const l4 = ip + headerSize;
  switch (p.getUint8(ip + 9)) {
    case TCP:
    case UDP:
    case SCTP:
      return payload < PORTS_SIZE ? NONE : l4;
    case ICMP:
      return payload < ICMP_ECHO_SIZE || !isEcho(p.getUint8(l4)) ? NONE : l4;
    default:
      return NONE;
  }
}

const isEcho = (type: number): boolean => type === ICMP_ECHO || type === ICMP_ECHO_REPLY;
