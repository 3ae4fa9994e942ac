/** Session affinity by the client's address, as kube-proxy's iptables mode has it: `recent` lists, one for each endpoint,
 *  asked before chance and written by every new connection.
 *  Source: kubernetes pkg/proxy/iptables/proxier.go (writeServiceToEndpointRules); Linux net/netfilter/xt_recent.c. */
import { MISS } from '../../tables/addresses.js';
import type { Walk } from '../walk.js';

const NS_PER_SEC = 1e9;

/** The first endpoint of Service row `service` in whose list the packet's sender is, and not for too long; or MISS. */
export function rememberedEndpoint(w: Walk, service: number): number {
  const { recent, tables } = w;
  const { services, endpoints } = tables;
  if (recent.lists === 0) return MISS;
  const sinceNs = w.nowNs - services.affinity[service]! * NS_PER_SEC;
  const ip = services.ip[service]!;
  const portProto = services.portProto[service]!;
  const first = services.first[service]!;
  const end = first + services.count[service]!;
  for (let i = first; i < end; i++) {
    const list = recent.find(w.node, ip, portProto, endpoints.address[i]!, endpoints.port[i]!);
    if (list >= 0 && recent.knows(list, w.tuple[0]!, sinceNs)) return i;
  }
  return MISS;
}

/** Put the packet's sender into the list of `endpoint`, which it goes to. */
export function noteEndpoint(w: Walk, service: number, endpoint: number): void {
  const { services, endpoints } = w.tables;
  const address = endpoints.address[endpoint]!;
  const list = w.recent.open(
    w.node,
    services.ip[service]!,
    services.portProto[service]!,
    address,
    endpoints.port[endpoint]!,
  );
  w.recent.note(list, w.tuple[0]!, w.nowNs);
}
