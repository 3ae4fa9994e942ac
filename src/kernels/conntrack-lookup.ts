/** The connection lookup kernel: keys and hashes to rows of conntrack, or of the path cache. Twin of
 *  native/conntrack-lookup.cc.
 *
 *  slots  i32[power of two]  open addressing, linear probing from hash & (slots - 1)
 *         0 empty | -1 deleted | else 1 + direction index
 *  rows   i32[32 * rows]     a row has its tuples at word `keyAt`: the original one (4 words), then the reply's
 *  A direction index is row * 2 + direction (0 original, 1 reply).
 *  The owner of the table keeps at least one slot empty, so that a miss ends early; a table without any is
 *  searched once around. */

/** What a lookup that finds nothing answers, and what a slot has that nothing was put in. */
export const SLOT = { MISS: -1, EMPTY: 0 } as const;
/** Words of a tuple, and of a row: CONNECTION.ROW and PATH.ROW. */
export const LOOKUP = { TUPLE_WORDS: 4, ROW_WORDS: 32 } as const;
const { MISS, EMPTY } = SLOT;
const { TUPLE_WORDS: WORDS, ROW_WORDS: ROW } = LOOKUP;
/** Slots from which a touch pass pays: below, the table lies in the cache and the pass costs 2 ns a packet; at
 *  100,000 connections it saves a third. */
const TOUCH_FROM = 1 << 15;

/** Direction index (row * 2 + direction) of the connection whose tuple is k0..k3, or -1. `hash` is its tupleHash. */
export function conntrackFind(
  slots: Int32Array,
  rows: Int32Array,
  keyAt: number,
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
    const t = tupleAt(slot, keyAt);
    if (slot > 0 && rows[t] === k0 && rows[t + 1] === k1 && rows[t + 2] === k2 && rows[t + 3] === k3) {
      return slot - 1;
    }
    at = (at + 1) & mask;
  }
  return MISS;
}

/** First word of the tuple that a slot names. */
const tupleAt = (slot: number, keyAt: number): number =>
  ((slot - 1) >> 1) * ROW + keyAt + ((slot - 1) & 1) * WORDS;

/** Look up the rows `first` .. `first + count` of `keys` (4 words each) and `hashes`, as fiveTupleBatch leaves
 *  them. `found[i]` becomes the direction index, or -1 when there is no such connection or the row has no key. */
export function conntrackLookupBatch(
  slots: Int32Array,
  rows: Int32Array,
  keyAt: number,
  keys: Int32Array,
  hashes: Uint32Array,
  first: number,
  count: number,
  found: Int32Array,
): void {
  if (slots.length >= TOUCH_FROM && count > 0)
    found[first] = touch(slots, rows, keyAt, hashes, first, first + count);
  const end = first + count;
  for (let i = first; i < end; i++) {
    const k = i * WORDS;
    const space = keys[k + 3]!;
    found[i] =
      space === 0
        ? MISS
        : conntrackFind(slots, rows, keyAt, hashes[i]!, keys[k]!, keys[k + 1]!, keys[k + 2]!, space);
  }
}

/** Read the lines that the search will need: reads that depend on no comparison overlap in the processor.
 *  The answer means nothing; the caller stores it, so that the reads are not optimized away. */
function touch(
  slots: Int32Array,
  rows: Int32Array,
  keyAt: number,
  hashes: Uint32Array,
  first: number,
  end: number,
): number {
  const mask = slots.length - 1;
  let sink = 0;
  for (let i = first; i < end; i++) {
    const slot = slots[hashes[i]! & mask]!;
    sink |= rows[slot > 0 ? tupleAt(slot, keyAt) : 0]!;
  }
  return sink;
}
