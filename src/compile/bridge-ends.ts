/** What br0 knows of the other ends: the nodes behind the tunnel, and its own pods.
 *  Source: openshift/sdn pkg/network/node/ovscontroller.go (AddHostSubnetRules, setupPodFlows). */
import { createHash } from 'node:crypto';
import type { Cluster } from '../model/cluster.js';
import { OFPORT, Op } from '../tables/flows.js';
import { NONE } from '../tables/nodes.js';
import type { Action, Flow, Match } from './flow-builder.js';
import { any, arp, host, ip } from './match.js';
import { type Places, podKey } from './nodes.js';
import type { Strings } from './strings.js';

/** Cookie of a HostSubnet's flows: first four bytes of SHA-256 of its UID (ovscontroller.go hostSubnetCookie). */
export const hostSubnetCookie = (uid: string): number =>
  createHash('sha256').update(uid).digest().readUInt32BE(0);

/** The tunnel's other ends. Every node has these for all others; a node's own are never reached there,
 *  since its own subnet turns off in table 31, so all nodes share one set. A HostSubnet may fix the NetID of what is sent
 *  to it: for hosts that are no nodes of the cluster. */
export function* hostSubnetFlows(cluster: Cluster, strings: Strings): Generator<Flow> {
  const fixedVnis = new Map(cluster.network.fixedVnis.map(({ node, vni }) => [node, vni]));
  for (const node of cluster.nodes) {
    const fixed = fixedVnis.get(node.name);
    const toNode: readonly Action[] = [
      fixed === undefined ? [Op.TunIdFromReg0, 0] : [Op.LoadTunId, fixed],
      [Op.SetTunDst, node.address],
      [Op.Output, OFPORT.VXLAN0],
    ];
    const common = {
      node: NONE,
      priority: 100,
      cookie: hostSubnetCookie(node.hostSubnetUid),
      object: strings.id(`HostSubnet ${node.name}`),
    };
    yield { ...common, table: 10, match: any({ tunSrc: node.address }), actions: [[Op.Goto, 30]] };
    yield { ...common, table: 50, match: arp({ nwDst: node.subnet }), actions: toNode };
    yield { ...common, table: 90, match: ip({ nwDst: node.subnet }), actions: toNode };
  }
}

/** Four tables know a pod: source check, NetID of what comes back by tun0, ARP, delivery. */
export function* podFlows(cluster: Cluster, places: Places, strings: Strings): Generator<Flow> {
  for (const pod of cluster.pods) {
    const inPort = places.ofport.get(podKey(pod));
    if (inPort === undefined) continue;
    const vni = places.vni.get(pod.namespace) ?? 0;
    const address = host(pod.address);
    const flow = (table: number, match: Match, actions: readonly Action[]): Flow => ({
      table,
      priority: 100,
      node: places.node.get(pod.node)!,
      match,
      actions,
      object: strings.id(`Pod ${podKey(pod)}`),
    });
    const loadSource: Action = [Op.LoadReg0, vni];
    yield flow(20, arp({ inPort, nwSrc: address, arpShaLo: pod.address }), [loadSource, [Op.Goto, 30]]);
    yield flow(20, ip({ inPort, nwSrc: address }), [loadSource, [Op.Goto, 27]]);
    yield flow(25, ip({ nwSrc: address }), [loadSource, [Op.Goto, 27]]);
    yield flow(40, arp({ nwDst: address }), [[Op.Output, inPort]]);
    yield flow(70, ip({ nwDst: address }), [
      [Op.LoadReg1, vni],
      [Op.LoadReg2, inPort],
      [Op.Goto, 80],
    ]);
  }
}
