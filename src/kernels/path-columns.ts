/** One row of the path cache: the whole outcome of the long way for one direction of a connection, 32 words. The first
 *  cache line has what decides whether the row is of use, the second what is done then.
 *  The addon has the same numbers of layout-header. */

export const PATH = {
  ROW: 32,
  /** The tuple as the packet comes in, as kernels/five-tuple makes keys. */
  KEY: 0,
  /** Port where such packets enter; the key does not have it, and a spoofed packet enters by another. */
  PORT: 4,
  /** touches | hops where the TTL goes down << 8 | PATH_FLAG bits << 16 | how often each touch comes again, two bits each,
   *  << 24. */
  SHAPE: 5,
  /** Destination MAC that the path asks for: its first four bytes and its last two, as they lie in the frame. */
  ASK_MAC: 6,
  /** Connections met on the way: direction index, and the number of the connection. */
  TOUCH: 8,
  BORN: 12,
  /** Longest IPv4 packet that is forwarded. */
  MTU: 16,
  /** verdict | reason << 8. */
  OUTCOME: 17,
  EXIT: 18,
  SERVICE: 19,
  ENDPOINT: 20,
  /** Addresses and ports (or echo identifier, then two bytes of no use) as they leave, as they lie in the packet. */
  SRC: 21,
  DST: 22,
  PORTS: 23,
  /** Checksum differences, one's complement, never 0: of the IPv4 header | of the transport << 16. */
  DELTAS: 24,
  /** Both MACs as they leave, 12 bytes as they lie in the frame. */
  MACS: 25,
  /** Hash of the key. */
  HASH: 28,
} as const;

export const TOUCHES_MAX = 4;

/** Where in the shape repeats begin. */
export const REPEATS_AT = 24;

/** How often touch `k` comes again, of 0 to 3 times, in the shape. */
export const repeatsAt = (k: number): number => REPEATS_AT + 2 * k;

export const PATH_FLAG = {
  /** Addresses or ports change. */
  NAT: 1,
  MAC: 2,
  /** A stack on the way looks at the IPv4 checksum. */
  CHECKS_IP: 4,
  /** Every touch is of another connection. */
  DISTINCT: 8,
} as const;
