/** A NetworkPolicy's rules as openshift/sdn has them, quirks included and named. A rule that a quirk leaves out is kept
 *  as such, so that a denial can say so. Source: openshift/sdn pkg/network/node/networkpolicy.go. */
import { portMasks } from '../addr/port-masks.js';
import type { Namespace } from '../model/cluster.js';
import type { NetworkPolicy, PolicyPeer, PolicyPort, PolicyRule } from '../model/policy.js';
import { Effect } from '../tables/policies.js';
import { Quirk } from '../verdict/quirks.js';
import { PROTOCOL_NUMBER } from './nodes.js';
import { apiRows } from './policy-api.js';
import { type Identities, type Identity, podCount } from './policy-identities.js';
import {
  ALL_PORTS,
  ANY_POD,
  ANYONE,
  apiPeers,
  block,
  DIRECTIONS,
  type Direction,
  namedPortRows,
  namespacePods,
  netId,
  netIdPod,
  type Peer,
  podPeers,
  portSpan,
  type RuleRow,
  rowBase,
  spacesOf,
  subtract,
} from './policy-rules.js';
import { selectsEverything } from './selector.js';

/** From this many flows on, of both directions, upstream leaves a policy's allows out (skipIfTooManyFlows). */
export const FLOWS_MAX = 10_000;
/** Its pods are the nodes themselves: selected as NetID 0 (HostNetworkNamespace). */
const HOST_NETWORK_NAMESPACE = 'openshift-host-network';

/** The rows of both directions; those not policed have none. `targets` as for apiRows. */
export function* sdnRows(
  identities: Identities,
  namespaces: readonly Namespace[],
  policy: NetworkPolicy,
  namespace: number,
  targets: readonly Identity[] | null,
): Generator<RuleRow> {
  const policed = directionsOf(policy);
  const rules = policed.flatMap((direction) =>
    policy[direction].map((rule, index) => ({
      direction,
      index,
      rule,
      ends: endsOf(identities, namespaces, rule, direction, namespace),
    })),
  );
  if (hasTooMany(targets, countedEnds(identities, policy, namespace))) {
    for (const direction of policed)
      for (const row of apiRows(identities, policy, direction, namespace, targets))
        yield { ...row, effect: Effect.LeftOut, quirk: Quirk.TooManyFlows };
    return;
  }
  for (const { direction, index, rule, ends } of rules)
    yield* ruleRows(identities, rule, ends, rowBase(policy, direction, namespace, index, targets));
}

/** Where upstream matches more than the API says, `more` has what it matches instead, and why. */
interface Ends {
  readonly peers: readonly Peer[];
  readonly more: readonly { readonly quirk: number; readonly peers: readonly Peer[] }[];
}

function* ruleRows(
  identities: Identities,
  rule: PolicyRule,
  ends: Ends,
  base: ReturnType<typeof rowBase>,
): Generator<RuleRow> {
  const everyEnd = [
    { effect: base.effect, quirk: base.quirk, peers: ends.peers },
    ...ends.more.map((more) => ({ ...more, effect: Effect.Added })),
  ].filter(({ peers }) => peers.length > 0);
  if (rule.ports.length === 0)
    for (const end of everyEnd) yield { ...base, ...end, portFirst: ALL_PORTS[0], portLast: ALL_PORTS[1] };
  for (const [i, port] of rule.ports.entries()) {
    const own = { ...base, object: `${base.object}.ports[${i}]` };
    if (typeof port.port === 'string') {
      const leftOut = { ...own, effect: Effect.LeftOut, quirk: Quirk.NamedPort };
      yield* namedPortRows(identities, leftOut, apiPeers(identities, rule, base.namespace), port);
      continue;
    }
    const span = portSpan(port);
    if (span !== null)
      for (const end of everyEnd) yield { ...own, ...end, portFirst: span[0], portLast: span[1] };
    if (!isRange(port)) continue;
    const zero = PROTOCOL_NUMBER[port.protocol] << 16;
    for (const { peers } of everyEnd)
      yield {
        ...own,
        peers,
        portFirst: zero,
        portLast: zero,
        effect: Effect.Added,
        quirk: Quirk.EndPortZero,
      };
  }
}

const isRange = ({ port, endPort }: PolicyPort): boolean => typeof port === 'number' && endPort !== null;

function endsOf(
  identities: Identities,
  namespaces: readonly Namespace[],
  rule: PolicyRule,
  direction: Direction,
  own: number,
): Ends {
  if (rule.peers.length === 0) return { peers: [ANYONE], more: [] };
  const all = rule.peers.map((one) => endOf(identities, namespaces, one, direction, own));
  return {
    peers: all.flatMap(({ peers }) => peers),
    more: all.flatMap(({ more }) => more),
  };
}

