/** The tables of NetworkPolicies, drawn in tables/policies. */
import { formatPrefix } from '../addr/ipv4.js';
import { TableBuilder } from '../layout/builder.js';
import type { Cluster } from '../model/cluster.js';
import { NONE } from '../tables/nodes.js';
import {
  Effect,
  PeerKind,
  POLICY_DOCUMENTS,
  POLICY_IDENTITIES,
  POLICY_ISOLATING,
  POLICY_MEMBERS,
  POLICY_NAMESPACES,
  POLICY_PEERS,
  POLICY_PODS,
  POLICY_RULES,
  POLICY_SCOPES,
  POLICY_TARGETS,
} from '../tables/policies.js';
import type { PolicySet } from './policy.js';
import { type Identity, podCount } from './policy-identities.js';
import type { Direction, Peer, RuleRow } from './policy-rules.js';
import { ScopeBuilder } from './policy-scopes.js';
import type { Strings } from './strings.js';

/** The tables in their order. `flowRules`: row of FRL1 by number of the rule. */
export function buildPolicyTables(
  cluster: Cluster,
  set: PolicySet,
  flowRules: readonly number[],
  strings: Strings,
): readonly TableBuilder<never>[] {
  const scopes = buildScopes(set);
  const identities = buildIdentities(set, scopes.ofIdentity, strings);
  const rules = buildRules(cluster, set, flowRules, strings);
  const documents = new TableBuilder(POLICY_DOCUMENTS);
  const namespaces = new TableBuilder(POLICY_NAMESPACES);
  if (set.rows.length > 0) {
    for (const policy of cluster.policies)
      documents.add({
        name: strings.id(`NetworkPolicy ${policy.namespace}/${policy.name}`),
        document: strings.id(JSON.stringify(policy)),
      });
    for (const { labels } of cluster.namespaces)
      namespaces.add({ labels: strings.id(JSON.stringify(labels)) });
  }
  return [
    identities.pods,
    identities.table,
    identities.members,
    scopes.table,
    scopes.isolating,
    scopes.builder.finishSlots(),
    scopes.builder.intervals,
    scopes.builder.blocks,
    scopes.builder.lists.lists,
    scopes.builder.lists.ports,
    rules.table,
    rules.targets,
    rules.peers,
    documents,
    namespaces,
  ] as unknown as TableBuilder<never>[];
}

type ScopesOfIdentity = Readonly<Record<Direction, readonly number[]>>;

/** One scope for all identities that the same rules police; behind it, those for what quirks add and leave out. */
function buildScopes({ identities, rows, isolatedBy }: PolicySet) {
  const table = new TableBuilder(POLICY_SCOPES);
  const isolating = new TableBuilder(POLICY_ISOLATING);
  const builder = new ScopeBuilder(rows);
  const scopeOf = (direction: Direction): number[] => {
    const ruling = rulesOf(identities.all, identities.ofNamespace, rows, direction);
    const known = new Map<string, number>();
    return identities.all.map(({ row }) => {
      const policies = isolatedBy[direction][row]!;
      if (policies.length === 0) return NONE;
      const rules = ruling[row]!;
      const key = `${policies.join(' ')}|${rules.join(' ')}`;
      const same = known.get(key);
      if (same !== undefined) return same;
      const policyFirst = isolating.rows;
      for (const document of policies) isolating.add({ document });
      let next = NONE;
      for (const effect of [Effect.LeftOut, Effect.Added, Effect.Stands]) {
        const own = rules.filter((number) => rows[number]!.effect === effect);
        if (own.length === 0 && effect !== Effect.Stands) continue;
        const run = builder.add(table.rows, own);
        next = table.add({ ...run, next, policyFirst, policyCount: policies.length, effect });
      }
      known.set(key, next);
      return next;
    });
  };
  const ofIdentity: ScopesOfIdentity = { ingress: scopeOf('ingress'), egress: scopeOf('egress') };
  return { table, isolating, builder, ofIdentity };
}

/** By identity: the numbers of the rules that police it in this direction, rising. */
function rulesOf(
  all: readonly Identity[],
  ofNamespace: readonly (readonly Identity[])[],
  rows: readonly RuleRow[],
  direction: Direction,
): number[][] {
  const ruling: number[][] = all.map(() => []);
  for (const [number, row] of rows.entries()) {
    if (row.direction !== direction) continue;
    for (const { row: identity } of row.targets ?? ofNamespace[row.namespace]!)
      ruling[identity]!.push(number);
  }
  return ruling;
}

function buildIdentities({ identities, podCount }: PolicySet, scopes: ScopesOfIdentity, strings: Strings) {
  const table = new TableBuilder(POLICY_IDENTITIES);
  const members = new TableBuilder(POLICY_MEMBERS);
  const pods = new TableBuilder(POLICY_PODS);
  const ofPod: number[] = [];
  for (const { row, namespace, labelSet, labels, ports, pods: own } of identities.all) {
    table.add({
      namespace,
      labels: labelSet,
      ingress: scopes.ingress[row]!,
      egress: scopes.egress[row]!,
      podFirst: members.rows,
      podCount: own.length,
      facts: strings.id(JSON.stringify({ labels, ports })),
    });
    for (const pod of own) {
      members.add({ pod: pod.row });
      ofPod[pod.row] = row;
    }
  }
  for (let pod = 0; pod < podCount; pod++) pods.add({ identity: ofPod[pod] ?? NONE });
  return { table, members, pods };
}

