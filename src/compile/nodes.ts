/** Nodes, pods, ports and addresses: the rows that all other tables point to. */
import { maskOf } from '../addr/ipv4.js';
import { type Mac, POD_MAC_HI } from '../addr/mac.js';
import { TableBuilder } from '../layout/builder.js';
import type { Cluster, ContainerPort, Node, Pod, Protocol } from '../model/cluster.js';
import { ADDRESS_KIND, ADDRESS_TABLE, mix32, slotsFor } from '../tables/addresses.js';
import { OFPORT } from '../tables/flows.js';
import {
  CONFIG_TABLE,
  LISTEN_TABLE,
  NAMESPACE_TABLE,
  NETWORK_KIND,
  NETWORK_TABLE,
  NODE_TABLE,
  NONE,
  OFPORT_TABLE,
  POD_FLAG,
  POD_TABLE,
  PORT_KIND,
  PORT_TABLE,
} from '../tables/nodes.js';
import { canBePutOn, hostedIps } from './egress-ips.js';
import type { Strings } from './strings.js';

export const PROTOCOL_NUMBER: Readonly<Record<Protocol, number>> = { TCP: 6, UDP: 17, SCTP: 132 };
export const MODE_NUMBER = { subnet: 0, multitenant: 1, networkpolicy: 2 } as const;
export const POLICY_NUMBER = { sdn: 0, api: 1 } as const;
export const PLATFORM_NUMBER = { ocp4: 0, ocp3: 1, kubernetes: 2 } as const;

export const podKey = (pod: { readonly namespace: string; readonly name: string }): string =>
  `${pod.namespace}/${pod.name}`;

/** First address of the subnet: openshift/sdn pkg/network/common GenerateDefaultGateway. */
export const gatewayOf = (node: Node): number => (node.subnet.base | 1) >>> 0;

/** Real MACs of NIC and tun0 are random and in no manifest, unless an annotation tells: derived ones, of the locally
 *  administered kind. */
export const nicMacOf = (node: Node): Mac => node.mac ?? { hi: 0x5254, lo: node.address };

/** OpenFlow port of the pod at `address`. OVS gives the lowest free one as pods start, as the node's IPAM gives addresses: so
 *  the first address behind the gateway has port 3, and a pod's port does not depend on the pods beside it. */
export function ofportOf({ subnet }: Node, address: number): number {
  const size = 2 ** (32 - subnet.length);
  const offset = ((address & ~maskOf(subnet.length)) >>> 0) - 2;
  return OFPORT.FIRST_POD + ((offset + size) % size);
}

/** What the other compilers need to find rows by name. */
export interface Places {
  readonly builders: readonly TableBuilder<never>[];
  readonly addresses: TableBuilder<typeof ADDRESS_TABLE.columns>;
  readonly node: ReadonlyMap<string, number>;
  readonly pod: ReadonlyMap<string, number>;
  readonly ofport: ReadonlyMap<string, number>;
  readonly vni: ReadonlyMap<string, number>;
}

/** Build the tables of nodes and pods. */
export function buildPlaces(cluster: Cluster, strings: Strings): Places {
  const config = new TableBuilder(CONFIG_TABLE);
  config.add({
    vxlanPort: cluster.vxlanPort,
    mtu: cluster.mtu,
    masqueradeMark: (1 << cluster.masqueradeBit) >>> 0,
    dnsAddress: cluster.dns.address,
    mode: MODE_NUMBER[cluster.mode],
    platform: PLATFORM_NUMBER[cluster.platform],
    policyMode: POLICY_NUMBER[cluster.policyMode],
  });
  const networks = new TableBuilder(NETWORK_TABLE);
  const network = (prefix: { base: number; length: number }, kind: number): number =>
    networks.add({ base: prefix.base, mask: maskOf(prefix.length), kind });
  for (const entry of cluster.clusterNetworks) network(entry.prefix, NETWORK_KIND.CLUSTER);
  for (const prefix of cluster.serviceNetworks) network(prefix, NETWORK_KIND.SERVICE);

  const vni = new Map(cluster.namespaces.map((namespace) => [namespace.name, namespace.vni]));
  const namespaces = new TableBuilder(NAMESPACE_TABLE);
  for (const namespace of cluster.namespaces)
    namespaces.add({ vni: namespace.vni, name: strings.id(namespace.name) });

  const pods = new TableBuilder(POD_TABLE);
  const ports = new TableBuilder(PORT_TABLE);
  const listen = new TableBuilder(LISTEN_TABLE);
  const nodes = new TableBuilder(NODE_TABLE);
  const ofports = new TableBuilder(OFPORT_TABLE);
  const podsOfNode: { readonly number: number; readonly pod: number }[][] = cluster.nodes.map(() => []);
  const node = new Map(cluster.nodes.map((n, row) => [n.name, row]));
  const pod = new Map<string, number>();
  const ofport = new Map<string, number>();
  const dnsPods = dnsPodKeys(cluster);
  for (const p of cluster.pods) {
    if (p.isHostNetwork) continue;
    const key = podKey(p);
    const row = node.get(p.node)!;
    const number = ofportOf(cluster.nodes[row]!, p.address);
    ofport.set(key, number);
    podsOfNode[row]!.push({ number, pod: pods.rows });
    pod.set(key, pods.rows);
    const port = ports.add({
      node: row,
      pod: pods.rows,
      name: strings.id(`pod:${key}`),
      kind: PORT_KIND.POD,
    });
    pods.add({
      address: p.address,
      node: row,
      vni: vni.get(p.namespace) ?? 0,
      ofport: number,
      macHi: POD_MAC_HI,
      macLo: p.address,
      port,
      listenFirst: listen.rows,
      listenCount: listenPorts(p, listen),
      name: strings.id(key),
      flags: dnsPods.has(key) ? POD_FLAG.DNS : 0,
    });
  }
  cluster.nodes.forEach((n, row) => {
    const nicPort = ports.add({
      node: row,
      pod: NONE,
      name: strings.id(`${n.name}:eth0`),
      kind: PORT_KIND.NIC,
    });
    const tunPort = ports.add({
      node: row,
      pod: NONE,
      name: strings.id(`${n.name}:tun0`),
      kind: PORT_KIND.TUN,
    });
    nodes.add({
      address: n.address,
      gateway: gatewayOf(n),
      subnetBase: n.subnet.base,
      subnetMask: maskOf(n.subnet.length),
      nicMacHi: nicMacOf(n).hi,
      nicMacLo: nicMacOf(n).lo,
      tunMacHi: 0xc200,
      tunMacLo: gatewayOf(n),
      nicPort,
      tunPort,
      ofportFirst: ofports.rows,
      name: strings.id(n.name),
      isMacKnown: n.mac === null ? 0 : 1,
    });
    addOfports(ofports, podsOfNode[row]!);
  });
  const addresses = buildAddresses(cluster, pods, nodes);
  return {
    builders: [
      config,
      networks,
      nodes,
      pods,
      ofports,
      listen,
      ports,
      namespaces,
    ] as unknown as TableBuilder<never>[],
    addresses,
    node,
    pod,
    ofport,
    vni,
  };
}

