/** Which addresses are the node's own. */
import type { Walk } from './walk.js';

/** Is `address` (u32) this node's: its NIC's or its gateway's? */
export function isLocal(w: Walk, address: number): boolean {
  const { nodes } = w.tables;
  return address === nodes.address[w.node] || address === nodes.gateway[w.node];
}
