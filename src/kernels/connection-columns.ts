/** One row of conntrack, 32 words: two cache lines, and all that a packet of an open connection needs in the first.
 *  The addon has the same numbers of layout-header.
 *
 *   word 0        1       2, 3         4 … 7               8 … 11
 *  +-------------+-------+------------+-------------------+-------------------+
 *  | marks: see  | born  | expiresNs  | original sender:  | reply sender      |
 *  | last-segment|       | f64        | see WINDOW        |                   |
 *  +-------------+-------+------------+-------------------+-------------------+
 *   12 … 14               15                  22        23         24 … 27          28 … 31
 *  +---------------------+-------------------+---------+----------+----------------+-------------+
 *  | last segment        | window-options    | service | endpoint | original tuple | reply tuple |
 *  +---------------------+-------------------+---------+----------+----------------+-------------+
 *  Words 4, 5 of a row that is not TCP's: streamNs, f64. Words 16 … 21 are not used. */

export const CONNECTION = {
  ROW: 32,
  /** TCP state (nf_conntrack_proto_tcp.c), 0 for others | CT_FLAG bits << 8 | what last-segment keeps << 16. */
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

/** TCP's windows (struct ip_ct_tcp): words of one sender's side, where in a row the first side begins, and the last
 *  segment. WORDS of them from SIDES on are all that windows are. */
export const WINDOW = {
  SIDE: 4,
  END: 0,
  MAX_END: 1,
  MAX_WINDOW: 2,
  MAX_ACK: 3,
  SIDES: 4,
  LAST_SEQ: 12,
  LAST_ACK: 13,
  /** Bytes of data << 16 | window as it stood in the header. */
  LAST_DATA: 14,
  OPTIONS: 15,
  WORDS: 12,
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
