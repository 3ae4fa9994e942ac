/** Services to the rows that kube-proxy's iptables mode would match: which endpoints a new connection may take. */
import { formatIpv4 } from '../addr/ipv4.js';
import { TableBuilder } from '../layout/builder.js';
import type { Cluster, Platform } from '../model/cluster.js';
import type { Endpoint, Service, ServicePort } from '../model/service.js';
import { slotsFor } from '../tables/addresses.js';
import { NONE } from '../tables/nodes.js';
import {
  ANY_NODE,
  ENDPOINT_TABLE,
  SCOPE,
  SERVICE_FLAG,
  SERVICE_SLOTS,
  SERVICE_TABLE,
  serviceHash,
} from '../tables/services.js';
import { endpointFirewall } from './egress-firewall.js';
import { type Places, PROTOCOL_NUMBER } from './nodes.js';
import type { Strings } from './strings.js';

export interface ServiceBuilders {
  readonly services: TableBuilder<typeof SERVICE_TABLE.columns>;
  readonly slots: TableBuilder<typeof SERVICE_SLOTS.columns>;
  readonly endpoints: TableBuilder<typeof ENDPOINT_TABLE.columns>;
  /** Where the rows of each Service with a ClusterIP are. */
  readonly runs: ReadonlyMap<Service, ServiceRun>;
}

/** Ready endpoints; if there are none, those that serve while terminating.
 *  Source: kubernetes pkg/proxy/topology.go CategorizeEndpoints. */
export function usableEndpoints(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.isReady);
  return ready.length > 0
    ? ready
    : endpoints.filter((endpoint) => endpoint.isServing && endpoint.isTerminating);
}

/** `namespace/name` or `namespace/name:port`, kube-proxy's ServicePortName. */
export const servicePortName = (service: Service, port: ServicePort): string =>
  `${service.namespace}/${service.name}${port.name === '' ? '' : `:${port.name}`}`;

/** Those that policy Local lets `node` take: its own ready ones, else its own that serve while terminating. */
function localEndpoints(endpoints: readonly Endpoint[], node: string): readonly Endpoint[] {
  return usableEndpoints(endpoints.filter((endpoint) => endpoint.node === node));
}

/** Does anything outside the cluster reach the port? */
export const isExternal = (service: Service, port: ServicePort): boolean =>
  port.nodePort !== 0 || service.externalIps.length > 0 || service.loadBalancerIps.length > 0;

/** One row that a Service's port has, and the endpoints behind it. */
interface PortRow {
  /** Row of the node that it is for, or ANY_NODE. */
  readonly node: number;
  readonly scope: number;
  readonly flags: number;
  readonly endpoints: readonly Endpoint[];
}

/** A row of a Service, as SVC1 has it. */
export interface ServiceRow extends PortRow {
  readonly port: ServicePort;
  readonly ip: number;
  readonly portProto: number;
  readonly name: string;
  readonly affinity: number;
}

/** The rows of a Service, and where they begin. */
export interface ServiceRun {
  readonly first: number;
  readonly rows: readonly ServiceRow[];
}

/** The rows of a Service: port by port, none without a ClusterIP. `isRefused`: the SDN's proxy keeps its endpoints from kube-proxy. */
export function serviceRows(
  platform: Platform,
  service: Service,
  isRefused: boolean,
  nodes: ReadonlyMap<string, number>,
): ServiceRow[] {
  if (service.clusterIp === 0) return [];
  const rowsOf = isRefused ? refusedRows : portRows;
  return service.ports.flatMap((port) =>
    rowsOf(platform, service, port, nodes).map((row) => ({
      ...row,
      port,
      ip: service.clusterIp,
      portProto: ((port.port << 16) | PROTOCOL_NUMBER[port.protocol]) >>> 0,
      name: servicePortName(service, port),
      affinity: service.affinityTimeoutSec,
    })),
  );
}

