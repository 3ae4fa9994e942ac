/** The connection lookup kernel: keys and hashes to conntrack rows. Twin of native/conntrack-lookup.cc.
 *
 *  slots   i32[power of two]  open addressing, linear probing from hash & (slots - 1)
 *          0 empty | -1 deleted | else 1 + direction index
 *  tuples  i32[8 * rows]      a row is its original tuple (4 words), then its reply tuple (4 words)
 *  A direction index is row * 2 + direction (0 original, 1 reply); its tuple begins at word index * 4.
 *  The owner of the table keeps at least one slot empty, so that a miss ends early; a table without any is
 *  searched once around. */

const MISS = -1;
const EMPTY = 0;
const WORDS = 4;
/** Slots from which a touch pass pays: below, the table lies in the cache and the pass costs 2 ns a packet; at
 *  100,000 connections it saves a third. */
const TOUCH_FROM = 1 << 15;

/** Direction index (row * 2 + direction) of the connection whose tuple is k0..k3, or -1. `hash` is its tupleHash. */
export function conntrackFind(
  slots: Int32Array,
  tuples: Int32Array,
  hash: number,
  k0: number,
  k1: number,
  k2: number,
  k3: number,
): number {
  const mask = slots.length - 1;
  let at = hash & mask;
  for (let probe = 0; probe <= mask; probe++) {
    const slot = slots[at]!;
    if (slot === EMPTY) return MISS;
    const t = (slot - 1) * WORDS;
    if (
      slot > 0 &&
      tuples[t] === k0 &&
      tuples[t + 1] === k1 &&
      tuples[t + 2] === k2 &&
      tuples[t + 3] === k3
    ) {
      return slot - 1;
    }
    at = (at + 1) & mask;
  }
  return MISS;
}

/** Look up the rows `first` .. `first + count` of `keys` (4 words each) and `hashes`, as fiveTupleBatch leaves
 *  them. `rows[i]` becomes the direction index, or -1 when there is no such connection or the row has no key. */
export function conntrackLookupBatch(
  slots: Int32Array,
  tuples: Int32Array,
  keys: Int32Array,
  hashes: Uint32Array,
  first: number,
  count: number,
  rows: Int32Array,
): void {
  if (slots.length >= TOUCH_FROM && count > 0) rows[first] = touch(slots, tuples, hashes, first, count);
  const end = first + count;
  for (let i = first; i < end; i++) {
    const k = i * WORDS;
    const space = keys[k + 3]!;
    rows[i] =
      space === 0
        ? MISS
        : conntrackFind(slots, tuples, hashes[i]!, keys[k]!, keys[k + 1]!, keys[k + 2]!, space);
  }
}

/** Read the lines that the search will need: reads that depend on no comparison overlap in the processor.
 *  The answer means nothing; the caller stores it, so that the reads are not optimized away. */
function touch(
  slots: Int32Array,
  tuples: Int32Array,
  hashes: Uint32Array,
  first: number,
  count: number,
): number {
  const mask = slots.length - 1;
  const end = first + count;
  let sink = 0;
  for (let i = first; i < end; i++) {
    const slot = slots[hashes[i]! & mask]!;
    sink |= tuples[slot > 0 ? (slot - 1) * WORDS : 0]!;
  }
  return sink;
}
