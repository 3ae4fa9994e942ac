/** NetworkPolicies to the flows of tables 27 and 80. Source: openshift/sdn pkg/network/node/networkpolicy.go. */
import { type Ipv4Prefix, maskOf } from '../addr/ipv4.js';
import type { Cluster, Namespace, Pod } from '../model/cluster.js';
import type { LabelSelector, NetworkPolicy, PolicyPeer, PolicyPort, PolicyRule } from '../model/policy.js';
import { Op } from '../tables/flows.js';
import { NONE } from '../tables/nodes.js';
import { Reason } from '../verdict/reasons.js';
import type { Action, Flow } from './flow-builder.js';
import { type Fields, host, ip } from './match.js';
import { PROTOCOL_NUMBER } from './nodes.js';
import { selects, selectsEverything } from './selector.js';
import type { Strings } from './strings.js';

/** From this many flows on upstream leaves a policy's allow rules out (skipIfTooManyFlows). */
const FLOWS_MAX = 10_000;

type Direction = 'ingress' | 'egress';

/** Per direction: which table, what an allowed packet does next, which register holds the policed namespace. */
const SIDE = {
  ingress: { table: 80, allow: [[Op.OutputReg2, 0]] as readonly Action[], reason: Reason.PolicyIngress },
  egress: { table: 27, allow: [[Op.Goto, 30]] as readonly Action[], reason: Reason.PolicyEgress },
} as const;

/** Flows of every namespace; which pods are on which node does not matter, since only these can set the register. */
export function* policyFlows(cluster: Cluster, strings: Strings): Generator<Flow> {
  const byNamespace = new Map<string, Pod[]>(cluster.namespaces.map((namespace) => [namespace.name, []]));
  for (const pod of cluster.pods) if (!pod.isHostNetwork) byNamespace.get(pod.namespace)?.push(pod);
  for (const namespace of cluster.namespaces) {
    const own = cluster.policies.filter((policy) => policy.namespace === namespace.name);
    for (const direction of ['ingress', 'egress'] as const) {
      const policies = own.filter((policy) =>
        direction === 'ingress' ? policy.hasIngress : policy.hasEgress,
      );
      yield* isolation(namespace, policies, direction);
      for (const policy of policies) yield* allows(policy, namespace, direction);
    }
  }

  function* isolation(
    namespace: Namespace,
    policies: readonly NetworkPolicy[],
    direction: Direction,
  ): Generator<Flow> {
    if (policies.some((policy) => selectsEverything(policy.podSelector))) return;
    const { table, allow, reason } = SIDE[direction];
    const pods = byNamespace.get(namespace.name)!;
    for (const pod of pods) {
      const isolating = policies.filter((policy) => selects(policy.podSelector, pod.labels));
      if (isolating.length === 0) continue;
      yield {
        table,
        priority: 100,
        node: NONE,
        match: ip({ ...policed(direction, namespace.vni), ...target(direction, pod.address) }),
        actions: [[Op.Drop, 0]],
        reason,
        object: strings.id(isolating.map(objectName).join(', ')),
      };
    }
    yield {
      table,
      priority: 50,
      node: NONE,
      match: ip(policed(direction, namespace.vni)),
      actions: allow,
      object: strings.id(`Namespace ${namespace.name} (not isolated)`),
    };
  }

  function* allows(policy: NetworkPolicy, namespace: Namespace, direction: Direction): Generator<Flow> {
    const { table, allow } = SIDE[direction];
    const targets: readonly Fields[] = selectsEverything(policy.podSelector)
      ? [{}]
      : byNamespace
          .get(namespace.name)!
          .filter((pod) => selects(policy.podSelector, pod.labels))
          .map((pod) => target(direction, pod.address));
    const flows: Flow[] = [];
    for (const rule of policy[direction])
      for (const where of targets)
        for (const peer of peers(rule, namespace, direction))
          for (const port of ports(rule))
            flows.push({
              table,
              priority: 150,
              node: NONE,
              match: ip({ ...policed(direction, namespace.vni), ...where, ...peer, ...port }),
              actions: allow,
              object: strings.id(objectName(policy)),
            });
    if (flows.length < FLOWS_MAX) yield* flows;
  }

  function peers(rule: PolicyRule, namespace: Namespace, direction: Direction): readonly Fields[] {
    return rule.peers.length === 0
      ? [{}]
      : rule.peers.flatMap((peer) => peerFields(peer, namespace, direction));
  }

  function peerFields(peer: PolicyPeer, own: Namespace, direction: Direction): readonly Fields[] {
    if (peer.kind === 'block')
      return subtract(peer.prefix, peer.except).map((p) => peerAddress(direction, p));
    const { podSelector, namespaceSelector } = peer;
    const spaces =
      namespaceSelector === null
        ? [own]
        : cluster.namespaces.filter((namespace) => selects(namespaceSelector, namespace.labels));
    const everyPod = podSelector === null || selectsEverything(podSelector);
    // An empty namespaceSelector alone matches every source, external ones included.
    if (podSelector === null && namespaceSelector !== null && selectsEverything(namespaceSelector))
      return [{}];
    const byRegister =
      direction === 'ingress' && (namespaceSelector === null ? everyPod : podSelector === null);
    if (byRegister) return spaces.map((space) => ({ reg0: space.vni }));
    return spaces.flatMap((space) =>
      chosen(space, everyPod ? null : podSelector).map((pod) => peerAddress(direction, host(pod.address))),
    );
  }

  function chosen(space: Namespace, selector: LabelSelector | null): readonly Pod[] {
    const pods = byNamespace.get(space.name)!;
    return selector === null ? pods : pods.filter((pod) => selects(selector, pod.labels));
  }
}

