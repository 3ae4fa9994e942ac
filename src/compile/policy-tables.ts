/** The tables of NetworkPolicies, drawn in tables/policies. */
import { TableBuilder } from '../layout/builder.js';
import type { Cluster } from '../model/cluster.js';
import { NONE } from '../tables/nodes.js';
import {
  Effect,
  POLICY_DOCUMENTS,
  POLICY_IDENTITIES,
  POLICY_ISOLATING,
  POLICY_NAMESPACES,
  POLICY_PEERS,
  POLICY_PODS,
  POLICY_RULES,
  POLICY_SCOPES,
  POLICY_TARGETS,
} from '../tables/policies.js';
import type { PolicySet } from './policy.js';
import type { Identity } from './policy-identities.js';
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
  const rules = buildRules(set, flowRules);
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
export function buildScopes({ identities, rows, isolatedBy }: PolicySet) {
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
  const pods = new TableBuilder(POLICY_PODS);
  for (let pod = 0; pod < podCount; pod++) pods.add({ identity: NONE, next: NONE });
  for (const { row, namespace, labelSet, labels, ports, pods: own } of identities.all) {
    const rows = [...own.keys()];
    table.add({
      namespace,
      labels: labelSet,
      ingress: scopes.ingress[row]!,
      egress: scopes.egress[row]!,
      podFirst: rows[0] ?? NONE,
      podCount: rows.length,
      facts: strings.id(JSON.stringify({ labels, ports })),
    });
    for (const [i, pod] of rows.entries()) {
      pods.set(pod, 'identity', row);
      pods.set(pod, 'next', rows[i + 1] ?? NONE);
    }
  }
  return { table, pods };
}

export function buildRules({ rows }: Pick<PolicySet, 'rows'>, flowRules: readonly number[]) {
  const table = new TableBuilder(POLICY_RULES);
  const targets = new TableBuilder(POLICY_TARGETS);
  const peers = new TableBuilder(POLICY_PEERS);
  // Rules of one policy share their targets, entries of one rule their peers.
  const targetRuns = new Map<readonly Identity[], number>();
  const peerRuns = new Map<readonly Peer[], number>();
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
      effect: row.effect,
    });
  }
  return { table, targets, peers };
}
