/** Where TCP's window lies in a row of conntrack's `windows` column; native/tables.h has the same numbers. */

/** One row: the sender of the original direction, the sender of the replies, the last segment. i32 each. */
export const WINDOW = {
  ROW: 20,
  SIDE: 7,
  END: 0,
  MAX_END: 1,
  MAX_WINDOW: 2,
  MAX_ACK: 3,
  SCALE: 4,
  FLAGS: 5,
  /** Behind both sides: seq, ack, end, direction << 16 | window, retransmissions, kind of the last segment. */
  LAST: 14,
  RETRANSMISSIONS: 18,
  LAST_KIND: 19,
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
