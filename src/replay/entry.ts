/** Where a captured packet enters the cluster: the port of its sender, or of the node that it arrives at. */
import { POD_MAC_HI } from '../addr/mac.js';
import { FrameType, type PacketView } from '../packet/packet-view.js';
import { ADDRESS_KIND, findAddress } from '../tables/addresses.js';
import type { Tables } from '../tables/epoch.js';
import { isClusterAddress } from '../tables/nodes.js';
import { ETHERNET, ethSrcHi, ethSrcLo } from '../wire/ethernet.js';

/** Instead of a port: seen where a Service's reply arrives; where an outsider's packet arrives; no place known. */
export const Entry = { SERVICE_REPLY: -1, FROM_OUTSIDE: -2, UNKNOWN: -3 } as const;

/** Row of the port table where the packet in `view` enters, or one of Entry. `frameAt` is its outermost frame. */
export function entryPort(tables: Tables, p: DataView, frameAt: number, view: PacketView): number {
  const { addresses, nodes, pods } = tables;
  if (view.isTunnelled) {
    const node = rowOf(tables, view.outerDst, ADDRESS_KIND.NODE);
    return node < 0 ? Entry.UNKNOWN : nodes.nicPort[node]!;
  }
  if (view.type === FrameType.OTHER) return podOfMac(tables, p, frameAt);
  const slot = findAddress(addresses, view.src);
  const kind = slot < 0 ? 0 : addresses.kind[slot]!;
  const row = slot < 0 ? -1 : addresses.row[slot]!;
  if (kind === ADDRESS_KIND.POD) return pods.port[row]!;
  if (kind === ADDRESS_KIND.NODE || kind === ADDRESS_KIND.GATEWAY) return entryOfNode(tables, view, row);
  const target = findAddress(addresses, view.dst);
  const targetKind = target < 0 ? 0 : addresses.kind[target]!;
  if (kind === ADDRESS_KIND.CLUSTER_IP) return targetKind === 0 ? Entry.UNKNOWN : Entry.SERVICE_REPLY;
  // Nobody has this source: a pod's MAC shows who forged it.
  const pod = podOfMac(tables, p, frameAt);
  if (pod >= 0) return pod;
  if (targetKind === ADDRESS_KIND.NODE || targetKind === ADDRESS_KIND.EGRESS_IP)
    return nodes.nicPort[addresses.row[target]!]!;
  return targetKind === ADDRESS_KIND.POD && !isClusterAddress(tables.networks, view.src)
    ? Entry.FROM_OUTSIDE
    : Entry.UNKNOWN;
}

/** Between nodes a packet arrives at the other's NIC; to pods and Services the node's own stack sends it by tun0. */
function entryOfNode(tables: Tables, view: PacketView, node: number): number {
  const { addresses, nodes } = tables;
  const target = findAddress(addresses, view.dst);
  if (target >= 0 && addresses.kind[target] === ADDRESS_KIND.NODE && addresses.row[target] !== node)
    return nodes.nicPort[addresses.row[target]!]!;
  return target >= 0 || isInside(tables, view.dst) ? nodes.tunPort[node]! : Entry.UNKNOWN;
}

/** Row of `address` when it is of this kind, else -1. */
export function rowOf(tables: Tables, address: number, kind: number): number {
  const slot = findAddress(tables.addresses, address);
  return slot >= 0 && tables.addresses.kind[slot] === kind ? tables.addresses.row[slot]! : -1;
}

/** Is `address` in a network of pods or of Services? */
export function isInside(tables: Tables, address: number): boolean {
  const { networks } = tables;
  for (let i = 0; i < networks.rows; i++)
    if ((address & networks.mask[i]!) >>> 0 === networks.base[i]) return true;
  return false;
}

/** Port of the pod whose MAC (0a:58 and its address) sent the frame, or Entry.UNKNOWN. */
function podOfMac(tables: Tables, p: DataView, at: number): number {
  if (at + ETHERNET.SIZE > p.byteLength || ethSrcHi(p, at) !== POD_MAC_HI) return Entry.UNKNOWN;
  const pod = rowOf(tables, ethSrcLo(p, at), ADDRESS_KIND.POD);
  return pod < 0 ? Entry.UNKNOWN : tables.pods.port[pod]!;
}
