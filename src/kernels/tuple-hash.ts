/** The flow hash: 32 bits of a conntrack tuple of four words, under a seed. Twin of native/tuple-hash.h. */

/** Odd constants, one a word, so that the words are multiplied independently and the processor overlaps them. */
const M0 = 0x9e3779b1;
const M1 = 0x85ebca77;
const M2 = 0xc2b2ae3d;
const M3 = 0x27d4eb2f;

/** Hash a tuple [source, destination, ports, space and protocol], words as i32; `seed` is a u32. Returns a u32.
 *
 *  The seed chooses the multipliers, not a start value: with fixed multipliers, tuples that collide under one
 *  seed would collide under all. The rotations differ because a word's top bit passes a multiplication
 *  unchanged; unrotated, the top bits of two words would cancel under every seed.
 *  Final mixing: "lowbias32" of C. Wellons' hash-prospector (public domain). */
export function tupleHash(seed: number, k0: number, k1: number, k2: number, k3: number): number {
  const x0 = Math.imul(k0, (M0 ^ seed) | 1);
  const x1 = Math.imul(k1, (M1 ^ ((seed << 11) | (seed >>> 21))) | 1);
  const x2 = Math.imul(k2, (M2 ^ ((seed << 19) | (seed >>> 13))) | 1);
  const x3 = Math.imul(k3, (M3 ^ ((seed << 27) | (seed >>> 5))) | 1);
  let h = x0 ^ ((x1 << 9) | (x1 >>> 23)) ^ ((x2 << 16) | (x2 >>> 16)) ^ ((x3 << 23) | (x3 >>> 9));
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}
