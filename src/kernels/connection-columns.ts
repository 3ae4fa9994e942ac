/** One row of conntrack, 32 words: two cache lines, and every packet's part of it in the first. native/tables.h has the
 *  same numbers.
 *
 *   word 0        1       2, 3         4 … 9               10 … 15
 *  +-------------+-------+------------+-------------------+-------------------+
 *  | state,      | born  | expiresNs  | original sender:  | reply sender      |
 *  | flags << 8  |       | f64        | see WINDOW        |                   |
 *  +-------------+-------+------------+-------------------+-------------------+
 *   16 … 21                22        23         24 … 27          28 … 31
 *  +----------------------+---------+----------+----------------+-------------+
 *  | last segment         | service | endpoint | original tuple | reply tuple |
 *  +----------------------+---------+----------+----------------+-------------+
 *  Words 4, 5 of a row that is not TCP's: streamNs, f64. */

export const CONNECTION = {
  ROW: 32,
  /** TCP state (nf_conntrack_proto_tcp.c), 0 for others | CT_FLAG bits << 8. */
  MARKS: 0,
  /** Number of the connection in the run: whoever remembers a row can tell that it is another's now. */
  BORN: 1,
  /** When the row dies, f64. */
  EXPIRES: 2,
  /** From when a flow that is not TCP's counts as a stream, f64. */
  STREAM: 4,
  /** Rows of the Service and the endpoint it was translated to, or -1. */
  SERVICE: 22,
  ENDPOINT: 23,
  /** Original tuple, then reply tuple, 4 words each, as kernels/five-tuple makes keys. */
  TUPLES: 24,
} as const;

/** Words of one sender's side, and of a row: where its first side begins, and the last segment behind both. */
export const WINDOW = {
  SIDE: 6,
  END: 0,
  MAX_END: 1,
  MAX_WINDOW: 2,
  MAX_ACK: 3,
  SCALE: 4,
  FLAGS: 5,
  SIDES: 4,
  /** seq, ack, end, direction << 16 | window, retransmissions, kind of the last segment. */
  LAST: 16,
  RETRANSMISSIONS: 20,
  LAST_KIND: 21,
} as const;

/** IP_CT_TCP_FLAG_* of include/uapi/linux/netfilter/nf_conntrack_tcp.h. */
export const WINDOW_FLAG = {
  SCALE: 0x01,
  SACK_PERMITTED: 0x02,
  CLOSE_INIT: 0x04,
  LIBERAL: 0x08,
  UNACKNOWLEDGED: 0x10,
  MAX_ACK_SET: 0x20,
} as const;

/** First word of the tuple of a direction index, row * 2 + direction. */
export const tupleAt = (direction: number): number =>
  (direction >> 1) * CONNECTION.ROW + CONNECTION.TUPLES + (direction & 1) * 4;

/** First word of the side that sends in this direction. */
export const senderAt = (direction: number): number =>
  (direction >> 1) * CONNECTION.ROW + WINDOW.SIDES + (direction & 1) * WINDOW.SIDE;
