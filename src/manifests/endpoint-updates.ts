/** Changes that touch nothing but Services' endpoints, which are most of a cluster's: EndpointSlices, Endpoints and the
 *  readiness of pods. They are taken in place, and cost no more in a large cluster than in a small one. */
import type { ModelChange, ServiceChange } from '../model/change.js';
import type { Cluster, Node, Pod } from '../model/cluster.js';
import type { Endpoint, Service } from '../model/service.js';
import type { BuiltCluster } from './build-cluster.js';
import { isSelected } from './derive.js';
import { checkSlice, isIpv4, serviceOfSlice } from './endpoints.js';
import type { Entry } from './inventory.js';
import { Notes } from './notes.js';
import type { ReadObject } from './object-reader.js';
import { type PodRecord, readPodOnNode } from './pods.js';
import { ProblemList } from './problems.js';

interface Place<Item> {
  readonly item: Item;
  /** In the model's list. */
  readonly index: number;
}

export class EndpointUpdates {
  readonly #built: BuiltCluster;
  /** Pods are not those of the objects alone. */
  readonly #isExpanded: boolean;
  readonly #services: Service[];
  readonly #pods: Pod[];
  readonly #serviceAt = new Map<string, Place<Entry<'Service'>>>();
  readonly #podAt: ReadonlyMap<string, number>;
  readonly #nodes: ReadonlyMap<string, Node>;
  readonly #servicesOf = new Map<string, string[]>();
  #model: Cluster | null = null;

  constructor(built: BuiltCluster, services: readonly Entry<'Service'>[], isExpanded: boolean) {
    this.#built = built;
    this.#isExpanded = isExpanded;
    this.#services = [...built.cluster.services];
    this.#pods = [...built.cluster.pods];
    this.#nodes = new Map(built.cluster.nodes.map((node) => [node.name, node]));
    const entries = new Map(services.map((entry) => [keyOf(entry), entry]));
    for (const [index, service] of this.#services.entries()) {
      const key = keyOf(service);
      this.#serviceAt.set(key, { item: entries.get(key)!, index });
      const list = this.#servicesOf.get(service.namespace) ?? [];
      this.#servicesOf.set(service.namespace, list);
      list.push(key);
    }
    this.#podAt = new Map(this.#pods.map((pod, index) => [keyOf(pod), index]));
  }

  /** The model with all changes taken so far. */
  modelOf(cluster: Cluster): Cluster {
    this.#model ??= { ...cluster, services: [...this.#services], pods: [...this.#pods] };
    return this.#model;
  }

  /** Take the change from `before` to `after`. Null, and nothing taken, when more than endpoints may differ.
   *  @throws InputError when `after` names what is no address. */
  take(before: ReadObject | undefined, after: ReadObject | undefined): ModelChange {
    // Deleted, but never there.
    if (before === undefined && after === undefined) return [];
    const touched = this.#touched(before, after);
    if (touched === null) return null;
    const changes: ServiceChange[] = [];
    for (const key of touched) {
      const change = this.#refresh(this.#serviceAt.get(key)!);
      if (change !== null) changes.push(change);
    }
    if (changes.length > 0) this.#model = null;
    return changes;
  }

