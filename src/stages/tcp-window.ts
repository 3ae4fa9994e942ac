/** TCP's windows in conntrack: is a segment one that the receiver can expect, and what does it say of both sides?
 *  Source: Linux net/netfilter/nf_conntrack_proto_tcp.c (tcp_in_window, tcp_new, tcp_options). */

import { CONNECTION, senderAt, WINDOW, WINDOW_FLAG } from '../kernels/connection-columns.js';
import { countRetransmission, withoutLast } from '../kernels/last-segment.js';
import { boundsBroken, highestSack, InWindow, isAfter, learnWindow } from '../kernels/tcp-window.js';
import {
  addWindowFlags,
  forgetScales,
  setWindowOptions,
  windowFlags,
  windowScale,
} from '../kernels/window-options.js';
import { TCP, TCP_FLAG, tcpAck, tcpFlags, tcpHeaderSize, tcpSeq } from '../wire/tcp.js';
import { ipv4End } from './transport.js';
import type { Walk } from './walk.js';

const OPTION = { END: 0, NOP: 1, SCALE: 3, SACK_PERMITTED: 4 } as const;
const SCALE_MAX = 14;

/** Sequence number behind the segment in hand: its data, SYN and FIN counted. */
export function segmentEnd(w: Walk): number {
  const flags = tcpFlags(w.p, w.l4);
  const data = ipv4End(w) - w.l4 - tcpHeaderSize(w.p, w.l4);
  return (tcpSeq(w.p, w.l4) + data + ((flags & TCP_FLAG.SYN) >> 1) + (flags & TCP_FLAG.FIN)) | 0;
}

/** A connection begins with the segment in hand: fill the windows of row `row`, all zero before. */
export function beginWindow(w: Walk, row: number): void {
  const win = w.conntrack.rows;
  const base = row * CONNECTION.ROW;
  const sender = senderAt(row * 2);
  win.fill(0, base + WINDOW.SIDES, base + WINDOW.SIDES + WINDOW.WORDS);
  win[base + CONNECTION.MARKS] = withoutLast(win[base + CONNECTION.MARKS]!);
  const end = segmentEnd(w);
  const window = Math.max(1, w.p.getUint16(w.l4 + TCP.WINDOW));
  win[sender + WINDOW.END] = end;
  win[sender + WINDOW.MAX_WINDOW] = window;
  if ((tcpFlags(w.p, w.l4) & TCP_FLAG.SYN) !== 0) {
    win[sender + WINDOW.MAX_END] = end;
    readOptions(w, win, base, 0);
    return;
  }
  // Picked up in the middle: scaling is unknown, so both sides are judged liberally.
  win[sender + WINDOW.MAX_END] = (end + window) | 0;
  const flags = WINDOW_FLAG.SACK_PERMITTED | WINDOW_FLAG.LIBERAL;
  addWindowFlags(win, base, 0, flags);
  addWindowFlags(win, base, 1, flags);
}

/** Judge the segment in hand, of `direction` on row `row` in TCP state `state` (1 SYN_SENT, 2 SYN_RECV matter here),
 *  and learn from it when it is accepted. */
