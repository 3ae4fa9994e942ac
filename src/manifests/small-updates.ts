/** Changes that touch little, which are most of a cluster's: EndpointSlices, Endpoints, pods and NetworkPolicies. They are taken in place, and
 *  cost no more in a large cluster than in a small one. */
import type { ModelChange, PodChange, ServiceChange } from '../model/change.js';
import type { Cluster } from '../model/cluster.js';
import type { Endpoint, Service } from '../model/service.js';
import type { BuiltCluster } from './build-cluster.js';
import { isSelected } from './derive.js';
import { checkSlice, isIpv4, serviceOfSlice } from './endpoints.js';
import type { Entry, Inventory } from './inventory.js';
import { KnownNamespaces } from './known-namespaces.js';
import type { Notes } from './notes.js';
import type { ReadObject } from './object-reader.js';
import { PodUpdates } from './pod-updates.js';
import { PolicyUpdates } from './policy-updates.js';
import { ProblemList } from './problems.js';
import { isSameToModel } from './same-object.js';

interface Place<Item> {
  readonly item: Item;
  /** In the model's list. */
  readonly index: number;
}

export class SmallUpdates {
  readonly #built: BuiltCluster;
  /** Pods are not those of the objects alone. */
  readonly #isExpanded: boolean;
  readonly #services: Service[];
  readonly #pods: PodUpdates;
  readonly #policies: PolicyUpdates;
  readonly #serviceAt = new Map<string, Place<Entry<'Service'>>>();
  readonly #servicesOf = new Map<string, string[]>();
  #model: Cluster | null = null;

  /** `built` of `inventory`. `objectsIn`: how many objects each namespace has, kept up to date by the caller; `notes` are kept
   *  up to date here. */
  constructor(
    built: BuiltCluster,
    inventory: Inventory,
    isExpanded: boolean,
    objectsIn: ReadonlyMap<string, number>,
    notes: Notes,
  ) {
    this.#built = built;
    this.#isExpanded = isExpanded;
    this.#services = [...built.cluster.services];
    const names = built.cluster.namespaces.map(({ name }) => name);
    const namespaces = new KnownNamespaces(names, inventory, objectsIn);
    this.#pods = new PodUpdates(built, inventory.nodeNames, namespaces, notes);
    this.#policies = new PolicyUpdates(built.cluster.policies, namespaces, notes);
    const entries = new Map(inventory.objects.Service.map((entry) => [keyOf(entry), entry]));
    for (const [index, service] of this.#services.entries()) {
      const key = keyOf(service);
      this.#serviceAt.set(key, { item: entries.get(key)!, index });
      const list = this.#servicesOf.get(service.namespace) ?? [];
      this.#servicesOf.set(service.namespace, list);
      list.push(key);
    }
  }

  /** The model with all changes taken so far. */
  modelOf(cluster: Cluster): Cluster {
    const { policies } = this.#policies;
    this.#model ??= { ...cluster, services: [...this.#services], pods: this.#pods.pods, policies };
    return this.#model;
  }

  /** Take the change from `before` to `after`. Null, and nothing taken, when more may differ than pods, policies and endpoints.
   *  @throws InputError when `after` names what is no address. */
  take(before: ReadObject | undefined, after: ReadObject | undefined): ModelChange {
    // Deleted, but never there.
    if (before === undefined && after === undefined) return { pods: [], services: [], policies: null };
    if (before !== undefined && after !== undefined && isSameToModel(before, after, this.#isExpanded))
      return { pods: [], services: [], policies: null };
    if ((after ?? before)!.kind === 'NetworkPolicy') return this.#takePolicy(before, after);
    const pods: PodChange[] = [];
    const touched = this.#touched(before, after, pods);
    if (touched === null) return null;
    const services: ServiceChange[] = [];
    for (const key of touched) {
      const change = this.#refresh(this.#serviceAt.get(key)!);
      if (change !== null) services.push(change);
    }
    if (services.length + pods.length > 0) this.#model = null;
    return { pods, services, policies: null };
  }

  /** Keys of the Services that the change may reach; their source knows it already. Pods that differ go to `pods`. */
  #touched(
    before: ReadObject | undefined,
    after: ReadObject | undefined,
    pods: PodChange[],
  ): readonly string[] | null {
    switch ((after ?? before)?.kind) {
      case 'EndpointSlice':
        return this.#takeSlice(entryOf<'EndpointSlice'>(before), entryOf<'EndpointSlice'>(after));
      case 'Endpoints':
        return this.#takeEndpoints(entryOf<'Endpoints'>(before), entryOf<'Endpoints'>(after));
      case 'Pod':
        return this.#takePod(entryOf<'Pod'>(before), entryOf<'Pod'>(after), pods);
      default:
        return null;
    }
  }

  #takePolicy(before: ReadObject | undefined, after: ReadObject | undefined): ModelChange {
    if (!this.#policies.take(entryOf<'NetworkPolicy'>(before), entryOf<'NetworkPolicy'>(after))) return null;
    this.#model = null;
    return { pods: [], services: [], policies: this.#policies.policies };
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

  #takePod(
    before: Entry<'Pod'> | null,
    after: Entry<'Pod'> | null,
    changed: PodChange[],
  ): readonly string[] | null {
    const update = this.#isExpanded ? null : this.#pods.take(before, after);
    if (update === null) return null;
    const old = update.before?.pod ?? null;
    const fresh = update.after?.pod ?? null;
    if (old !== null || fresh !== null) changed.push({ before: old, after: fresh });
    const pods = [old, fresh].filter((pod) => pod !== null);
    const { endpoints } = this.#built;
    return (this.#servicesOf.get((after ?? before)!.namespace) ?? []).filter((key) => {
      const { item } = this.#serviceAt.get(key)!;
      return endpoints.isDerived(key) && pods.some((pod) => isSelected(item, pod));
    });
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

const entryOf = <Kind extends 'EndpointSlice' | 'Endpoints' | 'Pod' | 'NetworkPolicy'>(
  one: ReadObject | undefined,
): Entry<Kind> | null => (one === undefined ? null : (one.object as Entry<Kind>));

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
