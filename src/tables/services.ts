/** Services and their endpoints, as kube-proxy's nat rules match them: address, port and protocol to a run of endpoints.
 *
 *  SVC1, a row per service port and choice of endpoints: ip u32 | portProto u32 port<<16|protocol | node u32 | first u32 |
 *    count u32 | name u32 | affinity u32 | flags u8 | scope u8
 *    node: ANY, or the node whose choice differs from the others' (local traffic policy).
 *    first, count: a run of rows in the endpoint table. affinity: seconds that a client keeps its endpoint; 0 for none.
 *    scope: what comes to the ClusterIP, or what comes to other addresses where that chooses otherwise (fronts.ts).
 *    A row of no Service, in sets that changes are written to, has portProto 0 and node ANY.
 *  SVH1, slots: row u32, row + 1; 0 is empty. Key (ip, portProto, node, scope), linear probing, power-of-two, load <= 0.5.
 *  EPT1: address u32 | port u32 | node u32 | pod u32 | service u32 | name u32.
 *    Sorted by address, then port, inside a run. A row of no run, in sets that changes are written to, has service NONE.
 *  Written by compile, read-only. Source: kubernetes pkg/proxy/iptables/proxier.go. */
import { layout, type TableOf } from '../layout/layout.js';
import { MISS, mix32 } from './addresses.js';

export const SERVICE_TABLE = layout('SVC1', {
  ip: 'u32',
  portProto: 'u32',
  node: 'u32',
  first: 'u32',
  count: 'u32',
  name: 'u32',
  affinity: 'u32',
  flags: 'u8',
  scope: 'u8',
});
export const SERVICE_SLOTS = layout('SVH1', { row: 'u32' });
export const ENDPOINT_TABLE = layout('EPT1', {
  address: 'u32',
  port: 'u32',
  node: 'u32',
  pod: 'u32',
  service: 'u32',
  name: 'u32',
});

export const ANY_NODE = 0xffffffff;
export const SERVICE_FLAG = {
  /** Some node has a row of its own. */
  PER_NODE: 1,
  /** No endpoint here, but elsewhere: traffic policy Local drops where others reject. */
  LOCAL_ONLY: 2,
  /** An EgressNetworkPolicy denies an endpoint outside the cluster, so the proxy knows none. */
  FIREWALLED: 0x80,
} as const;

export const SCOPE = { INTERNAL: 0, EXTERNAL: 1 } as const;

type Services = TableOf<typeof SERVICE_TABLE>;
type Slots = TableOf<typeof SERVICE_SLOTS>;

/** Hash of a key; compile fills the slots with the same. */
export const serviceHash = (ip: number, portProto: number, node: number, scope: number): number =>
  mix32(ip ^ Math.imul(portProto, 0x9e3779b1) ^ Math.imul(node + 1, 0x27d4eb2f) ^ (scope << 7));

function find(
  services: Services,
  slots: Slots,
  ip: number,
  portProto: number,
  node: number,
  scope: number,
): number {
  const mask = slots.capacity - 1;
  let slot = serviceHash(ip, portProto, node, scope) & mask;
  for (;;) {
    const row = slots.row[slot]! - 1;
    if (row < 0) return MISS;
    const isSame = services.ip[row] === ip && services.portProto[row] === portProto;
    if (isSame && services.node[row] === node && services.scope[row] === scope) return row;
    slot = (slot + 1) & mask;
  }
}

/** Service row for a packet to the ClusterIP `ip` (u32) and port<<16|protocol (u32) seen by `node`, or MISS. */
export function findService(
  services: Services,
  slots: Slots,
  ip: number,
  portProto: number,
  node: number,
): number {
  const row = find(services, slots, ip, portProto, ANY_NODE, SCOPE.INTERNAL);
  return row < 0 ? row : rowOfNode(services, slots, row, node);
}

/** The same for what comes to other addresses, where that chooses otherwise. */
export function findExternal(
  services: Services,
  slots: Slots,
  ip: number,
  portProto: number,
  node: number,
): number {
  const row = find(services, slots, ip, portProto, ANY_NODE, SCOPE.EXTERNAL);
  return row < 0 ? row : rowOfNode(services, slots, row, node);
}

/** The row that `node` has instead of the one for any node, `row`; that one where it has none. */
export function rowOfNode(services: Services, slots: Slots, row: number, node: number): number {
  if ((services.flags[row]! & SERVICE_FLAG.PER_NODE) === 0) return row;
  const own = find(services, slots, services.ip[row]!, services.portProto[row]!, node, services.scope[row]!);
  return own < 0 ? row : own;
}
