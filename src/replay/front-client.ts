/** Who is the client, to the endpoint's eyes, of a connection to an address from outside: node port, external address, load
 *  balancer's. Both directions must come to one lane, and the answers know the client by that address alone. */
import { ADDRESS_KIND, findAddress } from '../tables/addresses.js';
import type { Tables } from '../tables/epoch.js';
import { findFront } from '../tables/fronts.js';
import { NONE } from '../tables/nodes.js';
import { MISS } from './recent-table.js';

/** Address that a packet from `client` to `asked:port` has as its source when it reaches an endpoint; MISS when that is
 *  no address from outside. `entry`: row of the port table by which it enters. */
export function frontClient(
  tables: Tables,
  client: number,
  asked: number,
  port: number,
  protocol: number,
  entry: number,
): number {
  const { fronts, frontSlots, nodes, ports } = tables;
  if (fronts.rows === 0) return MISS;
  const portProto = ((port << 16) | protocol) >>> 0;
  const owner = nodeOf(tables, asked);
  let front = findFront(fronts, frontSlots, asked, portProto);
  if (front < 0 && owner >= 0) front = findFront(fronts, frontSlots, 0, portProto);
  if (front < 0) return MISS;
  const node = owner >= 0 ? owner : ports.node[entry]!;
  // Policy Cluster masquerades all, and the node itself always.
  if (fronts.local[front] === NONE || nodeOf(tables, client) === node) return nodes.gateway[node]!;
  const home = podNode(tables, client);
  // A pod of another node has left that one masqueraded.
  return home < 0 || home === node ? client : nodes.address[home]!;
}

/** The node that has `address`, or -1. */
function nodeOf({ addresses }: Tables, address: number): number {
  const slot = findAddress(addresses, address);
  if (slot < 0) return -1;
  const kind = addresses.kind[slot];
  return kind === ADDRESS_KIND.NODE || kind === ADDRESS_KIND.GATEWAY ? addresses.row[slot]! : -1;
}

/** The node of the pod that has `address`, or -1. */
function podNode({ addresses, pods }: Tables, address: number): number {
  const slot = findAddress(addresses, address);
  return slot >= 0 && addresses.kind[slot] === ADDRESS_KIND.POD ? pods.node[addresses.row[slot]!]! : -1;
}
