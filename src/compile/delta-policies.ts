/** NetworkPolicies, and the pods among those that they tell apart, in a live table set. A pod that joins pods of its kind touches
 *  nothing but its own rows; what changes rules has them read anew, for identities and not for pods. */
import type { Cluster, Namespace, Pod } from '../model/cluster.js';
import type { NetworkPolicy } from '../model/policy.js';
import { NONE } from '../tables/nodes.js';
import { POLICY_IDENTITIES, type PolicyTables } from '../tables/policies.js';
import type { FlowDelta } from './delta-flows.js';
import { PolicyRulesDelta } from './delta-policy-rules.js';
import type { StringsDelta } from './delta-strings.js';
import type { LiveSet } from './live-set.js';
import {
  isolatedPodFlow,
  isolatingText,
  openNamespaceFlow,
  openNamespaceText,
  type PolicySet,
  policiesInForce,
  policyNames,
  readPolicies,
  readPolicySet,
} from './policy.js';
import { PolicyFlowCounts } from './policy-flow-counts.js';
import type { Identity } from './policy-identities.js';
import { DIRECTIONS, type Direction } from './policy-rules.js';

export class PolicyDelta {
  readonly #set: LiveSet;
  readonly #strings: StringsDelta;
  readonly #flows: FlowDelta;
  readonly #rules: PolicyRulesDelta;
  readonly #cluster: Pick<Cluster, 'namespaces' | 'policyMode' | 'mode'>;
  /** Of two namespaces with one NetID, one alone has the flows of both. */
  readonly #sharesNetIds: boolean;
  #policies: readonly NetworkPolicy[];
  #names: readonly string[];
  #read: PolicySet;
  /** Null where flows are not counted. */
  #counts: PolicyFlowCounts | null = null;
  /** Rules name single pods by address. */
  #namesPods = false;
  /** What was read does not hold any more. */
  #isStale = false;
  /** By row of the pod. */
  readonly #podOf: Pod[] = [];
  /** By row of the pod: the one before it in its identity's chain. */
  readonly #before: Uint32Array;

