/** Puts pods that no NetworkPolicy of the cluster can tell apart into one identity: same namespace, same values of the
 *  labels that some selector asks for, same numbers behind the port names that some rule uses. */
import type { Cluster, ContainerPort, Namespace, Pod, Protocol } from '../model/cluster.js';
import type { LabelSelector, NetworkPolicy } from '../model/policy.js';
import { podKey } from './nodes.js';
import { selects, selectsEverything } from './selector.js';

export interface Identity {
  readonly row: number;
  /** Row of the namespace. */
  readonly namespace: number;
  /** Number of its set of labels and ports, the same in all namespaces. */
  labelSet: number;
  /** Those of the pods' labels that selectors ask for. */
  labels: Readonly<Record<string, string>>;
  /** Those of the pods' ports whose names rules use. */
  ports: readonly ContainerPort[];
  /** Their addresses, by row of the pod table. */
  readonly pods: Map<number, number>;
}

export class Identities {
  readonly all: Identity[] = [];
  /** By row of the namespace. */
  readonly ofNamespace: readonly Identity[][];
  #keys: readonly string[];
  #names: ReadonlySet<string>;
  readonly #byFacts = new Map<string, Identity>();
  readonly #labelSets = new Map<string, number>();
  readonly #namespaces: readonly Namespace[];
  readonly #rows: ReadonlyMap<string, number>;
  /** By number of a set of labels: those who have it. */
  readonly ofLabelSet: Identity[][] = [];
  /** What was selected before, as many policies ask alike. */
  readonly #selected = new Map<string, readonly Identity[]>();
  readonly #selectedNamespaces = new Map<string, readonly number[]>();
  readonly #byNamedPort = new Map<string, ReadonlyMap<number, readonly Identity[]>>();

