/** Services: addresses, ports and policies; their endpoints come from endpoints.ts. */
import { parseIpv4 } from '../addr/ipv4.js';
import { parsePrefix } from '../addr/ipv4-prefix.js';
import type { Service, ServicePort } from '../model/service.js';
import { ClusterIpAllocator, NodePortAllocator } from './allocate.js';
import type { EndpointSource } from './endpoints.js';
import type { Entry } from './inventory.js';
import type { ServiceManifest } from './kinds/service.js';
import type { Networks } from './networks.js';
import { Notes } from './notes.js';
import type { ProblemList } from './problems.js';
import { addressTexts, ipv4ClusterIp } from './service-addresses.js';
import { checkServices } from './service-checks.js';

/** Seconds that ClientIP affinity lasts unless the Service says otherwise (Kubernetes core/v1 default). */
const DEFAULT_AFFINITY_SEC = 10800;

/** Read the Services in the order of `entries`, which is by namespace and name. */
export function readServices(
  entries: readonly Entry<'Service'>[],
  networks: Networks,
  endpoints: EndpointSource,
  problems: ProblemList,
  notes: Notes,
): Service[] {
  checkServices(entries, networks, problems);
  const clusterIps = new ClusterIpAllocator(networks.serviceNetworks, entries.map(ipv4ClusterIp));
  const nodePorts = new NodePortAllocator(entries.flatMap((entry) => entry.value.spec?.ports ?? []));
  const services: Service[] = [];
  for (const entry of entries) {
    if (isIpv6Only(entry.value)) {
      notes.count('Services left out, as they have only IPv6 addresses');
      continue;
    }
    if (addressTexts(entry.value).some((text) => text.includes(':')))
      notes.count('Services whose IPv6 addresses are left out');
    services.push(readService(entry, clusterIps, nodePorts, endpoints, notes));
  }
  return services;
}

/** Must a Service be given an address or a node port that its object does not name? */
export function isGivenSomething(entry: Entry<'Service'>): boolean {
  const { spec } = entry.value;
  if (spec?.type === 'ExternalName') return false;
  const isHeadless = addressTexts(entry.value).includes('None');
  if (!isHeadless && ipv4ClusterIp(entry) <= 0) return true;
  return hasNodePorts(entry.value) && (spec?.ports ?? []).some((port) => !port.nodePort);
}

/** Can a Service be read without the others: nothing is to be given to it, and no note counts it? */
export const isReadAlone = (entry: Entry<'Service'>): boolean =>
  !addressTexts(entry.value).some((text) => text.includes(':')) &&
  !isIpv6Only(entry.value) &&
  !isGivenSomething(entry);

/** The Service of one object of which isReadAlone() is true. */
export const readServiceOf = (entry: Entry<'Service'>, endpoints: EndpointSource): Service =>
  readService(entry, new ClusterIpAllocator([], []), new NodePortAllocator([]), endpoints, new Notes());

function readService(
  entry: Entry<'Service'>,
  clusterIps: ClusterIpAllocator,
  nodePorts: NodePortAllocator,
  endpoints: EndpointSource,
  notes: Notes,
): Service {
  const spec = entry.value.spec ?? {};
  const type = spec.type || 'ClusterIP';
  const isHeadless = type !== 'ExternalName' && addressTexts(entry.value).includes('None');
  let clusterIp = type === 'ExternalName' ? 0 : Math.max(ipv4ClusterIp(entry), 0);
  if (clusterIp === 0 && !isHeadless && type !== 'ExternalName') {
    clusterIp = clusterIps.next();
    notes.count('Services without a ClusterIP, given one as the API server does');
  }
  return {
    namespace: entry.namespace,
    name: entry.name,
    type,
    clusterIp,
    isHeadless,
    externalName: type === 'ExternalName' ? (spec.externalName ?? '') : '',
    externalIps: ipv4Only(spec.externalIPs ?? []),
    loadBalancerIps: ipv4Only(
      (entry.value.status?.loadBalancer?.ingress ?? [])
        .filter((ingress) => ingress.ipMode !== 'Proxy')
        .map((ingress) => ingress.ip ?? ''),
    ),
    sourceRanges: (spec.loadBalancerSourceRanges ?? [])
      .map((text) => parsePrefix(text.trim()))
      .filter((prefix) => prefix !== null),
    healthCheckNodePort:
      type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local' ? (spec.healthCheckNodePort ?? 0) : 0,
    affinityTimeoutSec:
      spec.sessionAffinity === 'ClientIP'
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SEC)
        : 0,
    internalPolicy: spec.internalTrafficPolicy || 'Cluster',
    externalPolicy: spec.externalTrafficPolicy || 'Cluster',
    publishNotReady: spec.publishNotReadyAddresses === true,
    ports: type === 'ExternalName' ? [] : readPorts(entry, nodePorts, endpoints),
  };
}

function readPorts(
  entry: Entry<'Service'>,
  nodePorts: NodePortAllocator,
  endpoints: EndpointSource,
): ServicePort[] {
  const spec = entry.value.spec ?? {};
  const takesNodePorts = hasNodePorts(entry.value);
  return (spec.ports ?? []).map((port) => {
    const protocol = port.protocol || 'TCP';
    return {
      name: port.name ?? '',
      protocol,
      port: port.port,
      nodePort: port.nodePort || (takesNodePorts ? nodePorts.next() : 0),
      endpoints: endpoints.of(entry, port),
    };
  });
}

const hasNodePorts = ({ spec }: ServiceManifest): boolean =>
  spec?.type === 'NodePort' ||
  (spec?.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);

const ipv4Only = (texts: readonly string[]): number[] =>
  texts.map(parseIpv4).filter((address) => address !== -1);

function isIpv6Only({ spec, ...rest }: ServiceManifest): boolean {
  if (spec?.type === 'ExternalName') return false;
  const texts = addressTexts({ spec, ...rest });
  if (texts.length > 0 && texts.every((text) => text.includes(':'))) return true;
  const families = spec?.ipFamilies ?? [];
  return families.length > 0 && !families.includes('IPv4');
}
