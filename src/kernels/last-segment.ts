/** What conntrack keeps of a TCP connection's last segment, beside WINDOW.LAST_*: the upper half of the row's marks.
 *
 *   bit 0 … 15             16 … 18            19           24 … 31
 *  +----------------------+------------------+------------+------------------------------+
 *  | state, CT_FLAG bits  | SegmentKind      | direction  | how often it came again, u8  |
 *  +----------------------+------------------+------------+------------------------------+
 *  The count wraps as the kernel's u8 does (retrans of struct ip_ct_tcp). `base` is a row's first word. */
import { CONNECTION, WINDOW } from './connection-columns.js';

/** Where in the marks each part begins. */
export const MARKS = { KIND_AT: 16, DIRECTION_AT: 19, AGAIN_AT: 24 } as const;
const { KIND_AT, DIRECTION_AT, AGAIN_AT } = MARKS;
const KIND = 0x07;
const STATE_AND_FLAGS = 0xffff;

/** The last segment's direction, as a part of the marks. */
export const LAST_DIRECTION = 1 << DIRECTION_AT;

/** The marks of a connection that no segment has been seen of. */
export const withoutLast = (marks: number): number => marks & STATE_AND_FLAGS;

/** SegmentKind of the last segment. */
export const lastKind = (win: Int32Array, base: number): number =>
  (win[base + CONNECTION.MARKS]! >>> KIND_AT) & KIND;

export function setLastKind(win: Int32Array, base: number, kind: number): void {
  win[base + CONNECTION.MARKS] = (win[base + CONNECTION.MARKS]! & ~(KIND << KIND_AT)) | (kind << KIND_AT);
}

/** The marks after a segment of `kind` that is the last one again or another, and came `repeats` times more. */
export const metAgain = (
  marks: number,
  direction: number,
  isAgain: boolean,
  repeats: number,
  kind: number,
): number =>
  (marks & STATE_AND_FLAGS) |
  (kind << KIND_AT) |
  (direction << DIRECTION_AT) |
  (((isAgain ? (marks >>> AGAIN_AT) + 1 : 0) + repeats) << AGAIN_AT);

/** Direction of the last segment that counted as data or a pure acknowledgement. */
export const lastDirection = (win: Int32Array, base: number): number =>
  (win[base + CONNECTION.MARKS]! >>> DIRECTION_AT) & 1;

/** How often it came again. */
export const cameAgain = (marks: number): number => marks >>> AGAIN_AT;

/** Sequence number behind it. */
export const lastEnd = (win: Int32Array, base: number): number =>
  (win[base + WINDOW.LAST_SEQ]! + (win[base + WINDOW.LAST_DATA]! >>> 16)) | 0;

/** Was the last segment this one? `data` is the word LAST_DATA of it. */
export const isSameSegment = (
  win: Int32Array,
  base: number,
  direction: number,
  seq: number,
  ack: number,
  data: number,
): boolean =>
  win[base + WINDOW.LAST_SEQ] === seq &&
  win[base + WINDOW.LAST_ACK] === ack &&
  win[base + WINDOW.LAST_DATA] === data &&
  lastDirection(win, base) === direction;

/** The same pure ACK again and again shortens the timeout: count it, or keep what it is another than. */
export function countRetransmission(
  win: Int32Array,
  base: number,
  direction: number,
  seq: number,
  ack: number,
  data: number,
): void {
  const marks = win[base + CONNECTION.MARKS]!;
  if (isSameSegment(win, base, direction, seq, ack, data)) {
    win[base + CONNECTION.MARKS] = marks + (1 << AGAIN_AT);
    return;
  }
  win[base + WINDOW.LAST_SEQ] = seq;
  win[base + WINDOW.LAST_ACK] = ack;
  win[base + WINDOW.LAST_DATA] = data;
  win[base + CONNECTION.MARKS] = (marks & (LAST_DIRECTION - 1)) | (direction << DIRECTION_AT);
}
