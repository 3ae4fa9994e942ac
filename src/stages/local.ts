/** Which addresses are the node's own. */
import { ADDRESS_KIND, findAddress } from '../tables/addresses.js';
import type { Walk } from './walk.js';

/** Is `address` (u32) this node's: its NIC's, its gateway's, or an egress address that it hosts? */
export function isLocal(w: Walk, address: number): boolean {
  const { nodes } = w.tables;
  return address === nodes.address[w.node] || address === nodes.gateway[w.node] || isEgressIp(w, address);
}

/** Is `address` an egress address of this node? */
export function isEgressIp(w: Walk, address: number): boolean {
  const { addresses, egressIps } = w.tables;
  if (egressIps.rows === 0) return false;
  const slot = findAddress(addresses, address);
  return slot >= 0 && addresses.kind[slot] === ADDRESS_KIND.EGRESS_IP && addresses.row[slot] === w.node;
}
