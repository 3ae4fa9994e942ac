/** The node's own IP stack on the way in and through: tun0 receives, netfilter's PREROUTING, routing, FORWARD,
 *  POSTROUTING. Source: Linux net/ipv4/ip_input.c, ip_forward.c; kube-proxy iptables/proxier.go;
 *  openshift/sdn pkg/network/node/iptables.go. */
import { findAddress } from '../tables/addresses.js';
import { CT_FLAG } from '../tables/conntrack.js';
import { FragmentUser } from '../tables/fragments.js';
import { isClusterAddress } from '../tables/nodes.js';
import { SERVICE_FLAG } from '../tables/services.js';
import { Reason } from '../verdict/reasons.js';
import { Verdict } from '../verdict/verdict.js';
import { ETHERNET, ETHERTYPE, ethDstHi, etherType, isGroupMac } from '../wire/ethernet.js';
import { ICMP_TYPE, ICMP_UNREACHABLE } from '../wire/icmp.js';
import {
  checkIpv4,
  checkIpv4Host,
  decrementTtl,
  IPV4_DF,
  ipv4Dst,
  ipv4Fragment,
  ipv4Protocol,
  ipv4Src,
  ipv4TotalLength,
  ipv4Ttl,
  isFragment,
  PROTOCOL,
} from '../wire/ipv4.js';
import { POD_MAC_HI } from '../wire/pod-mac.js';
import { asksMachineConfig } from './block-output.js';
import { cut } from './cut.js';
import { deservesIcmpError, inheritedInfo, writeIcmpError } from './icmp-error.js';
import { isLocal } from './local.js';
import { natDestination, natFlags, natSource, translateIcmpError } from './nat.js';
import { translateNewDestination } from './proxy/iptables.js';
import { isMasqueradeMarked, translateNewSource } from './proxy/masquerade.js';
import { gather, Waits } from './reassembly.js';
import { confirm, track } from './track.js';
import { findTransport, transportStatus } from './transport.js';
import { CtInfo, DONE, Entry, HostDevice, L4, Refusal, type Walk } from './walk.js';

export const PreroutingNext = { Forward: 0, Input: 1 } as const;
export const ForwardNext = { Postrouting: 0 } as const;
export const PostroutingNext = { Tun0: 0, Nic: 1, Input: 2 } as const;
export const Tun0InputNext = { Prerouting: 0, Arp: 1 } as const;

const NIC_MTU = 1500;

/** tun0 receives from br0: ip_rcv's checks. Drops: MacForeign, Ipv4BadChecksum, Ipv4BadTotalLength, SourceMartian. */
export function tun0Input(w: Walk): number {
  const { p, at, tables } = w;
  w.inDevice = HostDevice.TUN0;
  if (w.etherType === ETHERTYPE.ARP) return Tun0InputNext.Arp;
  // A node's MAC is in no manifest. Any unicast MAC that is no pod's is taken for the gateway's, or a capture of a
  // real cluster could not be replayed.
  const hi = ethDstHi(p, at);
  if (!isGroupMac(hi) && hi === POD_MAC_HI && tables.nodes.tunMacHi[w.node] !== hi)
    return w.drop(Reason.MacForeign);
  const reason = receive(w, tables.nodes.address[w.node]!, tables.nodes.gateway[w.node]!);
  return reason === Reason.None ? Tun0InputNext.Prerouting : w.drop(reason);
}

/** What ip_rcv and the first look of routing refuse. `own` and `other` are the stack's own addresses: what comes from
 *  outside with one of them as its source is a martian (fib_validate_source). */
export function receive(w: Walk, own: number, other: number): number {
  w.checksIp = true;
  findTransport(w);
  const reason = checkIpv4Host(w.p, w.l3, w.end);
  if (reason !== Reason.None) return reason;
  // ip_rcv_core trims what lies behind the packet.
  w.end = w.l3 + ipv4TotalLength(w.p, w.l3);
  const source = ipv4Src(w.p, w.l3);
  const first = source >>> 24;
  const isMartian = first === 127 || first === 0 || first >= 224 || source === own || source === other;
  return isMartian ? Reason.SourceMartian : Reason.None;
}

/** Conntrack, then nat PREROUTING for the first packet of a connection, the recorded translation for later ones. */
export function prerouting(w: Walk): number {
  if (isFragment(w.p, w.l3) && !gather(w, FragmentUser.CONNTRACK_IN, w.node, Waits.PREROUTING)) return DONE;
  track(w);
  translateDestination(w);
  return isLocal(w, ipv4Dst(w.p, w.l3)) ? PreroutingNext.Input : PreroutingNext.Forward;
}

