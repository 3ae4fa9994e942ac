/** What a TCP segment does to a connection that conntrack knows: state, window, timeout.
 *  Source: Linux net/netfilter/nf_conntrack_proto_tcp.c (nf_conntrack_tcp_packet). */

import { CONNECTION, senderAt, WINDOW, WINDOW_FLAG } from '../kernels/connection-columns.js';
import { lastDirection, lastEnd, lastKind, setLastKind } from '../kernels/last-segment.js';
import { InWindow, UNACKNOWLEDGED_NS, windowTimeoutNs } from '../kernels/tcp-window.js';
import { addWindowFlags, windowFlags } from '../kernels/window-options.js';
import { CT_FLAG } from '../tables/conntrack.js';
import { tcpFlags, tcpSeq } from '../wire/tcp.js';
import { nextTcpState, SegmentKind, segmentKind, TCP_TIMEOUT_NS, TcpState } from './tcp-states.js';
import { judgeWindow } from './tcp-window.js';
import type { Walk } from './walk.js';

/** TAKEN: state and timeout are kept. IGNORED: let through, nothing learned. */
export const Tcp = { TAKEN: 0, IGNORED: 1, INVALID: 2, REOPENS: 3 } as const;

/** The segment in hand meets row `row` in `state`. */
export function meetTcp(w: Walk, row: number, direction: number, state: number): number {
  const table = w.conntrack;
  const win = table.rows;
  const base = row * CONNECTION.ROW;
  const flags = tcpFlags(w.p, w.l4);
  const kind = segmentKind(flags);
  let next = nextTcpState(direction, flags, state);
  if (next === TcpState.INVALID) return Tcp.INVALID;
  if (next === TcpState.IGNORE) {
    setLastKind(win, base, kind);
    return Tcp.IGNORED;
  }
  if (next === TcpState.SYN_SENT && state >= TcpState.TIME_WAIT) return Tcp.REOPENS;
  if (kind === SegmentKind.RST && state < TcpState.FIN_WAIT) {
    const judged = judgeReset(w, row, direction, state);
    if (judged === Tcp.INVALID) return Tcp.INVALID;
    // Not the exact sequence number: the connection stays, its owner may challenge.
    if (judged === Tcp.IGNORED) next = state;
  }
  const inWindow = judgeWindow(w, row, direction, state);
  if (inWindow === InWindow.INVALID) return Tcp.INVALID;
  if (inWindow === InWindow.IGNORE) return Tcp.IGNORED;
  setLastKind(win, base, kind);
  if (state !== next && next === TcpState.FIN_WAIT)
    addWindowFlags(win, base, direction, WINDOW_FLAG.CLOSE_INIT);
  table.setState(row, next);
  table.setExpiresNs(row, w.nowNs + timeoutNs(win, base, kind, usualNs(next, table.flags(row))));
  return Tcp.TAKEN;
}

/** A reset must not lie before what its receiver has acknowledged, and in an established connection it must match
 *  exactly, or follow the sender's last data. */
function judgeReset(w: Walk, row: number, direction: number, state: number): number {
  const win = w.conntrack.rows;
  const base = row * CONNECTION.ROW;
  const isKnown = (windowFlags(win, base, 1 - direction) & WINDOW_FLAG.MAX_ACK_SET) !== 0;
  if (!isKnown || lastKind(win, base) === SegmentKind.SYN) return Tcp.TAKEN;
  const seq = tcpSeq(w.p, w.l4) | 0;
  const acknowledged = win[senderAt(row * 2 + 1 - direction) + WINDOW.MAX_ACK]!;
  if (((seq - acknowledged) | 0) < 0) return Tcp.INVALID;
  const isEstablished = state === TcpState.ESTABLISHED && (w.conntrack.flags(row) & CT_FLAG.ASSURED) !== 0;
  if (!isEstablished || seq === acknowledged) return Tcp.TAKEN;
  const followsData =
    lastKind(win, base) === SegmentKind.ACK &&
    lastDirection(win, base) === direction &&
    seq === lastEnd(win, base);
  return followsData ? Tcp.TAKEN : Tcp.IGNORED;
}

/** The state's own timeout; established without a reply, that is picked up in the middle, it does not last for a day. */
export const usualNs = (state: number, flags: number): number =>
  state === TcpState.ESTABLISHED && (flags & CT_FLAG.SEEN_REPLY) === 0
    ? UNACKNOWLEDGED_NS
    : TCP_TIMEOUT_NS[state]!;

function timeoutNs(win: Int32Array, base: number, kind: number, usual: number): number {
  if (kind === SegmentKind.RST) return TCP_TIMEOUT_NS[TcpState.CLOSE]!;
  return windowTimeoutNs(win, base, kind === SegmentKind.ACK, usual);
}
