/** Endpoints of a Service's port: from EndpointSlices, else from its Endpoints object, else from its selector. */
import { parseIpv4 } from '../addr/ipv4.js';
import type { Protocol } from '../model/cluster.js';
import type { Endpoint } from '../model/service.js';
import { derivedEndpoints } from './derive.js';
import type { Entry, Inventory } from './inventory.js';
import type { EndpointSliceManifest, EndpointsManifest } from './kinds/endpoints.js';
import type { ServicePortManifest } from './kinds/service.js';
import type { Notes } from './notes.js';
import type { PodRecord } from './pods.js';
import type { ProblemList } from './problems.js';
import { isUsualAddress, USUAL_ADDRESS } from './schema.js';

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

export class EndpointSource {
  /** By Service, then by name. A Service that has any slice has its endpoints there, even where none of them is IPv4. */
  private readonly slices = new Map<string, Map<string, Entry<'EndpointSlice'>>>();
  private readonly objects = new Map<string, Entry<'Endpoints'>>();
  /** By namespace, then by name. */
  private readonly pods = new Map<string, Map<string, PodRecord>>();

  constructor(inventory: Inventory, pods: readonly PodRecord[], problems: ProblemList, notes: Notes) {
    for (const slice of inventory.objects.EndpointSlice) {
      if (serviceOfSlice(slice) === null) continue;
      this.replaceSlice(null, slice);
      if (isIpv4(slice.value)) checkSlice(slice, problems);
      else notes.count('EndpointSlices left out, as they hold no IPv4 addresses');
    }
    for (const object of inventory.objects.Endpoints)
      this.objects.set(`${object.namespace}/${object.name}`, object);
    for (const record of pods) this.putPod(record);
  }

  /** Every endpoint of one port of a Service, ready or not, sorted by address, then port. */
  of(service: Entry<'Service'>, port: ServicePortManifest): Endpoint[] {
    const key = `${service.namespace}/${service.name}`;
    const slices = this.slices.get(key);
    if (slices !== undefined)
      return tidy(
        [...slices.values()].flatMap((slice) => (isIpv4(slice.value) ? sliceEndpoints(slice, port) : [])),
      );
    const object = this.objects.get(key);
    if (object !== undefined) return tidy(objectEndpoints(object, port));
    return tidy(derivedEndpoints(service, port, this.pods.get(service.namespace)?.values() ?? []));
  }

  /** Does the Service of this key (namespace/name) find its endpoints by its selector? */
  isDerived(key: string): boolean {
    return !this.slices.has(key) && !this.objects.has(key);
  }

  /** Put `after` in the place of `before`; both name a Service. */
  replaceSlice(before: Entry<'EndpointSlice'> | null, after: Entry<'EndpointSlice'> | null): void {
    if (before !== null) {
      const key = serviceOfSlice(before)!;
      const list = this.slices.get(key);
      list?.delete(before.name);
      if (list?.size === 0) this.slices.delete(key);
    }
    if (after === null) return;
    const key = serviceOfSlice(after)!;
    const list = this.slices.get(key) ?? new Map<string, Entry<'EndpointSlice'>>();
    this.slices.set(key, list);
    list.set(after.name, after);
  }

  /** Put `after` in the place of the Endpoints object of this key, namespace/name. */
  replaceObject(key: string, after: Entry<'Endpoints'> | null): void {
    if (after === null) this.objects.delete(key);
    else this.objects.set(key, after);
  }

  /** Put `record` in the place of the pod of its name, if there is one. */
  putPod(record: PodRecord): void {
    const { namespace, name } = record.pod;
    const known = this.pods.get(namespace);
    if (known === undefined) this.pods.set(namespace, new Map([[name, record]]));
    else known.set(name, record);
  }

  removePod({ namespace, name }: { readonly namespace: string; readonly name: string }): void {
    this.pods.get(namespace)?.delete(name);
  }
}

/** namespace/name of the Service that the slice belongs to; null when it names none. */
export function serviceOfSlice(slice: Entry<'EndpointSlice'>): string | null {
  const service = slice.value.metadata.labels?.[SERVICE_NAME_LABEL];
  return typeof service === 'string' ? `${slice.namespace}/${service}` : null;
}

/** Does the slice hold IPv4 addresses? `IP` is what the first beta called them. */
export const isIpv4 = (slice: EndpointSliceManifest): boolean =>
  ['IPv4', 'IP', ''].includes(slice.addressType ?? '');

