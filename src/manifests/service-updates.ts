/** Services that come, change and go, one at a time, and their endpoints. */
import { isDeepStrictEqual } from 'node:util';
import { prefixContains } from '../addr/ipv4.js';
import type { ServiceChange } from '../model/change.js';
import type { Pod } from '../model/cluster.js';
import type { Endpoint, Service } from '../model/service.js';
import type { BuiltCluster } from './build-cluster.js';
import { isSelected } from './derive.js';
import { byNamespaceAndName, type Entry, type Inventory } from './inventory.js';
import type { KnownNamespaces } from './known-namespaces.js';
import { usualServiceNetwork } from './networks.js';
import { ProblemList } from './problems.js';
import { ipv4ClusterIp } from './service-addresses.js';
import { checkServices } from './service-checks.js';
import { isGivenSomething, isReadAlone, readServiceOf } from './services.js';

/** Their addresses are every pod's nameserver. */
const DNS_SERVICES: readonly string[] = ['openshift-dns/dns-default', 'kube-system/kube-dns'];

interface Known {
  readonly entry: Entry<'Service'>;
  readonly service: Service;
}

export class ServiceUpdates {
  readonly #built: BuiltCluster;
  readonly #namespaces: KnownNamespaces;
  /** By namespace/name. */
  readonly #known = new Map<string, Known>();
  readonly #keysIn = new Map<string, Set<string>>();
  /** Who has a ClusterIP, or a node port: `port/protocol`. */
  readonly #owners = new Map<string | number, string>();
  /** May the address or node port of one Service follow from those that others name? */
  readonly #isAnyGiven: boolean;
  /** All Services, sorted; null until somebody asks. */
  #sorted: readonly Service[] | null;

  /** `built` of `inventory`. */
  constructor(built: BuiltCluster, { objects }: Inventory, namespaces: KnownNamespaces) {
    this.#built = built;
    this.#namespaces = namespaces;
    this.#sorted = built.cluster.services;
    this.#isAnyGiven = objects.Service.some(isGivenSomething);
    const entries = new Map(objects.Service.map((entry) => [keyOf(entry), entry]));
    for (const service of built.cluster.services) this.#put({ entry: entries.get(keyOf(service))!, service });
    for (const entry of objects.Service)
      for (const claim of claimsOf(entry)) this.#owners.set(claim, keyOf(entry));
  }

  /** All Services as they are now, sorted by namespace and name. */
  get services(): readonly Service[] {
    this.#sorted ??= [...this.#known.values()].map(({ service }) => service).sort(byNamespaceAndName);
    return this.#sorted;
  }

  has(key: string): boolean {
    return this.#known.has(key);
  }

  /** Take the change of a Service's object. Null, and nothing taken, when more than this Service may differ, or something is wrong. */
  take(before: Entry<'Service'> | null, after: Entry<'Service'> | null): ServiceChange | null {
    const { namespace } = (after ?? before)!;
    const key = keyOf((after ?? before)!);
    if (!this.#namespaces.isSettled(namespace, after === null)) return null;
    if (this.#isAnyGiven || DNS_SERVICES.includes(key)) return null;
    if (before !== null && !(isReadAlone(before) && this.#isPlaced(before))) return null;
    if (after !== null && !(isReadAlone(after) && this.#isPlaced(after) && this.#fits(key, after)))
      return null;
    const old = this.#known.get(key)?.service ?? null;
    const fresh = after === null ? null : readServiceOf(after, this.#built.endpoints);
    if (before !== null) this.#remove(key, before);
    if (after !== null) {
      this.#put({ entry: after, service: fresh! });
      for (const claim of claimsOf(after)) this.#owners.set(claim, key);
    }
    this.#sorted = null;
    return { before: old, after: fresh };
  }

  /** Keys of the Services whose endpoints are those of `pods`, all of one namespace, by selector. */
  selecting(namespace: string, pods: readonly Pod[]): string[] {
    const { endpoints } = this.#built;
    return [...(this.#keysIn.get(namespace) ?? [])].filter(
      (key) => endpoints.isDerived(key) && pods.some((pod) => isSelected(this.#known.get(key)!.entry, pod)),
    );
  }

  /** Read the endpoints of a Service anew; null when they are the same. */
  refresh(key: string): ServiceChange | null {
    const { entry, service: before } = this.#known.get(key)!;
    const wanted = entry.value.spec?.ports ?? [];
    const ports = before.ports.map((port, i) => ({
      ...port,
      endpoints: this.#built.endpoints.of(entry, wanted[i]!),
    }));
    if (ports.every((port, i) => areSame(port.endpoints, before.ports[i]!.endpoints))) return null;
    const after = { ...before, ports };
    this.#known.set(key, { entry, service: after });
    this.#sorted = null;
    return { before, after };
  }

  /** Is its address in a network that stays, whatever addresses other Services have? */
  #isPlaced(entry: Entry<'Service'>): boolean {
    const { networks, cluster } = this.#built;
    if (networks.isServiceNetworkKnown) return true;
    const usual = usualServiceNetwork(cluster.platform);
    const address = ipv4ClusterIp(entry);
    return (
      isDeepStrictEqual(networks.serviceNetworks, [usual]) &&
      (address === -1 || prefixContains(usual, address))
    );
  }

  #fits(key: string, entry: Entry<'Service'>): boolean {
    const problems = new ProblemList();
    checkServices([entry], this.#built.networks, problems);
    return !problems.hasAny && claimsOf(entry).every((claim) => (this.#owners.get(claim) ?? key) === key);
  }

  #put(known: Known): void {
    const { namespace } = known.service;
    const key = keyOf(known.service);
    this.#known.set(key, known);
    const keys = this.#keysIn.get(namespace);
    if (keys === undefined) this.#keysIn.set(namespace, new Set([key]));
    else keys.add(key);
  }

  #remove(key: string, entry: Entry<'Service'>): void {
    this.#known.delete(key);
    this.#keysIn.get(entry.namespace)?.delete(key);
    for (const claim of claimsOf(entry)) this.#owners.delete(claim);
  }
}

/** What no other Service can have: the ClusterIP and node ports. */
function claimsOf(entry: Entry<'Service'>): (string | number)[] {
  const { spec } = entry.value;
  if (spec?.type === 'ExternalName') return [];
  const address = ipv4ClusterIp(entry);
  const nodePorts = (spec?.ports ?? []).filter(({ nodePort }) => nodePort);
  return [
    ...(address > 0 ? [address] : []),
    ...nodePorts.map(({ nodePort, protocol }) => `${nodePort}/${protocol || 'TCP'}`),
  ];
}

const keyOf = (object: { readonly namespace: string; readonly name: string }): string =>
  `${object.namespace}/${object.name}`;

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
