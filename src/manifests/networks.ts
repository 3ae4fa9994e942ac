/** The cluster's networks: what its objects say, else what its addresses show, else the platform's defaults. */
import { formatPrefix, type Ipv4Prefix, maskOf, parseIpv4, prefixContains } from '../addr/ipv4.js';
import { parsePrefix } from '../addr/ipv4-prefix.js';
import type { ClusterNetworkEntry, Platform } from '../model/cluster.js';
import type { Inventory } from './inventory.js';
import type { Notes } from './notes.js';

export interface Networks {
  readonly clusterNetworks: readonly ClusterNetworkEntry[];
  readonly serviceNetworks: readonly Ipv4Prefix[];
  /** Whether an object names the service networks; only then can an address be outside them. */
  readonly isServiceNetworkKnown: boolean;
  readonly vxlanPort: number;
  readonly mtu: number;
}

const VXLAN_PORT = 4789;
const OVERLAY_MTU = 1450;
/** A shorter prefix than this covers what does not belong together. */
const WIDEST = 8;

/** `subnets` are the node subnets that the objects name, `nodeCount` how many nodes there are in all. */
export function readNetworks(
  inventory: Inventory,
  platform: Platform,
  subnets: readonly Ipv4Prefix[],
  nodeCount: number,
  notes: Notes,
): Networks {
  const { ClusterNetwork, NetworkConfig, NetworkOperator } = inventory.objects;
  const clusterNetworks = namedClusterNetworks(inventory, notes);
  const serviceNetworks = namedServiceNetworks(inventory, notes);
  const sdn = NetworkOperator.map((object) => object.value.spec?.defaultNetwork?.openshiftSDNConfig);
  const mtu =
    firstNumber(ClusterNetwork.map((object) => object.value.mtu)) ??
    firstNumber(NetworkConfig.map((object) => object.value.status?.clusterNetworkMTU)) ??
    firstNumber(sdn.map((config) => config?.mtu));
  const vxlanPort =
    firstNumber(ClusterNetwork.map((object) => object.value.vxlanPort)) ??
    firstNumber(sdn.map((config) => config?.vxlanPort));
  return {
    clusterNetworks:
      clusterNetworks.length > 0
        ? clusterNetworks
        : assumedClusterNetworks(platform, subnets, nodeCount, notes),
    serviceNetworks:
      serviceNetworks.length > 0 ? serviceNetworks : assumedServiceNetworks(platform, inventory, notes),
    isServiceNetworkKnown: serviceNetworks.length > 0,
    vxlanPort: vxlanPort ?? VXLAN_PORT,
    mtu: mtu ?? OVERLAY_MTU,
  };
}

const firstNumber = (values: readonly (number | null | undefined)[]): number | undefined =>
  values.find((value) => typeof value === 'number') ?? undefined;

function namedClusterNetworks(inventory: Inventory, notes: Notes): ClusterNetworkEntry[] {
  const { ClusterNetwork, NetworkConfig, NetworkOperator } = inventory.objects;
  const sdn = ClusterNetwork.flatMap(({ value }) => {
    const entries = value.clusterNetworks ?? [];
    if (entries.length > 0 || !value.network) return entries;
    return [{ CIDR: value.network, hostSubnetLength: value.hostsubnetlength ?? 9 }];
  }).map((entry) => ({ text: entry.CIDR, hostBits: entry.hostSubnetLength }));
  const specs = [...NetworkConfig, ...NetworkOperator].map(({ value }) => value.spec?.clusterNetwork ?? []);
  const configured = (specs.find((entries) => entries.length > 0) ?? []).map((entry) => ({
    text: entry.cidr,
    hostBits: Math.max(32 - (entry.hostPrefix || 23), 0),
  }));
  const entries: ClusterNetworkEntry[] = [];
  for (const { text, hostBits } of sdn.length > 0 ? sdn : configured) {
    const prefix = parsePrefix(text);
    if (prefix === null) notes.say(`cluster network ${text} is IPv6 and left out`);
    else entries.push({ prefix, hostSubnetLength: hostBits });
  }
  return entries;
}