function buildRules(
  cluster: Cluster,
  { identities, rows }: PolicySet,
  flowRules: readonly number[],
  strings: Strings,
) {
  const table = new TableBuilder(POLICY_RULES);
  const targets = new TableBuilder(POLICY_TARGETS);
  const peers = new TableBuilder(POLICY_PEERS);
  // Rules of one policy share their targets, entries of one rule their peers.
  const targetRuns = new Map<readonly Identity[], number>();
  const peerRuns = new Map<readonly Peer[], number>();
  const counts = (peer: Peer): number => {
    const { all, ofNamespace, ofLabelSet } = identities;
    if (peer.kind === PeerKind.IDENTITY) return podCount([all[peer.value]!]);
    if (peer.kind === PeerKind.NAMESPACE) return podCount(ofNamespace[peer.value]!);
    return peer.kind === PeerKind.LABELS ? podCount(ofLabelSet[peer.value]!) : 0;
  };
  for (const [number, row] of rows.entries()) {
    let targetFirst = 0;
    if (row.targets !== null) {
      targetFirst = targetRuns.get(row.targets) ?? targets.rows;
      if (!targetRuns.has(row.targets))
        for (const { row: identity } of row.targets) targets.add({ identity });
      targetRuns.set(row.targets, targetFirst);
    }
    const peerFirst = peerRuns.get(row.peers) ?? peers.rows;
    if (!peerRuns.has(row.peers)) for (const peer of row.peers) peers.add(peer);
    peerRuns.set(row.peers, peerFirst);
    table.add({
      rule: flowRules[number]!,
      namespace: row.namespace,
      targetFirst,
      targetCount: row.targets?.length ?? NONE,
      peerFirst,
      peerCount: row.peers.length,
      portFirst: row.portFirst,
      portLast: row.portLast,
      match: strings.id(matchText(cluster, row, counts)),
      effect: row.effect,
    });
  }
  return { table, targets, peers };
}

const PROTOCOLS: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };

/** The rule's many flows as one match: `tcp,nw_src={3 pods},nw_dst={2 pods},tp_dst=8080,reg1=0x3e9`. */
function matchText(cluster: Cluster, row: RuleRow, counts: (peer: Peer) => number): string {
  const isIngress = row.direction === 'ingress';
  const protocol = row.portFirst >>> 16;
  const isAll = protocol === 0;
  const parts = [isAll ? 'ip' : PROTOCOLS[protocol]!];
  const peer = peersText(cluster, row.peers, counts);
  const own = row.targets === null ? '' : manyText(podCount(row.targets));
  const [src, dst] = isIngress ? [peer, own] : [own, peer];
  if (src.startsWith('reg0')) parts.push(src);
  else if (src !== '') parts.push(`nw_src=${src}`);
  if (dst !== '') parts.push(`nw_dst=${dst}`);
  const [first, last] = [row.portFirst & 0xffff, row.portLast & 0xffff];
  if (!isAll && first === last) parts.push(`tp_dst=${first}`);
  else if (!isAll && last - first < 0xffff) parts.push(`tp_dst=${first}-${last}`);
  const vni = cluster.namespaces[row.namespace]?.vni;
  if (vni !== undefined) parts.push(`reg${isIngress ? 1 : 0}=${registerText(vni)}`);
  return parts.join(',');
}

/** ovs-ofctl writes 0 without 0x. */
const registerText = (value: number): string => (value === 0 ? '0' : `0x${value.toString(16)}`);

const manyText = (pods: number): string => `{${pods} ${pods === 1 ? 'pod' : 'pods'}}`;

function peersText(cluster: Cluster, peers: readonly Peer[], counts: (peer: Peer) => number): string {
  const [first] = peers;
  if (peers.some((peer) => peer.kind === PeerKind.ANY)) return '';
  // The SDN's flow for an empty namespaceSelector says nothing of the other end.
  if (cluster.policyMode === 'sdn' && peers.some((peer) => peer.kind === PeerKind.POD)) return '';
  if (first === undefined) return '{}';
  if (peers.length === 1 && first.kind === PeerKind.NETID) return `reg0=${registerText(first.value)}`;
  if (peers.length === 1 && first.kind === PeerKind.NETID_POD)
    return `reg0=${registerText(cluster.namespaces[first.value]!.vni)}`;
  const blocks = peers.filter((peer) => peer.kind === PeerKind.BLOCK);
  if (peers.length === 1 && blocks.length === 1)
    return formatPrefix({ base: first.value, length: first.length }).replace(/\/32$/, '');
  const words: string[] = [];
  const spaces = peers.filter((peer) => peer.kind === PeerKind.NETID || peer.kind === PeerKind.NETID_POD);
  const pods = peers.reduce((sum, peer) => sum + counts(peer), 0);
  if (pods > 0) words.push(manyText(pods).slice(1, -1));
  if (peers.some((peer) => peer.kind === PeerKind.POD)) words.push('every pod');
  if (peers.some((peer) => peer.kind === PeerKind.NODE)) words.push('own node');
  if (spaces.length > 0) words.push(`${spaces.length} NetIDs`);
  if (blocks.length > 0) words.push(`${blocks.length} blocks`);
  return `{${words.join(', ')}}`;
}