function endOf(
  identities: Identities,
  namespaces: readonly Namespace[],
  one: PolicyPeer,
  direction: Direction,
  own: number,
): Ends {
  if (one.kind === 'block') {
    return { peers: subtract(one.prefix, one.except).map(block), more: [] };
  }
  const { podSelector, namespaceSelector } = one;
  if (isEveryNamespace(one))
    return { peers: [ANY_POD], more: [{ quirk: Quirk.EmptyNamespaceSelector, peers: [ANYONE] }] };
  const spaces = spacesOf(identities, namespaceSelector, own);
  const everyPod = podSelector === null || selectsEverything(podSelector);
  if (isByNetId(one, direction)) return netIdEnds(namespaces, spaces, namespaceSelector !== null);
  // Beside an empty podSelector upstream has a flow for each pod, and none for everybody.
  const peers = everyPod
    ? spaces.map(namespacePods)
    : podPeers(identities, podSelector, namespaceSelector, own);
  return { peers, more: [] };
}

type PodsPeer = Extract<PolicyPeer, { kind: 'pods' }>;

const isEveryNamespace = ({ podSelector, namespaceSelector }: PodsPeer): boolean =>
  podSelector === null && namespaceSelector !== null && selectsEverything(namespaceSelector);

const isByNetId = ({ podSelector, namespaceSelector }: PodsPeer, direction: Direction): boolean =>
  direction === 'ingress' &&
  (namespaceSelector === null
    ? podSelector === null || selectsEverything(podSelector)
    : podSelector === null);

/** What upstream makes flows of in a rule: so many ends that are no pods, and the pods of these identities; each as often as
 *  the rule's ports ask for. */
export interface CountedEnds {
  readonly ports: number;
  readonly fixed: number;
  readonly pods: readonly (readonly Identity[])[];
}

/** The ends of all rules of a policy, both directions. The lists of whole namespaces are those of `identities` themselves. */
export function countedEnds(
  identities: Identities,
  policy: NetworkPolicy,
  own: number,
): readonly CountedEnds[] {
  return directionsOf(policy).flatMap((direction) =>
    policy[direction].map((rule) => {
      const pods: (readonly Identity[])[] = [];
      let fixed = rule.peers.length === 0 ? 1 : 0;
      for (const one of rule.peers) {
        if (one.kind === 'block') {
          fixed += subtract(one.prefix, one.except).length;
          continue;
        }
        const spaces = isEveryNamespace(one) ? [] : spacesOf(identities, one.namespaceSelector, own);
        if (isEveryNamespace(one)) fixed++;
        else if (isByNetId(one, direction)) fixed += spaces.length;
        else
          for (const space of spaces)
            pods.push(
              one.podSelector === null || selectsEverything(one.podSelector)
                ? identities.ofNamespace[space]!
                : identities.select(space, one.podSelector),
            );
      }
      return { ports: portFlows(rule), fixed, pods };
    }),
  );
}

/** Are there so many flows that upstream leaves the policy's allows out? `targets` as for apiRows. */
export function hasTooMany(targets: readonly Identity[] | null, ends: readonly CountedEnds[]): boolean {
  const perTarget = ends.reduce(
    (sum, { ports, fixed, pods }) =>
      sum + ports * pods.reduce((all, identities) => all + podCount(identities), fixed),
    0,
  );
  return perTarget * (targets === null ? 1 : podCount(targets)) >= FLOWS_MAX;
}

const directionsOf = (policy: NetworkPolicy): readonly Direction[] =>
  DIRECTIONS.filter((direction) => (direction === 'ingress' ? policy.hasIngress : policy.hasEgress));

/** On ingress whole namespaces are known by the sender's NetID, and 0 is not only that of a namespace. */
function netIdEnds(namespaces: readonly Namespace[], spaces: readonly number[], isSelected: boolean): Ends {
  const isZero = (space: number): boolean =>
    namespaces[space]!.vni === 0 || (isSelected && namespaces[space]!.name === HOST_NETWORK_NAMESPACE);
  const peers = spaces.flatMap((space) => {
    const { vni } = namespaces[space]!;
    if (!isZero(space)) return [netId(vni)];
    return vni === 0 ? [netIdPod(space)] : [];
  });
  const more = spaces.some(isZero) ? [{ quirk: Quirk.NetIdZero, peers: [netId(0)] }] : [];
  return { peers, more };
}

/** How many flows upstream makes of a rule's ports. */
function portFlows(rule: PolicyRule): number {
  if (rule.ports.length === 0) return 1;
  return rule.ports.reduce((sum, port) => {
    if (typeof port.port === 'string') return sum;
    const isRanged = port.port !== null && port.endPort !== null;
    return sum + (isRanged ? portMasks(port.port, port.endPort).length + 1 : 1);
  }, 0);
}
