/** EgressNetworkPolicies to the flows of table 100, and to the Services that the proxy leaves without endpoints.
 *  Source: openshift/sdn pkg/network/node/ovscontroller.go (UpdateEgressNetworkPolicyRules), pkg/network/proxy/proxy.go. */
import { type Ipv4Prefix, prefixContains } from '../addr/ipv4.js';
import type { Cluster } from '../model/cluster.js';
import type { EgressPolicy } from '../model/network-objects.js';
import type { Service } from '../model/service.js';
import { Op } from '../tables/flows.js';
import { NONE } from '../tables/nodes.js';
import { Reason } from '../verdict/reasons.js';
import type { Action, Flow } from './flow-builder.js';
import { ip } from './match.js';
import type { Strings } from './strings.js';

const LEAVE: readonly Action[] = [[Op.Goto, 101]];
const DROP: readonly Action[] = [[Op.Drop, 0]];
const ANYWHERE: Ipv4Prefix = { base: 0, length: 0 };

const nameOf = (policy: EgressPolicy): string => `${policy.namespace}/${policy.name}`;

/** Flows of table 100: by NetID, as the bridge knows no namespaces. */
export function* egressFirewallFlows(cluster: Cluster, strings: Strings): Generator<Flow> {
  const sharing = new Map<number, string[]>();
  for (const { name, vni } of cluster.namespaces) sharing.set(vni, [...(sharing.get(vni) ?? []), name]);
  for (const [vni, namespaces] of sharing) {
    const policies = cluster.network.egressPolicies.filter((policy) => namespaces.includes(policy.namespace));
    // In the global network policies are ignored.
    if (policies.length === 0 || vni === 0) continue;
    if (namespaces.length > 1) yield refuse(vni, policies, `NetID shared by ${namespaces.join(', ')}`);
    else if (policies.length > 1) yield refuse(vni, policies, 'more than one in a namespace');
    else yield* ruleFlows(vni, policies[0]!);
  }

  function refuse(vni: number, policies: readonly EgressPolicy[], why: string): Flow {
    const object = `EgressNetworkPolicy ${policies.map(nameOf).join(', ')} (${why})`;
    return flow(vni, 1, ANYWHERE, false, object);
  }

  function* ruleFlows(vni: number, policy: EgressPolicy): Generator<Flow> {
    for (const [i, rule] of policy.rules.entries()) {
      const words = `${rule.isAllow ? 'Allow' : 'Deny'} ${rule.to}`;
      const object = `EgressNetworkPolicy ${nameOf(policy)} rule ${i + 1}: ${words}`;
      for (const prefix of rule.prefixes)
        yield flow(vni, policy.rules.length - i, prefix, rule.isAllow, object);
    }
  }

  function flow(vni: number, priority: number, nwDst: Ipv4Prefix, isAllow: boolean, object: string): Flow {
    const match = ip({ reg0: vni, nwDst });
    const common = { table: 100, priority, node: NONE, match, object: strings.id(object) };
    return isAllow
      ? { ...common, actions: LEAVE }
      : { ...common, actions: DROP, reason: Reason.EgressFirewall };
  }
}

/** Tells whether the SDN's proxy keeps a Service's endpoints from kube-proxy: one of them is outside the cluster, and
 *  one is denied. Else a user could get past the policy with Endpoints of his own. */
export function endpointFirewall(cluster: Cluster): (service: Service) => boolean {
  const global = new Set(
    cluster.mode === 'subnet'
      ? []
      : cluster.namespaces.filter(({ vni }) => vni === 0).map(({ name }) => name),
  );
  const inside = [...cluster.clusterNetworks.map((entry) => entry.prefix), ...cluster.serviceNetworks];
  const byNamespace = new Map<string, EgressPolicy[]>();
  for (const policy of cluster.network.egressPolicies) {
    if (global.has(policy.namespace) || policy.rules.every((rule) => rule.prefixes.length === 0)) continue;
    byNamespace.set(policy.namespace, [...(byNamespace.get(policy.namespace) ?? []), policy]);
  }
  return (service) => {
    const policies = byNamespace.get(service.namespace);
    if (policies === undefined) return false;
    const addresses = service.ports.flatMap((port) => port.endpoints.map(({ address }) => address));
    if (addresses.every((address) => inside.some((prefix) => prefixContains(prefix, address)))) return false;
    return policies.length > 1 || addresses.some((address) => isDenied(policies[0]!, address));
  };
}

function isDenied({ rules }: EgressPolicy, address: number): boolean {
  const first = rules.find((rule) => rule.prefixes.some((prefix) => prefixContains(prefix, address)));
  return first !== undefined && !first.isAllow;
}
