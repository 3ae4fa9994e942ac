// The five-tuple kernel. Twin of src/kernels/five-tuple.ts: same columns, same order of work.
#include "kernels.h"
#include "tables.h"
#include "tuple-hash.h"
#include "wire.h"

namespace podplane {
namespace {

constexpr size_t kNone = 0;
constexpr uint32_t kNoNode = 0xffffffffu;

bool isEcho(uint8_t type) { return type == kIcmpEcho || type == kIcmpEchoReply; }

// Distance from the frame's start to the transport header of a frame that has a key, else kNone.
size_t transportAt(const uint8_t* frame, size_t size) {
  if (size < kEthernetSize + kIpv4MinSize) return kNone;
  const uint8_t* ip = frame + kEthernetSize;
  const size_t headerSize = (ip[0] & 15u) * 4;
  if (be16(frame + kEtherTypeAt) != kEtherTypeIpv4 || ip[0] >> 4 != 4) return kNone;
  if (headerSize < kIpv4MinSize || (be16(ip + 6) & kFragmentMask) != 0) return kNone;
  const size_t held = size - kEthernetSize;
  const size_t total = be16(ip + 2);
  const size_t end = total < held ? total : held;
  const size_t payload = end > headerSize ? end - headerSize : 0;
  switch (ip[9]) {
    case kTcp:
    case kUdp:
    case kSctp:
      return payload < kPortsSize ? kNone : kEthernetSize + headerSize;
    case kIcmp:
      return payload < kIcmpEchoSize || !isEcho(ip[headerSize]) ? kNone : kEthernetSize + headerSize;
    default:
      return kNone;
  }
}

}  // namespace

size_t fiveTupleBatch(Column<const uint8_t> bytes, Column<const uint32_t> offset, Column<const uint32_t> length,
                      Column<const int32_t> port, Column<const uint32_t> nodes, size_t ports, uint32_t space, size_t first,
                      size_t count, uint32_t seed, Column<int32_t> keys, Column<uint32_t> hashes) {
  count = clampRows(first, count, offset.length);
  count = clampRows(first, count, length.length);
  count = clampRows(first, count, port.length);
  count = clampRows(0, count, keys.length / kTupleWords);
  count = clampRows(0, count, hashes.length);
  if (ports > nodes.length) ports = nodes.length;
  for (size_t i = 0; i < count; i++) {
    const size_t at = offset.data[first + i];
    const size_t size = length.data[first + i];
    const uint32_t entry = static_cast<uint32_t>(port.data[first + i]);
    if (seldom(entry >= ports || nodes.data[entry] == kNoNode)) return i;
    const bool isInside = at <= bytes.length && size <= bytes.length - at;
    const uint8_t* frame = bytes.data + (isInside ? at : 0);
    const size_t l4 = isInside ? transportAt(frame, size) : kNone;
    int32_t* key = keys.data + i * kTupleWords;
    if (l4 == kNone) {
      key[0] = key[1] = key[2] = key[3] = 0;
      hashes.data[i] = 0;
      continue;
    }
    const uint8_t* ip = frame + kEthernetSize;
    const uint8_t* transport = frame + l4;
    const uint32_t source = be32(ip + 12);
    const uint32_t destination = be32(ip + 16);
    const uint32_t sides = ip[9] == kIcmp ? be16(transport + 4) << 16 | be16(transport) : be32(transport);
    const uint32_t owner = (nodes.data[entry] + space) << 8 | ip[9];
    key[0] = static_cast<int32_t>(source);
    key[1] = static_cast<int32_t>(destination);
    key[2] = static_cast<int32_t>(sides);
    key[3] = static_cast<int32_t>(owner);
    hashes.data[i] = tupleHash(seed, source, destination, sides, owner);
  }
  return count;
}

}  // namespace podplane
