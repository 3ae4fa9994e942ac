/** The pod: its eth0 sends into br0, and its stack takes what br0 delivers, or answers that nobody listens.
 *  Source: Linux net/ipv4/ip_input.c, tcp_ipv4.c (tcp_v4_rcv, tcp_v4_send_reset), udp.c, icmp.c. */
import { FragmentUser } from '../tables/fragments.js';
import { podListens } from '../tables/nodes.js';
import { Reason } from '../verdict/reasons.js';
import { Verdict } from '../verdict/verdict.js';
import { ETHERTYPE, ethDstHi, ethDstLo, isGroupMac } from '../wire/ethernet.js';
import { ICMP_TYPE, icmpType } from '../wire/icmp.js';
import { ipv4Dst, ipv4Protocol, isFragment, PROTOCOL } from '../wire/ipv4.js';
import { TCP, TCP_FLAG, tcpFlags } from '../wire/tcp.js';
import { UDP } from '../wire/udp.js';
import { answerArp } from './arp.js';
import { podBlocks, rejectInPod } from './block-output.js';
import { receive } from './host.js';
import { answerEcho, answerPortUnreachable, answerReset, respondTcp, respondUdp } from './pod-answers.js';
import { gather, Waits } from './reassembly.js';
import { isTransportWhole, transportStatus } from './transport.js';
import { CtInfo, DONE, Entry, L4, type Walk } from './walk.js';

export const PodOutputNext = { Bridge: 0 } as const;

/** net.ipv4.ip_local_port_range: where clients' own sockets are. */
const EPHEMERAL_MIN = 32_768;

/** The pod's own filter, then eth0 → veth → br0; the frame goes as the pod made it. Rejects: MachineConfigBlocked,
 *  MetadataBlocked. */
export function podOutput(w: Walk): number {
  const { pods } = w.tables;
  w.node = pods.node[w.pod]!;
  w.ofport = pods.ofport[w.pod]!;
  const blocked = podBlocks(w);
  return blocked === Reason.None ? PodOutputNext.Bridge : rejectInPod(w, blocked);
}

/** br0 → veth → eth0, and the pod's stack. */
export function podInput(w: Walk): number {
  const { p, at, tables } = w;
  const { pods } = tables;
  const pod = w.pod;
  const hi = ethDstHi(p, at);
  if (!isGroupMac(hi) && (hi !== pods.macHi[pod] || ethDstLo(p, at) !== pods.macLo[pod]))
    return w.drop(Reason.MacForeign);
  const port = pods.port[pod]!;
  if (w.etherType === ETHERTYPE.ARP) {
    // br0 delivers ARP by the address asked for, so it is this pod's.
    return answerArp(w, true, pods.macHi[pod]!, pods.macLo[pod]!, Entry.POD, pod, port);
  }
  const reason = receive(w, pods.address[pod]!, pods.address[pod]!);
  if (reason !== Reason.None) return w.drop(reason);
  const destination = ipv4Dst(p, w.l3);
  if (destination === 0xffffffff) return w.drop(Reason.BroadcastUnserved);
  const isGroup = destination >>> 28 === 14;
  if (!isGroup && destination !== pods.address[pod]) return w.drop(Reason.AddressForeign);
  if (isFragment(p, w.l3) && !gather(w, FragmentUser.DELIVER, pod, Waits.POD)) return DONE;
  return isGroup ? deliverGroup(w, port) : deliver(w, pod, port);
}

/** To a group. Who has joined it is nowhere to be seen, so every pod that br0 delivers to has. What no stack takes from a
 *  group is TCP and echo requests (icmp_echo_ignore_broadcasts). */
function deliverGroup(w: Walk, port: number): number {
  const protocol = ipv4Protocol(w.p, w.l3);
  const isPlain = protocol === PROTOCOL.UDP || protocol === PROTOCOL.ICMP;
  const bad = isPlain ? brokenReason(w, protocol) : Reason.None;
  if (bad !== Reason.None) return w.drop(bad);
  const isEcho = protocol === PROTOCOL.ICMP && icmpType(w.p, w.l4) === ICMP_TYPE.ECHO;
  if (protocol === PROTOCOL.TCP || isEcho) return w.drop(Reason.BroadcastUnserved);
  return w.finish(Verdict.Delivered, Reason.None, port);
}