/** Every address must be one, of the type that the slice says. */
export function checkSlice(slice: Entry<'EndpointSlice'>, problems: ProblemList): void {
  for (const [index, endpoint] of (slice.value.endpoints ?? []).entries()) {
    for (const [at, text] of (endpoint.addresses ?? []).entries()) {
      const path = ['endpoints', index, 'addresses', at];
      if (parseIpv4(text) === -1) problems.add(slice, path, JSON.stringify(text), 'an IPv4 address');
      else if (!isUsualAddress(text)) problems.add(slice, path, JSON.stringify(text), USUAL_ADDRESS);
    }
  }
}

interface PortManifest {
  readonly name?: string | null | undefined;
  readonly protocol?: Protocol | '' | null | undefined;
  readonly port?: number | null | undefined;
}

/** The numbers that a Service's port has in a slice or subset: found by name and protocol, as kube-proxy does. */
const matchingPorts = (ports: readonly PortManifest[], wanted: ServicePortManifest): number[] =>
  ports
    .filter((port) => (port.name ?? '') === (wanted.name ?? ''))
    .filter((port) => (port.protocol || 'TCP') === (wanted.protocol || 'TCP'))
    .map((port) => port.port ?? 0)
    .filter((port) => port !== 0);

function sliceEndpoints(slice: Entry<'EndpointSlice'>, wanted: ServicePortManifest): Endpoint[] {
  const ports = matchingPorts(slice.value.ports ?? [], wanted);
  return (slice.value.endpoints ?? []).flatMap((endpoint) => {
    // The addresses of one endpoint stand for each other; consumers take the first.
    const address = parseIpv4(endpoint.addresses?.[0] ?? '');
    if (address === -1) return [];
    const isReady = endpoint.conditions?.ready ?? true;
    return ports.map((port) => ({
      address,
      port,
      isReady,
      isServing: endpoint.conditions?.serving ?? isReady,
      isTerminating: endpoint.conditions?.terminating ?? false,
      node: endpoint.nodeName ?? endpoint.topology?.['kubernetes.io/hostname'] ?? '',
      hostname: endpoint.hostname ?? '',
      pod: podOf(endpoint.targetRef, slice.namespace),
    }));
  });
}

function objectEndpoints(object: Entry<'Endpoints'>, wanted: ServicePortManifest): Endpoint[] {
  return (object.value.subsets ?? []).flatMap((subset) => {
    const ports = matchingPorts(subset.ports ?? [], wanted);
    return [
      ...subsetEndpoints(subset.addresses ?? [], ports, true, object.namespace),
      ...subsetEndpoints(subset.notReadyAddresses ?? [], ports, false, object.namespace),
    ];
  });
}

type SubsetAddress = NonNullable<NonNullable<EndpointsManifest['subsets']>[number]['addresses']>[number];

function subsetEndpoints(
  addresses: readonly SubsetAddress[],
  ports: readonly number[],
  isReady: boolean,
  namespace: string,
): Endpoint[] {
  return addresses.flatMap((entry) => {
    const address = parseIpv4(entry.ip);
    if (address === -1) return [];
    return ports.map((port) => ({
      address,
      port,
      isReady,
      isServing: isReady,
      isTerminating: false,
      node: entry.nodeName ?? '',
      hostname: entry.hostname ?? '',
      pod: podOf(entry.targetRef, namespace),
    }));
  });
}

interface TargetRef {
  readonly kind?: string | null | undefined;
  readonly namespace?: string | null | undefined;
  readonly name?: string | null | undefined;
}

const podOf = (target: TargetRef | null | undefined, namespace: string): string =>
  target?.kind === 'Pod' && target.name ? `${target.namespace || namespace}/${target.name}` : '';

/** Sort, and keep one of each address and port: slices overlap while the controller moves endpoints between them,
 *  and then the ready one counts. */
function tidy(endpoints: Endpoint[]): Endpoint[] {
  const rank = (endpoint: Endpoint): number => (endpoint.isReady ? 0 : endpoint.isServing ? 1 : 2);
  endpoints.sort(
    (a, b) =>
      a.address - b.address ||
      a.port - b.port ||
      rank(a) - rank(b) ||
      (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1),
  );
  return endpoints.filter((endpoint, index) => {
    const before = endpoints[index - 1];
    return before === undefined || before.address !== endpoint.address || before.port !== endpoint.port;
  });
}
