/** ARP as a stack answers it: for its own addresses, to whoever asks.
 *  Source: Linux net/ipv4/arp.c (arp_process); arp_ignore and arp_announce are 0. */
import { Reason } from '../verdict/reasons.js';
import { Verdict } from '../verdict/verdict.js';
import {
  ARP,
  ARP_REPLY,
  ARP_REQUEST,
  arpOper,
  arpShaHi,
  arpShaLo,
  arpSpa,
  arpTpa,
  isArpIpv4,
  writeArp,
} from '../wire/arp.js';
import { ETHERNET, ETHERTYPE, writeEthernet } from '../wire/ethernet.js';
import { isLocal } from './local.js';
import { Entry, HostDevice, type Walk } from './walk.js';

/** The host's stack, on tun0 or on the NIC. */
export function hostArp(w: Walk): number {
  const { tables, p, at } = w;
  const { nodes } = tables;
  const isTun = w.inDevice === HostDevice.TUN0;
  const port = isTun ? nodes.tunPort[w.node]! : nodes.nicPort[w.node]!;
  const hi = isTun ? nodes.tunMacHi[w.node]! : nodes.nicMacHi[w.node]!;
  const lo = isTun ? nodes.tunMacLo[w.node]! : nodes.nicMacLo[w.node]!;
  const isOwn = isArpIpv4(p, at + ETHERNET.SIZE, w.end) && isLocal(w, arpTpa(p, at + ETHERNET.SIZE));
  const entry = isTun ? Entry.BRIDGE_FROM_TUN0 : Entry.NIC_OUTPUT;
  return answerArp(w, isOwn, hi, lo, entry, w.node, port);
}

/** Answer the request in hand if `isOwn`; a reply is learned from. `place` is the pod's or the node's row. */
export function answerArp(
  w: Walk,
  isOwn: boolean,
  macHi: number,
  macLo: number,
  entry: number,
  place: number,
  port: number,
): number {
  const { p } = w;
  const arp = w.at + ETHERNET.SIZE;
  if (!isArpIpv4(p, arp, w.end)) return w.drop(Reason.ArpMalformed);
  if (arpOper(p, arp) === ARP_REPLY) return w.finish(Verdict.Delivered, Reason.ArpLearned, port);
  if (arpOper(p, arp) !== ARP_REQUEST || !isOwn) return w.drop(Reason.ArpIgnored);
  const askerHi = arpShaHi(p, arp);
  const askerLo = arpShaLo(p, arp);
  const at = w.allocate(ETHERNET.SIZE + ARP.SIZE);
  writeEthernet(p, at, askerHi, askerLo, macHi, macLo, ETHERTYPE.ARP);
  writeArp(p, at + ETHERNET.SIZE, ARP_REPLY, macHi, macLo, arpTpa(p, arp), askerHi, askerLo, arpSpa(p, arp));
  w.spawn(at, w.arena.used, entry, place);
  return w.finish(Verdict.Answered, Reason.ArpAnswered, port);
}
