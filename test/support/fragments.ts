/** Cuts frames into IPv4 fragments, as a sender of small frames would, and reads them. */
import { internetChecksum } from './checksum.js';

const IP = 14;

/** Fragments of `frame` that end at `cuts` (bytes of payload, multiples of 8) and at its end; `change` works on each
 *  fragment's bytes before its checksum is made. */
export function fragmentsOf(
  frame: Uint8Array,
  cuts: readonly number[],
  change: (fragment: Uint8Array, i: number) => void = () => {},
): Uint8Array[] {
  const l4 = IP + (frame[IP]! & 15) * 4;
  const length = frame.length - l4;
  const ends = [...cuts.filter((cut) => cut < length), length];
  return ends.map((end, i) => fragment(frame, i === 0 ? 0 : ends[i - 1]!, end, (bytes) => change(bytes, i)));
}

/** Bytes [from, end) of the datagram's payload as one fragment; the last one when they reach its end. */
export function fragment(
  frame: Uint8Array,
  from: number,
  end: number,
  change: (fragment: Uint8Array) => void = () => {},
): Uint8Array {
  const l4 = IP + (frame[IP]! & 15) * 4;
  const bytes = Uint8Array.of(...frame.subarray(0, l4), ...frame.subarray(l4 + from, l4 + end));
  const view = new DataView(bytes.buffer);
  view.setUint16(IP + 2, bytes.length - IP);
  const df = view.getUint16(IP + 6) & 0x4000;
  view.setUint16(IP + 6, df | (l4 + end < frame.length ? 0x2000 : 0) | (from >> 3));
  change(bytes);
  withSum(bytes);
  return bytes;
}

/** The IPv4 checksum made right. */
export function withSum(frame: Uint8Array): Uint8Array {
  frame.set([0, 0], IP + 10);
  const sum = internetChecksum(frame.subarray(IP, IP + (frame[IP]! & 15) * 4));
  frame.set([sum >> 8, sum & 255], IP + 10);
  return frame;
}

/** `0-24+` is the first 24 bytes with more to come, `24-40` the rest. */
export function pieceOf(frame: Uint8Array): string {
  const view = new DataView(frame.buffer, frame.byteOffset);
  const field = view.getUint16(IP + 6);
  const from = (field & 0x1fff) * 8;
  const end = from + view.getUint16(IP + 2) - (frame[IP]! & 15) * 4;
  return `${from}-${end}${field & 0x2000 ? '+' : ''}${field & 0x4000 ? ' DF' : ''}`;
}
