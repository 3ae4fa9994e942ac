// The kernels' C++ faces: plain columns in, plain columns out, no Node-API. podplane.cc unwraps the typed arrays.
#pragma once

#include <cstddef>
#include <cstdint>

namespace podplane {

// A typed array's memory. A kernel never reads or writes past `length` elements.
template <typename T>
struct Column {
  T* data = nullptr;
  size_t length = 0;
};

// Rows `first` .. `first + count` of the columns, clamped to what every column holds.
size_t fiveTupleBatch(Column<const uint8_t> bytes, Column<const uint32_t> offset, Column<const uint32_t> length,
                      Column<const int32_t> space, size_t first, size_t count, uint32_t seed, Column<int32_t> keys,
                      Column<uint32_t> hashes);

size_t conntrackLookupBatch(Column<const int32_t> slots, Column<const int32_t> tuples, Column<const int32_t> keys,
                            Column<const uint32_t> hashes, size_t first, size_t count, Column<int32_t> rows);

// How many of `count` rows from `first` on a column of `length` rows holds.
constexpr size_t clampRows(size_t first, size_t count, size_t length) {
  const size_t held = length > first ? length - first : 0;
  return count < held ? count : held;
}

}  // namespace podplane
