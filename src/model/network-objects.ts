/** What OpenShift's own network objects ask for beyond addresses: who may leave the cluster, from which address, and who may
 *  send to groups. */
import type { Ipv4Prefix } from '../addr/ipv4.js';

export interface NetworkObjects {
  /** Sorted by namespace, then name. */
  readonly egressPolicies: readonly EgressPolicy[];
  /** By namespace: addresses that its NetNamespace asks for, in that order. */
  readonly egressIps: readonly { readonly namespace: string; readonly addresses: readonly number[] }[];
  /** By node: addresses that its HostSubnet says it hosts. */
  readonly hostedIps: readonly { readonly node: string; readonly addresses: readonly number[] }[];
  /** Namespaces whose pods may send to multicast groups. */
  readonly multicast: readonly string[];
  /** By node: the NetID that everything sent to it by the tunnel has. */
  readonly fixedVnis: readonly { readonly node: string; readonly vni: number }[];
}

/** Of a cluster that has none. */
export const NO_NETWORK_OBJECTS: NetworkObjects = {
  egressPolicies: [],
  egressIps: [],
  hostedIps: [],
  multicast: [],
  fixedVnis: [],
};

/** An EgressNetworkPolicy of network.openshift.io/v1. */
export interface EgressPolicy {
  readonly namespace: string;
  readonly name: string;
  /** The first that has the destination decides; what none has may leave. */
  readonly rules: readonly EgressRule[];
}

export interface EgressRule {
  readonly isAllow: boolean;
  /** As the object has it: a network, or a DNS name. */
  readonly to: string;
  /** None for a name whose addresses nothing tells. */
  readonly prefixes: readonly Ipv4Prefix[];
}
