/** TCP's states in conntrack: which state follows on which segment, and how long each lasts.
 *  Source: Linux net/netfilter/nf_conntrack_proto_tcp.c; timeouts as kube-proxy sets them
 *  (kubernetes pkg/proxy/apis/config/v1alpha1/defaults.go). */
import { TCP_FLAG } from '../wire/tcp.js';

export const TcpState = {
  NONE: 0,
  SYN_SENT: 1,
  SYN_RECV: 2,
  ESTABLISHED: 3,
  FIN_WAIT: 4,
  CLOSE_WAIT: 5,
  LAST_ACK: 6,
  TIME_WAIT: 7,
  CLOSE: 8,
  SYN_SENT2: 9,
  /** The segment belongs to no state of the connection. */
  INVALID: 10,
  /** Let through, state unchanged. */
  IGNORE: 11,
} as const;

const SECOND = 1e9;
/** By state, in nanoseconds. */
export const TCP_TIMEOUT_NS: readonly number[] = [0, 120, 60, 86_400, 120, 3600, 30, 120, 10, 120].map(
  (seconds) => seconds * SECOND,
);

const STATES = 10;
/** One letter a next state; rows: syn, syn+ack, fin, ack, rst, none; columns: the state before, NONE … SYN_SENT2. */
const LETTER = 'NSREFCLTXsIG';
const ORIGINAL = ['SSGGGGGSSs', 'IIRIIIIIIR', 'IIFFLLLTXI', 'EIEECCTTXI', 'IXXXXXXXXX', 'IIIIIIIIII'];
const REPLY = ['IsIIIIISIs', 'IRGGGGGGGR', 'IIFFLLLTXI', 'IGRECCTTXG', 'IXXXXXXXXX', 'IIIIIIIIII'];
const NEXT = Uint8Array.from([...ORIGINAL, ...REPLY].join(''), (letter) => LETTER.indexOf(letter));

/** State after a segment with `flags` in `direction` (0 original, 1 reply) met a connection in `state`. */
export function nextTcpState(direction: number, flags: number, state: number): number {
  return NEXT[(direction * 6 + segmentKind(flags)) * STATES + state]!;
}

/** Rows of the tables above. */
export const SegmentKind = { SYN: 0, SYN_ACK: 1, FIN: 2, ACK: 3, RST: 4, NONE: 5 } as const;

export function segmentKind(flags: number): number {
  if ((flags & TCP_FLAG.RST) !== 0) return SegmentKind.RST;
  if ((flags & TCP_FLAG.SYN) !== 0)
    return (flags & TCP_FLAG.ACK) !== 0 ? SegmentKind.SYN_ACK : SegmentKind.SYN;
  if ((flags & TCP_FLAG.FIN) !== 0) return SegmentKind.FIN;
  return (flags & TCP_FLAG.ACK) !== 0 ? SegmentKind.ACK : SegmentKind.NONE;
}

/** Flag sets that conntrack takes, without ECE, CWR and PSH (tcp_valid_flags). */
const VALID = new Set([
  TCP_FLAG.SYN,
  TCP_FLAG.SYN | TCP_FLAG.URG,
  TCP_FLAG.SYN | TCP_FLAG.ACK,
  TCP_FLAG.RST,
  TCP_FLAG.RST | TCP_FLAG.ACK,
  TCP_FLAG.FIN | TCP_FLAG.ACK,
  TCP_FLAG.FIN | TCP_FLAG.ACK | TCP_FLAG.URG,
  TCP_FLAG.ACK,
  TCP_FLAG.ACK | TCP_FLAG.URG,
] as number[]);
const VALID_FLAGS = Uint8Array.from({ length: 64 }, (_, flags) => (VALID.has(flags) ? 1 : 0));

export const areTcpFlagsValid = (flags: number): boolean =>
  VALID_FLAGS[flags & ~(TCP_FLAG.ECE | TCP_FLAG.CWR | TCP_FLAG.PSH) & 0x3f] === 1;
