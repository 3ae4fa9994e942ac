/** NetworkPolicies of a cluster: their rules' rows, who is isolated by which, and the flows of tables 27 and 80 that come
 *  of it. Source: openshift/sdn pkg/network/node/networkpolicy.go. */
import type { Cluster, Namespace } from '../model/cluster.js';
import type { NetworkPolicy } from '../model/policy.js';
import { EGRESS_TABLE, Op } from '../tables/flows.js';
import { NONE } from '../tables/nodes.js';
import { Effect } from '../tables/policies.js';
import { Quirk } from '../verdict/quirks.js';
import { Reason } from '../verdict/reasons.js';
import type { Action, Flow } from './flow-builder.js';
import { type Fields, host, ip } from './match.js';
import { apiRows } from './policy-api.js';
import { Identities, type Identity } from './policy-identities.js';
import { ALL_PORTS, DIRECTIONS, type Direction, OWN_NODE, type RuleRow } from './policy-rules.js';
import { sdnRows } from './policy-sdn.js';
import { selectsEverything } from './selector.js';
import type { Strings } from './strings.js';

/** Per direction: which table, what an allowed packet does next. */
const SIDE = {
  ingress: { table: 80, allow: [[Op.OutputReg2, 0]] as readonly Action[], reason: Reason.PolicyIngress },
  egress: {
    table: EGRESS_TABLE,
    allow: [[Op.Goto, 30]] as readonly Action[],
    reason: Reason.PolicyEgress,
  },
} as const;

const DROP: readonly Action[] = [[Op.Drop, 0]];

export interface PolicySet {
  /** Rows of the pod table. */
  readonly podCount: number;
  readonly identities: Identities;
  readonly rows: readonly RuleRow[];
  /** By direction, then by row of the identity: numbers of the policies that isolate it. */
  readonly isolatedBy: Readonly<Record<Direction, (readonly number[])[]>>;
  /** By direction, then by row of the namespace: does a policy isolate all that is in it? */
  readonly isWhole: Readonly<Record<Direction, readonly boolean[]>>;
}

/** Read all policies; none in the plugin modes that know no NetworkPolicy. `podRows`: rows of the pod table by podKey. */
export function readPolicySet(cluster: Cluster, podRows: ReadonlyMap<string, number>): PolicySet {
  const policies = policiesInForce(cluster);
  return readPolicies(
    { ...cluster, policies },
    new Identities({ ...cluster, policies }, podRows),
    podRows.size,
  );
}

export const policiesInForce = (cluster: Pick<Cluster, 'mode' | 'policies'>): readonly NetworkPolicy[] =>
  cluster.mode === 'networkpolicy' ? cluster.policies : [];

/** Read policies for pods whose identities are known. */
export function readPolicies(
  cluster: Pick<Cluster, 'namespaces' | 'policies' | 'policyMode'>,
  identities: Identities,
  podCount: number,
): PolicySet {
  const { policies } = cluster;
  const rows: RuleRow[] = [];
  const isolatedBy = { ingress: listPer(identities.all), egress: listPer(identities.all) };
  const isWhole = {
    ingress: cluster.namespaces.map(() => false),
    egress: cluster.namespaces.map(() => false),
  };
  for (const [number, policy] of policies.entries()) {
    const namespace = identities.namespaceRow(policy.namespace);
    if (namespace < 0) continue;
    const isForAll = selectsEverything(policy.podSelector);
    const selected = identities.select(namespace, policy.podSelector);
    for (const direction of directionsOf(policy)) {
      for (const identity of selected) isolatedBy[direction][identity.row]!.push(number);
      if (isForAll) isWhole[direction][namespace] = true;
    }
    const targets = isForAll ? null : selected;
    if (cluster.policyMode === 'sdn')
      for (const row of sdnRows(identities, cluster.namespaces, policy, namespace, targets)) rows.push(row);
    else
      for (const direction of directionsOf(policy))
        for (const row of apiRows(identities, policy, direction, namespace, targets)) rows.push(row);
  }
  for (const direction of DIRECTIONS) {
    const isolated = identities.all.filter(({ row }) => isolatedBy[direction][row]!.length > 0);
    if (isolated.length > 0) rows.push(ownNodeRow(direction, isolated, cluster.policyMode === 'api'));
  }
  return { podCount, identities, rows, isolatedBy, isWhole };
}