export function buildServices(cluster: Cluster, places: Places, strings: Strings): ServiceBuilders {
  const services = new TableBuilder(SERVICE_TABLE);
  const endpoints = new TableBuilder(ENDPOINT_TABLE);
  const isFirewalled = endpointFirewall(cluster);
  const runs = new Map<Service, ServiceRun>();
  for (const service of cluster.services) {
    if (service.clusterIp === 0) continue;
    const rows = serviceRows(cluster.platform, service, isFirewalled(service), places.node);
    runs.set(service, { first: services.rows, rows });
    for (const row of rows) addRow(row);
  }
  return { services, slots: fillSlots(services), endpoints, runs };

  function addRow({ port: _port, endpoints: chosen, name, ...columns }: ServiceRow): void {
    const row = services.add({
      ...columns,
      first: endpoints.rows,
      count: chosen.length,
      name: strings.id(name),
    });
    for (const endpoint of chosen)
      endpoints.add({
        address: endpoint.address,
        port: endpoint.port,
        node: places.node.get(endpoint.node) ?? NONE,
        pod: places.pod.get(endpoint.pod) ?? NONE,
        service: row,
        name: strings.id(endpointName(endpoint)),
      });
  }
}

/** `pod:namespace/name`, or address and port of an endpoint that is no pod. */
export const endpointName = (endpoint: Endpoint): string =>
  endpoint.pod === '' ? `${formatIpv4(endpoint.address)}:${endpoint.port}` : `pod:${endpoint.pod}`;

/** The rows of a Service's port: the one for any node, then those of nodes that choose otherwise, by their names; then
 *  the same for what comes to other addresses than the ClusterIP, where their traffic policy is another. */
function portRows(
  platform: Platform,
  service: Service,
  port: ServicePort,
  nodes: ReadonlyMap<string, number>,
): readonly PortRow[] {
  const isLocal = service.internalPolicy === 'Local';
  const rows = scopeRows(platform, service, port, nodes, SCOPE.INTERNAL, isLocal);
  // With policy Local for both, pods' and the node's own connections to other addresses take every endpoint all the same.
  if ((isLocal || service.externalPolicy === 'Local') && isExternal(service, port))
    rows.push(...scopeRows(platform, service, port, nodes, SCOPE.EXTERNAL, !isLocal));
  return rows;
}

function scopeRows(
  platform: Platform,
  service: Service,
  port: ServicePort,
  nodes: ReadonlyMap<string, number>,
  scope: number,
  isLocal: boolean,
): PortRow[] {
  const usable = usableEndpoints(port.endpoints);
  // OpenShift's patch of kube-proxy: DNS queries stay on the node when it has a DNS pod.
  const prefersLocal = platform === 'ocp4' && isOpenshiftDns(service, port);
  const perNode = (isLocal || prefersLocal) && usable.length > 0;
  const flags =
    (perNode ? SERVICE_FLAG.PER_NODE : 0) | (isLocal && usable.length > 0 ? SERVICE_FLAG.LOCAL_ONLY : 0);
  const rows: PortRow[] = [{ node: ANY_NODE, scope, flags, endpoints: isLocal ? [] : usable }];
  if (!perNode) return rows;
  const names = [...new Set(port.endpoints.map((endpoint) => endpoint.node))].sort();
  for (const name of names) {
    const node = nodes.get(name);
    const own = isLocal
      ? localEndpoints(port.endpoints, name)
      : usable.filter((endpoint) => endpoint.node === name);
    if (node !== undefined && own.length > 0) rows.push({ node, scope, flags, endpoints: own });
  }
  return rows;
}

/** The rows of a port whose endpoints the SDN's proxy keeps from kube-proxy. */
const refusedRows: typeof portRows = (platform, service, port, nodes) =>
  portRows(platform, service, { ...port, endpoints: [] }, nodes).map((row) => ({
    ...row,
    flags: SERVICE_FLAG.FIREWALLED,
  }));

const isOpenshiftDns = (service: Service, port: ServicePort): boolean =>
  service.namespace === 'openshift-dns' &&
  service.name === 'dns-default' &&
  (port.name === 'dns' || port.name === 'dns-tcp');

function fillSlots(
  services: TableBuilder<typeof SERVICE_TABLE.columns>,
): TableBuilder<typeof SERVICE_SLOTS.columns> {
  const table = new TableBuilder(SERVICE_SLOTS);
  const slots = slotsFor(services.rows);
  table.addZeros(slots);
  for (let row = 0; row < services.rows; row++) {
    const key = serviceHash(
      services.get(row, 'ip'),
      services.get(row, 'portProto'),
      services.get(row, 'node'),
      services.get(row, 'scope'),
    );
    let slot = key & (slots - 1);
    while (table.get(slot, 'row') !== 0) slot = (slot + 1) & (slots - 1);
    table.set(slot, 'row', row + 1);
  }
  return table;
}
