/** Egress addresses: which node hosts which for which NetID, the flows of table 101, and the table that the host's nat asks.
 *  Source: openshift/sdn pkg/network/common/egressip.go, pkg/network/node/egressip.go (getMarkForVNID),
 *  ovscontroller.go (SetNamespaceEgressViaEgressIPs, SetNamespaceEgressDropped). */
import { formatIpv4, prefixContains } from '../addr/ipv4.js';
import { TableBuilder } from '../layout/builder.js';
import type { Cluster, Node } from '../model/cluster.js';
import { EGRESS_IP_TABLE } from '../tables/egress-ips.js';
import { groupArg, OFPORT, Op } from '../tables/flows.js';
import { NONE } from '../tables/nodes.js';
import { Reason } from '../verdict/reasons.js';
import type { Action, Flow } from './flow-builder.js';
import { any, ip } from './match.js';
import type { Strings } from './strings.js';

/** One address in use. */
export interface HostedIp {
  readonly address: number;
  /** Row of the node. */
  readonly node: number;
  readonly vni: number;
  readonly namespace: string;
}

/** A NetID that shall leave by egress addresses, and those of them that are in use, in the NetNamespace's order. */
interface Plan {
  readonly vni: number;
  readonly namespace: string;
  readonly requested: readonly number[];
  readonly hosted: readonly HostedIp[];
}

/** Kubelet's bit for packets to drop; a mark must not have it. */
const KUBELET_DROP_BIT = 0x8000;

/** Every address in use, by node, then address. */
export const hostedIps = (cluster: Cluster): readonly HostedIp[] =>
  plansOf(cluster)
    .flatMap((plan) => plan.hosted)
    .sort((a, b) => a.node - b.node || a.address - b.address);

/** Can a node put the address on its NIC? Not its own, nor one of a network that is not the NIC's: then the SDN installs no
 *  rules for it, and what it should leave by it is masqueraded. */
export const canBePutOn = ({ nodes, clusterNetworks, serviceNetworks }: Cluster, address: number): boolean =>
  nodes.every((node) => node.address !== address) &&
  ![...clusterNetworks.map(({ prefix }) => prefix), ...serviceNetworks].some((prefix) =>
    prefixContains(prefix, address),
  );

export function buildEgressIps(
  cluster: Cluster,
  strings: Strings,
): TableBuilder<typeof EGRESS_IP_TABLE.columns> {
  const table = new TableBuilder(EGRESS_IP_TABLE);
  for (const { address, node, vni, namespace } of hostedIps(cluster))
    table.add({
      address,
      node,
      vni,
      mark: markOf(vni, (1 << cluster.masqueradeBit) >>> 0),
      name: strings.id(`NetNamespace ${namespace} egress IP ${formatIpv4(address)}`),
      isRewritten: canBePutOn(cluster, address) ? 1 : 0,
    });
  return table;
}

/** A mark that is no other NetID's, not 0, and has neither kubelet's bit nor the masquerade bit. */
export function markOf(vni: number, masqueradeBit: number): number {
  let mark = vni === 0 ? 0xff000000 : vni;
  if ((mark & KUBELET_DROP_BIT) !== 0) mark = (mark | 0x10000000) ^ KUBELET_DROP_BIT;
  if ((mark & masqueradeBit) !== 0) mark = (mark | 0x01000000) ^ masqueradeBit;
  return mark >>> 0;
}

