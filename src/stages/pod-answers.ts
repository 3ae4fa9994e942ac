/** What a pod's stack sends by itself: RST, port unreachable, echo replies; and, when asked to, what servers would.
 *  Answers leave by the pod's eth0 and walk the whole path. */
import { ADDRESS_KIND, findAddress } from '../tables/addresses.js';
import { isClusterAddress, POD_FLAG } from '../tables/nodes.js';
import { ETHERNET, ETHERTYPE, writeEthernet } from '../wire/ethernet.js';
import { fillIcmpChecksum, ICMP, ICMP_TYPE, ICMP_UNREACHABLE } from '../wire/icmp.js';
import {
  fillIpv4Checksum,
  IPV4,
  IPV4_DF,
  ipv4Dst,
  ipv4Src,
  ipv4Tos,
  PROTOCOL,
  writeIpv4,
} from '../wire/ipv4.js';
import { POD_MAC_HI } from '../wire/pod-mac.js';
import {
  fillTcpChecksum,
  TCP,
  TCP_FLAG,
  tcpAck,
  tcpFlags,
  tcpHeaderSize,
  tcpSeq,
  writeTcp,
} from '../wire/tcp.js';
import { fillUdpChecksum, UDP, udpLength, writeUdp } from '../wire/udp.js';
import { answerDns } from './dns/answer.js';
import { deservesIcmpError, writeIcmpError } from './icmp-error.js';
import { packetRandom } from './random.js';
import { ipv4End } from './transport.js';
import { Entry, type Walk } from './walk.js';

const TTL = 64;
const WINDOW = 64_240;
/** Option kinds 2: maximum segment size, for an MTU of 1450 (RFC 9293 section 3.7.1). */
const MSS_OPTION = 0x02040000;
const DNS_PORT = 53;
/** OpenShift's DNS pods listen here, behind the Service's 53. */
const DNS_POD_PORT = 5353;
/** What answerDns may write beyond the query's length. */
const DNS_ANSWER_MAX = 1232;

/** Write the Ethernet header that the pod's routing gives a packet to `destination`: pods are on link, the rest goes by
 *  the gateway (openshift/sdn pod.go getIPAMConfig). */
export function writePodEthernet(w: Walk, at: number, pod: number, destination: number): void {
  const { pods, nodes, networks, addresses } = w.tables;
  let node = pods.node[pod]!;
  let isOnLink = isClusterAddress(networks, destination);
  const slot = findAddress(addresses, destination);
  if (slot >= 0 && addresses.kind[slot] === ADDRESS_KIND.GATEWAY) {
    node = addresses.row[slot]!;
    isOnLink = false;
  }
  const hi = isOnLink ? POD_MAC_HI : nodes.tunMacHi[node]!;
  const lo = isOnLink ? destination : nodes.tunMacLo[node]!;
  writeEthernet(w.p, at, hi, lo, pods.macHi[pod]!, pods.macLo[pod]!, ETHERTYPE.IPV4);
}

/** A frame from the pod, or from the node's own stack (-1), back to the packet's sender; `size` bytes of transport. Returns
 *  where the frame begins. What a node sends gets its MACs where it leaves.
 *  With DF set the identification is 0, else it is drawn (ip_select_ident_segs of a socket without a peer). */
function reply(w: Walk, pod: number, protocol: number, size: number, fragment: number, tos = 0): number {
  const { p, l3 } = w;
  const length = IPV4.MIN_SIZE + size;
  const at = w.allocate(ETHERNET.SIZE + length);
  const source = ipv4Dst(p, l3);
  const destination = ipv4Src(p, l3);
  if (pod < 0) writeEthernet(p, at, 0, 0, 0, 0, ETHERTYPE.IPV4);
  else writePodEthernet(w, at, pod, destination);
  const id = fragment === 0 ? packetRandom(w.seed, p, l3, w.nowNs, protocol) & 0xffff : 0;
  writeIpv4(p, at + ETHERNET.SIZE, tos, length, id, fragment, TTL, protocol, source, destination);
  return at;
}

/** RFC 9293 section 3.10.7.1: a reset that its receiver can tell is about this segment. */
export function answerReset(w: Walk, pod: number): void {
  const { p, l3, l4 } = w;
  const flags = tcpFlags(p, l4);
  const hasAck = (flags & TCP_FLAG.ACK) !== 0;
  const payload = ipv4End(w) - l4 - tcpHeaderSize(p, l4);
  const syn = (flags & TCP_FLAG.SYN) !== 0 ? 1 : 0;
  const fin = (flags & TCP_FLAG.FIN) !== 0 ? 1 : 0;
  const seq = hasAck ? tcpAck(p, l4) : 0;
  const ack = hasAck ? 0 : (tcpSeq(p, l4) + payload + syn + fin) >>> 0;
  const at = reply(w, pod, PROTOCOL.TCP, TCP.MIN_SIZE, IPV4_DF);
  const tcp = at + ETHERNET.SIZE + IPV4.MIN_SIZE;
  const answer = hasAck ? TCP_FLAG.RST : TCP_FLAG.RST | TCP_FLAG.ACK;
  writeTcp(p, tcp, p.getUint16(l4 + TCP.DPORT), p.getUint16(l4 + TCP.SPORT), seq, ack, answer, 0);
  fillTcpChecksum(p, tcp, tcp + TCP.MIN_SIZE, ipv4Dst(p, l3), ipv4Src(p, l3));
  w.spawn(at, w.arena.used, Entry.POD, pod);
}