const objectName = (policy: NetworkPolicy): string => `NetworkPolicy ${policy.namespace}/${policy.name}`;
const policed = (direction: Direction, vni: number): Fields =>
  direction === 'ingress' ? { reg1: vni } : { reg0: vni };
const target = (direction: Direction, address: number): Fields =>
  direction === 'ingress' ? { nwDst: host(address) } : { nwSrc: host(address) };
const peerAddress = (direction: Direction, prefix: Ipv4Prefix): Fields =>
  direction === 'ingress' ? { nwSrc: prefix } : { nwDst: prefix };

/** Ports of a rule. Upstream knows no named ports and leaves the entry out, and adds a match of port 0 behind a range
 *  (networkpolicy.go parsePortFlows). */
function ports(rule: PolicyRule): readonly Fields[] {
  return rule.ports.length === 0 ? [{}] : rule.ports.flatMap(portFields);
}

function portFields({ protocol, port, endPort }: PolicyPort): readonly Fields[] {
  const proto = PROTOCOL_NUMBER[protocol];
  if (port === null) return [{ proto }];
  if (typeof port === 'string') return [];
  if (endPort === null) return [{ proto, tpDst: [port, 0xffff] }];
  return [...portMasks(port, endPort), [0, 0xffff] as const].map((tpDst) => ({ proto, tpDst }));
}

/** Split an inclusive range of ports into value and mask (openshift/sdn pkg/util/ranges). */
export function portMasks(first: number, last: number): readonly (readonly [number, number])[] {
  const masks: (readonly [number, number])[] = [];
  let port = first;
  while (port <= last) {
    let size = port === 0 ? 0x10000 : port & -port;
    while (port + size - 1 > last) size >>= 1;
    masks.push([port, 0x10000 - size]);
    port += size;
  }
  return masks;
}

/** The prefixes of `block` without those of `except` (openshift/sdn pkg/util/ranges). */
export function subtract(block: Ipv4Prefix, except: readonly Ipv4Prefix[]): readonly Ipv4Prefix[] {
  let rest: readonly Ipv4Prefix[] = [block];
  for (const hole of except) rest = rest.flatMap((prefix) => cut(prefix, hole));
  return rest;
}

function cut(prefix: Ipv4Prefix, hole: Ipv4Prefix): readonly Ipv4Prefix[] {
  const shorter = Math.min(prefix.length, hole.length);
  const overlap = ((prefix.base ^ hole.base) & maskOf(shorter)) === 0;
  if (!overlap) return [prefix];
  if (hole.length <= prefix.length) return [];
  const length = prefix.length + 1;
  const low = { base: prefix.base, length };
  const high = { base: (prefix.base | (1 << (32 - length))) >>> 0, length };
  return [...cut(low, hole), ...cut(high, hole)];
}
