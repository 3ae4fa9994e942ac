// The lookup kernel of conntrack and path cache. Twin of src/kernels/conntrack-lookup.ts: same columns, same answers; the work goes
// in groups, each of which asks for its slots and then its rows before it looks at either.
#include <cstring>

#include "kernels.h"
#include "tables.h"

namespace podplane {
namespace {

constexpr size_t kGroup = 32;
static_assert(kConnectionRow == kRowWords && kPathRow == kRowWords, "one lookup serves both");

// Word of the tuple of a slot, or SIZE_MAX where the slot names no whole tuple of the table.
size_t tupleAt(int32_t slot, size_t keyAt, size_t words) {
  if (slot <= kEmpty) return SIZE_MAX;
  const size_t direction = static_cast<size_t>(slot) - 1;
  const size_t at = (direction >> 1) * kRowWords + keyAt + (direction & 1) * kTupleWords;
  return at + kTupleWords <= words ? at : SIZE_MAX;
}

int32_t find(Column<const int32_t> slots, Column<const int32_t> rows, size_t keyAt, uint32_t hash, const int32_t* key) {
  const size_t mask = slots.length - 1;
  size_t at = hash & mask;
  for (size_t probe = 0; probe <= mask; probe++) {
    const int32_t slot = slots.data[at];
    if (slot == kEmpty) return kMiss;
    const size_t t = tupleAt(slot, keyAt, rows.length);
    if (t != SIZE_MAX && std::memcmp(rows.data + t, key, kTupleWords * sizeof *key) == 0) return slot - 1;
    at = (at + 1) & mask;
  }
  return kMiss;
}

}  // namespace

size_t conntrackLookupBatch(Column<const int32_t> slots, Column<const int32_t> rows, size_t keyAt,
                            Column<const int32_t> keys, Column<const uint32_t> hashes, size_t first, size_t count,
                            Column<int32_t> found) {
  count = clampRows(first, count, keys.length / kTupleWords);
  count = clampRows(first, count, hashes.length);
  count = clampRows(first, count, found.length);
  // A mask needs a power of two; any other length is refused, so no index can leave the table.
  if (slots.length == 0 || (slots.length & (slots.length - 1)) != 0) return 0;
  const size_t mask = slots.length - 1;
  const size_t end = first + count;
  for (size_t group = first; group < end; group += kGroup) {
    const size_t stop = end - group < kGroup ? end : group + kGroup;
    for (size_t i = group; i < stop; i++) prefetch(slots.data + (hashes.data[i] & mask));
    for (size_t i = group; i < stop; i++) {
      const size_t t = tupleAt(slots.data[hashes.data[i] & mask], keyAt, rows.length);
      if (t != SIZE_MAX) prefetch(rows.data + t);
    }
    for (size_t i = group; i < stop; i++) {
      const int32_t* key = keys.data + i * kTupleWords;
      found.data[i] = key[3] == 0 ? kMiss : find(slots, rows, keyAt, hashes.data[i], key);
    }
  }
  return count;
}

}  // namespace podplane