function namedServiceNetworks(inventory: Inventory, notes: Notes): Ipv4Prefix[] {
  const { ClusterNetwork, NetworkConfig, NetworkOperator, ServiceCIDR } = inventory.objects;
  const candidates = [
    ClusterNetwork.map(({ value }) => value.serviceNetwork ?? ''),
    NetworkConfig.flatMap(({ value }) => value.spec?.serviceNetwork ?? []),
    NetworkOperator.flatMap(({ value }) => value.spec?.serviceNetwork ?? []),
    ServiceCIDR.flatMap(({ value }) => value.spec?.cidrs ?? []),
  ].map((texts) => texts.filter((text) => text !== ''));
  const prefixes: Ipv4Prefix[] = [];
  for (const text of candidates.find((texts) => texts.length > 0) ?? []) {
    const prefix = parsePrefix(text);
    if (prefix === null) notes.say(`service network ${text} is IPv6 and left out`);
    else prefixes.push(prefix);
  }
  return prefixes;
}

function assumedClusterNetworks(
  platform: Platform,
  subnets: readonly Ipv4Prefix[],
  nodeCount: number,
  notes: Notes,
): ClusterNetworkEntry[] {
  const usual: ClusterNetworkEntry =
    platform === 'kubernetes'
      ? { prefix: { base: 0x0af40000, length: 16 }, hostSubnetLength: 8 } // 10.244.0.0/16
      : { prefix: { base: 0x0a800000, length: 14 }, hostSubnetLength: 9 }; // 10.128.0.0/14
  const isUsual =
    platform !== 'kubernetes' && subnets.every((subnet) => prefixContains(usual.prefix, subnet.base));
  if (subnets.length === 0 || isUsual) return [withRoom(usual, nodeCount)];
  const hostSubnetLength = 32 - Math.max(...subnets.map((subnet) => subnet.length));
  const cover = covering(subnets);
  const entries =
    cover.length >= WIDEST
      ? [withRoom({ prefix: cover, hostSubnetLength }, nodeCount)]
      : [...subnets].sort((a, b) => a.base - b.base).map((prefix) => ({ prefix, hostSubnetLength }));
  const named = entries.map((entry) => formatPrefix(entry.prefix)).join(', ');
  notes.say(`no object names the cluster network: ${named} taken from the nodes' subnets`);
  // Subnets without anything in common leave no room between them for the nodes that have none.
  return cover.length >= WIDEST || subnets.length === nodeCount ? entries : [...entries, usual];
}

/** An assumed network that a node does not fit in was assumed too small. */
function withRoom({ prefix, hostSubnetLength }: ClusterNetworkEntry, nodeCount: number): ClusterNetworkEntry {
  let { length } = prefix;
  while (length > 0 && 2 ** (32 - hostSubnetLength - length) < nodeCount) length--;
  return { prefix: { base: (prefix.base & maskOf(length)) >>> 0, length }, hostSubnetLength };
}

/** Where Services live unless something else is shown. */
export const usualServiceNetwork = (platform: Platform): Ipv4Prefix =>
  platform === 'kubernetes'
    ? { base: 0x0a600000, length: 12 } // 10.96.0.0/12
    : { base: 0xac1e0000, length: 16 }; // 172.30.0.0/16

function assumedServiceNetworks(platform: Platform, inventory: Inventory, notes: Notes): Ipv4Prefix[] {
  const usual = usualServiceNetwork(platform);
  const used = inventory.objects.Service.flatMap(({ value }) => [
    value.spec?.clusterIP ?? '',
    ...(value.spec?.clusterIPs ?? []),
  ])
    .map(parseIpv4)
    .filter((address) => address !== -1);
  if (used.every((address) => prefixContains(usual, address))) return [usual];
  const cover = covering(used.map((base) => ({ base, length: 32 })));
  const length = Math.min(cover.length, 16);
  const prefix = { base: (cover.base & maskOf(length)) >>> 0, length };
  notes.say(
    `no object names the service network: ${formatPrefix(prefix)} taken from the Services' addresses`,
  );
  return [prefix];
}

/** The smallest prefix that covers all of `prefixes` (at least one). */
export function covering(prefixes: readonly Ipv4Prefix[]): Ipv4Prefix {
  const low = Math.min(...prefixes.map((prefix) => prefix.base));
  const high = Math.max(...prefixes.map((prefix) => prefix.base));
  const common = Math.clz32((low ^ high) >>> 0);
  const length = Math.min(common, ...prefixes.map((prefix) => prefix.length));
  return { base: (low & maskOf(length)) >>> 0, length };
}
