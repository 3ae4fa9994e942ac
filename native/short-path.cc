// The short way: packets of connections whose path is known. Twin of src/kernels/short-path.ts: same columns, same
// answers; the work goes in groups, each of which asks for its rows before it looks at them.
#include <cstring>
#include <initializer_list>

#include "kernels.h"
#include "path-connections.h"
#include "path-rewrite.h"
#include "tables.h"
#include "wire.h"

namespace podplane {
namespace {

constexpr size_t kGroup = 16;
// Words of the path cache from which asking ahead pays.
constexpr size_t kAskFrom = 1 << 17;
constexpr size_t kFrameMax = 65499;
constexpr uint32_t kTcpFin = 0x01, kTcpSyn = 0x02, kTcpRst = 0x04, kTcpAck = 0x10;

// One past the last of the rows `first` .. `end` that input, lookup and output columns hold.
size_t heldEnd(const ShortPathColumns& c, size_t first, size_t end, size_t base, size_t out) {
  if (base > first || first >= end) return first;
  size_t count = end - first;
  for (const size_t length : {c.offset.length, c.length.length, c.tsNs.length, c.port.length, c.sequence.length})
    count = clampRows(first, count, length);
  count = clampRows(first - base, count, c.found.length);
  for (const size_t length : {c.origin.length, c.packet.length, c.parent.length, c.root.length, c.verdict.length, c.reason.length,
                              c.exit.length, c.outOffset.length, c.outLength.length, c.outTsNs.length,
                              c.endpoint.length, c.service.length})
    count = clampRows(out, count, length);
  return first + count;
}

// Is the sum over [transport, transport + size) and the pseudo-header right?
PODPLANE_INLINE bool isSumRight(const Packet& k, size_t size) {
  const uint8_t shape[4] = {0, k.protocol, static_cast<uint8_t>(size >> 8), static_cast<uint8_t>(size)};
  const uint64_t pseudo = addAround(loadAs<uint64_t>(k.ip + 12), loadAs<uint32_t>(shape));
  return isAllOnes(sumInMemoryOrder(k.transport, size, pseudo));
}

// A whole transport header with a right checksum, and in TCP's case a segment that changes no state.
PODPLANE_INLINE bool isSound(const Packet& k) {
  if (k.transport > k.end) return false;
  const size_t size = static_cast<size_t>(k.end - k.transport);
  if (k.protocol == kTcp) {
    if (size < kTcpMinSize) return false;
    const size_t header = tcpHeaderSize(k.transport);
    if (header < kTcpMinSize || header > size) return false;
    const uint32_t flags = k.transport[13] & (kTcpSyn | kTcpFin | kTcpRst | kTcpAck);
    return flags == kTcpAck && isSumRight(k, size);
  }
  if (k.protocol == kUdp) {
    if (size < kUdpSize) return false;
    const size_t length = be16(k.transport + 4);
    if (length < kUdpSize || length > size) return false;
    return be16(k.transport + 6) == 0 || isSumRight(k, length);
  }
  return k.protocol == kIcmp && size >= kIcmpSize && isAllOnes(sumInMemoryOrder(k.transport, size, 0));
}

// Row of the path cache that a lookup's answer means, or nullptr where the cache has no such row.
PODPLANE_INLINE const int32_t* pathOf(const ShortPathColumns& c, int32_t found) {
  const size_t at = static_cast<size_t>(static_cast<uint32_t>(found) >> 1) * kPathRow;
  return at + kPathRow <= c.paths.length ? c.paths.data + at : nullptr;
}

PODPLANE_INLINE bool takeOne(const ShortPathColumns& c, const int32_t* path, size_t i, size_t row) {
  if (seldom(path == nullptr || path[kPathPort] != c.port.data[i])) return false;
  const size_t at = c.offset.data[i];
  const size_t length = c.length.data[i];
  if (seldom(length < kEthernetSize + kIpv4MinSize || length > kFrameMax || at + length > c.bytes.length)) return false;
  Packet k;
  k.frame = c.bytes.data + at;
  k.ip = k.frame + kEthernetSize;
  if (seldom(loadAs<uint32_t>(k.frame) != word(path, kPathAskMac) ||
             loadAs<uint16_t>(k.frame + 4) != word(path, kPathAskMac + 1)))
    return false;
  const size_t total = be16(k.ip + 2);
  const size_t headerSize = static_cast<size_t>(k.ip[0] & 15) << 2;
  const uint32_t shape = word(path, kPathShape);
  const uint32_t forwards = shape >> 8 & 0xff;
  const uint32_t flags = shape >> 16 & 0xff;
  if (seldom(total > length - kEthernetSize || headerSize > total || (shape & 0xff) > kTouchesMax)) return false;
  if (seldom(static_cast<int32_t>(total) > path[kPathMtu])) return false;
  if (seldom(forwards > 0 && k.ip[8] <= forwards)) return false;
  k.transport = k.ip + headerSize;
  k.end = k.ip + total;
  k.protocol = k.ip[9];
  k.nowNs = c.tsNs.data[i];
  if ((flags & kPathFlagChecksIp) != 0 && seldom(!isAllOnes(sumInMemoryOrder(k.ip, headerSize, 0)))) return false;
  if (seldom(!isSound(k))) return false;
  const bool isTaken =
      k.protocol == kTcp ? meetTcp(c.connections, path, shape, k) : refresh(c.connections, path, shape, k);
  if (seldom(!isTaken)) return false;
  rewrite(path, forwards, flags, k);
  const uint32_t outcome = word(path, kPathOutcome);
  c.verdict.data[row] = static_cast<uint8_t>(outcome);
  c.reason.data[row] = static_cast<uint16_t>(outcome >> 8);
  c.exit.data[row] = path[kPathExit];
  c.endpoint.data[row] = path[kPathEndpoint];
  c.service.data[row] = path[kPathService];
  c.outOffset.data[row] = static_cast<uint32_t>(at);
  c.outLength.data[row] = static_cast<uint32_t>(kEthernetSize + total);
  return true;
}

// What does not depend on the path, for `count` rows: a loop for each column, which the compiler can do by vectors.
void putRows(const ShortPathColumns& c, size_t first, size_t count, size_t out, double number) {
  const double* tsNs = c.tsNs.data + first;
  const double* sequence = c.sequence.data + first;
  int32_t* origin = c.origin.data + out;
  double *packet = c.packet.data + out, *parent = c.parent.data + out;
  for (size_t k = 0; k < count; k++) origin[k] = static_cast<int32_t>(first + k);
  for (size_t k = 0; k < count; k++) packet[k] = number + static_cast<double>(static_cast<int32_t>(k));
  for (size_t k = 0; k < count; k++) parent[k] = -1;
  std::memcpy(c.root.data + out, sequence, count * sizeof *sequence);
  std::memcpy(c.outTsNs.data + out, tsNs, count * sizeof *tsNs);
  if (c.counts.length <= kLatest) return;
  uint32_t tally[256] = {};
  for (size_t k = 0; k < count; k++) tally[c.verdict.data[out + k]]++;
  for (size_t verdict = 0; verdict < kLatest; verdict++) c.counts.data[verdict] += tally[verdict];
  double latest = c.counts.data[kLatest];
  for (size_t k = 0; k < count; k++) latest = tsNs[k] > latest ? tsNs[k] : latest;
  c.counts.data[kLatest] = latest;
}

// Ask for what the hits among up to kGroup lookup rows from `key` on will need: the rest of their path rows, the lookup has
// read the keys, and the connections that they name. An address that is asked for need not be one of the table's. Inline, since
// to the compiler a function that only asks has no effect, and its call may go.
PODPLANE_INLINE void askFor(const ShortPathColumns& c, size_t key, size_t count) {
  for (size_t k = 0; k < count && c.found.data[key + k] >= 0; k++) {
    const int32_t* path = pathOf(c, c.found.data[key + k]);
    if (seldom(path == nullptr)) continue;
    prefetch(path + kPathMtu);
    const uint32_t touches = word(path, kPathShape) & 0xff;
    for (uint32_t t = 0; t < touches && t < kTouchesMax; t++) {
      const size_t at = static_cast<size_t>(word(path, kPathTouch + t) >> 1) * kConnectionRow;
      if (at < c.connections.length) prefetch(c.connections.data + at);
    }
  }
}

// First row of first .. end that is not taken.
size_t takeRows(const ShortPathColumns& c, size_t first, size_t end, size_t base, size_t out, double limitNs) {
  const bool isLarge = c.paths.length >= kAskFrom;
  for (size_t group = first; group < end; group += kGroup) {
    const size_t stop = end - group < kGroup ? end : group + kGroup;
    if (isLarge) askFor(c, group - base, stop - group);
    for (size_t i = group; i < stop; i++) {
      const int32_t found = c.found.data[i - base];
      if (seldom(found < 0 || !(c.tsNs.data[i] < limitNs))) return i;
      if (seldom(!takeOne(c, pathOf(c, found), i, out + i - first))) return i;
    }
  }
  return end;
}

}  // namespace

size_t shortPath(const ShortPathColumns& columns, size_t first, size_t end, size_t base, size_t out, double number,
                 double limitNs) {
  // A copy that no store of a byte can reach, so that the compiler need not read it again and again.
  const ShortPathColumns c = columns;
  end = heldEnd(c, first, end, base, out);
  const size_t taken = takeRows(c, first, end, base, out, limitNs);
  putRows(c, first, taken - first, out, number);
  return taken;
}

}  // namespace podplane
