/** Pods that come and go among those that NetworkPolicies tell apart, in a live table set. */
import type { Cluster, Pod } from '../model/cluster.js';
import type { LabelSelector, NetworkPolicy } from '../model/policy.js';
import { NONE } from '../tables/nodes.js';
import { POLICY_IDENTITIES, type PolicyTables } from '../tables/policies.js';
import type { FlowDelta } from './delta-flows.js';
import type { StringsDelta } from './delta-strings.js';
import type { LiveSet } from './live-set.js';
import { isolatedPodFlow, isolatingText, type PolicySet, policyNames, readPolicySet } from './policy.js';
import { PolicyFlowCounts } from './policy-flow-counts.js';
import type { Identity } from './policy-identities.js';
import { DIRECTIONS } from './policy-rules.js';
import { selects, selectsEverything } from './selector.js';

export class PolicyDelta {
  readonly #set: LiveSet;
  readonly #strings: StringsDelta;
  readonly #flows: FlowDelta;
  readonly #cluster: Pick<Cluster, 'namespaces'>;
  readonly #policies: readonly NetworkPolicy[];
  readonly #names: readonly string[];
  readonly #read: PolicySet;
  /** By row of the pod: the one before it in its identity's chain. */
  readonly #before: Uint32Array;
  /** Null where flows are not counted. */
  readonly #counts: PolicyFlowCounts | null;
  /** Rules name single pods by address. */
  readonly #namesPods: boolean;
  #identities: number;

  /** `podRows`: rows of the pod table by podKey. */
  constructor(
    set: LiveSet,
    strings: StringsDelta,
    flows: FlowDelta,
    cluster: Cluster,
    podRows: ReadonlyMap<string, number>,
  ) {
    this.#set = set;
    this.#strings = strings;
    this.#flows = flows;
    this.#cluster = { namespaces: cluster.namespaces };
    this.#policies = cluster.mode === 'networkpolicy' ? cluster.policies : [];
    this.#names = policyNames(cluster);
    this.#read = readPolicySet(cluster, podRows);
    this.#counts =
      cluster.policyMode === 'sdn' ? new PolicyFlowCounts(this.#read.identities, this.#policies) : null;
    this.#namesPods = this.#policies.some(({ egress }) =>
      egress.some(
        ({ peers, ports }) =>
          peers.some(({ kind }) => kind === 'block') && ports.some(({ port }) => typeof port === 'string'),
      ),
    );
    this.#identities = this.#tables.identities.rows;
    this.#before = new Uint32Array(this.#tables.pods.capacity).fill(NONE);
    const { next } = this.#tables.pods;
    for (let pod = 0; pod < this.#tables.pods.rows; pod++)
      if (next[pod] !== NONE) this.#before[next[pod]!] = pod;
  }

  get rows(): readonly (readonly [layout: unknown, rows: number])[] {
    return [[POLICY_IDENTITIES, this.#identities]];
  }

  /** The pod is in row `row` of the pod table now. False when that takes a whole compile. */
  join(row: number, pod: Pod): boolean {
    const identity = this.#read.identities.find(pod) ?? this.#addIdentity(pod);
    if (identity === null || !this.#isPlain(identity)) return false;
    const { pods, identities } = this.#tables;
    const first = identities.podFirst[identity.row]!;
    this.#set.set(pods.identity, row, identity.row);
    this.#set.set(pods.next, row, first);
    this.#before[row] = NONE;
    if (first !== NONE) this.#before[first] = row;
    this.#set.set(identities.podFirst, identity.row, row);
    this.#set.set(identities.podCount, identity.row, identities.podCount[identity.row]! + 1);
    identity.pods.set(row, pod.address);
    if (this.#counts?.change(identity, 1) === false) return false;
    return this.#isolate(identity, pod.address, true);
  }

  /** The pod in row `row`, at `address`, goes, or is about to become another. */
  leave(row: number, address: number): boolean {
    const { pods, identities } = this.#tables;
    const identity = this.#read.identities.all[pods.identity[row]!];
    if (identity === undefined || !this.#isPlain(identity)) return false;
    const [before, next] = [this.#before[row]!, pods.next[row]!];
    if (before === NONE) this.#set.set(identities.podFirst, identity.row, next);
    else this.#set.set(pods.next, before, next);
    if (next !== NONE) this.#before[next] = before;
    this.#set.set(identities.podCount, identity.row, identities.podCount[identity.row]! - 1);
    this.#set.set(pods.identity, row, NONE);
    this.#set.set(pods.next, row, NONE);
    identity.pods.delete(row);
    if (this.#counts?.change(identity, -1) === false) return false;
    return this.#isolate(identity, address, false);
  }

  /** Would the pods be of one identity? */
  isSame(a: Pod, b: Pod): boolean {
    const { identities } = this.#read;
    return identities.find(a) === identities.find(b);
  }

  get #tables(): PolicyTables {
    return this.#set.tables.flows.policies;
  }

  #isPlain({ ports }: Identity): boolean {
    return !this.#namesPods || ports.length === 0;
  }

  /** Put the flows that isolate a pod of the identity, or take them away. */
  #isolate(identity: Identity, address: number, isThere: boolean): boolean {
    const { isolatedBy, isWhole } = this.#read;
    return DIRECTIONS.every((direction) => {
      const isolating = isolatedBy[direction][identity.row]!;
      if (isolating.length === 0 || isWhole[direction][identity.namespace]) return true;
      const object = this.#strings.id(isolatingText(this.#names, isolating));
      const { vni } = this.#cluster.namespaces[identity.namespace]!;
      const flow = isolatedPodFlow(direction, vni, address, object);
      return object >= 0 && (isThere ? this.#flows.add(flow) >= 0 : this.#flows.remove(flow));
    });
  }

  /** An identity that policies say nothing of; null for another, or when there is no room. */
  #addIdentity(pod: Pod): Identity | null {
    const { identities, isolatedBy } = this.#read;
    const table = this.#tables.identities;
    if (identities.namespaceRow(pod.namespace) < 0 || this.#identities === table.capacity) return null;
    if (this.#policies.some((policy) => speaksOf(policy, pod))) return null;
    const identity = identities.add(pod);
    for (const direction of DIRECTIONS) isolatedBy[direction].push([]);
    this.#counts?.add(identity);
    const { labels, ports } = identity;
    const facts = this.#strings.id(JSON.stringify({ labels, ports }));
    if (facts < 0) return null;
    const row = this.#identities++;
    this.#set.set(table.namespace, row, identity.namespace);
    this.#set.set(table.labels, row, identity.labelSet);
    this.#set.set(table.ingress, row, NONE);
    this.#set.set(table.egress, row, NONE);
    this.#set.set(table.podFirst, row, NONE);
    this.#set.set(table.podCount, row, 0);
    this.#set.set(table.facts, row, facts);
    return identity;
  }
}

/** Does the policy police the pod, name one of its ports, or select pods as it is one? Whole namespaces do not count. */
function speaksOf(policy: NetworkPolicy, pod: Pod): boolean {
  if (policy.namespace === pod.namespace && selects(policy.podSelector, pod.labels)) return true;
  return [...policy.ingress, ...policy.egress].some(
    ({ peers, ports }) =>
      peers.some((peer) => peer.kind === 'pods' && selectsSome(peer.podSelector, pod)) ||
      ports.some(({ port }) => pod.ports.some(({ name }) => name === port)),
  );
}

const selectsSome = (selector: LabelSelector | null, pod: Pod): boolean =>
  selector !== null && !selectsEverything(selector) && selects(selector, pod.labels);
