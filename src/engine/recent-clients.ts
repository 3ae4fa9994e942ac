/** Which lists of session affinity's clients outlive a change of the tables: kube-proxy's chain of an endpoint goes with the
 *  endpoint, and its list with the chain. Source: Linux net/netfilter/xt_recent.c (recent_mt_destroy). */
import type { Tables } from '../tables/epoch.js';
import type { KeepsList } from '../tables/recent-lists.js';
import { findExternal, findService } from '../tables/services.js';

/** Has the node of a list still the endpoint, in a Service with session affinity? */
export const servesClients =
  (tables: Tables): KeepsList =>
  (node, ip, portProto, address, port) => {
    const { services, serviceSlots } = tables;
    const rows = [
      findService(services, serviceSlots, ip, portProto, node),
      findExternal(services, serviceSlots, ip, portProto, node),
    ];
    return rows.some(
      (row) => row >= 0 && services.affinity[row]! > 0 && hasEndpoint(tables, row, address, port),
    );
  };

function hasEndpoint({ services, endpoints }: Tables, row: number, address: number, port: number): boolean {
  const first = services.first[row]!;
  for (let i = first; i < first + services.count[row]!; i++)
    if (endpoints.address[i] === address && endpoints.port[i] === port) return true;
  return false;
}