  /** `podRows`: rows of the pod table by podKey. */
  constructor(
    set: LiveSet,
    strings: StringsDelta,
    flows: FlowDelta,
    cluster: Cluster,
    podRows: ReadonlyMap<string, number>,
  ) {
    const { namespaces, mode, policyMode } = cluster;
    this.#set = set;
    this.#strings = strings;
    this.#flows = flows;
    this.#cluster = { namespaces, mode, policyMode };
    this.#sharesNetIds = new Set(namespaces.map(({ vni }) => vni)).size < namespaces.length;
    this.#policies = policiesInForce(cluster);
    this.#names = policyNames(this.#policies);
    this.#read = readPolicySet(cluster, podRows);
    this.#rules = new PolicyRulesDelta(set, strings, flows, this.#read.rows);
    this.#noteRead();
    for (const pod of cluster.pods) if (!pod.isHostNetwork) this.#podOf.push(pod);
    this.#before = new Uint32Array(this.#tables.pods.capacity).fill(NONE);
    const { next } = this.#tables.pods;
    for (let pod = 0; pod < this.#tables.pods.rows; pod++)
      if (next[pod] !== NONE) this.#before[next[pod]!] = pod;
  }

  get rows(): readonly (readonly [layout: unknown, rows: number])[] {
    return [[POLICY_IDENTITIES, this.#read.identities.all.length], ...this.#rules.rows];
  }

  /** These policies are in force from now on. */
  setPolicies(policies: readonly NetworkPolicy[]): boolean {
    if (this.#cluster.mode !== 'networkpolicy') return true;
    const { identities, isolatedBy } = this.#read;
    const splits = identities.askMore(policies, (row) => this.#podOf[row]!);
    for (const { from, to } of splits) {
      // So far they have the flows of those that they were.
      for (const direction of DIRECTIONS) isolatedBy[direction].push(isolatedBy[direction][from.row]!);
      if (!this.#init(to)) return false;
      for (const row of to.pods.keys()) {
        this.#unchain(from, row);
        this.#chain(to, row);
      }
    }
    this.#isStale = true;
    return this.#finish(policies);
  }

  /** The pod is in row `row` of the pod table now. False when that takes a whole compile. */
  join(row: number, pod: Pod): boolean {
    const { identities, isolatedBy } = this.#read;
    if (identities.namespaceRow(pod.namespace) < 0) return false;
    this.#podOf[row] = pod;
    let identity = identities.find(pod);
    if (identity === undefined) {
      identity = identities.add(pod);
      if (!this.#init(identity)) return false;
      for (const direction of DIRECTIONS) isolatedBy[direction].push([]);
      this.#isStale = true;
    }
    this.#noteChange(identity, 1);
    identity.pods.set(row, pod.address);
    this.#chain(identity, row);
    return this.#isolate(identity, pod.address, true);
  }

  /** The pod in row `row`, at `address`, goes, or is about to become another. */
  leave(row: number, address: number): boolean {
    const identity = this.#read.identities.all[this.#tables.pods.identity[row]!];
    if (identity === undefined) return false;
    this.#noteChange(identity, -1);
    identity.pods.delete(row);
    this.#unchain(identity, row);
    return this.#isolate(identity, address, false);
  }

  /** The pod in row `row` is another of the same identity: policies to come may ask for labels that tell them apart. */
  replace(row: number, pod: Pod): void {
    this.#podOf[row] = pod;
  }

  /** Would the pods be of one identity? */
  isSame(a: Pod, b: Pod): boolean {
    const { identities } = this.#read;
    return identities.find(a) === identities.find(b);
  }

  /** All pods have joined and left: read the policies anew if need be. */
  finish(): boolean {
    return this.#finish(this.#policies);
  }

  #finish(policies: readonly NetworkPolicy[]): boolean {
    if (!this.#isStale) return true;
    const { identities, podCount } = this.#read;
    const { namespaces, policyMode } = this.#cluster;
    identities.forgetSelected();
    const before = { read: this.#read, names: this.#names };
    this.#policies = policies;
    this.#names = policyNames(policies);
    this.#read = readPolicies({ namespaces, policyMode, policies }, identities, podCount);
    const scopes = this.#rules.write(this.#read, policies, namespaces);
    if (scopes === null || !this.#putIdentities(scopes)) return false;
    const isDone = DIRECTIONS.every((direction) => this.#reisolate(direction, before.read, before.names));
    this.#noteRead();
    this.#isStale = false;
    return isDone;
  }

  get #tables(): PolicyTables {
    return this.#set.tables.flows.policies;
  }

  #noteRead(): void {
    const counts = this.#cluster.policyMode === 'sdn';
    this.#counts = counts ? new PolicyFlowCounts(this.#read.identities, this.#policies) : null;
    this.#namesPods = this.#policies.some(({ egress }) =>
      egress.some(
        ({ peers, ports }) =>
          peers.some(({ kind }) => kind === 'block') && ports.some(({ port }) => typeof port === 'string'),
      ),
    );
  }

  /** Do rules change when the identity has so many pods more? */
  #noteChange(identity: Identity, by: number): void {
    if (this.#counts?.change(identity, by) === false) this.#isStale = true;
    if (this.#namesPods && identity.ports.length > 0) this.#isStale = true;
  }

  /** A row for an identity without pods. False when there is no room. */
  #init({ row }: Identity): boolean {
    const { identities } = this.#tables;
    if (row >= identities.capacity) return false;
    this.#set.set(identities.podFirst, row, NONE);
    this.#set.set(identities.podCount, row, 0);
    return true;
  }

  #chain(identity: Identity, row: number): void {
    const { pods, identities } = this.#tables;
    const first = identities.podFirst[identity.row]!;
    this.#set.set(pods.identity, row, identity.row);
    this.#set.set(pods.next, row, first);
    this.#before[row] = NONE;
    if (first !== NONE) this.#before[first] = row;
    this.#set.set(identities.podFirst, identity.row, row);
    this.#set.set(identities.podCount, identity.row, identities.podCount[identity.row]! + 1);
  }

  #unchain(identity: Identity, row: number): void {
    const { pods, identities } = this.#tables;
    const [before, next] = [this.#before[row]!, pods.next[row]!];
    if (before === NONE) this.#set.set(identities.podFirst, identity.row, next);
    else this.#set.set(pods.next, before, next);
    if (next !== NONE) this.#before[next] = before;
    this.#set.set(identities.podCount, identity.row, identities.podCount[identity.row]! - 1);
    this.#set.set(pods.identity, row, NONE);
    this.#set.set(pods.next, row, NONE);
  }

  #putIdentities(scopes: Readonly<Record<Direction, readonly number[]>>): boolean {
    const table = this.#tables.identities;
    const put = (column: Uint32Array, row: number, value: number): void => {
      if (column[row] !== value) this.#set.set(column, row, value);
    };
    for (const { row, namespace, labelSet, labels, ports } of this.#read.identities.all) {
      const facts = this.#strings.id(JSON.stringify({ labels, ports }));
      if (facts < 0) return false;
      put(table.namespace, row, namespace);
      put(table.labels, row, labelSet);
      put(table.ingress, row, scopes.ingress[row]!);
      put(table.egress, row, scopes.egress[row]!);
      put(table.facts, row, facts);
    }
    return true;
  }

  /** The string that an isolated pod of the identity has on its flow; empty when it has none. */
  #isolatingOf(
    direction: Direction,
    { row, namespace }: Identity,
    read: PolicySet,
    names: readonly string[],
  ) {
    const isolating = read.isolatedBy[direction][row] ?? [];
    return read.isWhole[direction][namespace] ? '' : isolatingText(names, isolating);
  }

  /** Put the flow that isolates a pod of the identity, or take it away. */
  #isolate(identity: Identity, address: number, isThere: boolean): boolean {
    return DIRECTIONS.every((direction) => {
      const text = this.#isolatingOf(direction, identity, this.#read, this.#names);
      return text === '' || this.#setIsolated(direction, identity, address, isThere ? text : '');
    });
  }

  /** `text`: who isolates the pod; empty: nobody any more. */
  #setIsolated(direction: Direction, identity: Identity, address: number, text: string): boolean {
    const { vni } = this.#cluster.namespaces[identity.namespace]!;
    const object = this.#strings.id(text);
    const flow = isolatedPodFlow(direction, vni, address, object);
    return text === '' ? this.#flows.remove(flow) : object >= 0 && this.#flows.add(flow) >= 0;
  }

  /** Bring the flows that isolate pods from what was read before to what is read now. */
  #reisolate(direction: Direction, before: PolicySet, names: readonly string[]): boolean {
    for (const identity of this.#read.identities.all) {
      const old = this.#isolatingOf(direction, identity, before, names);
      const fresh = this.#isolatingOf(direction, identity, this.#read, this.#names);
      if (old === fresh) continue;
      for (const address of identity.pods.values()) {
        if (old !== '' && !this.#setIsolated(direction, identity, address, '')) return false;
        if (fresh !== '' && !this.#setIsolated(direction, identity, address, fresh)) return false;
      }
    }
    return this.#cluster.namespaces.every((namespace, row) => {
      const isOpen = !this.#read.isWhole[direction][row];
      if (isOpen !== before.isWhole[direction][row]) return true;
      return !this.#sharesNetIds && this.#setOpen(direction, namespace, isOpen);
    });
  }

  #setOpen(direction: Direction, namespace: Namespace, isOpen: boolean): boolean {
    const object = this.#strings.id(openNamespaceText(namespace));
    const flow = openNamespaceFlow(direction, namespace.vni, object);
    return isOpen ? object >= 0 && this.#flows.add(flow) >= 0 : this.#flows.remove(flow);
  }
}