  /** `podRows`: rows of the pod table by podKey. */
  constructor(cluster: Cluster, podRows: ReadonlyMap<string, number>) {
    this.#namespaces = cluster.namespaces;
    this.#rows = new Map(cluster.namespaces.map((namespace, row) => [namespace.name, row]));
    const { keys, names } = whatPoliciesAskFor(cluster.policies);
    this.#keys = keys;
    this.#names = names;
    this.ofNamespace = cluster.namespaces.map(() => []);
    for (const pod of cluster.pods) {
      if (pod.isHostNetwork || !this.#rows.has(pod.namespace)) continue;
      const identity = this.find(pod) ?? this.add(pod);
      identity.pods.set(podRows.get(podKey(pod))!, pod.address);
    }
  }

  /** Identity of a pod of a known namespace, if one is there. */
  find(pod: Pod): Identity | undefined {
    return this.#byFacts.get(`${this.#rows.get(pod.namespace)} ${factsOf(this.#askedOf(pod))}`);
  }

  /** The labels and ports of the pod that policies ask for. */
  #askedOf(pod: Pod): Pick<Identity, 'labels' | 'ports'> {
    return {
      labels: askedLabels(pod, this.#keys),
      ports: pod.ports.filter((port) => this.#names.has(port.name)),
    };
  }

  /** An identity, without pods, for a pod whose identity is not there yet. */
  add(pod: Pod): Identity {
    const namespace = this.#rows.get(pod.namespace)!;
    const { labels, ports } = this.#askedOf(pod);
    const identity = { row: this.all.length, namespace, labelSet: 0, labels, ports, pods: new Map() };
    this.all.push(identity);
    this.#register(identity);
    return identity;
  }

  /** Whoever selects now selects among all that are there now. */
  forgetSelected(): void {
    this.#selected.clear();
    this.#byNamedPort.clear();
  }

  /** Policies came that may ask for more: tell apart whom they tell apart. `podOf`: pod by row of the pod table. Those that
   *  stay apart though no policy asks any more do no harm. Returns the identities that were split off, and from which. */
  askMore(
    policies: readonly NetworkPolicy[],
    podOf: (row: number) => Pod,
  ): readonly { readonly from: Identity; readonly to: Identity }[] {
    const { keys, names } = whatPoliciesAskFor(policies);
    const isKnown =
      keys.every((key) => this.#keys.includes(key)) && [...names].every((n) => this.#names.has(n));
    if (isKnown) return [];
    this.#keys = [...new Set([...this.#keys, ...keys])].sort();
    this.#names = new Set([...this.#names, ...names]);
    this.#byFacts.clear();
    this.#labelSets.clear();
    this.ofLabelSet.length = 0;
    for (const list of this.ofNamespace) list.length = 0;
    const splits: { from: Identity; to: Identity }[] = [];
    for (const from of [...this.all]) {
      // One without pods is nobody's any more.
      const own = [...from.pods];
      for (const [i, [row, address]] of own.entries()) {
        const pod = podOf(row);
        let to = this.find(pod);
        if (to === undefined && i === 0) {
          Object.assign(from, this.#askedOf(pod));
          this.#register(from);
          to = from;
        }
        if (to === undefined) {
          to = this.add(pod);
          splits.push({ from, to });
        }
        if (to === from) continue;
        from.pods.delete(row);
        to.pods.set(row, address);
      }
    }
    return splits;
  }

  #register(identity: Identity): void {
    const facts = factsOf(identity);
    const labelSet = this.#labelSets.get(facts) ?? this.#labelSets.size;
    this.#labelSets.set(facts, labelSet);
    identity.labelSet = labelSet;
    this.#byFacts.set(`${identity.namespace} ${facts}`, identity);
    if (this.ofLabelSet.length === labelSet) this.ofLabelSet.push([]);
    this.ofLabelSet[labelSet]!.push(identity);
    this.ofNamespace[identity.namespace]!.push(identity);
  }

  /** Row of a namespace, or -1. */
  namespaceRow(name: string): number {
    return this.#rows.get(name) ?? -1;
  }

  /** Identities of a namespace that the selector selects. */
  select(namespace: number, selector: LabelSelector): readonly Identity[] {
    if (selectsEverything(selector)) return this.ofNamespace[namespace]!;
    const key = `${namespace} ${JSON.stringify(selector)}`;
    const known = this.#selected.get(key);
    if (known !== undefined) return known;
    const found = this.ofNamespace[namespace]!.filter((identity) => selects(selector, identity.labels));
    this.#selected.set(key, found);
    return found;
  }

  /** Who has a port of that name, by the number behind it. */
  byNamedPort(name: string, protocol: Protocol): ReadonlyMap<number, readonly Identity[]> {
    const key = `${protocol} ${name}`;
    const known = this.#byNamedPort.get(key);
    if (known !== undefined) return known;
    const found = new Map<number, Identity[]>();
    for (const identity of this.all) {
      const number = namedPort(identity, name, protocol);
      if (number < 0) continue;
      const list = found.get(number);
      if (list === undefined) found.set(number, [identity]);
      else list.push(identity);
    }
    this.#byNamedPort.set(key, found);
    return found;
  }

  /** Numbers of the sets of labels that the selector selects. */
  selectLabelSets(selector: LabelSelector): readonly number[] {
    return this.ofLabelSet.flatMap(([one], set) => (selects(selector, one!.labels) ? [set] : []));
  }

  /** Rows of the namespaces that the selector selects. */
  selectNamespaces(selector: LabelSelector): readonly number[] {
    const key = JSON.stringify(selector);
    const known = this.#selectedNamespaces.get(key);
    if (known !== undefined) return known;
    const found = this.#namespaces.flatMap((namespace, row) =>
      selects(selector, namespace.labels) ? [row] : [],
    );
    this.#selectedNamespaces.set(key, found);
    return found;
  }
}

const factsOf = ({ labels, ports }: Pick<Identity, 'labels' | 'ports'>): string =>
  JSON.stringify([labels, ports]);

/** Pods of all of them together. */
export const podCount = (identities: readonly Identity[]): number =>
  identities.reduce((sum, { pods }) => sum + pods.size, 0);

/** The number behind a port's name, or -1. Of two with one name the first counts (kubernetes pkg/api/v1/pod FindPort). */
const namedPort = (identity: Identity, name: string, protocol: Protocol): number =>
  identity.ports.find((port) => port.name === name && port.protocol === protocol)?.port ?? -1;

/** Label keys of all selectors of pods, and names of ports. */
function whatPoliciesAskFor(policies: readonly NetworkPolicy[]): {
  keys: readonly string[];
  names: ReadonlySet<string>;
} {
  const keys = new Set<string>();
  const names = new Set<string>();
  const ask = (selector: LabelSelector | null): void => {
    for (const key of Object.keys(selector?.matchLabels ?? {})) keys.add(key);
    for (const { key } of selector?.matchExpressions ?? []) keys.add(key);
  };
  for (const policy of policies) {
    ask(policy.podSelector);
    for (const rule of [...policy.ingress, ...policy.egress]) {
      for (const peer of rule.peers) if (peer.kind === 'pods') ask(peer.podSelector);
      for (const { port } of rule.ports) if (typeof port === 'string') names.add(port);
    }
  }
  return { keys: [...keys].sort(), names };
}

function askedLabels(pod: Pod, keys: readonly string[]): Record<string, string> {
  const own: Record<string, string> = {};
  for (const key of keys) if (Object.hasOwn(pod.labels, key)) own[key] = pod.labels[key]!;
  return own;
}
