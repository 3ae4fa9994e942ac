/** One row of the path cache: the whole outcome of the long way for one direction of a connection, 32 words. The first
 *  cache line has what decides whether the row is of use, the second what is done then.
 *  native/tables.h has the same numbers. */

export const PATH = {
  ROW: 32,
  /** The tuple as the packet comes in, as kernels/five-tuple makes keys. */
  KEY: 0,
  /** Port where such packets enter; the key does not have it, and a spoofed packet enters by another. */
  PORT: 4,
  /** touches | hops where the TTL goes down << 8 | PATH_FLAG bits << 16. */
  SHAPE: 5,
  /** Destination MAC that the path asks for: high 16 bits, low 32 bits. */
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
  /** Addresses and ports (or echo identifier) as they leave. */
  SRC: 21,
  DST: 22,
  PORTS: 23,
  /** Checksum differences, one's complement: of the IPv4 header (without TTL) | of the transport << 16. */
  DELTAS: 24,
  /** MACs as they leave. */
  DST_MAC: 25,
  SRC_MAC: 27,
  /** Hash of the key. */
  HASH: 29,
} as const;

export const TOUCHES_MAX = 4;

export const PATH_FLAG = {
  /** Addresses or ports change. */
  NAT: 1,
  MAC: 2,
  /** A stack on the way looks at the IPv4 checksum. */
  CHECKS_IP: 4,
} as const;
