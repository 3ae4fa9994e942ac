/** What became of a packet. Small integers on the path, names beside them. */

export const Verdict = {
  /** Not decided yet; never in output. */
  None: 0,
  /** A socket of a pod or of a node took it. */
  Delivered: 1,
  /** It left the cluster by a node's NIC (in the one-node form: by that node's NIC). */
  Left: 2,
  /** A stack answered it itself: ARP, echo, RST, ICMP port unreachable. */
  Answered: 3,
  /** Turned away on the way, with a notice to its sender. */
  Rejected: 4,
  /** Gone without a word; the reason says where and why. */
  Dropped: 5,
  /** A fragment that went into a whole datagram. */
  Merged: 6,
  /** Held by the path at the end of the run: a neighbour is still being asked for. */
  Pending: 7,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** Names by value. */
export const VERDICT_NAMES = [
  'none',
  'delivered',
  'left',
  'answered',
  'rejected',
  'dropped',
  'merged',
  'pending',
] as const;
export type VerdictName = (typeof VERDICT_NAMES)[number];
