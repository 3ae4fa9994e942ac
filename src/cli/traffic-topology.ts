/** What the traffic generator needs to know of a compiled cluster. */
import { selects } from '../compile/selector.js';
import type {
  TrafficName,
  TrafficPod,
  TrafficServer,
  TrafficTarget,
  TrafficTopology,
} from '../io/generate-topology.js';
import type { Cluster, Pod } from '../model/cluster.js';
import type { Service } from '../model/service.js';
import type { Epoch, Tables } from '../tables/epoch.js';
import { NONE, POD_FLAG } from '../tables/nodes.js';
import { findService, SERVICE_FLAG } from '../tables/services.js';
import { PROTOCOL } from '../wire/ipv4.js';

/** What policy says of a pod as a server: policies with rules may let some clients in, so it is left out. */
type Access = 'open' | 'closed' | 'guarded';

const DNS_PORT = 53;
/** Where a pod is spoken to that declares no port, and so listens on all. */
const UNDECLARED = [(8080 << 16) | PROTOCOL.TCP, (5001 << 16) | PROTOCOL.UDP];
/** Names outside the zone, as the search list spells them before it gives up. */
const OUTSIDE = 'www.example.com';

/** `cluster` and `epoch` are of the same manifests: its pods are the epoch's pod rows, in this order. */
export function trafficTopology(cluster: Cluster, epoch: Epoch): TrafficTopology {
  const { tables } = epoch;
  const modelPods = cluster.pods.filter((pod) => !pod.isHostNetwork);
  const pods = modelPods.map((pod, row) => trafficPod(cluster, epoch, pod, row));
  const access = modelPods.map((pod) => accessOf(cluster, pod));
  const services = cluster.services.flatMap((service) => serviceTargets(cluster, tables, service, access));
  return {
    pods,
    targets: [
      ...services.filter((target) => !isServedByDns(tables, target)),
      ...pods.flatMap((pod, row) => podTargets(tables, pod, row, access[row]!)),
    ],
    dns:
      services.find(
        ({ address, port, protocol, servers }) =>
          address === cluster.dns.address &&
          port === DNS_PORT &&
          protocol === PROTOCOL.UDP &&
          servers.length > 0,
      ) ?? null,
    names: dnsNames(cluster),
    zone: cluster.dns.domain,
  };
}

function trafficPod(cluster: Cluster, epoch: Epoch, pod: Pod, row: number): TrafficPod {
  const { pods, ports, nodes } = epoch.tables;
  const node = pods.node[row]!;
  const isHeldBack =
    cluster.mode === 'networkpolicy' && policiesOf(cluster, pod).some((policy) => policy.hasEgress);
  return {
    name: epoch.text(ports.name[pods.port[row]!]!),
    address: pod.address,
    node,
    tenant: cluster.mode === 'multitenant' ? pods.vni[row]! : 0,
    gatewayMacHi: nodes.tunMacHi[node]!,
    gatewayMacLo: nodes.tunMacLo[node]!,
    isClient: !isHeldBack && (pods.flags[row]! & POD_FLAG.DNS) === 0,
  };
}

const policiesOf = (cluster: Cluster, pod: Pod) =>
  cluster.policies.filter(
    (policy) => policy.namespace === pod.namespace && selects(policy.podSelector, pod.labels),
  );

function accessOf(cluster: Cluster, pod: Pod): Access {
  if (cluster.mode !== 'networkpolicy') return 'open';
  const ingress = policiesOf(cluster, pod).filter((policy) => policy.hasIngress);
  if (ingress.length === 0) return 'open';
  return ingress.every((policy) => policy.ingress.length === 0) ? 'closed' : 'guarded';
}