export function answerPortUnreachable(w: Walk, pod: number): void {
  if (!deservesIcmpError(w)) return;
  // The pod's stack knows nothing of the translations that the nodes made: it quotes what it received.
  w.untrack();
  const source = ipv4Dst(w.p, w.l3);
  const at = writeIcmpError(w, ICMP_TYPE.UNREACHABLE, ICMP_UNREACHABLE.PORT, 0, source);
  writePodEthernet(w, at, pod, ipv4Src(w.p, w.l3));
  w.spawn(at, w.arena.used, Entry.POD, pod);
}

/** The echo reply has the request's data and TOS (RFC 1122 section 3.2.2.6; Linux icmp_reply). `place` is the pod's or the node's row. */
export function answerEcho(w: Walk, entry: number, place: number): void {
  const { p, bytes, l4 } = w;
  const size = ipv4End(w) - l4;
  const at = reply(w, entry === Entry.POD ? place : -1, PROTOCOL.ICMP, size, 0, ipv4Tos(p, w.l3));
  const icmp = at + ETHERNET.SIZE + IPV4.MIN_SIZE;
  bytes.copyWithin(icmp, l4, l4 + size);
  p.setUint8(icmp + ICMP.TYPE, ICMP_TYPE.ECHO_REPLY);
  fillIcmpChecksum(p, icmp, icmp + size);
  w.spawn(at, w.arena.used, entry, place);
}

/** A listening server's SYN-ACK. */
export function respondTcp(w: Walk, pod: number): void {
  const { p, l3, l4 } = w;
  const size = TCP.MIN_SIZE + 4;
  const seq = packetRandom(w.seed, p, l3, w.nowNs, TCP_FLAG.SYN);
  const ack = (tcpSeq(p, l4) + 1) >>> 0;
  const at = reply(w, pod, PROTOCOL.TCP, size, IPV4_DF);
  const tcp = at + ETHERNET.SIZE + IPV4.MIN_SIZE;
  const flags = TCP_FLAG.SYN | TCP_FLAG.ACK;
  writeTcp(p, tcp, p.getUint16(l4 + TCP.DPORT), p.getUint16(l4 + TCP.SPORT), seq, ack, flags, WINDOW);
  p.setUint8(tcp + TCP.OFFSET, 0x60);
  p.setUint32(tcp + TCP.MIN_SIZE, MSS_OPTION | (w.tables.config.mtu[0]! - IPV4.MIN_SIZE - TCP.MIN_SIZE));
  fillTcpChecksum(p, tcp, tcp + size, ipv4Dst(p, l3), ipv4Src(p, l3));
  w.spawn(at, w.arena.used, Entry.POD, pod);
}

/** A server that sends the datagram back; a DNS pod answers the question instead. */
export function respondUdp(w: Walk, pod: number): void {
  const { p, bytes, l3, l4 } = w;
  const asked = l4 + UDP.SIZE;
  const data = udpLength(p, l4) - UDP.SIZE;
  const port = p.getUint16(l4 + UDP.DPORT);
  const isDns =
    (w.tables.pods.flags[pod]! & POD_FLAG.DNS) !== 0 && (port === DNS_PORT || port === DNS_POD_PORT);
  const at = reply(w, pod, PROTOCOL.UDP, UDP.SIZE + (isDns ? data + DNS_ANSWER_MAX : data), IPV4_DF);
  const udp = at + ETHERNET.SIZE + IPV4.MIN_SIZE;
  const answer = udp + UDP.SIZE;
  let size = data;
  if (isDns) {
    size = answerDns(w.tables.dns, p, bytes, asked, asked + data, answer);
    w.arena.used = answer + size;
    if (size === 0) return;
    p.setUint16(at + ETHERNET.SIZE + IPV4.LENGTH, IPV4.MIN_SIZE + UDP.SIZE + size);
    fillIpv4Checksum(p, at + ETHERNET.SIZE);
  } else bytes.copyWithin(answer, asked, asked + data);
  writeUdp(p, udp, port, p.getUint16(l4 + UDP.SPORT), UDP.SIZE + size);
  fillUdpChecksum(p, udp, answer + size, ipv4Dst(p, l3), ipv4Src(p, l3));
  w.spawn(at, w.arena.used, Entry.POD, pod);
}
