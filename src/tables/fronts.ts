/** The addresses by which Services are reached from outside: external addresses, load balancers' and node ports.
 *
 *  FRT1, a row per service port and address: ip u32 | portProto u32 port<<16|protocol | cluster u32 | local u32 |
 *    rangeFirst u32 | rangeCount u32 | kind u8
 *    ip: 0 stands for any address of the node that sees the packet.
 *    cluster: row of SVC1 whose endpoints traffic policy Cluster takes. local: the row of policy Local; NONE for policy Cluster.
 *    rangeFirst, rangeCount: sources that a load balancer's address takes; count 0 takes all.
 *    A health check's port has a row, and no slot: nothing is translated for it.
 *    A row of no front, in sets that changes are written to, has kind 0.
 *  FRH1, slots: row u32, row + 1; 0 is empty. Key (ip, portProto), linear probing, power-of-two, load <= 0.5.
 *  RNG1: base u32 | mask u32.
 *  Written by compile, read-only. Source: kubernetes pkg/proxy/iptables/proxier.go (KUBE-EXT, KUBE-FW, KUBE-NODEPORTS). */
import { layout, type TableOf } from '../layout/layout.js';
import { MISS, mix32 } from './addresses.js';

export const FRONT_TABLE = layout('FRT1', {
  ip: 'u32',
  portProto: 'u32',
  cluster: 'u32',
  local: 'u32',
  rangeFirst: 'u32',
  rangeCount: 'u32',
  kind: 'u8',
});
export const FRONT_SLOTS = layout('FRH1', { row: 'u32' });
export const RANGE_TABLE = layout('RNG1', { base: 'u32', mask: 'u32' });

export const FRONT_KIND = { EXTERNAL_IP: 1, LOAD_BALANCER: 2, NODE_PORT: 3, HEALTH_CHECK: 4 } as const;

type Fronts = TableOf<typeof FRONT_TABLE>;

/** Hash of a key; compile fills the slots with the same. */
export const frontHash = (ip: number, portProto: number): number =>
  mix32(ip ^ Math.imul(portProto, 0x9e3779b1));

/** Row for `ip` (u32; 0 for a node port) and port<<16|protocol (u32), or MISS. */
export function findFront(
  fronts: Fronts,
  slots: TableOf<typeof FRONT_SLOTS>,
  ip: number,
  portProto: number,
): number {
  const mask = slots.capacity - 1;
  let slot = frontHash(ip, portProto) & mask;
  for (;;) {
    const row = slots.row[slot]! - 1;
    if (row < 0) return MISS;
    if (fronts.ip[row] === ip && fronts.portProto[row] === portProto) return row;
    slot = (slot + 1) & mask;
  }
}

/** Is `address` in one of the `count` ranges from row `first` on? A load balancer has few, so they are looked at in turn. */
export function isInRanges(
  ranges: TableOf<typeof RANGE_TABLE>,
  first: number,
  count: number,
  address: number,
): boolean {
  for (let i = first; i < first + count; i++)
    if ((address & ranges.mask[i]!) >>> 0 === ranges.base[i]) return true;
  return false;
}
