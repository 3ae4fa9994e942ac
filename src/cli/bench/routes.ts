/** Who talks to whom in the measured traffic: clients and servers of a cluster for each kind of path. */
import { POD_MAC_HI } from '../../addr/mac.js';
import { serversFor, type TrafficTarget, type TrafficTopology } from '../../io/generate-topology.js';
import { PROTOCOL } from '../../wire/ipv4.js';
import type { Path } from './cases.js';

/** Plain numbers, so that it can be sent to another process. */
export interface Route {
  /** Rows of the topology's pods, which are those of the pod table. */
  readonly client: number;
  /** Address and port that the client sends to. */
  readonly dst: number;
  readonly dport: number;
  /** Next hop of the client's packets. */
  readonly macHi: number;
  readonly macLo: number;
}

const ROUTES_MAX = 64;

/** Up to 64 routes of the kind; none when the cluster has none. */
export function benchRoutes(topology: TrafficTopology, path: Path): Route[] {
  const targets = topology.targets.filter(({ protocol }) => protocol === PROTOCOL.TCP);
  const routes = path === 'service' ? serviceRoutes(topology, targets) : podRoutes(topology, targets, path);
  return spread(routes, ROUTES_MAX);
}

function podRoutes(topology: TrafficTopology, targets: readonly TrafficTarget[], path: Path): Route[] {
  const { pods } = topology;
  const routes: Route[] = [];
  for (const { kind, servers, address, port } of targets) {
    const server = servers[0];
    if (kind !== 'pod' || server === undefined) continue;
    for (const [client, pod] of pods.entries()) {
      const isSameNode = pod.node === pods[server.pod]!.node;
      if (!pod.isClient || client === server.pod || isSameNode !== (path === 'same-node')) continue;
      if (!isSameTenant(topology, client, server.pod)) continue;
      routes.push({ client, dst: address, dport: port, macHi: POD_MAC_HI, macLo: address });
    }
  }
  return routes;
}

/** To one Service only: two of them may share an endpoint, and then a client's port could not be used for both. */
function serviceRoutes(topology: TrafficTopology, targets: readonly TrafficTarget[]): Route[] {
  const services = targets.filter(({ kind }) => kind === 'service');
  const service = services.toSorted((a, b) => b.servers.length - a.servers.length)[0];
  if (service === undefined) return [];
  return topology.pods.flatMap(({ isClient, node, gatewayMacHi, gatewayMacLo }, client) => {
    const servers = serversFor(service, node);
    const isOther = servers.every(({ pod }) => pod !== client && isSameTenant(topology, client, pod));
    return isClient && servers.length > 0 && isOther
      ? [{ client, dst: service.address, dport: service.port, macHi: gatewayMacHi, macLo: gatewayMacLo }]
      : [];
  });
}

function isSameTenant({ pods }: TrafficTopology, a: number, b: number): boolean {
  const [one, other] = [pods[a]!.tenant, pods[b]!.tenant];
  return one === other || one === 0 || other === 0;
}

/** Some `max` of them, evenly from the whole list. */
const spread = (routes: readonly Route[], max: number): Route[] =>
  routes.length <= max
    ? [...routes]
    : Array.from({ length: max }, (_, i) => routes[Math.floor((i * routes.length) / max)]!);
