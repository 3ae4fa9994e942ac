/** Changes that touch little, which are most of a cluster's: EndpointSlices, Endpoints, Services, pods and NetworkPolicies. They
 *  are taken in place, and cost no more in a large cluster than in a small one. */
import { isDeepStrictEqual } from 'node:util';
import type { ModelChange, PodChange, ServiceChange } from '../model/change.js';
import type { Cluster } from '../model/cluster.js';
import type { BuiltCluster } from './build-cluster.js';
import { checkSlice, isIpv4, serviceOfSlice } from './endpoints.js';
import type { Entry, Inventory } from './inventory.js';
import { KnownNamespaces } from './known-namespaces.js';
import type { Notes } from './notes.js';
import type { ReadObject } from './object-reader.js';
import { PodUpdates } from './pod-updates.js';
import { PolicyUpdates } from './policy-updates.js';
import { ProblemList } from './problems.js';
import { isSameToModel } from './same-object.js';
import { ServiceUpdates } from './service-updates.js';

export class SmallUpdates {
  readonly #built: BuiltCluster;
  /** Pods are not those of the objects alone. */
  readonly #isExpanded: boolean;
  readonly #namespaces: KnownNamespaces;
  readonly #services: ServiceUpdates;
  readonly #pods: PodUpdates;
  readonly #policies: PolicyUpdates;
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
    const names = built.cluster.namespaces.map(({ name }) => name);
    this.#namespaces = new KnownNamespaces(names, inventory, objectsIn);
    this.#services = new ServiceUpdates(built, inventory, this.#namespaces);
    this.#pods = new PodUpdates(built, inventory.nodeNames, this.#namespaces, notes);
    this.#policies = new PolicyUpdates(built.cluster.policies, this.#namespaces, notes);
  }

  /** The model with all changes taken so far. */
  modelOf(cluster: Cluster): Cluster {
    const { policies } = this.#policies;
    this.#model ??= { ...cluster, services: this.#services.services, pods: this.#pods.pods, policies };
    return this.#model;
  }

  /** Take the change from `before` to `after`. Null, and nothing taken, when more may differ than pods, policies and Services.
   *  @throws InputError when `after` names what is no address. */
  take(before: ReadObject | undefined, after: ReadObject | undefined): ModelChange {
    // Deleted, but never there.
    if (before === undefined && after === undefined) return NOTHING;
    if (before !== undefined && after !== undefined && isSameToModel(before, after, this.#isExpanded))
      return NOTHING;
    if ((after ?? before)!.kind === 'NetworkPolicy') return this.#takePolicy(before, after);
    if ((after ?? before)!.kind === 'Service') return this.#takeService(before, after);
    const pods: PodChange[] = [];
    const touched = this.#touched(before, after, pods);
    if (touched === null) return null;
    const services: ServiceChange[] = [];
    for (const key of touched) {
      const change = this.#services.refresh(key);
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

  #takeService(before: ReadObject | undefined, after: ReadObject | undefined): ModelChange {
    const change = this.#services.take(entryOf<'Service'>(before), entryOf<'Service'>(after));
    if (change === null) return null;
    this.#model = null;
    return isDeepStrictEqual(change.before, change.after) ? NOTHING : { ...NOTHING, services: [change] };
  }

  #takeSlice(
    before: Entry<'EndpointSlice'> | null,
    after: Entry<'EndpointSlice'> | null,
  ): readonly string[] | null {
    const slices = [before, after].filter((slice) => slice !== null);
    const keys = new Set(slices.map(serviceOfSlice));
    if (keys.has(null) || slices.some((slice) => !isIpv4(slice.value))) return null;
    if (!this.#namespaces.isSettled((after ?? before)!.namespace, after === null)) return null;
    const problems = new ProblemList();
    if (after !== null) checkSlice(after, problems);
    problems.throwIfAny();
    this.#built.endpoints.replaceSlice(before, after);
    return ([...keys] as string[]).filter((key) => this.#services.has(key));
  }

  #takeEndpoints(before: Entry<'Endpoints'> | null, after: Entry<'Endpoints'> | null): string[] | null {
    const { namespace, name } = (after ?? before)!;
    if (!this.#namespaces.isSettled(namespace, after === null)) return null;
    const key = `${namespace}/${name}`;
    this.#built.endpoints.replaceObject(key, after);
    return this.#services.has(key) ? [key] : [];
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
    return this.#services.selecting((after ?? before)!.namespace, pods);
  }
}

const NOTHING = { pods: [], services: [], policies: null } as const;

const entryOf = <Kind extends 'EndpointSlice' | 'Endpoints' | 'Service' | 'Pod' | 'NetworkPolicy'>(
  one: ReadObject | undefined,
): Entry<Kind> | null => (one === undefined ? null : (one.object as Entry<Kind>));
