/** Flags and scales of TCP's windows, in one word of the row: a half for each sender, so that it can be turned to have the
 *  sender of a segment below and its receiver above.
 *
 *   bit 0 … 5           6 … 9                16 … 21        22 … 25
 *  +-------------------+--------------+-----+--------------+--------------+-----+
 *  | flags, original   | its scale    |  0  | flags, reply | its scale    |  0  |
 *  | sender            |              |     | sender       |              |     |
 *  +-------------------+--------------+-----+--------------+--------------+-----+
 *  `base` is a row's first word, `direction` 0 or 1. */
import { WINDOW } from './connection-columns.js';

/** Where in the word the second half begins; of a half, where its scale begins, and the scale's bits. */
export const OPTIONS = { HALF: 16, SCALE_AT: 6, SCALE: 0x0f } as const;
const { HALF, SCALE_AT, SCALE } = OPTIONS;
const FLAGS = 0x3f;

/** The word with the sender in `direction` below, or such a word as the row has it. */
export const turned = (options: number, direction: number): number =>
  direction === 0 ? options : (options >>> HALF) | (options << HALF);

/** Of a word with the sender below. */
export const senderScale = (options: number): number => (options >>> SCALE_AT) & SCALE;

/** WINDOW_FLAG bits where a word with the sender below has the receiver's. */
export const receiverFlags = (flags: number): number => flags << HALF;

/** WINDOW_FLAG bits of the side that sends in `direction`. */
export const windowFlags = (win: Int32Array, base: number, direction: number): number =>
  (win[base + WINDOW.OPTIONS]! >>> (direction * HALF)) & FLAGS;

export function addWindowFlags(win: Int32Array, base: number, direction: number, flags: number): void {
  win[base + WINDOW.OPTIONS]! |= flags << (direction * HALF);
}

/** Window scale of that side, 0 to 15, and its flags, anew. */
export function setWindowOptions(
  win: Int32Array,
  base: number,
  direction: number,
  scale: number,
  flags: number,
): void {
  const at = direction * HALF;
  const kept = win[base + WINDOW.OPTIONS]! & ~(0xffff << at);
  win[base + WINDOW.OPTIONS] = kept | ((((scale & SCALE) << SCALE_AT) | flags) << at);
}

/** Neither side scales its window. */
export function forgetScales(win: Int32Array, base: number): void {
  win[base + WINDOW.OPTIONS]! &= ~((SCALE << SCALE_AT) | (SCALE << (SCALE_AT + HALF)));
}

export const windowScale = (win: Int32Array, base: number, direction: number): number =>
  senderScale(win[base + WINDOW.OPTIONS]! >>> (direction * HALF));