const listPer = (identities: readonly Identity[]): number[][] => identities.map(() => []);

const directionsOf = (policy: NetworkPolicy): readonly Direction[] =>
  DIRECTIONS.filter((direction) => (direction === 'ingress' ? policy.hasIngress : policy.hasEgress));

/** Traffic with the node that a pod runs on is always allowed (Kubernetes, Network Policies); upstream's flows do that for
 *  the gateway's address as the source alone, at priority 300. */
const ownNodeRow = (direction: Direction, targets: readonly Identity[], stands: boolean): RuleRow => ({
  direction,
  namespace: NONE,
  object: `Node, the pod's own (${direction})`,
  targets,
  peers: [OWN_NODE],
  portFirst: ALL_PORTS[0],
  portLast: ALL_PORTS[1],
  effect: stands ? Effect.Stands : Effect.LeftOut,
  quirk: stands ? Quirk.None : Quirk.OwnNode,
});

/** Flows of every namespace; which pods are on which node does not matter, since only these can set the register. */
export function* policyFlows(cluster: Cluster, set: PolicySet, strings: Strings): Generator<Flow> {
  const names = policyNames(cluster.policies);
  for (const direction of DIRECTIONS)
    for (const [row, namespace] of cluster.namespaces.entries())
      if (!set.isWhole[direction][row])
        yield* isolationFlows(set, set.identities.ofNamespace[row]!, namespace, direction, names, strings);
  for (const [number, row] of set.rows.entries()) yield ruleFlow(row, number, strings.id(row.object));
}

/** The flow that stands for a rule in row `number` of PLR1. */
export function ruleFlow(row: RuleRow, number: number, object: number): Flow {
  const { table, allow } = SIDE[row.direction];
  return {
    table,
    priority: 150,
    node: NONE,
    match: ip({ policyRule: number }),
    actions: row.effect === Effect.LeftOut ? DROP : allow,
    object,
    quirk: row.quirk,
  };
}

const policedBy = (direction: Direction, vni: number): Fields =>
  direction === 'ingress' ? { reg1: vni } : { reg0: vni };

/** A pod that is isolated in a namespace where not all are. `object`: string that names the policies. */
export function isolatedPodFlow(direction: Direction, vni: number, address: number, object: number): Flow {
  const { table, reason } = SIDE[direction];
  const target: Fields = direction === 'ingress' ? { nwDst: host(address) } : { nwSrc: host(address) };
  const match = ip({ ...policedBy(direction, vni), ...target });
  return { table, priority: 100, node: NONE, match, actions: DROP, reason, object };
}

/** Names of policies, as an isolated pod's flow has them. */
export const isolatingText = (names: readonly string[], isolating: readonly number[]): string =>
  isolating.map((number) => names[number]!).join(', ');

export const policyNames = (policies: readonly NetworkPolicy[]): readonly string[] =>
  policies.map(({ namespace, name }) => `NetworkPolicy ${namespace}/${name}`);

/** Some pods of the namespace are isolated, the others take everything. */
function* isolationFlows(
  set: PolicySet,
  identities: readonly Identity[],
  namespace: Namespace,
  direction: Direction,
  names: readonly string[],
  strings: Strings,
): Generator<Flow> {
  for (const identity of identities) {
    const isolating = set.isolatedBy[direction][identity.row]!;
    if (isolating.length === 0) continue;
    const object = strings.id(isolatingText(names, isolating));
    for (const address of identity.pods.values())
      yield isolatedPodFlow(direction, namespace.vni, address, object);
  }
  yield openNamespaceFlow(direction, namespace.vni, strings.id(openNamespaceText(namespace)));
}

export const openNamespaceText = ({ name }: Namespace): string => `Namespace ${name} (not isolated)`;

/** What is not isolated in a namespace where not all are. */
export function openNamespaceFlow(direction: Direction, vni: number, object: number): Flow {
  const { table, allow } = SIDE[direction];
  const match = ip(policedBy(direction, vni));
  return { table, priority: 50, node: NONE, match, actions: allow, object };
}