export function judgeWindow(w: Walk, row: number, direction: number, state: number): number {
  const { p, l4 } = w;
  const win = w.conntrack.rows;
  const base = row * CONNECTION.ROW;
  const sender = senderAt(row * 2 + direction);
  const receiver = senderAt(row * 2 + 1 - direction);
  const flags = tcpFlags(p, l4);
  const isSyn = (flags & TCP_FLAG.SYN) !== 0;
  const hasAck = (flags & TCP_FLAG.ACK) !== 0;
  let seq = tcpSeq(p, l4) | 0;
  let ack = tcpAck(p, l4) | 0;
  const rawWindow = p.getUint16(l4 + TCP.WINDOW);
  let window = rawWindow;
  let end = segmentEnd(w);
  const isSackSent = (windowFlags(win, base, 1 - direction) & WINDOW_FLAG.SACK_PERMITTED) !== 0;
  let sack = isSackSent ? highestSack(p, l4, ack) : ack;

  if (win[sender + WINDOW.MAX_WINDOW] === 0) {
    if (isSyn) {
      initSender(w, win, base, direction, end, window);
      if (!hasAck) return InWindow.ACCEPT;
    } else {
      const scaled = Math.max(1, window << windowScale(win, base, direction));
      pickUpSender(win, sender, receiver, end, scaled, sack);
    }
  } else if (isSyn && isAfter(end, win[sender + WINDOW.END]!) && (state === 1 || state === 2)) {
    initSender(w, win, base, direction, end, window);
    if (direction === 1 && !hasAck) return InWindow.ACCEPT;
  }
  const receiverEnd = win[receiver + WINDOW.END]!;
  if (!hasAck || ((flags & TCP_FLAG.RST) !== 0 && ack === 0)) {
    ack = receiverEnd;
    sack = receiverEnd;
  }
  if ((flags & TCP_FLAG.RST) !== 0 && seq === 0 && state === 1) {
    seq = win[sender + WINDOW.END]!;
    end = seq;
  }
  const outside = boundsBroken(win, sender, receiver, seq, end, sack);
  if (outside !== InWindow.ACCEPT)
    return (windowFlags(win, base, direction) & WINDOW_FLAG.LIBERAL) !== 0 ? InWindow.ACCEPT : outside;
  if (!isSyn) window <<= windowScale(win, base, direction);
  learnWindow(win, base, direction, end, ack, sack, window, hasAck);
  if ((flags & (TCP_FLAG.SYN | TCP_FLAG.FIN | TCP_FLAG.RST)) === 0 && hasAck)
    countRetransmission(win, base, direction, seq, ack, ((end - seq) << 16) | rawWindow);
  return InWindow.ACCEPT;
}

/** The first SYN or SYN-ACK of a side (tcp_init_sender). */
function initSender(
  w: Walk,
  win: Int32Array,
  base: number,
  direction: number,
  end: number,
  window: number,
): void {
  const sender = base + WINDOW.SIDES + direction * WINDOW.SIDE;
  win[sender + WINDOW.END] = end;
  win[sender + WINDOW.MAX_END] = end;
  win[sender + WINDOW.MAX_WINDOW] = Math.max(1, window);
  readOptions(w, win, base, direction);
  // RFC 7323 section 2.2: scaling needs the option from both sides.
  const both = windowFlags(win, base, 0) & windowFlags(win, base, 1) & WINDOW_FLAG.SCALE;
  if (direction === 1 && both === 0) forgetScales(win, base);
}

/** A side whose beginning was not seen; its window is `scaled`. */
function pickUpSender(
  win: Int32Array,
  sender: number,
  receiver: number,
  end: number,
  scaled: number,
  sack: number,
): void {
  win[sender + WINDOW.END] = end;
  win[sender + WINDOW.MAX_WINDOW] = scaled;
  win[sender + WINDOW.MAX_END] = (end + scaled) | 0;
  if (win[receiver + WINDOW.MAX_WINDOW] === 0) {
    win[receiver + WINDOW.END] = sack;
    win[receiver + WINDOW.MAX_END] = sack;
  } else if (sack === ((win[receiver + WINDOW.END]! + 1) | 0)) win[receiver + WINDOW.END] = sack;
}

/** Window scale and SACK-permitted of a SYN that goes in `direction`. */
function readOptions(w: Walk, win: Int32Array, base: number, direction: number): void {
  const { p, l4 } = w;
  const end = l4 + tcpHeaderSize(p, l4);
  if (end === l4 + TCP.MIN_SIZE) return;
  let scale = 0;
  let flags = 0;
  for (let at = l4 + TCP.MIN_SIZE; at < end; ) {
    const kind = p.getUint8(at);
    if (kind === OPTION.END) break;
    if (kind === OPTION.NOP) {
      at++;
      continue;
    }
    const size = at + 1 < end ? p.getUint8(at + 1) : 0;
    if (size < 2 || at + size > end) break;
    if (kind === OPTION.SACK_PERMITTED && size === 2) flags |= WINDOW_FLAG.SACK_PERMITTED;
    else if (kind === OPTION.SCALE && size === 3) {
      scale = Math.min(p.getUint8(at + 2), SCALE_MAX);
      flags |= WINDOW_FLAG.SCALE;
    }
    at += size;
  }
  setWindowOptions(win, base, direction, scale, flags);
}
