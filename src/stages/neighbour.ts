/** The way out of the host's stack: who is the next hop's neighbour, and what becomes of a packet that has none.
 *  Neighbours that exist are known at once (their ARP exchange is not shown); one that nobody has is asked for
 *  three times, a second apart, and then the packet comes back as host unreachable.
 *  Source: Linux net/core/neighbour.c, net/ipv4/arp.c (arp_error_report). */
import { ADDRESS_KIND, findAddress } from '../tables/addresses.js';
import { OFPORT } from '../tables/flows.js';
import { Reason } from '../verdict/reasons.js';
import { Verdict } from '../verdict/verdict.js';
import { ETHERTYPE, writeEthernet } from '../wire/ethernet.js';
import { ICMP_TYPE, ICMP_UNREACHABLE } from '../wire/icmp.js';
import { ipv4Src } from '../wire/ipv4.js';
import { POD_MAC_HI } from '../wire/pod-mac.js';
import { addressKind } from './host.js';
import { deservesIcmpError, inheritedInfo, writeIcmpError } from './icmp-error.js';
import { isLocal } from './local.js';
import { findTransport } from './transport.js';
import { CtInfo, DONE, Entry, HostDevice, type Walk } from './walk.js';

export const Tun0OutputNext = { Bridge: 0 } as const;
export const NicNeighbourNext = { Nic: 0 } as const;

/** Three probes, a second apart (net.ipv4.neigh.*.mcast_solicit, retrans_time_ms). */
const GIVE_UP_NS = 3e9;
/** MAC of whatever router the underlay has; no manifest names it. */
const ROUTER_MAC = { hi: 0x5254, lo: 0x00000001 } as const;

/** tun0 transmits into br0. Holds the packet when br0 would lead the ARP request nowhere. */
export function tun0Output(w: Walk): number {
  const { tables, p } = w;
  const slot = findAddress(tables.addresses, w.nextHop);
  const kind = slot < 0 ? 0 : tables.addresses.kind[slot]!;
  const row = slot < 0 ? 0 : tables.addresses.row[slot]!;
  const { nodes } = tables;
  if (kind !== ADDRESS_KIND.POD && kind !== ADDRESS_KIND.GATEWAY) return wait(w);
  const isPod = kind === ADDRESS_KIND.POD;
  const hi = isPod ? POD_MAC_HI : nodes.tunMacHi[row]!;
  const lo = isPod ? w.nextHop : nodes.tunMacLo[row]!;
  writeEthernet(p, w.at, hi, lo, nodes.tunMacHi[w.node]!, nodes.tunMacLo[w.node]!, ETHERTYPE.IPV4);
  w.ofport = OFPORT.TUN0;
  return Tun0OutputNext.Bridge;
}

/** The NIC's neighbours: other nodes by their MAC, everything else by the router. */
export function nicNeighbour(w: Walk): number {
  const { tables, p } = w;
  const { nodes } = tables;
  const slot = findAddress(tables.addresses, w.nextHop);
  const kind = slot < 0 ? 0 : tables.addresses.kind[slot]!;
  const isNode = kind === ADDRESS_KIND.NODE || kind === ADDRESS_KIND.EGRESS_IP;
  const row = isNode ? tables.addresses.row[slot]! : 0;
  const hi = isNode ? nodes.nicMacHi[row]! : ROUTER_MAC.hi;
  const lo = isNode ? nodes.nicMacLo[row]! : ROUTER_MAC.lo;
  writeEthernet(p, w.at, hi, lo, nodes.nicMacHi[w.node]!, nodes.nicMacLo[w.node]!, ETHERTYPE.IPV4);
  w.untrack();
  return NicNeighbourNext.Nic;
}

function wait(w: Walk): number {
  const deadline = w.held.deadlineOf(w.node, w.nextHop, w.nowNs + GIVE_UP_NS);
  const held = w.held.hold(w.bytes, w.at, w.end, w.node, w.nextHop, deadline, w.ct, w.service);
  return held ? w.finish(Verdict.Pending, Reason.NeighbourPending) : w.drop(Reason.NeighbourQueueFull);
}

/** The wait is over: the packet in hand (a held one, w.node and w.ct set) goes back as host unreachable. */
export function giveUp(w: Walk): number {
  w.etherType = ETHERTYPE.IPV4;
  findTransport(w);
  const { nodes } = w.tables;
  w.ctInfo = w.ct < 0 ? CtInfo.UNTRACKED : (w.ct & 1) === 1 ? CtInfo.REPLY : CtInfo.NEW;
  if (!deservesIcmpError(w)) return w.drop(Reason.HostUnreachable);
  const gateway = nodes.gateway[w.node]!;
  const at = writeIcmpError(w, ICMP_TYPE.UNREACHABLE, ICMP_UNREACHABLE.HOST, 0, gateway);
  // An error to the host itself reaches its socket without a device.
  if (addressKind(w, ipv4Src(w.p, w.l3)) === ADDRESS_KIND.POD || !isLocal(w, ipv4Src(w.p, at + 14 + 4)))
    w.spawn(at, w.arena.used, Entry.HOST, w.node, inheritedInfo(w));
  w.inDevice = HostDevice.TUN0;
  w.finish(Verdict.Rejected, Reason.HostUnreachable);
  return DONE;
}
