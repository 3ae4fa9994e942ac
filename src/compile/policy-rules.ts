/** What the rules of NetworkPolicies come to: who is policed, which other end, which ports. Shared by both ways to read a
 *  policy: policy-api.ts and policy-sdn.ts. */
import { type Ipv4Prefix, maskOf, prefixContains } from '../addr/ipv4.js';
import type { LabelSelector, NetworkPolicy, PolicyPeer, PolicyPort, PolicyRule } from '../model/policy.js';
import { Effect, PeerKind } from '../tables/policies.js';
import { Quirk } from '../verdict/quirks.js';
import { PROTOCOL_NUMBER } from './nodes.js';
import type { Identities, Identity } from './policy-identities.js';
import { selectsEverything } from './selector.js';

export type Direction = 'ingress' | 'egress';
export const DIRECTIONS: readonly Direction[] = ['ingress', 'egress'];

/** The other end; `length` is that of a BLOCK's prefix. */
export interface Peer {
  readonly kind: number;
  readonly value: number;
  readonly length: number;
}

export interface RuleRow {
  readonly direction: Direction;
  /** Row of the policed namespace. */
  readonly namespace: number;
  /** As `NetworkPolicy shop/web-allow ingress[0].ports[1]`. */
  readonly object: string;
  /** null: every pod of the namespace. */
  readonly targets: readonly Identity[] | null;
  readonly peers: readonly Peer[];
  /** Protocol << 16 | port, both ends included. */
  readonly portFirst: number;
  readonly portLast: number;
  /** See tables/policies Effect. */
  readonly effect: number;
  readonly quirk: number;
}

/** Every protocol and port, those of ICMP included. */
export const ALL_PORTS: readonly [number, number] = [0, 0xffffff];
const NOBODY: readonly Peer[] = [];

const peer = (kind: number, value = 0, length = 0): Peer => ({ kind, value, length });
export const ANYONE = peer(PeerKind.ANY);
export const ANY_POD = peer(PeerKind.POD);
export const OWN_NODE = peer(PeerKind.NODE);
export const netId = (vni: number): Peer => peer(PeerKind.NETID, vni);
export const netIdPod = (namespace: number): Peer => peer(PeerKind.NETID_POD, namespace);
export const namespacePods = (namespace: number): Peer => peer(PeerKind.NAMESPACE, namespace);
export const labelledPods = (labelSet: number): Peer => peer(PeerKind.LABELS, labelSet);
export const identityPods = (identity: Identity): Peer => peer(PeerKind.IDENTITY, identity.row);
/** A /0 is no condition at all. */
export const block = (prefix: Ipv4Prefix): Peer =>
  prefix.length === 0 ? ANYONE : peer(PeerKind.BLOCK, prefix.base, prefix.length);

/** Rows of namespaces that a peer speaks of; `own` is the policy's. */
export const spacesOf = (
  identities: Identities,
  selector: LabelSelector | null,
  own: number,
): readonly number[] => (selector === null ? [own] : identities.selectNamespaces(selector));

/** The other ends of a rule as the API means them: selectors select pods, and no address that is none. */
export function apiPeers(identities: Identities, rule: PolicyRule, own: number): readonly Peer[] {
  return rule.peers.length === 0 ? [ANYONE] : rule.peers.flatMap((one) => apiPeer(identities, one, own));
}

function apiPeer(identities: Identities, one: PolicyPeer, own: number): readonly Peer[] {
  if (one.kind === 'block') return subtract(one.prefix, one.except).map(block);
  const { podSelector, namespaceSelector } = one;
  return podPeers(identities, podSelector, namespaceSelector, own);
}

/** Pods that selectors select; without a namespaceSelector those of the policy's own namespace. */
export function podPeers(
  identities: Identities,
  podSelector: LabelSelector | null,
  namespaceSelector: LabelSelector | null,
  own: number,
): readonly Peer[] {
  const everyPod = podSelector === null || selectsEverything(podSelector);
  if (namespaceSelector !== null && selectsEverything(namespaceSelector))
    return everyPod ? [ANY_POD] : identities.selectLabelSets(podSelector).map(labelledPods);
  const spaces = spacesOf(identities, namespaceSelector, own);
  if (everyPod) return spaces.map(namespacePods);
  return spaces.flatMap((space) => identities.select(space, podSelector).map(identityPods));
}

