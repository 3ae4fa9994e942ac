/** The part of TCP's window tracking that an established connection needs on every segment; pure functions over a row of
 *  conntrack. Source: Linux net/netfilter/nf_conntrack_proto_tcp.c (tcp_in_window, tcp_sack). */
import { TCP, tcpHeaderSize } from '../wire/tcp.js';
import { CONNECTION, WINDOW, WINDOW_FLAG } from './connection-columns.js';
import { cameAgain } from './last-segment.js';
import { receiverFlags, turned } from './window-options.js';

export const InWindow = { ACCEPT: 0, IGNORE: 1, INVALID: 2 } as const;

const OPTION = { END: 0, NOP: 1, SACK: 5 } as const;
const MAX_ACK_WINDOW = 66_000;
/** Timeouts that override the state's: nf_conntrack_tcp_timeout_max_retrans, _unacknowledged. */
const RETRANSMITTED_NS = 300e9;
/** Also of an established connection that no reply was seen of: one picked up in the middle. */
export const UNACKNOWLEDGED_NS = 300e9;
export const RETRANSMISSIONS_MAX = 3;
export const EITHER_UNACKNOWLEDGED = WINDOW_FLAG.UNACKNOWLEDGED | receiverFlags(WINDOW_FLAG.UNACKNOWLEDGED);

/** Sequence numbers compare modulo 2^32. */
export const isBefore = (a: number, b: number): boolean => ((a - b) | 0) < 0;
export const isAfter = (a: number, b: number): boolean => ((b - a) | 0) < 0;

/** Conditions I to IV of the source's comment. */
export function boundsBroken(
  win: Int32Array,
  sender: number,
  receiver: number,
  seq: number,
  end: number,
  sack: number,
): number {
  const senderEnd = win[sender + WINDOW.END]!;
  const senderMaxEnd = win[sender + WINDOW.MAX_END]!;
  const receiverEnd = win[receiver + WINDOW.END]!;
  const receiverWindow = win[receiver + WINDOW.MAX_WINDOW]!;
  const ackWindow = Math.max(win[sender + WINDOW.MAX_WINDOW]! >>> 0, MAX_ACK_WINDOW);
  const isAckRecent = isAfter(sack, (receiverEnd - ackWindow - 1) | 0);
  const isAckSeen = isBefore(sack, (receiverEnd + 1) | 0);
  const isEndInWindow = isAfter(end, (senderEnd - receiverWindow - 1) | 0);
  if (!isBefore(seq, (senderMaxEnd + 1) | 0)) {
    const overshot = (end - senderMaxEnd + 1) >>> 0;
    const isTolerated =
      receiverWindow !== 0 && isEndInWindow && isAckRecent && overshot <= receiverWindow >>> 0 && isAckSeen;
    return isTolerated ? InWindow.IGNORE : InWindow.INVALID;
  }
  if (!isAckSeen) return InWindow.INVALID;
  if (receiverWindow !== 0 && !isEndInWindow) return InWindow.INVALID;
  return isAckRecent ? InWindow.ACCEPT : InWindow.IGNORE;
}

/** What an accepted segment says of both sides of the row at `base`; it goes in `direction`. */
export function learnWindow(
  win: Int32Array,
  base: number,
  direction: number,
  end: number,
  ack: number,
  sack: number,
  window: number,
  hasAck: boolean,
): void {
  const sender = base + WINDOW.SIDES + direction * WINDOW.SIDE;
  const receiver = base + WINDOW.SIDES + (1 - direction) * WINDOW.SIDE;
  let options = turned(win[base + WINDOW.OPTIONS]!, direction);
  const wide = window + ((sack - ack) >>> 0);
  if (win[sender + WINDOW.MAX_WINDOW]! >>> 0 < wide) win[sender + WINDOW.MAX_WINDOW] = wide;
  if (isAfter(end, win[sender + WINDOW.END]!)) {
    win[sender + WINDOW.END] = end;
    options |= WINDOW_FLAG.UNACKNOWLEDGED;
  }
  if (hasAck) {
    const isFirst = (options & WINDOW_FLAG.MAX_ACK_SET) === 0;
    if (isFirst || isAfter(ack, win[sender + WINDOW.MAX_ACK]!)) win[sender + WINDOW.MAX_ACK] = ack;
    options |= WINDOW_FLAG.MAX_ACK_SET;
  }
  if (win[receiver + WINDOW.MAX_WINDOW] !== 0 && isAfter(end, win[sender + WINDOW.MAX_END]!))
    win[receiver + WINDOW.MAX_WINDOW]! += (end - win[sender + WINDOW.MAX_END]!) | 0;
  const edge = (sack + window) | 0;
  if (isAfter(edge, (win[receiver + WINDOW.MAX_END]! - 1) | 0))
    win[receiver + WINDOW.MAX_END] = window === 0 ? (edge + 1) | 0 : edge;
  if (ack === win[receiver + WINDOW.END]) options &= ~receiverFlags(WINDOW_FLAG.UNACKNOWLEDGED);
  win[base + WINDOW.OPTIONS] = turned(options, direction);
}

/** The highest right edge of the SACK blocks, or `ack`. */
export function highestSack(p: DataView, l4: number, ack: number): number {
  const end = l4 + tcpHeaderSize(p, l4);
  let highest = ack;
  for (let at = l4 + TCP.MIN_SIZE; at < end; ) {
    const kind = p.getUint8(at);
    if (kind === OPTION.END) return highest;
    if (kind === OPTION.NOP) {
      at++;
      continue;
    }
    const size = at + 1 < end ? p.getUint8(at + 1) : 0;
    if (size < 2 || at + size > end) return highest;
    if (kind === OPTION.SACK && size >= 10 && (size - 2) % 8 === 0) {
      for (let block = at + 2; block < at + size; block += 8) {
        const edge = p.getInt32(block + 4);
        if (isAfter(edge, highest)) highest = edge;
      }
      return highest;
    }
    at += size;
  }
  return highest;
}

/** How long a row stays after a segment: `usual` is its state's timeout; `base` the row's first word. */
export function windowTimeoutNs(win: Int32Array, base: number, isAck: boolean, usual: number): number {
  const isRetransmitted = cameAgain(win[base + CONNECTION.MARKS]!) >= RETRANSMISSIONS_MAX;
  if (isRetransmitted && usual > RETRANSMITTED_NS) return RETRANSMITTED_NS;
  if ((win[base + WINDOW.OPTIONS]! & EITHER_UNACKNOWLEDGED) !== 0 && usual > UNACKNOWLEDGED_NS)
    return UNACKNOWLEDGED_NS;
  // A closed window: the sender will only probe it.
  if (isAck && (win[base + WINDOW.LAST_DATA]! & 0xffff) === 0 && usual > RETRANSMITTED_NS)
    return RETRANSMITTED_NS;
  return usual;
}