  /** Keys of the Services that the change may reach; their source knows it already. */
  #touched(before: ReadObject | undefined, after: ReadObject | undefined): readonly string[] | null {
    switch ((after ?? before)?.kind) {
      case 'EndpointSlice':
        return this.#takeSlice(entryOf<'EndpointSlice'>(before), entryOf<'EndpointSlice'>(after));
      case 'Endpoints':
        return this.#takeEndpoints(entryOf<'Endpoints'>(before), entryOf<'Endpoints'>(after));
      case 'Pod':
        return this.#takePod(entryOf<'Pod'>(before), entryOf<'Pod'>(after));
      default:
        return null;
    }
  }

  #takeSlice(
    before: Entry<'EndpointSlice'> | null,
    after: Entry<'EndpointSlice'> | null,
  ): readonly string[] | null {
    const slices = [before, after].filter((slice) => slice !== null);
    const keys = new Set(slices.map(serviceOfSlice));
    for (const key of keys) if (key === null || !this.#serviceAt.has(key)) return null;
    if (slices.some((slice) => !isIpv4(slice.value))) return null;
    const problems = new ProblemList();
    if (after !== null) checkSlice(after, problems);
    problems.throwIfAny();
    this.#built.endpoints.replaceSlice(before, after);
    return [...keys] as string[];
  }

  #takeEndpoints(before: Entry<'Endpoints'> | null, after: Entry<'Endpoints'> | null): string[] | null {
    const key = keyOf((after ?? before)!);
    if (!this.#serviceAt.has(key)) return null;
    this.#built.endpoints.replaceObject(key, after);
    return [key];
  }

  /** Only readiness and the end of a pod are endpoints' business alone. */
  #takePod(before: Entry<'Pod'> | null, after: Entry<'Pod'> | null): readonly string[] | null {
    if (before === null || after === null || this.#isExpanded) return null;
    const index = this.#podAt.get(keyOf(after));
    const old = index === undefined ? null : this.#read(before);
    const fresh = index === undefined ? null : this.#read(after);
    if (old === null || fresh === null || restOf(old) !== restOf(fresh)) return null;
    this.#pods[index!] = fresh.record.pod;
    this.#model = null;
    this.#built.endpoints.replacePod(fresh.record);
    const { endpoints } = this.#built;
    return (this.#servicesOf.get(after.namespace) ?? []).filter((key) => {
      const { item } = this.#serviceAt.get(key)!;
      return endpoints.isDerived(key) && isSelected(item, fresh.record.pod);
    });
  }

  /** The pod as the model has it, with what its reading notes; null when it is not on the network. */
  #read(entry: Entry<'Pod'>): { record: PodRecord; notes: readonly string[] } | null {
    const node = this.#nodes.get(entry.value.spec?.nodeName ?? '');
    const notes = new Notes();
    const record = node === undefined ? null : readPodOnNode(entry, node, notes);
    return record === null ? null : { record, notes: notes.list() };
  }

  #refresh({ item, index }: Place<Entry<'Service'>>): ServiceChange | null {
    const before = this.#services[index]!;
    const wanted = item.value.spec?.ports ?? [];
    const ports = before.ports.map((port, i) => ({
      ...port,
      endpoints: this.#built.endpoints.of(item, wanted[i]!),
    }));
    if (ports.every((port, i) => areSame(port.endpoints, before.ports[i]!.endpoints))) return null;
    const after = { ...before, ports };
    this.#services[index] = after;
    return { before, after };
  }
}

const keyOf = (object: { readonly namespace: string; readonly name: string }): string =>
  `${object.namespace}/${object.name}`;

const entryOf = <Kind extends 'EndpointSlice' | 'Endpoints' | 'Pod'>(
  one: ReadObject | undefined,
): Entry<Kind> | null => (one === undefined ? null : (one.object as Entry<Kind>));

/** All of a pod but what #takePod allows to differ. */
const restOf = ({ record, notes }: { record: PodRecord; notes: readonly string[] }): string =>
  JSON.stringify([{ ...record.pod, isReady: true }, notes]);

const areSame = (a: readonly Endpoint[], b: readonly Endpoint[]): boolean =>
  a.length === b.length && a.every((endpoint, i) => isSame(endpoint, b[i]!));

const isSame = (a: Endpoint, b: Endpoint): boolean =>
  a.address === b.address &&
  a.port === b.port &&
  a.isReady === b.isReady &&
  a.isServing === b.isServing &&
  a.isTerminating === b.isTerminating &&
  a.node === b.node &&
  a.hostname === b.hostname &&
  a.pod === b.pod;
