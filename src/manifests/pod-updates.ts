/** Pods that come, change and go, one at a time: what the model has of them, and the notes that count them. */
import type { Node, Pod } from '../model/cluster.js';
import type { BuiltCluster } from './build-cluster.js';
import { byNamespaceAndName, type Entry } from './inventory.js';
import type { KnownNamespaces } from './known-namespaces.js';
import { Notes } from './notes.js';
import { isNowhere, isPodAddress, type PodRecord, readPodOf } from './pods.js';

/** What became of a pod; null: it is not on the network. */
export interface PodUpdate {
  readonly before: PodRecord | null;
  readonly after: PodRecord | null;
}

export class PodUpdates {
  readonly #built: BuiltCluster;
  readonly #pods: Map<string, Pod>;
  /** The same, sorted; null until somebody asks. */
  #sorted: readonly Pod[] | null;
  readonly #byAddress = new Map<number, string>();
  readonly #nodes: ReadonlyMap<string, Node>;
  readonly #nodeNames: ReadonlySet<string>;
  readonly #namespaces: KnownNamespaces;
  readonly #notes: Notes;

  /** `nodeNames`: those that objects name. `notes` are kept up to date here. */
  constructor(
    built: BuiltCluster,
    nodeNames: ReadonlySet<string>,
    namespaces: KnownNamespaces,
    notes: Notes,
  ) {
    const { cluster } = built;
    this.#built = built;
    this.#sorted = cluster.pods;
    this.#pods = new Map(cluster.pods.map((pod) => [keyOf(pod), pod]));
    this.#nodes = new Map(cluster.nodes.map((node) => [node.name, node]));
    this.#nodeNames = nodeNames;
    this.#namespaces = namespaces;
    this.#notes = notes;
    for (const pod of cluster.pods) if (!pod.isHostNetwork) this.#byAddress.set(pod.address, keyOf(pod));
  }

  /** All pods as they are now, sorted by namespace and name. */
  get pods(): readonly Pod[] {
    this.#sorted ??= [...this.#pods.values()].sort(byNamespaceAndName);
    return this.#sorted;
  }

  /** Take the change of a pod's object. Null, and nothing taken, when more than this pod may differ, or something is wrong. */
  take(before: Entry<'Pod'> | null, after: Entry<'Pod'> | null): PodUpdate | null {
    const notes = { before: new Notes(), after: new Notes() };
    const old = before === null ? null : readPodOf(before, this.#nodes, notes.before);
    const fresh = after === null ? null : readPodOf(after, this.#nodes, notes.after);
    if (after === null ? !this.#namespaces.isKept(before!.namespace) : !this.#fits(after, fresh)) return null;
    this.#notes.replace(notes.before, notes.after);
    if (old !== null) this.#remove(old.pod);
    if (fresh !== null) this.#add(fresh);
    return { before: old, after: fresh };
  }

  #fits(entry: Entry<'Pod'>, record: PodRecord | null): boolean {
    if (!this.#namespaces.has(entry.namespace) || isNowhere(entry, this.#nodeNames)) return false;
    if (record === null || record.pod.isHostNetwork) return true;
    const { pod } = record;
    const other = this.#byAddress.get(pod.address);
    if (other !== undefined && other !== keyOf(pod)) return false;
    return isPodAddress(pod.address, this.#nodes.get(pod.node)!);
  }

  #remove(pod: Pod): void {
    if (!pod.isHostNetwork) this.#byAddress.delete(pod.address);
    this.#pods.delete(keyOf(pod));
    this.#sorted = null;
    this.#built.endpoints.removePod(pod);
  }

  #add(record: PodRecord): void {
    const { pod } = record;
    if (!pod.isHostNetwork) this.#byAddress.set(pod.address, keyOf(pod));
    this.#pods.set(keyOf(pod), pod);
    this.#sorted = null;
    this.#built.endpoints.putPod(record);
  }
}

const keyOf = (pod: { readonly namespace: string; readonly name: string }): string =>
  `${pod.namespace}/${pod.name}`;
