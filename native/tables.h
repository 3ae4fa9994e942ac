// What the kernels share with TypeScript: word counts, marks, packet constants. Twin of src/kernels/*.ts.
#pragma once

#include <cstddef>
#include <cstdint>

namespace podplane {

// Raise together with LAYOUT_VERSION of scripts/addon-load.cjs whenever a column, a mark or an argument changes.
constexpr int32_t kLayoutVersion = 1;

// Connection table, see src/kernels/conntrack-lookup.ts.
constexpr int32_t kMiss = -1;
constexpr int32_t kEmpty = 0;
constexpr size_t kTupleWords = 4;

// Frames, see src/kernels/five-tuple.ts.
constexpr size_t kEthernetSize = 14;
constexpr size_t kEtherTypeAt = 12;
constexpr uint32_t kEtherTypeIpv4 = 0x0800;
constexpr size_t kIpv4MinSize = 20;
constexpr uint32_t kFragmentMask = 0x3fff;
constexpr uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kSctp = 132;
constexpr uint8_t kIcmpEchoReply = 0, kIcmpEcho = 8;
constexpr size_t kIcmpEchoSize = 8;
constexpr size_t kPortsSize = 4;

}  // namespace podplane