/** A node's run reaches to its highest port. */
function addOfports(
  ofports: TableBuilder<typeof OFPORT_TABLE.columns>,
  pods: readonly { readonly number: number; readonly pod: number }[],
): void {
  const end = pods.reduce((most, { number }) => Math.max(most, number + 1 - OFPORT.FIRST_POD), 0);
  const first = ofports.addZeros(end);
  ofports.column('pod').fill(NONE, first);
  for (const { number, pod } of pods) ofports.set(first + number - OFPORT.FIRST_POD, 'pod', pod);
}

function listenPorts(pod: Pod, listen: TableBuilder<typeof LISTEN_TABLE.columns>): number {
  for (const port of pod.ports) listen.add({ portProto: listenKey(port) });
  return pod.ports.length;
}

/** As LSN1 has a port. */
export const listenKey = ({ port, protocol }: ContainerPort): number =>
  ((port << 16) | PROTOCOL_NUMBER[protocol]) >>> 0;

/** Pods behind the Service that pods have as nameserver. */
export function dnsPodKeys(cluster: Pick<Cluster, 'dns' | 'services'>): Set<string> {
  const keys = new Set<string>();
  for (const service of cluster.services)
    if (service.clusterIp !== 0 && service.clusterIp === cluster.dns.address)
      for (const port of service.ports) for (const endpoint of port.endpoints) keys.add(endpoint.pod);
  return keys;
}

function buildAddresses(
  cluster: Cluster,
  pods: TableBuilder<typeof POD_TABLE.columns>,
  nodes: TableBuilder<typeof NODE_TABLE.columns>,
): TableBuilder<typeof ADDRESS_TABLE.columns> {
  const clusterIps = cluster.services.filter((service) => service.clusterIp !== 0);
  const egressIps = hostedIps(cluster).filter(({ address }) => canBePutOn(cluster, address));
  const table = new TableBuilder(ADDRESS_TABLE);
  const slots = slotsFor(pods.rows + nodes.rows * 2 + clusterIps.length + egressIps.length);
  table.addZeros(slots);
  const put = (address: number, kind: number, row: number): void => {
    let slot = mix32(address) & (slots - 1);
    while (table.get(slot, 'kind') !== 0) slot = (slot + 1) & (slots - 1);
    table.set(slot, 'address', address);
    table.set(slot, 'kind', kind);
    table.set(slot, 'row', row);
  };
  for (let i = 0; i < pods.rows; i++) put(pods.get(i, 'address'), ADDRESS_KIND.POD, i);
  for (let i = 0; i < nodes.rows; i++) {
    put(nodes.get(i, 'gateway'), ADDRESS_KIND.GATEWAY, i);
    put(nodes.get(i, 'address'), ADDRESS_KIND.NODE, i);
  }
  clusterIps.forEach((service, i) => {
    put(service.clusterIp, ADDRESS_KIND.CLUSTER_IP, i);
  });
  for (const { address, node } of egressIps) put(address, ADDRESS_KIND.EGRESS_IP, node);
  return table;
}
