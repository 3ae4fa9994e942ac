// The layout that the kernels share with TypeScript. Written by scripts/layout-header.mjs from src/kernels: not to be edited.
#pragma once

#include <cstddef>
#include <cstdint>

namespace podplane {

// LAYOUT_VERSION of scripts/addon-load.cjs: an addon of another one is refused.
constexpr int32_t kLayoutVersion = 4;

// Slots and answers of a lookup: conntrack-lookup.ts.
constexpr int32_t kMiss = -1;
constexpr int32_t kEmpty = 0;

// Words of a tuple, and of a row that a lookup finds.
constexpr size_t kTupleWords = 4;
constexpr size_t kRowWords = 32;

// Frames: src/wire.
constexpr size_t kEthernetSize = 14;
constexpr size_t kEtherTypeAt = 12;
constexpr size_t kIpv4MinSize = 20;
constexpr size_t kPortsSize = 4;
constexpr size_t kTcpMinSize = 20;
constexpr size_t kUdpSize = 8;
constexpr size_t kIcmpSize = 8;
constexpr size_t kIcmpEchoSize = 8;

// Values in their headers.
constexpr uint32_t kEtherTypeIpv4 = 0x800;
constexpr uint32_t kFragmentMask = 0x3fff;

// Protocols.
constexpr uint8_t kIcmp = 1;
constexpr uint8_t kTcp = 6;
constexpr uint8_t kUdp = 17;
constexpr uint8_t kSctp = 132;

// Types of ICMP.
constexpr uint8_t kIcmpEchoReply = 0;
constexpr uint8_t kIcmpEcho = 8;

// A row of the path cache: path-columns.ts.
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

// Its shape: where repeats begin, two bits a touch; touches; flags.
constexpr uint32_t kPathRepeatsAt = 24;
constexpr uint32_t kTouchesMax = 4;
constexpr uint32_t kPathFlagNat = 0x1;
constexpr uint32_t kPathFlagMac = 0x2;
constexpr uint32_t kPathFlagChecksIp = 0x4;
constexpr uint32_t kPathFlagDistinct = 0x8;

// A row of conntrack: connection-columns.ts.
constexpr size_t kConnectionRow = 32;
constexpr size_t kConnectionMarks = 0;
constexpr size_t kConnectionBorn = 1;
constexpr size_t kConnectionExpires = 2;
constexpr size_t kConnectionStream = 4;
constexpr size_t kConnectionService = 22;
constexpr size_t kConnectionEndpoint = 23;
constexpr size_t kConnectionTuples = 24;

// TCP's windows in it.
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
constexpr uint32_t kWindowFlagScale = 0x1;
constexpr uint32_t kWindowFlagSackPermitted = 0x2;
constexpr uint32_t kWindowFlagCloseInit = 0x4;
constexpr uint32_t kWindowFlagLiberal = 0x8;
constexpr uint32_t kWindowFlagUnacknowledged = 0x10;
constexpr uint32_t kWindowFlagMaxAckSet = 0x20;

// The options' word of a window: window-options.ts.
constexpr uint32_t kOptionsHalf = 16;
constexpr uint32_t kOptionsScaleAt = 6;
constexpr uint32_t kOptionsScale = 15;

// The upper half of the marks: last-segment.ts.
constexpr uint32_t kMarksKindAt = 16;
constexpr uint32_t kMarksDirectionAt = 19;
constexpr uint32_t kMarksAgainAt = 24;

// The short way's counts: short-path.ts.
constexpr size_t kLatest = 7;

// The bench's memory floor: memory-floor.ts.
constexpr size_t kFloorSlot = 32;
constexpr size_t kFloorPacket = 16;
constexpr size_t kFloorHeader = 13;
constexpr size_t kFloorRow = 16;

}  // namespace podplane
