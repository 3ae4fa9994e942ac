/** One row of the path cache: the whole outcome of the long way for one direction of a connection, 32 words.
 *  native/tables.h has the same numbers. */

export const PATH = {
  ROW: 32,
  /** Port where such packets enter; the key does not have it, and a spoofed packet enters by another. */
  PORT: 0,
  /** touches | hops where the TTL goes down << 8 | PATH_FLAG bits << 16. */
  SHAPE: 1,
  /** verdict | reason << 8. */
  OUTCOME: 2,
  EXIT: 3,
  SERVICE: 4,
  ENDPOINT: 5,
  /** Addresses and ports (or echo identifier) as they leave. */
  SRC: 6,
  DST: 7,
  PORTS: 8,
  /** Checksum differences, one's complement: of the IPv4 header (without TTL) | of the transport << 16. */
  DELTAS: 9,
  /** Destination MAC that the path asks for, and the MACs as they leave; high 16 bits, low 32 bits. */
  ASK_MAC: 10,
  DST_MAC: 12,
  SRC_MAC: 14,
  /** Longest IPv4 packet that is forwarded. */
  MTU: 16,
  /** Connections met on the way: direction index, and the number of the connection. */
  TOUCH: 17,
  BORN: 21,
} as const;

export const TOUCHES_MAX = 4;

export const PATH_FLAG = {
  /** Addresses or ports change. */
  NAT: 1,
  MAC: 2,
  /** A stack on the way looks at the IPv4 checksum. */
  CHECKS_IP: 4,
} as const;
