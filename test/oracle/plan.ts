/** What the witness has to build, from the tables of an epoch and podplane's own dumps of flows and rules. */
import { formatIpv4 } from '../../src/addr/ipv4.js';
import { formatMac } from '../../src/addr/mac.js';
import { dumpIptables } from '../../src/dump/iptables.js';
import { dumpFlows, dumpGroups } from '../../src/dump/openflow.js';
import { groupText, ruleText } from '../../src/engine/explain.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { NETWORK_KIND } from '../../src/tables/nodes.js';

/** `system`: the kernel's datapath, which shares conntrack with netfilter. `netdev`: the userspace one, which does not. */
export type Datapath = 'system' | 'netdev';

export interface NodePlan {
  readonly name: string;
  readonly space: string;
  readonly address: string;
  readonly mac: string;
  readonly gateway: string;
  readonly tunMac: string;
  readonly subnet: string;
  readonly flows: string;
  /** Groups that the flows name; empty for none. */
  readonly groups: string;
  readonly iptables: string;
}

export interface PodPlan {
  readonly name: string;
  readonly space: string;
  readonly node: string;
  readonly address: string;
  readonly mac: string;
  readonly ofport: number;
  readonly listen: readonly (readonly [protocol: string, port: number])[];
}

export interface Plan {
  readonly prefix: string;
  readonly folder: string;
  readonly datapath: Datapath;
  readonly vxlanPort: number;
  readonly mtu: number;
  readonly clusterNetworks: readonly string[];
  readonly serviceNetworks: readonly string[];
  readonly router: { readonly mac: string; readonly gateway: string; readonly addresses: readonly string[] };
  readonly nodes: readonly NodePlan[];
  readonly pods: readonly PodPlan[];
  /** Where frames are captured, and sent: podplane's port names, and `node:vxlan0`. */
  readonly captures: readonly { readonly name: string; readonly space: string; readonly device: string }[];
}

/** MAC that the engine gives the underlay's router. */
const ROUTER_MAC = '52:54:00:00:00:01';
const LISTENS: Readonly<Record<number, string>> = { 6: 'TCP', 17: 'UDP' };

export interface PlanOptions {
  readonly datapath: Datapath;
  /** Names of namespaces begin with this. */
  readonly prefix: string;
  readonly folder: string;
  /** Address outside the cluster that the router answers for. */
  readonly outside: string;
}

export function planOf(epoch: Epoch, options: PlanOptions): Plan {
  const { config } = epoch.tables;
  const nodes = nodePlans(epoch);
  const pods = podPlans(epoch, nodes);
  const gateway = nodes[0]!.address.replace(/\.\d+\/\d+$/, '.1');
  const underlay = options.datapath === 'netdev' ? 'phys' : 'eth0';
  return {
    ...options,
    vxlanPort: config.vxlanPort[0]!,
    mtu: config.mtu[0]!,
    clusterNetworks: networksOf(epoch, NETWORK_KIND.CLUSTER),
    serviceNetworks: networksOf(epoch, NETWORK_KIND.SERVICE),
    router: { mac: ROUTER_MAC, gateway, addresses: [`${gateway}/24`, `${options.outside}/32`] },
    nodes,
    pods,
    captures: [
      { name: 'outside', space: 'ext', device: 'eth0' },
      ...pods.map(({ name, space }) => ({ name: `pod:${name}`, space, device: 'eth0' })),
      ...nodes.flatMap(({ name, space }) => [
        { name: `${name}:tun0`, space, device: 'tun0' },
        { name: `${name}:eth0`, space, device: 'eth0' },
        ...(underlay === 'eth0'
          ? [{ name: `${name}:vxlan0`, space, device: `vxlan_sys_${config.vxlanPort[0]!}` }]
          : []),
      ]),
    ],
  };
}

function nodePlans(epoch: Epoch): NodePlan[] {
  const { nodes } = epoch.tables;
  return Array.from({ length: nodes.rows }, (_, row) => {
    const length = Math.clz32(~nodes.subnetMask[row]!);
    return {
      name: epoch.text(nodes.name[row]!),
      space: `n${row}`,
      address: `${formatIpv4(nodes.address[row]!)}/24`,
      mac: formatMac(nodes.nicMacHi[row]!, nodes.nicMacLo[row]!),
      gateway: `${formatIpv4(nodes.gateway[row]!)}/${length}`,
      tunMac: formatMac(nodes.tunMacHi[row]!, nodes.tunMacLo[row]!),
      subnet: `${formatIpv4(nodes.subnetBase[row]!)}/${length}`,
      flows: flowText(epoch, row),
      groups: dumpGroups(epoch, row, (rule) => groupText(epoch, rule))
        .map(({ text }) => `${text}\n`)
        .join(''),
      iptables: dumpIptables(epoch, row),
    };
  });
}

/** The flow dump of node row `row` as one text. */
export const flowText = (epoch: Epoch, row: number): string =>
  `${dumpFlows(epoch, row, (rule) => ruleText(epoch, rule, row))
    .map((flow) => flow.text)
    .join('\n')}\n`;

function podPlans(epoch: Epoch, nodes: readonly NodePlan[]): PodPlan[] {
  const { pods, listen } = epoch.tables;
  return Array.from({ length: pods.rows }, (_, row) => {
    const node = nodes[pods.node[row]!]!;
    const first = pods.listenFirst[row]!;
    const ports = Array.from(listen.portProto.subarray(first, first + pods.listenCount[row]!));
    return {
      name: epoch.text(pods.name[row]!),
      space: `p${row}`,
      node: node.name,
      address: `${formatIpv4(pods.address[row]!)}/${node.subnet.split('/')[1]!}`,
      mac: formatMac(pods.macHi[row]!, pods.macLo[row]!),
      ofport: pods.ofport[row]!,
      listen: ports
        .filter((word) => LISTENS[word & 0xff] !== undefined)
        .map((word) => [LISTENS[word & 0xff]!, word >>> 16] as const),
    };
  });
}

function networksOf(epoch: Epoch, kind: number): string[] {
  const { networks } = epoch.tables;
  return Array.from({ length: networks.rows }, (_, row) => row)
    .filter((row) => networks.kind[row] === kind)
    .map((row) => `${formatIpv4(networks.base[row]!)}/${Math.clz32(~networks.mask[row]!)}`);
}