function deliver(w: Walk, pod: number, port: number): number {
  const protocol = ipv4Protocol(w.p, w.l3);
  const bad = brokenReason(w, protocol);
  if (bad !== Reason.None) return w.drop(bad);
  switch (protocol) {
    case PROTOCOL.TCP:
      return deliverTcp(w, pod, port);
    case PROTOCOL.UDP:
      return deliverUdp(w, pod, port);
    case PROTOCOL.ICMP:
      if (icmpType(w.p, w.l4) === ICMP_TYPE.ECHO && w.responds) {
        answerEcho(w, Entry.POD, pod);
        return w.finish(Verdict.Answered, Reason.EchoAnswered, port);
      }
      return w.finish(Verdict.Delivered, Reason.None, port);
    case PROTOCOL.SCTP:
      return w.finish(Verdict.Delivered, Reason.None, port);
    default:
      return w.drop(Reason.ProtocolUnsupported);
  }
}

/** Why the transport refuses the packet before it looks for a socket. */
export function brokenReason(w: Walk, protocol: number): number {
  const isTcp = protocol === PROTOCOL.TCP;
  const isUdp = protocol === PROTOCOL.UDP;
  if (!isTransportWhole(w))
    return isTcp ? Reason.TcpTruncated : isUdp ? Reason.UdpTruncated : Reason.IcmpTruncated;
  if (transportStatus(w) !== L4.BAD) return Reason.None;
  return isTcp ? Reason.TcpBadChecksum : isUdp ? Reason.UdpBadChecksum : Reason.IcmpBadChecksum;
}

function deliverTcp(w: Walk, pod: number, port: number): number {
  const flags = tcpFlags(w.p, w.l4);
  const isOpening = (flags & (TCP_FLAG.SYN | TCP_FLAG.ACK)) === TCP_FLAG.SYN;
  if (listens(w, pod, PROTOCOL.TCP, TCP.DPORT)) {
    if (isOpening && w.responds) respondTcp(w, pod);
    return w.finish(Verdict.Delivered, Reason.None, port);
  }
  // A client's socket: conntrack knows the connection, or the port is one that clients get and this is no request.
  if (isAnswer(w) || (!isOpening && w.p.getUint16(w.l4 + TCP.DPORT) >= EPHEMERAL_MIN))
    return w.finish(Verdict.Delivered, Reason.None, port);
  if ((flags & TCP_FLAG.RST) !== 0) return w.drop(Reason.SocketNone);
  answerReset(w, pod);
  return w.finish(Verdict.Answered, Reason.TcpReset, port);
}

function deliverUdp(w: Walk, pod: number, port: number): number {
  if (listens(w, pod, PROTOCOL.UDP, UDP.DPORT)) {
    if (w.responds) respondUdp(w, pod);
    return w.finish(Verdict.Delivered, Reason.None, port);
  }
  const isServersAnswer =
    w.p.getUint16(w.l4 + UDP.DPORT) >= EPHEMERAL_MIN && w.p.getUint16(w.l4 + UDP.SPORT) < EPHEMERAL_MIN;
  if (isAnswer(w) || isServersAnswer) return w.finish(Verdict.Delivered, Reason.None, port);
  answerPortUnreachable(w, pod);
  return w.finish(Verdict.Answered, Reason.PortUnreachable, port);
}

const isAnswer = (w: Walk): boolean => w.ctInfo === CtInfo.REPLY || w.ctInfo === CtInfo.RELATED_REPLY;

const listens = (w: Walk, pod: number, protocol: number, portAt: number): boolean =>
  podListens(w.tables.pods, w.tables.listen, pod, ((w.p.getUint16(w.l4 + portAt) << 16) | protocol) >>> 0);
