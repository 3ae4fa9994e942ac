/** What br0 knows of the other ends: the nodes behind the tunnel, and its own pods.
 *  Source: openshift/sdn pkg/network/node/ovscontroller.go (AddHostSubnetRules, setupPodFlows). */
import { createHash } from 'node:crypto';
import type { Cluster, Pod } from '../model/cluster.js';
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

/** Flows of all pods. */
export function* podFlows(cluster: Cluster, places: Places, strings: Strings): Generator<Flow> {
  for (const pod of cluster.pods) {
    const inPort = places.ofport.get(podKey(pod));
    if (inPort === undefined) continue;
    yield* flowsOfPod(pod.address, {
      inPort,
      node: places.node.get(pod.node)!,
      vni: places.vni.get(pod.namespace) ?? 0,
      object: strings.id(podObject(pod)),
    });
  }
}

export const podObject = (pod: Pod): string => `Pod ${podKey(pod)}`;

/** Where a pod is: OpenFlow port, row of the node, NetID; and the string that names it. */
export interface PodPlace {
  readonly inPort: number;
  readonly node: number;
  readonly vni: number;
  readonly object: number;
}

/** Four tables know a pod: source check, NetID of what comes back by tun0, ARP, delivery. */
export function flowsOfPod(address: number, { inPort, node, vni, object }: PodPlace): readonly Flow[] {
  const own = host(address);
  const flow = (table: number, match: Match, actions: readonly Action[]): Flow => ({
    table,
    priority: 100,
    node,
    match,
    actions,
    object,
  });
  const loadSource: Action = [Op.LoadReg0, vni];
  return [
    flow(20, arp({ inPort, nwSrc: own, arpShaLo: address }), [loadSource, [Op.Goto, 30]]),
    flow(20, ip({ inPort, nwSrc: own }), [loadSource, [Op.Goto, 27]]),
    flow(25, ip({ nwSrc: own }), [loadSource, [Op.Goto, 27]]),
    flow(40, arp({ nwDst: own }), [[Op.Output, inPort]]),
    flow(70, ip({ nwDst: own }), [
      [Op.LoadReg1, vni],
      [Op.LoadReg2, inPort],
      [Op.Goto, 80],
    ]),
  ];
}
