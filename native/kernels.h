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

// Input rows `first` .. `first + count` of the columns, clamped to what every column holds, and to those whose port is one
// of the first `ports` rows of `nodes`; keys and hashes from row 0 on.
size_t fiveTupleBatch(Column<const uint8_t> bytes, Column<const uint32_t> offset, Column<const uint32_t> length,
                      Column<const int32_t> port, Column<const uint32_t> nodes, size_t ports, uint32_t space, size_t first,
                      size_t count, uint32_t seed, Column<int32_t> keys, Column<uint32_t> hashes);

size_t conntrackLookupBatch(Column<const int32_t> slots, Column<const int32_t> rows, size_t keyAt,
                            Column<const int32_t> keys, Column<const uint32_t> hashes, size_t first, size_t count,
                            Column<int32_t> found);

// What the short way reads and writes, see ShortPathViews of src/kernels/short-path.ts.
struct ShortPathColumns {
  Column<uint8_t> bytes;
  Column<const uint32_t> offset, length;
  Column<const double> tsNs;
  Column<const int32_t> port;
  Column<const double> sequence;
  Column<const int32_t> found, paths;
  Column<int32_t> connections;
  Column<int32_t> origin;
  Column<double> packet, parent, root;
  Column<uint8_t> verdict;
  Column<uint16_t> reason;
  Column<int32_t> exit;
  Column<uint32_t> outOffset, outLength;
  Column<double> outTsNs;
  Column<int32_t> endpoint, service;
  Column<double> counts;
};

// Takes input rows `first` .. `end` while each is a hit; answers the first row not taken. A row that a column does not
// hold is not taken.
size_t shortPath(const ShortPathColumns& columns, size_t first, size_t end, size_t base, size_t out, double number,
                 double limitNs);

// For the bench alone: copies the packets with a header in front, reads and writes a row for each.
size_t memoryFloor(Column<const uint32_t> packets, Column<const uint32_t> header, Column<uint32_t> slots,
                   Column<uint32_t> table, Column<const uint32_t> order, size_t first);

// For what stands on the way of every packet: a call would go through memory.
#if defined(__GNUC__) || defined(__clang__)
#define PODPLANE_INLINE inline __attribute__((always_inline))
#else
#define PODPLANE_INLINE inline
#endif

// What nearly never is so: keeps the usual way straight.
constexpr bool seldom(bool is) {
#if defined(__GNUC__) || defined(__clang__)
  return __builtin_expect(is, false);
#else
  return is;
#endif
}

// Asks for the cache line of an address that will be read soon.
inline void prefetch(const void* address) {
#if defined(__GNUC__) || defined(__clang__)
  __builtin_prefetch(address);
#else
  (void)address;
#endif
}

// How many of `count` rows from `first` on a column of `length` rows holds.
constexpr size_t clampRows(size_t first, size_t count, size_t length) {
  const size_t held = length > first ? length - first : 0;
  return count < held ? count : held;
}

}  // namespace podplane