/** The ports of an entry that has a number or none: protocol << 16 | port, both ends included; a range that is none is
 *  empty. */
export function portSpan({ protocol, port, endPort }: PolicyPort): readonly [number, number] | null {
  const first = PROTOCOL_NUMBER[protocol] << 16;
  if (typeof port !== 'number') return [first, first | 0xffff];
  const last = endPort ?? port;
  return last < port ? null : [first | port, first | last];
}

/** What a rule's row has in common with the other rows of its rule. */
export type RowBase = Pick<RuleRow, 'direction' | 'namespace' | 'object' | 'targets' | 'effect' | 'quirk'>;

export const rowBase = (
  policy: NetworkPolicy,
  direction: Direction,
  namespace: number,
  index: number,
  targets: readonly Identity[] | null,
): RowBase => ({
  direction,
  namespace,
  object: `NetworkPolicy ${policy.namespace}/${policy.name} ${direction}[${index}]`,
  targets,
  effect: Effect.Stands,
  quirk: Quirk.None,
});

/** A named port is another number in each pod: of the policed pod on ingress, of the other end on egress. */
export function* namedPortRows(
  identities: Identities,
  base: RowBase,
  peers: readonly Peer[],
  { protocol, port }: PolicyPort,
): Generator<RuleRow> {
  const own = new Set(base.direction === 'ingress' ? ownersIn(identities, base) : identities.all);
  for (const [number, all] of identities.byNamedPort(String(port), protocol)) {
    const owning = all.filter((identity) => own.has(identity));
    if (owning.length === 0) continue;
    const at = (PROTOCOL_NUMBER[protocol] << 16) | number;
    const span = { portFirst: at, portLast: at };
    if (base.direction === 'ingress') yield { ...base, targets: owning, peers, ...span };
    else {
      const those = peers.length === 0 ? NOBODY : restrict(peers, owning);
      if (those.length > 0) yield { ...base, peers: those, ...span };
    }
  }
}

const ownersIn = (identities: Identities, base: RowBase): readonly Identity[] =>
  base.targets ?? identities.ofNamespace[base.namespace]!;

/** Of `owners`, those that are among `peers`. All of one set of labels are owners, or none: ports tell sets apart. */
function restrict(peers: readonly Peer[], owners: readonly Identity[]): readonly Peer[] {
  const whole = new Set(peers.map(({ kind, value }) => `${kind} ${value}`));
  const has = (kind: number, value: number): boolean => whole.has(`${kind} ${value}`);
  const isEverybody = has(PeerKind.ANY, 0) || has(PeerKind.POD, 0);
  const sets = new Set(
    owners
      .map(({ labelSet }) => labelSet)
      .filter((labelSet) => isEverybody || has(PeerKind.LABELS, labelSet)),
  );
  const blocks = peers.filter((one) => one.kind === PeerKind.BLOCK);
  const others = owners.flatMap((identity) => {
    if (sets.has(identity.labelSet)) return [];
    if (has(PeerKind.NAMESPACE, identity.namespace) || has(PeerKind.IDENTITY, identity.row))
      return [identityPods(identity)];
    return [...identity.pods.values()]
      .filter((address) =>
        blocks.some((one) => prefixContains({ base: one.value, length: one.length }, address)),
      )
      .map((address) => block({ base: address, length: 32 }));
  });
  return [...[...sets].map(labelledPods), ...others];
}

/** The prefixes of `whole` without those of `except` (openshift/sdn pkg/util/ranges). */
export function subtract(whole: Ipv4Prefix, except: readonly Ipv4Prefix[]): readonly Ipv4Prefix[] {
  let rest: readonly Ipv4Prefix[] = [whole];
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
