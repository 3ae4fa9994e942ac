/** A node's NIC and the network between nodes.
 *  Source: Linux net/ipv4/ip_input.c, drivers/net/vxlan (the UDP socket of the tunnel), openshift/sdn iptables.go (NOTRACK). */
import { ADDRESS_KIND, findAddress } from '../tables/addresses.js';
import { FragmentUser } from '../tables/fragments.js';
import { Reason } from '../verdict/reasons.js';
import { Verdict } from '../verdict/verdict.js';
import { ETHERNET, ETHERTYPE, etherType } from '../wire/ethernet.js';
import { checkIpv4, ipv4Dst, ipv4Protocol, isFragment, PROTOCOL } from '../wire/ipv4.js';
import { UDP } from '../wire/udp.js';
import { receive } from './host.js';
import { gather, Waits } from './reassembly.js';
import { ipv4End } from './transport.js';
import { DONE, HostDevice, type Walk } from './walk.js';

export const NicOutputNext = { Network: 0 } as const;
export const NicInputNext = { Vxlan: 0, Prerouting: 1, Arp: 2 } as const;

/** Onto the wire. In the one-node form, and for an address that no node has, the packet has left. */
export function nicOutput(w: Walk): number {
  const { addresses, nodes } = w.tables;
  const slot = findAddress(addresses, w.nextHop);
  const kind = slot < 0 ? 0 : addresses.kind[slot]!;
  const isNode = kind === ADDRESS_KIND.NODE || kind === ADDRESS_KIND.EGRESS_IP;
  if (w.onlyNode >= 0 || !isNode) return w.finish(Verdict.Left, Reason.None, nodes.nicPort[w.node]!);
  w.node = addresses.row[slot]!;
  // A mark does not go over the wire.
  w.mark = 0;
  return NicOutputNext.Network;
}

/** Off the wire: ip_rcv's checks, then the tunnel's socket or the host's own path. */
export function nicInput(w: Walk): number {
  const { p, at, end, tables } = w;
  w.inDevice = HostDevice.NIC;
  if (end - at < ETHERNET.SIZE) return w.drop(Reason.FrameTruncated);
  w.etherType = etherType(p, at);
  if (w.etherType === ETHERTYPE.ARP) return NicInputNext.Arp;
  if (w.etherType === ETHERTYPE.IPV6) return w.drop(Reason.Ipv6Unsupported);
  if (w.etherType !== ETHERTYPE.IPV4) return w.drop(Reason.EtherTypeUnsupported);
  const shape = checkIpv4(p, at + ETHERNET.SIZE, end);
  if (shape !== Reason.None) return w.drop(shape);
  const reason = receive(w, tables.nodes.address[w.node]!, tables.nodes.gateway[w.node]!);
  if (reason !== Reason.None) return w.drop(reason);
  // Before anything else in PREROUTING, before raw's NOTRACK too, so a tunnel's packet may come in fragments.
  if (isFragment(w.p, w.l3) && !gather(w, FragmentUser.CONNTRACK_IN, w.node, Waits.PREROUTING)) return DONE;
  const isOwn = ipv4Dst(p, w.l3) === tables.nodes.address[w.node];
  if (isOwn && ipv4Protocol(p, w.l3) === PROTOCOL.UDP) {
    if (ipv4End(w) - w.l4 < UDP.SIZE) return w.drop(Reason.UdpTruncated);
    if (p.getUint16(w.l4 + UDP.DPORT) === tables.config.vxlanPort[0]) return NicInputNext.Vxlan;
  }
  return NicInputNext.Prerouting;
}
