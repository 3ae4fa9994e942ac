/** Address table: which pod, gateway or node an IPv4 address is.
 *  Open addressing, linear probing, power-of-two slots, load <= 0.5; empty: kind = 0. Written by compile, read-only.
 *  ADR1: address u32[n] | row u32[n] | kind u8[n] */
import { layout, type TableOf } from '../layout/layout.js';

export const ADDRESS_TABLE = layout('ADR1', { address: 'u32', row: 'u32', kind: 'u8' });
/** row is a pod, or a node (its gateway on tun0, its NIC address), or a service row's ClusterIP, or the node that hosts an
 *  egress address on its NIC. */
export const ADDRESS_KIND = { POD: 1, GATEWAY: 2, NODE: 3, CLUSTER_IP: 4, EGRESS_IP: 5 } as const;

export const MISS = -1;

/** Spread of a 32-bit key over power-of-two slots (murmur3 finalizer, two rounds are enough here). */
export function mix32(key: number): number {
  let h = Math.imul(key ^ (key >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Slot of `address` (u32), or MISS. */
export function findAddress(table: TableOf<typeof ADDRESS_TABLE>, address: number): number {
  const mask = table.capacity - 1;
  let slot = mix32(address) & mask;
  while (table.kind[slot] !== 0) {
    if (table.address[slot] === address) return slot;
    slot = (slot + 1) & mask;
  }
  return MISS;
}

/** Smallest power of two that holds `rows` at load 0.5, at least 8. */
export function slotsFor(rows: number): number {
  let slots = 8;
  while (slots < rows * 2) slots *= 2;
  return slots;
}
