// The memory floor, for the bench alone. Twin of src/kernels/memory-floor.ts; the work goes in groups, each of which asks
// for its rows before it looks at them.
#include <cstring>

#include "kernels.h"
#include "tables.h"

namespace podplane {
namespace {

constexpr size_t kGroup = 32;

}  // namespace

size_t memoryFloor(Column<const uint32_t> packets, Column<const uint32_t> header, Column<uint32_t> slots,
                   Column<uint32_t> table, Column<const uint32_t> order, size_t first) {
  const size_t rows = table.length / kFloorRow;
  size_t count = packets.length / kFloorPacket;
  count = clampRows(0, count, slots.length / kFloorSlot);
  if (header.length < kFloorHeader || rows == 0 || first >= order.length) return first;
  size_t next = first;
  for (size_t group = 0; group < count; group += kGroup) {
    const size_t stop = count - group < kGroup ? count : group + kGroup;
    uint32_t* asked[kGroup];
    for (size_t i = group; i < stop; i++) {
      const size_t row = order.data[next];
      asked[i - group] = table.data + (row < rows ? row : 0) * kFloorRow;
      prefetch(asked[i - group]);
      next = next + 1 == order.length ? 0 : next + 1;
    }
    for (size_t i = group; i < stop; i++) {
      uint32_t* slot = slots.data + i * kFloorSlot;
      const uint32_t seen = ++*asked[i - group];
      std::memcpy(slot, header.data, kFloorHeader * sizeof *slot);
      std::memcpy(slot + kFloorHeader, packets.data + i * kFloorPacket, kFloorPacket * sizeof *slot);
      *slot = seen;
    }
  }
  return next;
}

}  // namespace podplane