/** Flows of table 101. A node that hosts one of the addresses uses that; the others choose one of the hosts. */
export function* egressIpFlows(cluster: Cluster, strings: Strings): Generator<Flow> {
  const rows = new Map(hostedIps(cluster).map(({ address }, row) => [address, row]));
  for (const plan of plansOf(cluster)) {
    const common = { table: 101, priority: 100 };
    if (plan.hosted.length === 0) {
      const object = strings.id(`${nameOf(plan, plan.requested)} (no node hosts it)`);
      const drop: readonly Action[] = [[Op.Drop, 0]];
      const reason = Reason.EgressIpUnhosted;
      yield { ...common, node: NONE, match: any({ reg0: plan.vni }), actions: drop, reason, object };
      continue;
    }
    for (const [node] of cluster.nodes.entries()) {
      const here = plan.hosted.find((one) => one.node === node);
      const used = here === undefined ? plan.hosted : [here];
      const buckets =
        here === undefined
          ? used.map((one) => remoteBucket(cluster, cluster.nodes[one.node]!))
          : [localBucket(rows.get(here.address)!)];
      const object = strings.id(
        nameOf(
          plan,
          used.map(({ address }) => address),
        ),
      );
      yield { ...common, node, match: ip({ reg0: plan.vni }), actions: group(plan.vni, buckets), object };
    }
  }
}

const nameOf = (plan: Plan, addresses: readonly number[]): string =>
  `NetNamespace ${plan.namespace} egress IP ${addresses.map(formatIpv4).join(', ')}`;

const group = (vni: number, buckets: readonly (readonly Action[])[]): readonly Action[] => [
  [Op.Group, groupArg(vni, buckets.length)],
  ...buckets.flatMap((actions): readonly Action[] => [[Op.Bucket, actions.length], ...actions]),
];

const localBucket = (row: number): readonly Action[] => [
  [Op.SetEthDstTun, 0],
  [Op.SetPktMark, row],
  [Op.Output, OFPORT.TUN0],
];

/** Committed, so that the answers, which come through the tunnel, are known as such here. */
const remoteBucket = (cluster: Cluster, node: Node): readonly Action[] => [
  ...(cluster.mode === 'networkpolicy' ? ([[Op.CtCommitHere, 0]] as const) : []),
  [Op.TunIdFromReg0, 0],
  [Op.SetTunDst, node.address],
  [Op.Output, OFPORT.VXLAN0],
];

/** What the egress IP tracker makes of the requests: an address is in use when one node has it and one NetID asks for it,
 *  and no other address of that NetID is on the same node. An address that two NetIDs ask for stops both. */
function plansOf(cluster: Cluster): readonly Plan[] {
  if (cluster.mode === 'subnet') return [];
  const { egressIps, hostedIps: hosts } = cluster.network;
  const vnis = new Map(cluster.namespaces.map((namespace) => [namespace.name, namespace.vni]));
  const nodeRows = new Map(cluster.nodes.map((node, row) => [node.name, row]));
  const nodesOf = new Map<number, number[]>();
  for (const { node, addresses } of hosts)
    for (const address of new Set(addresses)) {
      const row = nodeRows.get(node);
      if (row !== undefined) nodesOf.set(address, [...(nodesOf.get(address) ?? []), row]);
    }
  // The tracker knows NetIDs: of namespaces that share one, the first that asks.
  const byVni = new Map<number, { readonly namespace: string; readonly addresses: readonly number[] }>();
  for (const request of egressIps) {
    const vni = vnis.get(request.namespace) ?? 0;
    if (request.addresses.length > 0 && !byVni.has(vni)) byVni.set(vni, request);
  }
  const askers = new Map<number, number>();
  for (const { addresses } of byVni.values())
    for (const address of new Set(addresses)) askers.set(address, (askers.get(address) ?? 0) + 1);
  return [...byVni].map(([vni, { namespace, addresses }]) => {
    const isShared = addresses.some((address) => askers.get(address)! > 1);
    const hosted = addresses.flatMap((address): HostedIp[] => {
      const [node, ...others] = nodesOf.get(address) ?? [];
      if (node === undefined || others.length > 0 || isShared) return [];
      const isDoubled = addresses.some((other) => {
        const its = nodesOf.get(other) ?? [];
        return other !== address && its.length === 1 && its[0] === node;
      });
      return isDoubled ? [] : [{ address, node, vni, namespace }];
    });
    return { vni, namespace, requested: addresses, hosted };
  });
}
