// The short way: packets of connections whose path is known. Twin of src/kernels/short-path.ts: same columns, same order
// of work; the work goes in groups, each of which asks for its rows before it looks at them.
#include <cstring>
#include <initializer_list>

#include "kernels.h"
#include "tables.h"
#include "tcp-window.h"
#include "wire.h"

namespace podplane {
namespace {

constexpr size_t kGroup = 16;
constexpr size_t kFrameMax = 65499;
// What nearly every frame has at least: Ethernet, IPv4 and TCP headers.
constexpr size_t kHeadersSize = 54;
constexpr int32_t kSegmentAck = 3, kEstablished = 3;
// CT_FLAG bits where the marks have them.
constexpr int32_t kSeenReply = 0x100, kAssured = 0x200, kStateBits = 0xff;
constexpr double kUdpNs = 30e9, kUdpStreamNs = 120e9, kIcmpNs = 30e9;
constexpr uint32_t kTcpFin = 0x01, kTcpSyn = 0x02, kTcpRst = 0x04, kTcpAck = 0x10;

// The packet in hand: its frame, where its headers are in it, and one past its last byte.
struct Packet {
  uint8_t* frame;
  uint8_t* ip;
  uint8_t* transport;
  uint8_t* end;
  uint8_t protocol;
  double nowNs;
};

size_t least(size_t a, size_t b) { return a < b ? a : b; }

// A time of a connection's row: words of four bytes hold it, so it is copied.
double timeAt(const int32_t* row, size_t at) { return loadAs<double>(reinterpret_cast<const uint8_t*>(row + at)); }
void setTime(int32_t* row, size_t at, double ns) { std::memcpy(row + at, &ns, sizeof ns); }

// One past the last of the rows `first` .. `end` that input, lookup and output columns hold.
size_t heldEnd(const ShortPathColumns& c, size_t first, size_t end, size_t base, size_t out) {
  if (base > first || first >= end) return first;
  size_t count = end - first;
  for (const size_t length : {c.offset.length, c.length.length, c.tsNs.length, c.port.length})
    count = clampRows(first, count, length);
  count = clampRows(first - base, count, least(c.keys.length / kTupleWords, c.found.length));
  for (const size_t length : {c.origin.length, c.packet.length, c.parent.length, c.verdict.length, c.reason.length,
                              c.exit.length, c.outOffset.length, c.outLength.length, c.outTsNs.length,
                              c.endpoint.length, c.service.length})
    count = clampRows(out, count, length);
  return first + count;
}

bool isKey(const int32_t* tuple, const int32_t* key) {
  return tuple[0] == key[0] && tuple[1] == key[1] && tuple[2] == key[2] && tuple[3] == key[3];
}

size_t tcpHeaderSize(const uint8_t* tcp) { return static_cast<size_t>(tcp[12] >> 4) << 2; }

// Is the sum over [transport, transport + size) and the pseudo-header right?
bool isSumRight(const Packet& k, size_t size) {
  const uint8_t shape[4] = {0, k.protocol, static_cast<uint8_t>(size >> 8), static_cast<uint8_t>(size)};
  const uint64_t pseudo = static_cast<uint64_t>(loadAs<uint32_t>(k.ip + 12)) + loadAs<uint32_t>(k.ip + 16) +
                          loadAs<uint32_t>(shape);
  return isAllOnes(sumInMemoryOrder(k.transport, size, pseudo));
}

// A whole transport header with a right checksum, and in TCP's case a segment that changes no state.
bool isSound(const Packet& k) {
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

// Row of the connection table that a touch names.
int32_t* rowOf(const ShortPathColumns& c, uint32_t touch) { return c.connections.data + (touch >> 1) * kConnectionRow; }

// The side that sends in the touch's direction.
int32_t* senderOf(int32_t* row, uint32_t touch) { return row + kWindowSides + (touch & 1) * kWindowSide; }

// Are the connections that the path met still there, and in the state in which it met them?
bool areTouchesLive(const ShortPathColumns& c, const int32_t* path, uint32_t touches, size_t rows, const Packet& k) {
  for (uint32_t t = 0; t < touches; t++) {
    const uint32_t touch = static_cast<uint32_t>(path[kPathTouch + t]);
    if ((touch >> 1) >= rows) return false;
    const int32_t* row = rowOf(c, touch);
    if (row[kConnectionBorn] != path[kPathBorn + t] || timeAt(row, kConnectionExpires) <= k.nowNs) return false;
    // The first reply changes what conntrack knows, and so does the packet that makes a TCP connection assured; the long
    // way sees to them.
    const int32_t marks = row[kConnectionMarks];
    const bool isAnswered = (marks & kSeenReply) != 0;
    if ((touch & 1) == 1 && !isAnswered) return false;
    if (k.protocol != kTcp) continue;
    if ((isAnswered && (marks & kAssured) == 0) || (marks & kStateBits) != kEstablished) return false;
  }
  return true;
}

struct Segment {
  uint32_t seq, ack, end, window;
  size_t headerSize;
};

uint32_t sackOf(const int32_t* receiver, const Packet& k, const Segment& s) {
  if ((receiver[kWindowFlags] & kWindowFlagSackPermitted) == 0) return s.ack;
  return highestSack(k.transport, s.headerSize, s.ack);
}

// Judge the segment on every connection first, then let each learn: nothing may have changed when one refuses.
bool meetTcp(const ShortPathColumns& c, const int32_t* path, uint32_t touches, const Packet& k) {
  const uint8_t* tcp = k.transport;
  Segment s;
  s.seq = be32(tcp + 4);
  s.ack = be32(tcp + 8);
  s.window = be16(tcp + 14);
  s.headerSize = tcpHeaderSize(tcp);
  s.end = s.seq + static_cast<uint32_t>(k.end - tcp) - static_cast<uint32_t>(s.headerSize);
  uint32_t liberal = 0;
  for (uint32_t t = 0; t < touches; t++) {
    const uint32_t touch = static_cast<uint32_t>(path[kPathTouch + t]);
    int32_t* row = rowOf(c, touch);
    const int32_t* sender = senderOf(row, touch);
    const int32_t* receiver = senderOf(row, touch ^ 1);
    if (sender[kWindowMaxWindow] == 0) return false;
    if (boundsBroken(sender, receiver, s.seq, s.end, sackOf(receiver, k, s)) == InWindow::kAccept) continue;
    // A connection picked up in the middle takes the segment all the same, and learns nothing from it.
    if ((sender[kWindowFlags] & kWindowFlagLiberal) == 0) return false;
    liberal |= 1u << t;
  }
  for (uint32_t t = 0; t < touches; t++) {
    const uint32_t touch = static_cast<uint32_t>(path[kPathTouch + t]);
    int32_t* row = rowOf(c, touch);
    if ((liberal & (1u << t)) == 0) {
      int32_t* sender = senderOf(row, touch);
      int32_t* receiver = senderOf(row, touch ^ 1);
      const uint32_t scaled = s.window << (static_cast<uint32_t>(sender[kWindowScale]) & 31);
      learnWindow(sender, receiver, s.end, s.ack, sackOf(receiver, k, s), scaled);
      countRetransmission(row, touch & 1, s.seq, s.ack, s.end, s.window);
    }
    row[kWindowLastKind] = kSegmentAck;
    setTime(row, kConnectionExpires, k.nowNs + windowTimeoutNs(row));
  }
  return true;
}

// UDP and echo: only the timeout moves.
void refresh(const ShortPathColumns& c, const int32_t* path, uint32_t touches, const Packet& k) {
  for (uint32_t t = 0; t < touches; t++) {
    int32_t* row = rowOf(c, static_cast<uint32_t>(path[kPathTouch + t]));
    const bool isStream = (row[kConnectionMarks] & kSeenReply) != 0 && k.nowNs > timeAt(row, kConnectionStream);
    if (isStream && k.protocol == kUdp) row[kConnectionMarks] |= kAssured;
    const double timeoutNs = k.protocol == kIcmp ? kIcmpNs : isStream ? kUdpStreamNs : kUdpNs;
    setTime(row, kConnectionExpires, k.nowNs + timeoutNs);
  }
}

void rewriteTransport(const int32_t* path, uint32_t delta, const Packet& k) {
  uint8_t* p = k.transport;
  const uint32_t ports = static_cast<uint32_t>(path[kPathPorts]);
  if (k.protocol == kTcp) {
    putBe32(p, ports);
    putBe16(p + 16, adjust16(be16(p + 16), 0, delta));
  } else if (k.protocol == kUdp) {
    putBe32(p, ports);
    const uint32_t sum = be16(p + 6);
    if (sum == 0) return;
    const uint32_t next = adjust16(sum, 0, delta);
    putBe16(p + 6, next == 0 ? 0xffff : next);
  } else if (be16(p + 4) != ports >> 16) {
    putBe16(p + 4, ports >> 16);
    putBe16(p + 2, adjust16(be16(p + 2), 0, delta));
  }
}

void rewrite(const int32_t* path, uint32_t forwards, uint32_t flags, const Packet& k) {
  if ((flags & kPathFlagMac) != 0) {
    putBe16(k.frame, static_cast<uint32_t>(path[kPathDstMac]));
    putBe32(k.frame + 2, static_cast<uint32_t>(path[kPathDstMac + 1]));
    putBe16(k.frame + 6, static_cast<uint32_t>(path[kPathSrcMac]));
    putBe32(k.frame + 8, static_cast<uint32_t>(path[kPathSrcMac + 1]));
  }
  const uint32_t deltas = static_cast<uint32_t>(path[kPathDeltas]);
  const bool isNat = (flags & kPathFlagNat) != 0;
  if (forwards > 0 || isNat) {
    const uint32_t word = be16(k.ip + 8);
    uint32_t sum = adjust16(be16(k.ip + 10), word, word - forwards * 0x100);
    k.ip[8] = static_cast<uint8_t>((word >> 8) - forwards);
    if (isNat) sum = adjust16(sum, 0, deltas & 0xffff);
    putBe16(k.ip + 10, sum);
  }
  if (!isNat) return;
  putBe32(k.ip + 12, static_cast<uint32_t>(path[kPathSrc]));
  putBe32(k.ip + 16, static_cast<uint32_t>(path[kPathDst]));
  rewriteTransport(path, deltas >> 16, k);
}

// Row of the path cache that a lookup's answer means, or nullptr where the cache has no such row.
const int32_t* pathOf(const ShortPathColumns& c, int32_t found) {
  const size_t row = static_cast<uint32_t>(found) >> 1;
  return (row + 1) * kPathRow <= c.paths.length ? c.paths.data + row * kPathRow : nullptr;
}

bool takeOne(const ShortPathColumns& c, size_t i, size_t key, size_t row, size_t rows) {
  const int32_t found = c.found.data[key];
  const int32_t* path = pathOf(c, found);
  if (path == nullptr || path[kPathPort] != c.port.data[i]) return false;
  if (!isKey(path + kPathKey, c.keys.data + key * kTupleWords)) return false;
  const size_t at = c.offset.data[i];
  const size_t length = c.length.data[i];
  if (length < kEthernetSize + kIpv4MinSize || length > kFrameMax) return false;
  if (at > c.bytes.length || length > c.bytes.length - at) return false;
  Packet k;
  k.frame = c.bytes.data + at;
  k.ip = k.frame + kEthernetSize;
  if (be16(k.frame) != static_cast<uint32_t>(path[kPathAskMac])) return false;
  if (be32(k.frame + 2) != static_cast<uint32_t>(path[kPathAskMac + 1])) return false;
  const size_t total = be16(k.ip + 2);
  const size_t headerSize = static_cast<size_t>(k.ip[0] & 15) << 2;
  const uint32_t shape = static_cast<uint32_t>(path[kPathShape]);
  const uint32_t touches = shape & 0xff;
  const uint32_t forwards = shape >> 8 & 0xff;
  const uint32_t flags = shape >> 16;
  if (total > length - kEthernetSize || headerSize > total || touches > kTouchesMax) return false;
  if (static_cast<int32_t>(total) > path[kPathMtu]) return false;
  if (forwards > 0 && k.ip[8] <= forwards) return false;
  k.transport = k.ip + headerSize;
  k.end = k.ip + total;
  k.protocol = k.ip[9];
  k.nowNs = c.tsNs.data[i];
  if ((flags & kPathFlagChecksIp) != 0 && !isAllOnes(sumInMemoryOrder(k.ip, headerSize, 0))) return false;
  if (!isSound(k) || !areTouchesLive(c, path, touches, rows, k)) return false;
  if (k.protocol == kTcp) {
    if (!meetTcp(c, path, touches, k)) return false;
  } else {
    refresh(c, path, touches, k);
  }
  rewrite(path, forwards, flags, k);
  const uint32_t outcome = static_cast<uint32_t>(path[kPathOutcome]);
  c.verdict.data[row] = static_cast<uint8_t>(outcome);
  c.reason.data[row] = static_cast<uint16_t>(outcome >> 8);
  c.exit.data[row] = path[kPathExit];
  c.outOffset.data[row] = static_cast<uint32_t>(at);
  c.outLength.data[row] = static_cast<uint32_t>(kEthernetSize + total);
  c.endpoint.data[row] = path[kPathEndpoint];
  c.service.data[row] = path[kPathService];
  if ((outcome & 0xff) < c.counts.length) c.counts.data[outcome & 0xff]++;
  return true;
}

// Ask for the frames and path rows of the hits from input row `i` on, then for the connections that these name. Answers
// how many hits there are before the first miss. An address that is asked for need not be one of the table's.
size_t askFor(const ShortPathColumns& c, size_t i, size_t key, size_t count, size_t rows) {
  size_t hits = 0;
  for (; hits < count && c.found.data[key + hits] >= 0; hits++) {
    const uint8_t* frame = c.bytes.data + c.offset.data[i + hits];
    prefetch(frame);
    prefetch(frame + kHeadersSize);
    const int32_t* path = pathOf(c, c.found.data[key + hits]);
    if (path == nullptr) continue;
    prefetch(path);
    prefetch(path + kPathMtu);
  }
  for (size_t i = 0; i < hits; i++) {
    const int32_t* path = pathOf(c, c.found.data[key + i]);
    if (path == nullptr) continue;
    const uint32_t touches = static_cast<uint32_t>(path[kPathShape]) & 0xff;
    for (uint32_t t = 0; t < touches && t < kTouchesMax; t++) {
      const uint32_t touch = static_cast<uint32_t>(path[kPathTouch + t]);
      if ((touch >> 1) >= rows) continue;
      prefetch(rowOf(c, touch));
      prefetch(rowOf(c, touch) + kWindowLast);
    }
  }
  return hits;
}

}  // namespace

size_t shortPath(const ShortPathColumns& columns, size_t first, size_t end, size_t base, size_t out, double number,
                 double limitNs) {
  // A copy that no store of a byte can reach, so that the compiler need not read it again and again.
  const ShortPathColumns c = columns;
  const size_t rows = c.connections.length / kConnectionRow;
  end = heldEnd(c, first, end, base, out);
  for (size_t group = first; group < end; group += kGroup) {
    const size_t asked = least(kGroup, end - group);
    const size_t stop = group + askFor(c, group, group - base, asked, rows);
    for (size_t i = group; i < stop; i++) {
      const size_t row = out + i - first;
      if (!(c.tsNs.data[i] < limitNs) || !takeOne(c, i, i - base, row, rows)) return i;
      c.origin.data[row] = static_cast<int32_t>(i);
      c.packet.data[row] = number + static_cast<double>(i - first);
      c.parent.data[row] = -1;
      c.outTsNs.data[row] = c.tsNs.data[i];
    }
    if (stop < group + asked) return stop;
  }
  return end;
}

}  // namespace podplane
