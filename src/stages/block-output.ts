/** What OpenShift 4 keeps everybody from: the machine config server, and, in pods, the cloud's metadata.
 *  Source: openshift/sdn pkg/cmd/openshift-sdn-cni/openshift-sdn.go (doNFTablesRules), pkg/network/node/iptables.go
 *  (OPENSHIFT-BLOCK-OUTPUT); Linux net/ipv4/netfilter/nf_reject_ipv4.c. */
import { Reason } from '../verdict/reasons.js';
import { Verdict } from '../verdict/verdict.js';
import { ETHERNET, ETHERTYPE, etherType, writeEthernet } from '../wire/ethernet.js';
import { ICMP_TYPE, ICMP_UNREACHABLE } from '../wire/icmp.js';
import { checkIpv4, ipv4Dst, ipv4Protocol, ipv4Src, isLaterFragment, PROTOCOL } from '../wire/ipv4.js';
import { TCP, TCP_FLAG, tcpFlags } from '../wire/tcp.js';
import { deservesIcmpError, writeIcmpError } from './icmp-error.js';
import { writePodEthernet } from './pod-answers.js';
import { findTransport, isTransportWhole, transportStatus } from './transport.js';
import { Entry, L4, type Walk } from './walk.js';

const OCP4 = 0;
const MACHINE_CONFIG_PORTS = [22_623, 22_624] as const;
/** 169.254.169.254. */
const METADATA = 0xa9fea9fe;
const DNS_PORT = 53;
const TCP_OPENING = TCP_FLAG.FIN | TCP_FLAG.SYN | TCP_FLAG.RST | TCP_FLAG.ACK;

/** Does the IPv4 packet at w.l3, w.l4 open a connection to the machine config server? OpenShift 4 alone has one. */
export function asksMachineConfig(w: Walk): boolean {
  const { p, l4 } = w;
  if (w.tables.config.platform[0] !== OCP4 || ipv4Protocol(p, w.l3) !== PROTOCOL.TCP) return false;
  if (isLaterFragment(p, w.l3) || !isTransportWhole(w)) return false;
  const port = p.getUint16(l4 + TCP.DPORT);
  const isServer = port === MACHINE_CONFIG_PORTS[0] || port === MACHINE_CONFIG_PORTS[1];
  return isServer && (tcpFlags(p, l4) & TCP_OPENING) === TCP_FLAG.SYN;
}

/** nft table openshift-block-output, hook output, of the pod in hand: why the frame may not leave it, or None. */
export function podBlocks(w: Walk): number {
  const { p, at, end } = w;
  if (w.tables.config.platform[0] !== OCP4 || end - at < ETHERNET.SIZE) return Reason.None;
  if (etherType(p, at) !== ETHERTYPE.IPV4 || checkIpv4(p, at + ETHERNET.SIZE, end) !== Reason.None)
    return Reason.None;
  findTransport(w);
  if (asksMachineConfig(w)) return Reason.MachineConfigBlocked;
  if (ipv4Dst(p, w.l3) !== METADATA || isLaterFragment(p, w.l3) || end - w.l4 < 4) return Reason.None;
  const protocol = ipv4Protocol(p, w.l3);
  if (protocol !== PROTOCOL.TCP && protocol !== PROTOCOL.UDP) return Reason.None;
  // The rules are about ports: an echo request passes.
  return p.getUint16(w.l4 + TCP.DPORT) === DNS_PORT ? Reason.None : Reason.MetadataBlocked;
}

/** `reject` in a pod: port unreachable from the pod's address to its own socket, by the pod's lo. */
export function rejectInPod(w: Walk, reason: number): number {
  const { p, tables, pod } = w;
  const own = tables.pods.address[pod]!;
  if (!isTransportWhole(w) || transportStatus(w) === L4.BAD || !deservesIcmpError(w))
    return w.drop(Reason.RejectSilent);
  const at = writeIcmpError(w, ICMP_TYPE.UNREACHABLE, ICMP_UNREACHABLE.PORT, 0, own);
  const source = ipv4Src(p, w.l3);
  // Only a raw socket sends from an address that is not its own; the answer is routed to that one.
  if (source === own) w.spawn(at, w.arena.used, Entry.POD_LOOPBACK, pod);
  else {
    writePodEthernet(w, at, pod, source);
    w.spawn(at, w.arena.used, Entry.POD, pod);
  }
  return w.finish(Verdict.Rejected, reason);
}

/** The pod's lo: what the pod's stack says to itself. The Ethernet addresses there are zero. */
export function podLoopback(w: Walk): number {
  writeEthernet(w.p, w.at, 0, 0, 0, 0, ETHERTYPE.IPV4);
  return w.finish(Verdict.Delivered, Reason.None, w.tables.pods.port[w.pod]!);
}
