/** Where a packet of some sender enters the cluster, and the addresses that the sender's stack would write. */
import { type Mac, POD_MAC_HI } from '../addr/mac.js';
import type { EthernetFields } from '../packet/build.js';
import { ADDRESS_KIND, findAddress } from '../tables/addresses.js';
import type { Epoch, Tables } from '../tables/epoch.js';
import { isClusterAddress } from '../tables/nodes.js';
import { badArgument } from './exit.js';
import { type Reference, referenceName } from './reference.js';

export interface Entry extends EthernetFields {
  /** Row of the port table. */
  readonly port: number;
  /** Source address, u32. */
  readonly src: number;
}

/** How `from` sends to the address `dst`: a pod by its eth0, a node by its own stack, everybody else from outside, by
 *  the NIC of the node that has the address or the pod, else of the first node. `option` is who asks.
 *  @throws InputError for a Service, which sends nothing. */
export function entryOf(option: string, epoch: Epoch, from: Reference, dst: number): Entry {
  const { tables } = epoch;
  switch (from.kind) {
    case 'service':
      throw badArgument(option, `${referenceName(from)} sends no packets`, 'a pod, a node or an address');
    case 'pod':
      return from.pod.isHostNetwork
        ? nodeEntry(tables, nodeOfAddress(tables, from.pod.address), dst)
        : podEntry(tables, from.pod.address, dst);
    case 'node':
      return nodeEntry(tables, nodeOfAddress(tables, from.node.address), dst);
    default: {
      const slot = findAddress(tables.addresses, from.address);
      const kind = slot < 0 ? 0 : tables.addresses.kind[slot]!;
      if (kind === ADDRESS_KIND.NODE || kind === ADDRESS_KIND.GATEWAY)
        return { ...nodeEntry(tables, tables.addresses.row[slot]!, dst), src: from.address };
      return outsideEntry(tables, from.address, dst);
    }
  }
}

function podEntry(tables: Tables, address: number, dst: number): Entry {
  const row = tables.addresses.row[findAddress(tables.addresses, address)]!;
  const { pods } = tables;
  const next = podNextHop(tables, pods.node[row]!, dst);
  return {
    port: pods.port[row]!,
    src: address,
    srcMacHi: pods.macHi[row]!,
    srcMacLo: pods.macLo[row]!,
    dstMacHi: next.hi,
    dstMacLo: next.lo,
  };
}

/** The MAC that a pod on `node` puts on a packet to `dst`: pods and groups are on its link, all else goes to tun0.
 *  Source: openshift/sdn pkg/network/node/pod.go, the CNI configuration's routes. */
export function podNextHop(tables: Tables, node: number, dst: number): Mac {
  const { networks, nodes, addresses } = tables;
  const tun0 = (row: number): Mac => ({ hi: nodes.tunMacHi[row]!, lo: nodes.tunMacLo[row]! });
  if (dst >>> 28 === 14) return groupMac(dst);
  if (isClusterAddress(networks, dst)) {
    const slot = findAddress(addresses, dst);
    const isGateway = slot >= 0 && addresses.kind[slot] === ADDRESS_KIND.GATEWAY;
    return isGateway ? tun0(addresses.row[slot]!) : { hi: POD_MAC_HI, lo: dst };
  }
  return tun0(node);
}

/** RFC 1112 section 6.4: the last 23 bits of the group. */
const groupMac = (group: number): Mac => ({ hi: 0x0100, lo: 0x5e000000 | (group & 0x7fffff) });

/** A node's stack takes tun0's address for what goes there: the pod network and the service network. The Ethernet
 *  header is the engine's to write. */
function nodeEntry(tables: Tables, node: number, dst: number): Entry {
  const { networks, nodes } = tables;
  let src = nodes.address[node]!;
  for (let i = 0; i < networks.rows; i++)
    if ((dst & networks.mask[i]!) >>> 0 === networks.base[i]!) src = nodes.gateway[node]!;
  return {
    port: nodes.tunPort[node]!,
    src,
    srcMacHi: nodes.tunMacHi[node]!,
    srcMacLo: nodes.tunMacLo[node]!,
    dstMacHi: POD_MAC_HI,
    dstMacLo: dst,
  };
}

function outsideEntry(tables: Tables, src: number, dst: number): Entry {
  const node = Math.max(0, nodeOfAddress(tables, dst));
  const { nodes } = tables;
  return {
    port: nodes.nicPort[node]!,
    src,
    // Locally administered, as no manifest knows the router's.
    srcMacHi: 0x0200,
    srcMacLo: src,
    dstMacHi: nodes.nicMacHi[node]!,
    dstMacLo: nodes.nicMacLo[node]!,
  };
}

/** The node that has `address`, or whose pod has it; -1 when none. */
function nodeOfAddress(tables: Tables, address: number): number {
  const slot = findAddress(tables.addresses, address);
  if (slot < 0) return -1;
  const row = tables.addresses.row[slot]!;
  const kind = tables.addresses.kind[slot];
  if (kind === ADDRESS_KIND.POD) return tables.pods.node[row]!;
  return kind === ADDRESS_KIND.NODE || kind === ADDRESS_KIND.GATEWAY ? row : -1;
}
