/** Random decisions without a stream: a keyed function of seed, node, tuple, time of creation and rule, so that no order
 *  of batches, workers or back ends can change one. */

import { IPV4 } from '../wire/ipv4.js';

/** Which of netfilter's rules asks: no two may get the same number. */
export const SALT = { ENDPOINT: 1, PORT: 2 } as const;

/** A u32 for this decision. `tuple` is the connection's original one, `nowNs` when it is made, `salt` which rule asks. */
export function keyedRandom(seed: number, tuple: Int32Array, nowNs: number, salt: number): number {
  let h = Math.imul(seed ^ salt, 0x9e3779b1);
  for (let i = 0; i < 4; i++) h = step(h, tuple[i]!);
  h = step(h, nowNs | 0);
  h = step(h, Math.floor(nowNs / 0x100000000) | 0);
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

const words = new Int32Array(4);

/** A u32 for what a stack makes up when it answers the IPv4 packet at `l3`: keyed by that packet's own words. */
export function packetRandom(seed: number, p: DataView, l3: number, nowNs: number, salt: number): number {
  words[0] = p.getInt32(l3 + IPV4.SRC);
  words[1] = p.getInt32(l3 + IPV4.DST);
  words[2] = p.getInt32(l3 + IPV4.ID);
  words[3] = p.getUint16(l3 + IPV4.LENGTH);
  return keyedRandom(seed, words, nowNs, salt);
}

function step(h: number, word: number): number {
  const x = Math.imul(h ^ word, 0x85ebca6b);
  return x ^ (x >>> 13);
}
