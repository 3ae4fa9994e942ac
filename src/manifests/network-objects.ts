/** What NetNamespaces, HostSubnets and EgressNetworkPolicies ask for beyond NetIDs and subnets. */
import { parseIpv4 } from '../addr/ipv4.js';
import type { Namespace } from '../model/cluster.js';
import type { NetworkObjects } from '../model/network-objects.js';
import { readEgressPolicies } from './egress-policies.js';
import type { Inventory } from './inventory.js';
import type { Notes } from './notes.js';
import type { ProblemList } from './problems.js';

export function readNetworkObjects(
  { objects }: Inventory,
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
  };
}

/** openshift/api network/v1 MulticastEnabledAnnotation; the text `true` and no other. */
const MULTICAST_ANNOTATION = 'netnamespace.network.openshift.io/multicast-enabled';

const ipv4Addresses = (texts: readonly string[] | null | undefined): readonly number[] =>
  (texts ?? []).map(parseIpv4).filter((address) => address !== -1);

const hasAddresses = ({ addresses }: { readonly addresses: readonly number[] }): boolean =>
  addresses.length > 0;
