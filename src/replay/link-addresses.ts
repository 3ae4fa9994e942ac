/** Writes the MACs that the sender would have written where the capture has none, or has those of hardware that no
 *  manifest names. */
import { POD_MAC_HI } from '../addr/mac.js';
import { FrameType, type PacketView } from '../packet/packet-view.js';
import { ADDRESS_KIND } from '../tables/addresses.js';
import type { Tables } from '../tables/epoch.js';
import { isClusterAddress, PORT_KIND } from '../tables/nodes.js';
import { ethDstHi, ethDstLo, isGroupMac, setEthDst, setEthSrc } from '../wire/ethernet.js';
import { rowOf } from './entry.js';

const BROADCAST_HI = 0xffff;
const BROADCAST_LO = 0xffffffff;
/** Locally administered, for a sender outside whose MAC nobody knows. */
const OUTSIDE_MAC_HI = 0x0200;

/** The frame at `at` enters at row `port` of the port table. `isMade`: its Ethernet header was made by the reader.
 *  Returns true when the destination MAC was replaced. Only MACs that the cluster does not know are: tun0 and NICs
 *  of the recorded cluster have random ones, and its packets must find the tun0 that stands for theirs. */
export function settleMacs(
  tables: Tables,
  p: DataView,
  at: number,
  view: PacketView,
  port: number,
  isMade: boolean,
): boolean {
  const { ports } = tables;
  const kind = ports.kind[port];
  // The node's own stack writes the Ethernet header anew.
  if (kind === PORT_KIND.TUN) return false;
  if (isMade) {
    writeSource(tables, p, at, view, port);
    writeDestination(tables, p, at, view, port);
    return false;
  }
  if (isGroupMac(ethDstHi(p, at)) || view.type === FrameType.OTHER || isKnownMac(tables, p, at, port))
    return false;
  writeDestination(tables, p, at, view, port);
  return true;
}

function writeSource(tables: Tables, p: DataView, at: number, view: PacketView, port: number): void {
  const { ports, pods, nodes } = tables;
  if (ports.kind[port] === PORT_KIND.POD) {
    const pod = ports.pod[port]!;
    setEthSrc(p, at, pods.macHi[pod]!, pods.macLo[pod]!);
    return;
  }
  const address = view.isTunnelled ? view.outerSrc : view.src;
  const node = rowOf(tables, address, ADDRESS_KIND.NODE);
  if (node < 0) setEthSrc(p, at, OUTSIDE_MAC_HI, address);
  else setEthSrc(p, at, nodes.nicMacHi[node]!, nodes.nicMacLo[node]!);
}

function writeDestination(tables: Tables, p: DataView, at: number, view: PacketView, port: number): void {
  const { ports, nodes } = tables;
  const node = ports.node[port]!;
  if (ports.kind[port] === PORT_KIND.NIC) {
    setEthDst(p, at, nodes.nicMacHi[node]!, nodes.nicMacLo[node]!);
    return;
  }
  if (view.type === FrameType.ARP) {
    setEthDst(p, at, BROADCAST_HI, BROADCAST_LO);
    return;
  }
  const gateway = rowOf(tables, view.dst, ADDRESS_KIND.GATEWAY);
  if (gateway < 0 && isClusterAddress(tables.networks, view.dst)) setEthDst(p, at, POD_MAC_HI, view.dst);
  else
    setEthDst(
      p,
      at,
      nodes.tunMacHi[gateway < 0 ? node : gateway]!,
      nodes.tunMacLo[gateway < 0 ? node : gateway]!,
    );
}

function isKnownMac(tables: Tables, p: DataView, at: number, port: number): boolean {
  const { ports, nodes } = tables;
  const hi = ethDstHi(p, at);
  const lo = ethDstLo(p, at);
  const node = ports.node[port]!;
  if (hi === POD_MAC_HI && isClusterAddress(tables.networks, lo)) return true;
  if (hi === nodes.tunMacHi[node] && lo === nodes.tunMacLo[node]) return true;
  if (hi === nodes.nicMacHi[node] && lo === nodes.nicMacLo[node]) return true;
  // The manifests name the NIC's MAC: a frame to another one is another machine's.
  return ports.kind[port] === PORT_KIND.NIC && nodes.isMacKnown[node] === 1;
}