function translateDestination(w: Walk): void {
  if (w.ctInfo === CtInfo.RELATED || w.ctInfo === CtInfo.RELATED_REPLY) {
    if (natFlags(w) !== 0) translateIcmpError(w);
    return;
  }
  if (w.ctInfo === CtInfo.NEW && w.ct < 0) translateNewDestination(w);
  else if (changesHere(w, CT_FLAG.DST_NAT, CT_FLAG.SRC_NAT)) natDestination(w);
}

/** nat INPUT: what comes back to the host itself is given the source that the host asked. */
export function translateInput(w: Walk): void {
  if (w.ctInfo === CtInfo.RELATED || w.ctInfo === CtInfo.RELATED_REPLY) return;
  if (changesHere(w, CT_FLAG.SRC_NAT, CT_FLAG.DST_NAT)) natSource(w);
}

/** Does the recorded translation touch this end? In the reply direction SNAT and DNAT change places. */
function changesHere(w: Walk, original: number, reply: number): boolean {
  return w.ct >= 0 && (natFlags(w) & ((w.ct & 1) === 0 ? original : reply)) !== 0;
}

/** The host's routing: cluster and service networks by tun0, the rest by the NIC. */
export function routeOut(w: Walk): void {
  const { networks } = w.tables;
  const destination = ipv4Dst(w.p, w.l3);
  w.nextHop = destination;
  w.outDevice = HostDevice.NIC;
  for (let i = 0; i < networks.rows; i++)
    if ((destination & networks.mask[i]!) >>> 0 === networks.base[i]) {
      w.outDevice = HostDevice.TUN0;
      return;
    }
}

/** ip_forward and filter FORWARD. Rejects: TtlExceeded, FragmentationNeeded, NoEndpoints. Drops: ConntrackInvalid, … */
export function forward(w: Walk): number {
  const { p, l3 } = w;
  routeOut(w);
  if (ipv4Dst(p, l3) >>> 24 >= 224) return w.drop(Reason.BroadcastUnserved);
  if (ipv4Ttl(p, l3) <= 1) return reject(w, Reason.TtlExceeded, ICMP_TYPE.TIME_EXCEEDED, 0, 0);
  const mtu = mtuOut(w);
  if (exceedsMtu(w, mtu)) return rejectTooLong(w, mtu);
  decrementTtl(p, l3);
  w.forwards++;
  if (mtu < w.mtu) w.mtu = mtu;
  if (w.ctInfo === CtInfo.INVALID) return w.drop(Reason.ConntrackInvalid);
  if (w.refusal !== Refusal.NONE) return refuseService(w);
  if (asksMachineConfig(w) && !isAcceptedBefore(w)) return turnAway(w, Reason.MachineConfigBlocked);
  return ForwardNext.Postrouting;
}

const mtuOut = (w: Walk): number => (w.outDevice === HostDevice.TUN0 ? w.tables.config.mtu[0]! : NIC_MTU);

/** Too long, and not to be cut (ip_exceeds_mtu)? What came in fragments with DF is judged by the longest of them. A TCP
 *  segment beyond the MTU is one that offload will cut: the stack passes these (skb_is_gso). */
function exceedsMtu(w: Walk, mtu: number): boolean {
  const { p, l3 } = w;
  if (ipv4TotalLength(p, l3) <= mtu || (ipv4Fragment(p, l3) & IPV4_DF) === 0) return false;
  return w.mru > 0 ? w.mru > mtu : ipv4Protocol(p, l3) !== PROTOCOL.TCP;
}

const rejectTooLong = (w: Walk, mtu: number): number =>
  reject(w, Reason.FragmentationNeeded, ICMP_TYPE.UNREACHABLE, ICMP_UNREACHABLE.FRAGMENTATION_NEEDED, mtu);

/** Out of the stack; in fragments what came in fragments, and what is too long otherwise (ip_finish_output). */
function send(w: Walk): number {
  const edge = w.outDevice === HostDevice.TUN0 ? PostroutingNext.Tun0 : PostroutingNext.Nic;
  const mtu = mtuOut(w);
  const isTooLong =
    ipv4TotalLength(w.p, w.l3) > mtu &&
    ipv4Protocol(w.p, w.l3) !== PROTOCOL.TCP &&
    (ipv4Fragment(w.p, w.l3) & IPV4_DF) === 0;
  return w.mru > 0 || isTooLong ? cut(w, edge, mtu, true, w.ct >= 0 && natFlags(w) !== 0) : edge;
}

/** kube-proxy's chains in filter: REJECT without endpoints, DROP where only other nodes have them, DROP for a load
 *  balancer's address that nothing was translated for. `isInput`: in INPUT, where the address asked answers. */