/** A target for each TCP and UDP port of a Service with a ClusterIP, if its endpoints are pods of the pod network. */
function serviceTargets(
  cluster: Cluster,
  tables: Tables,
  service: Service,
  access: readonly Access[],
): TrafficTarget[] {
  const targets: TrafficTarget[] = [];
  if (service.clusterIp === 0) return targets;
  for (const { port, protocol } of service.ports) {
    if (protocol === 'SCTP') continue;
    const number = PROTOCOL[protocol];
    const rowFor = (node: number): number =>
      findService(
        tables.services,
        tables.serviceSlots,
        service.clusterIp,
        ((port << 16) | number) >>> 0,
        node,
      );
    const row = rowFor(NONE);
    const common = serversOf(tables, row, access);
    const isPerNode = (tables.services.flags[row]! & SERVICE_FLAG.PER_NODE) !== 0;
    const serversOfNode = new Map<number, readonly TrafficServer[]>();
    for (let node = 0; isPerNode && node < tables.nodes.rows; node++)
      serversOfNode.set(node, serversOf(tables, rowFor(node), access) ?? []);
    if (common === null) continue;
    targets.push({
      kind: 'service',
      address: service.clusterIp,
      port,
      protocol: number,
      dnsName: serviceName(cluster, service),
      servers: common,
      serversOfNode,
    });
  }
  return targets;
}

/** Pods behind a service row that anybody may reach; none when it has no endpoints or policy closes them all.
 *  Null when its endpoints are something else, and what becomes of its connections is not known here. */
function serversOf(tables: Tables, row: number, access: readonly Access[]): readonly TrafficServer[] | null {
  const { services, endpoints } = tables;
  const servers: TrafficServer[] = [];
  let closed = 0;
  const first = services.first[row]!;
  const count = services.count[row]!;
  for (let i = first; i < first + count; i++) {
    const pod = endpoints.pod[i]!;
    if (pod === NONE) continue;
    if (access[pod] === 'open') servers.push({ pod, port: endpoints.port[i]! });
    if (access[pod] === 'closed') closed++;
  }
  return servers.length > 0 || closed === count ? servers : null;
}

const isServedByDns = ({ pods }: Tables, { servers }: TrafficTarget): boolean =>
  servers.some(({ pod }) => (pods.flags[pod]! & POD_FLAG.DNS) !== 0);

function podTargets({ pods, listen }: Tables, pod: TrafficPod, row: number, access: Access): TrafficTarget[] {
  if (access === 'guarded' || (pods.flags[row]! & POD_FLAG.DNS) !== 0) return [];
  const first = pods.listenFirst[row]!;
  const declared = listen.portProto.subarray(first, first + pods.listenCount[row]!);
  return [...(declared.length === 0 ? UNDECLARED : declared)]
    .filter((key) => (key & 0xff) === PROTOCOL.TCP || (key & 0xff) === PROTOCOL.UDP)
    .map((key) => ({
      kind: 'pod' as const,
      address: pod.address,
      port: key >>> 16,
      protocol: key & 0xff,
      dnsName: '',
      servers: access === 'open' ? [{ pod: row, port: key >>> 16 }] : [],
      serversOfNode: new Map(),
    }));
}

const serviceName = (cluster: Cluster, { name, namespace }: Service): string =>
  `${name}.${namespace}.svc.${cluster.dns.domain}`;

/** All Services that have an address, then names that do not exist. */
function dnsNames(cluster: Cluster): TrafficName[] {
  const { domain } = cluster.dns;
  const found = cluster.services.flatMap((service) => {
    const ready = service.ports[0]?.endpoints.find((endpoint) => endpoint.isReady)?.address ?? 0;
    const address = service.isHeadless ? ready : service.clusterIp;
    return address === 0 ? [] : [{ name: serviceName(cluster, service), address }];
  });
  const searched = [...cluster.namespaces.slice(0, 4).map(({ name }) => `${name}.svc`), 'svc'];
  const missing = [...searched.map((suffix) => `${OUTSIDE}.${suffix}.${domain}`), `${OUTSIDE}.${domain}`];
  return [...found, ...missing.map((name) => ({ name, address: 0 }))];
}
