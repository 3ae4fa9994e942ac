/** Services to the rows that kube-proxy's iptables mode would match: which endpoints a new connection may take. */
import { formatIpv4 } from '../addr/ipv4.js';
import { TableBuilder } from '../layout/builder.js';
import type { Cluster } from '../model/cluster.js';
import type { Endpoint, Service, ServicePort } from '../model/service.js';
import { slotsFor } from '../tables/addresses.js';
import { NONE } from '../tables/nodes.js';
import {
  ANY_NODE,
  ENDPOINT_TABLE,
  SERVICE_FLAG,
  SERVICE_SLOTS,
  SERVICE_TABLE,
  serviceHash,
} from '../tables/services.js';
import { type Places, PROTOCOL_NUMBER } from './nodes.js';
import type { Strings } from './strings.js';

export interface ServiceBuilders {
  readonly services: TableBuilder<typeof SERVICE_TABLE.columns>;
  readonly slots: TableBuilder<typeof SERVICE_SLOTS.columns>;
  readonly endpoints: TableBuilder<typeof ENDPOINT_TABLE.columns>;
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

export function buildServices(cluster: Cluster, places: Places, strings: Strings): ServiceBuilders {
  const services = new TableBuilder(SERVICE_TABLE);
  const endpoints = new TableBuilder(ENDPOINT_TABLE);
  for (const service of cluster.services) {
    if (service.clusterIp === 0) continue;
    for (const port of service.ports) addPort(cluster, service, port);
  }
  return { services, slots: fillSlots(services), endpoints };

  function addPort(owner: Cluster, service: Service, port: ServicePort): void {
    const usable = usableEndpoints(port.endpoints);
    const byNode = new Map<string, Endpoint[]>();
    for (const endpoint of usable)
      byNode.set(endpoint.node, [...(byNode.get(endpoint.node) ?? []), endpoint]);
    const isLocal = service.internalPolicy === 'Local';
    // OpenShift's patch of kube-proxy: DNS queries stay on the node when it has a DNS pod.
    const prefersLocal = owner.platform === 'ocp4' && isOpenshiftDns(service, port);
    const perNode = (isLocal || prefersLocal) && usable.length > 0;
    const common = isLocal ? [] : usable;
    const flags =
      (perNode ? SERVICE_FLAG.PER_NODE : 0) | (isLocal && usable.length > 0 ? SERVICE_FLAG.LOCAL_ONLY : 0);
    addRow(service, port, ANY_NODE, common, flags);
    if (!perNode) return;
    for (const [name, local] of [...byNode].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const node = places.node.get(name);
      if (node !== undefined) addRow(service, port, node, local, flags);
    }
  }

  function addRow(
    service: Service,
    port: ServicePort,
    node: number,
    chosen: readonly Endpoint[],
    flags: number,
  ): void {
    const row = services.add({
      ip: service.clusterIp,
      portProto: ((port.port << 16) | PROTOCOL_NUMBER[port.protocol]) >>> 0,
      node,
      first: endpoints.rows,
      count: chosen.length,
      name: strings.id(servicePortName(service, port)),
      flags,
    });
    for (const endpoint of chosen)
      endpoints.add({
        address: endpoint.address,
        port: endpoint.port,
        node: places.node.get(endpoint.node) ?? NONE,
        pod: places.pod.get(endpoint.pod) ?? NONE,
        service: row,
        name: strings.id(
          endpoint.pod === '' ? `${formatIpv4(endpoint.address)}:${endpoint.port}` : `pod:${endpoint.pod}`,
        ),
      });
  }
}

const isOpenshiftDns = (service: Service, port: ServicePort): boolean =>
  service.namespace === 'openshift-dns' &&
  service.name === 'dns-default' &&
  (port.name === 'dns' || port.name === 'dns-tcp');

function fillSlots(
  services: TableBuilder<typeof SERVICE_TABLE.columns>,
): TableBuilder<typeof SERVICE_SLOTS.columns> {
  const table = new TableBuilder(SERVICE_SLOTS);
  const slots = slotsFor(services.rows);
  for (let i = 0; i < slots; i++) table.add({ row: 0 });
  for (let row = 0; row < services.rows; row++) {
    const key = serviceHash(
      services.get(row, 'ip'),
      services.get(row, 'portProto'),
      services.get(row, 'node'),
    );
    let slot = key & (slots - 1);
    while (table.get(slot, 'row') !== 0) slot = (slot + 1) & (slots - 1);
    table.set(slot, 'row', row + 1);
  }
  return table;
}
