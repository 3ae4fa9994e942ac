/** What NetNamespaces, HostSubnets and EgressNetworkPolicies ask for beyond NetIDs and subnets. */
import { formatIpv4, parseIpv4, prefixContains } from '../addr/ipv4.js';
import type { Namespace, Node } from '../model/cluster.js';
import type { NetworkObjects } from '../model/network-objects.js';
import { readEgressPolicies } from './egress-policies.js';
import type { Entry, Inventory } from './inventory.js';
import type { Networks } from './networks.js';
import type { Notes } from './notes.js';
import type { ProblemList } from './problems.js';

export function readNetworkObjects(
  { objects }: Inventory,
  nodes: readonly Node[],
  networks: Networks,
  namespaces: readonly Namespace[],
  problems: ProblemList,
  notes: Notes,
): NetworkObjects {
  const { NetNamespace, HostSubnet, EgressNetworkPolicy } = objects;
  for (const { value } of HostSubnet)
    if ((value.egressCIDRs ?? []).length > 0 && (value.egressIPs ?? []).length === 0)
      notes.count(
        'HostSubnets with egressCIDRs alone: which egress addresses they would be given is not worked out',
      );
  const asked = [...NetNamespace, ...HostSubnet].flatMap(({ value }) => ipv4Addresses(value.egressIPs));
  noteUselessAddresses(asked, nodes, networks, notes);
  return {
    egressPolicies: readEgressPolicies(EgressNetworkPolicy, namespaces, problems, notes),
    egressIps: NetNamespace.map(({ name, value }) => ({
      namespace: value.netname || name,
      addresses: ipv4Addresses(value.egressIPs),
    })).filter(hasAddresses),
    hostedIps: HostSubnet.map(({ name, value }) => ({
      node: value.host || name,
      addresses: ipv4Addresses(value.egressIPs),
    })).filter(hasAddresses),
    multicast: NetNamespace.filter(
      ({ value }) => value.metadata.annotations?.[MULTICAST_ANNOTATION] === 'true',
    ).map(({ name, value }) => value.netname || name),
    fixedVnis: HostSubnet.flatMap((entry) => fixedVni(entry, problems)),
  };
}

/** What the nodes' logs would say. Source: openshift/sdn pkg/network/node/egressip.go assignEgressIP. */
function noteUselessAddresses(
  addresses: readonly number[],
  nodes: readonly Node[],
  { clusterNetworks, serviceNetworks }: Networks,
  notes: Notes,
): void {
  const overlay = [...clusterNetworks.map(({ prefix }) => prefix), ...serviceNetworks];
  for (const address of addresses) {
    const what = `egress address ${formatIpv4(address)}`;
    const end = 'packets leave masqueraded';
    const owner = nodes.find((node) => node.address === address);
    if (owner !== undefined)
      notes.say(`${what} is node ${owner.name}'s own: it is not put on a node, and ${end}`);
    else if (overlay.some((prefix) => prefixContains(prefix, address)))
      notes.say(
        `${what} lies in a pod or Service network, where no node has its NIC: it is not put on one, and ${end}`,
      );
  }
}

/** openshift/api network/v1 FixedVNIDHostAnnotation, misnamed there. */
const FIXED_VNI_ANNOTATION = 'pod.network.openshift.io/fixed-vnid-host';

/** openshift/api network/v1 MulticastEnabledAnnotation; the text `true` and no other. */
const MULTICAST_ANNOTATION = 'netnamespace.network.openshift.io/multicast-enabled';

function fixedVni(entry: Entry<'HostSubnet'>, problems: ProblemList): { node: string; vni: number }[] {
  const text = entry.value.metadata.annotations?.[FIXED_VNI_ANNOTATION];
  if (typeof text !== 'string') return [];
  const vni = /^\d{1,8}$/.test(text) ? Number(text) : -1;
  if (vni >= 0 && vni <= 0xffffff) return [{ node: entry.value.host || entry.name, vni }];
  const path = ['metadata', 'annotations', FIXED_VNI_ANNOTATION];
  problems.add(entry, path, JSON.stringify(text), 'a NetID from 0 to 16777215');
  return [];
}

const ipv4Addresses = (texts: readonly string[] | null | undefined): readonly number[] =>
  (texts ?? []).map(parseIpv4).filter((address) => address !== -1);

const hasAddresses = ({ addresses }: { readonly addresses: readonly number[] }): boolean =>
  addresses.length > 0;
