// What the kernels share with TypeScript: word counts, marks, packet constants. Twin of src/kernels/*.ts.
#pragma once

#include <cstddef>
#include <cstdint>

namespace podplane {

// Raise together with LAYOUT_VERSION of scripts/addon-load.cjs whenever a column, a mark or an argument changes.
constexpr int32_t kLayoutVersion = 4;

// Connection table, see src/kernels/conntrack-lookup.ts.
constexpr int32_t kMiss = -1;
constexpr int32_t kEmpty = 0;
constexpr size_t kTupleWords = 4;
// Words of a row that a lookup finds: kConnectionRow and kPathRow.
constexpr size_t kRowWords = 32;

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
constexpr size_t kTcpMinSize = 20, kUdpSize = 8, kIcmpSize = 8;

// A row of the path cache, see src/kernels/path-columns.ts.
constexpr size_t kPathRow = 32;
constexpr size_t kPathKey = 0;
constexpr size_t kPathPort = 4;
constexpr size_t kPathShape = 5;
constexpr size_t kPathAskMac = 6;
constexpr size_t kPathTouch = 8;
constexpr size_t kPathBorn = 12;
constexpr size_t kPathMtu = 16;
constexpr size_t kPathOutcome = 17;
constexpr size_t kPathExit = 18;
constexpr size_t kPathService = 19;
constexpr size_t kPathEndpoint = 20;
constexpr size_t kPathSrc = 21;
constexpr size_t kPathDst = 22;
constexpr size_t kPathPorts = 23;
constexpr size_t kPathDeltas = 24;
constexpr size_t kPathMacs = 25;
constexpr size_t kPathHash = 28;
// Bit of the shape where the first touch's repeats are, two bits a touch.
constexpr uint32_t kPathRepeatsAt = 24;
constexpr uint32_t kTouchesMax = 4;
constexpr uint32_t kPathFlagNat = 1, kPathFlagMac = 2, kPathFlagChecksIp = 4, kPathFlagDistinct = 8;

// A row of conntrack, see src/kernels/connection-columns.ts.
constexpr size_t kConnectionRow = 32;
constexpr size_t kConnectionMarks = 0;
constexpr size_t kConnectionBorn = 1;
constexpr size_t kConnectionExpires = 2;
constexpr size_t kConnectionStream = 4;
constexpr size_t kConnectionService = 22;
constexpr size_t kConnectionEndpoint = 23;
constexpr size_t kConnectionTuples = 24;
constexpr size_t kWindowSide = 4;
constexpr size_t kWindowEnd = 0;
constexpr size_t kWindowMaxEnd = 1;
constexpr size_t kWindowMaxWindow = 2;
constexpr size_t kWindowMaxAck = 3;
constexpr size_t kWindowSides = 4;
constexpr size_t kWindowLastSeq = 12;
constexpr size_t kWindowLastAck = 13;
constexpr size_t kWindowLastData = 14;
constexpr size_t kWindowOptions = 15;
constexpr size_t kWindowWords = 12;
static_assert(kConnectionRow == kRowWords && kPathRow == kRowWords, "one lookup serves both");
constexpr uint32_t kWindowFlagScale = 0x01;
constexpr uint32_t kWindowFlagSackPermitted = 0x02;
constexpr uint32_t kWindowFlagCloseInit = 0x04;
constexpr uint32_t kWindowFlagLiberal = 0x08;
constexpr uint32_t kWindowFlagUnacknowledged = 0x10;
constexpr uint32_t kWindowFlagMaxAckSet = 0x20;

// The options' word of a window, see src/kernels/window-options.ts.
constexpr uint32_t kOptionsHalf = 16, kOptionsScaleAt = 6, kOptionsScale = 0x0f;

// The upper half of the marks, see src/kernels/last-segment.ts.
constexpr uint32_t kMarksKindAt = 16, kMarksDirectionAt = 19, kMarksAgainAt = 24;

// The short way's counts, see src/kernels/short-path.ts.
constexpr size_t kLatest = 7;

// The bench's memory floor, see src/kernels/memory-floor.ts.
constexpr size_t kFloorSlot = 32;
constexpr size_t kFloorPacket = 16;
constexpr size_t kFloorHeader = 13;
constexpr size_t kFloorRow = 16;

}  // namespace podplane