export function refuseService(w: Walk, isInput = false): number {
  if (w.refusal === Refusal.FIREWALL) return w.drop(Reason.LoadBalancerFirewall);
  if ((w.tables.services.flags[w.service]! & SERVICE_FLAG.LOCAL_ONLY) !== 0)
    return w.drop(Reason.NoLocalEndpoints);
  const isFirewalled = (w.tables.services.flags[w.service]! & SERVICE_FLAG.FIREWALLED) !== 0;
  const reason = isFirewalled ? Reason.EndpointsDenied : Reason.NoEndpoints;
  return turnAway(w, reason, isInput ? ipv4Dst(w.p, w.l3) : deviceAddress(w));
}

/** The REJECT target. It checks the packet's checksum and says nothing about a broken one (nf_ip_checksum). */
export function turnAway(w: Walk, reason: number, source = deviceAddress(w)): number {
  if (transportStatus(w) === L4.BAD || !deservesIcmpError(w)) return w.drop(Reason.RejectSilent);
  return reject(w, reason, ICMP_TYPE.UNREACHABLE, ICMP_UNREACHABLE.PORT, 0, source);
}

/** What FORWARD accepts before it comes to OPENSHIFT-BLOCK-OUTPUT: KUBE-FORWARD the marked and the known,
 *  OPENSHIFT-FIREWALL-FORWARD all that is from or to the pod network. */
function isAcceptedBefore(w: Walk): boolean {
  const { networks } = w.tables;
  return (
    isMasqueradeMarked(w) ||
    w.ctInfo !== CtInfo.NEW ||
    isClusterAddress(networks, ipv4Src(w.p, w.l3)) ||
    isClusterAddress(networks, ipv4Dst(w.p, w.l3))
  );
}

/** Turn the packet away with an ICMP error from `source`, else from the device that it came in by. */
function reject(
  w: Walk,
  reason: number,
  type: number,
  code: number,
  rest: number,
  source = deviceAddress(w),
): number {
  if (!deservesIcmpError(w)) return w.drop(reason);
  const at = writeIcmpError(w, type, code, rest, source);
  w.spawn(at, w.arena.used, Entry.HOST, w.node, inheritedInfo(w));
  return w.finish(Verdict.Rejected, reason);
}

function deviceAddress(w: Walk): number {
  const { nodes } = w.tables;
  return w.inDevice === HostDevice.NIC ? nodes.address[w.node]! : nodes.gateway[w.node]!;
}

/** nat POSTROUTING, then the connection is kept. Drops: NatPortsExhausted, ConntrackFull, ConntrackClash. */
export function postrouting(w: Walk): number {
  if (w.ctInfo === CtInfo.NEW && w.ct < 0) {
    if (!translateNewSource(w)) return w.drop(Reason.NatPortsExhausted);
    const refused = confirm(w);
    if (refused !== Reason.None) return w.drop(refused);
  } else if (w.ctInfo !== CtInfo.RELATED && w.ctInfo !== CtInfo.RELATED_REPLY) {
    if (changesHere(w, CT_FLAG.SRC_NAT, CT_FLAG.DST_NAT)) natSource(w);
  }
  return send(w);
}

/** The node's own packets: OUTPUT, then as all others. An ICMP error brings its connection along. */
export function hostOutput(w: Walk): number {
  w.inDevice = HostDevice.NONE;
  w.etherType = etherType(w.p, w.at);
  if (w.etherType === ETHERTYPE.IPV6) return w.drop(Reason.Ipv6Unsupported);
  if (w.etherType !== ETHERTYPE.IPV4) return w.drop(Reason.EtherTypeUnsupported);
  const shape = checkIpv4(w.p, w.at + ETHERNET.SIZE, w.end);
  if (shape !== Reason.None) return w.drop(shape);
  findTransport(w);
  if (w.ctInfo === CtInfo.UNTRACKED) {
    const reason = checkIpv4Host(w.p, w.l3, w.end);
    if (reason !== Reason.None) return w.drop(reason);
    if (isFragment(w.p, w.l3) && !gather(w, FragmentUser.CONNTRACK_OUT, w.node, Waits.OUTPUT)) return DONE;
    track(w);
    translateDestination(w);
    // KUBE-EXTERNAL-SERVICES is not hooked into OUTPUT.
    if (w.refusal === Refusal.SERVICES || w.refusal === Refusal.FIREWALL) return refuseService(w);
    if (asksMachineConfig(w)) return turnAway(w, Reason.MachineConfigBlocked);
  }
  if (isLocal(w, ipv4Dst(w.p, w.l3))) return PostroutingNext.Input;
  routeOut(w);
  return postrouting(w);
}

/** Kind of an address, or 0. */
export function addressKind(w: Walk, address: number): number {
  const slot = findAddress(w.tables.addresses, address);
  return slot < 0 ? 0 : w.tables.addresses.kind[slot]!;
}
