/** Multicast: NetIDs that may, a copy to every other node, a copy to every pod of the NetID (tables 110, 111, 120).
 *  Source: openshift/sdn pkg/network/node/ovscontroller.go (UpdateLocalMulticastFlows, UpdateVXLANMulticastFlows), vnids.go
 *  (GetMulticastEnabled). */
import { formatIpv4 } from '../addr/ipv4.js';
import type { Cluster } from '../model/cluster.js';
import { Op } from '../tables/flows.js';
import { NONE } from '../tables/nodes.js';
import type { Action, Flow } from './flow-builder.js';
import { any } from './match.js';
import { type Places, podKey } from './nodes.js';
import type { Strings } from './strings.js';

/** Priority of a flow that is added without one. */
const UNSAID = 32_768;
const toTable = (table: number): readonly Action[] => [[Op.Goto, table]];

export function* multicastFlows(cluster: Cluster, places: Places, strings: Strings): Generator<Flow> {
  yield { table: 111, priority: 100, node: NONE, match: any(), actions: toNodes(cluster) };
  const enabled = enabledNetIds(cluster);
  for (const [vni, namespaces] of enabled) {
    const match = any({ reg0: vni });
    const object = strings.id(`NetNamespace ${namespaces.join(', ')} (multicast)`);
    yield { table: 110, priority: UNSAID, node: NONE, match, actions: toTable(111), object };
    for (const [node, ports] of portsOf(cluster, places, vni)) {
      // Sorted as text, so 10 comes before 3.
      const sorted = [...ports].sort((a, b) => (`output:${a}` < `output:${b}` ? -1 : 1));
      const actions = sorted.map((port): Action => [Op.OutputCopy, port]);
      yield { table: 120, priority: 100, node, match, actions, object };
    }
  }
}

/** NetIDs whose pods get copies of what is sent to groups. */
export const multicastNetIds = (cluster: Cluster): ReadonlySet<number> =>
  new Set(enabledNetIds(cluster).map(([vni]) => vni));

/** One list for all nodes: none sends to itself. */
function toNodes(cluster: Cluster): readonly Action[] {
  if (cluster.nodes.length < 2) return toTable(120);
  const words = (address: number): string => `set_field:${formatIpv4(address)}->tun_dst,output:1`;
  const addresses = cluster.nodes
    .map(({ address }) => address)
    .sort((a, b) => (words(a) < words(b) ? -1 : 1));
  const copies = addresses.map((address): Action => [Op.TunnelCopy, address]);
  return [[Op.TunIdFromReg0, 0], ...copies, ...toTable(120)];
}

/** NetIDs whose namespaces all have the annotation, by number; the subnet plugin has none. */
function enabledNetIds(cluster: Cluster): readonly (readonly [vni: number, namespaces: readonly string[]])[] {
  if (cluster.mode === 'subnet') return [];
  const isEnabled = new Set(cluster.network.multicast);
  const byVni = new Map<number, string[]>();
  for (const { name, vni } of cluster.namespaces) byVni.set(vni, [...(byVni.get(vni) ?? []), name]);
  return [...byVni]
    .filter(([, namespaces]) => namespaces.every((name) => isEnabled.has(name)))
    .sort(([a], [b]) => a - b);
}

/** OpenFlow ports of the NetID's pods, by node row. */
function portsOf(cluster: Cluster, places: Places, vni: number): ReadonlyMap<number, readonly number[]> {
  const byNode = new Map<number, number[]>();
  for (const pod of cluster.pods) {
    const ofport = places.ofport.get(podKey(pod));
    if (ofport === undefined || places.vni.get(pod.namespace) !== vni) continue;
    const node = places.node.get(pod.node)!;
    byNode.set(node, [...(byNode.get(node) ?? []), ofport]);
  }
  return byNode;
}
