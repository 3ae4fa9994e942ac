// The short way's connections: are those that the path met still as they were, and what does the packet leave with them?
// Twin of src/kernels/path-connections.ts.
#pragma once

#include <cstring>

#include "kernels.h"
#include "packet.h"
#include "tables.h"
#include "tcp-window.h"

namespace podplane {

constexpr uint32_t kSegmentAck = 3;
// CT_FLAG bits where the marks have them.
constexpr int32_t kEstablished = 3, kSeenReply = 0x100, kAssured = 0x200, kStateBits = 0xff;
constexpr int32_t kKnownBits = kStateBits | kSeenReply | kAssured;
constexpr int32_t kOpen = kEstablished | kSeenReply | kAssured;
constexpr double kUdpNs = 30e9, kUdpStreamNs = 120e9, kIcmpNs = 30e9;

// A time of a connection's row: words of four bytes hold it, so it is copied.
inline double timeAt(const int32_t* row, size_t at) {
  return loadAs<double>(reinterpret_cast<const uint8_t*>(row + at));
}
inline void setTime(int32_t* row, size_t at, double ns) { std::memcpy(row + at, &ns, sizeof ns); }

// Established, and nothing that this packet changes: the first reply changes what conntrack knows, and so does the packet
// that makes a connection assured; the long way sees to them.
PODPLANE_INLINE bool isOpen(int32_t marks, uint32_t direction) {
  if ((marks & kKnownBits) == kOpen) return true;
  return (marks & kStateBits) == kEstablished && (marks & kSeenReply) == 0 && direction == 0;
}

// The connection that a path's touch names; nullptr where it is not the one that the path met, or has expired.
PODPLANE_INLINE int32_t* findTouched(Column<int32_t> connections, uint32_t touch, int32_t born, double nowNs) {
  const size_t at = static_cast<size_t>(touch >> 1) * kConnectionRow;
  if (seldom(at + kConnectionRow > connections.length)) return nullptr;
  int32_t* row = connections.data + at;
  return row[kConnectionBorn] == born && timeAt(row, kConnectionExpires) > nowNs ? row : nullptr;
}

// Have both rows the same windows, and the same last segment?
PODPLANE_INLINE bool isAlike(const int32_t* one, const int32_t* other) {
  const uint8_t* a = reinterpret_cast<const uint8_t*>(one + kWindowSides);
  const uint8_t* b = reinterpret_cast<const uint8_t*>(other + kWindowSides);
  uint64_t difference = 0;
  for (size_t i = 0; i < kWindowWords / 2; i++) difference |= loadAs<uint64_t>(a + 8 * i) ^ loadAs<uint64_t>(b + 8 * i);
  const uint32_t marks = word(one, kConnectionMarks) ^ word(other, kConnectionMarks);
  return (difference | (marks & 1u << kMarksDirectionAt)) == 0;
}

PODPLANE_INLINE Segment segmentOf(const Packet& k) {
  const uint8_t* tcp = k.transport;
  const size_t header = tcpHeaderSize(tcp);
  const uint32_t size = static_cast<uint32_t>(k.end - tcp - header);
  Segment s;
  s.seq = be32(tcp + 4);
  s.ack = be32(tcp + 8);
  s.window = be16(tcp + 14);
  s.end = s.seq + size;
  s.data = size << 16 | s.window;
  s.sacked = seldom(header != kTcpMinSize) ? highestSack(tcp, header, s.ack) : s.ack;
  return s;
}

// What every segment leaves in a row: its marks, its kind and direction, how often it came again, and the timeout.
PODPLANE_INLINE void putLast(int32_t* row, uint32_t marks, uint32_t again, uint32_t direction, uint32_t options, uint32_t data,
                    double nowNs) {
  constexpr uint32_t kStateAndFlags = 0xffff;
  setWord(row, kConnectionMarks,
          (marks & kStateAndFlags) | kSegmentAck << kMarksKindAt | direction << kMarksDirectionAt | again << kMarksAgainAt);
  const bool isAnswered = (marks & kSeenReply) != 0;
  setTime(row, kConnectionExpires, nowNs + windowTimeoutNs(options, again, data, isAnswered));
}

// A liberal connection learns nothing but the kind.
inline void putKind(int32_t* row, double nowNs) {
  const uint32_t marks = word(row, kConnectionMarks);
  putLast(row, marks, marks >> kMarksAgainAt, marks >> kMarksDirectionAt & 1, word(row, kWindowOptions),
          word(row, kWindowLastData), nowNs);
}

// The row learns `l`, which is of one that was alike: its own count of retransmissions goes on.
PODPLANE_INLINE void putLearnt(int32_t* row, uint32_t direction, uint32_t repeats, const Segment& s, const Learnt& l,
                               double nowNs) {
  const uint32_t marks = word(row, kConnectionMarks);
  int32_t* sender = sideOf(row, direction);
  int32_t* receiver = sideOf(row, direction ^ 1);
  setWord(sender, kWindowEnd, l.senderEnd);
  setWord(sender, kWindowMaxWindow, l.senderMaxWindow);
  setWord(sender, kWindowMaxAck, l.senderMaxAck);
  setWord(receiver, kWindowMaxEnd, l.receiverMaxEnd);
  setWord(receiver, kWindowMaxWindow, l.receiverMaxWindow);
  setWord(row, kWindowLastSeq, s.seq);
  setWord(row, kWindowLastAck, s.ack);
  setWord(row, kWindowLastData, s.data);
  setWord(row, kWindowOptions, turned(l.options, direction));
  const uint32_t again = (l.isAgain ? (marks >> kMarksAgainAt) + 1 : 0) + repeats;
  putLast(row, marks, again & 0xff, direction, l.options, s.data, nowNs);
}

constexpr uint32_t repeatsOf(uint32_t shape, uint32_t t) { return shape >> (kPathRepeatsAt + 2 * t) & 3; }

// Judge the segment on every connection first, then let each learn in turn: nothing may have changed when one refuses.
inline bool meetEach(Column<int32_t> connections, const int32_t* path, uint32_t shape, const Segment& s, double nowNs) {
  const uint32_t touches = shape & 0xff;
  int32_t* rows[kTouchesMax];
  Judged judged[kTouchesMax];
  for (uint32_t t = 0; t < touches; t++) {
    const uint32_t touch = word(path, kPathTouch + t);
    rows[t] = findTouched(connections, touch, path[kPathBorn + t], nowNs);
    if (rows[t] == nullptr || !isOpen(rows[t][kConnectionMarks], touch & 1)) return false;
    judged[t] = judge(rows[t], touch & 1, s);
    if (judged[t] == Judged::kRefused) return false;
  }
  for (uint32_t t = 0; t < touches; t++) {
    const uint32_t direction = word(path, kPathTouch + t) & 1;
    if (judged[t] == Judged::kLiberal) {
      putKind(rows[t], nowNs);
      continue;
    }
    for (uint32_t times = 1 + repeatsOf(shape, t); times > 0; times--)
      putLearnt(rows[t], direction, 0, s, learn(rows[t], direction, s), nowNs);
  }
  return true;
}

// The connections that one packet meets after another have mostly seen the same: where all windows are the first's, the
// segment is judged once and all learn the same. To meet it once more then counts as a retransmission and changes nothing
// else, unless it widens the window, which it does each time.
PODPLANE_INLINE bool meetTcp(Column<int32_t> connections, const int32_t* path, uint32_t shape, const Packet& k) {
  const uint32_t touches = shape & 0xff;
  if (seldom(touches == 0)) return true;
  const double nowNs = k.nowNs;
  const Segment s = segmentOf(k);
  const uint32_t firstTouch = word(path, kPathTouch);
  const uint32_t direction = firstTouch & 1;
  int32_t* first = findTouched(connections, firstTouch, path[kPathBorn], nowNs);
  if (seldom(first == nullptr || !isOpen(first[kConnectionMarks], direction))) return false;
  const Judged judged = judge(first, direction, s);
  if (seldom(judged == Judged::kRefused)) return false;
  const Learnt learnt = learn(first, direction, s);
  int32_t* rows[kTouchesMax] = {first};
  bool isOne = judged == Judged::kTaken && (shape >> 16 & kPathFlagDistinct) != 0 &&
               !(learnt.isWidening && shape >> kPathRepeatsAt != 0);
  for (uint32_t t = 1; t < touches; t++) {
    const uint32_t touch = word(path, kPathTouch + t);
    int32_t* row = rows[t] = findTouched(connections, touch, path[kPathBorn + t], nowNs);
    if (seldom(row == nullptr || !isOpen(row[kConnectionMarks], touch & 1))) return false;
    isOne = isOne && ((touch ^ firstTouch) & 1) == 0 && isAlike(row, first);
  }
  if (seldom(!isOne)) return meetEach(connections, path, shape, s, nowNs);
  for (uint32_t t = 0; t < touches; t++) putLearnt(rows[t], direction, repeatsOf(shape, t), s, learnt, nowNs);
  return true;
}

// UDP and echo: only the timeout moves.
inline bool refresh(Column<int32_t> connections, const int32_t* path, uint32_t shape, const Packet& k) {
  const uint32_t touches = shape & 0xff;
  int32_t* rows[kTouchesMax];
  for (uint32_t t = 0; t < touches; t++) {
    const uint32_t touch = word(path, kPathTouch + t);
    rows[t] = findTouched(connections, touch, path[kPathBorn + t], k.nowNs);
    if (rows[t] == nullptr || ((touch & 1) == 1 && (rows[t][kConnectionMarks] & kSeenReply) == 0)) return false;
  }
  for (uint32_t t = 0; t < touches; t++) {
    int32_t* row = rows[t];
    const bool isStream = (row[kConnectionMarks] & kSeenReply) != 0 && k.nowNs > timeAt(row, kConnectionStream);
    if (isStream && k.protocol == kUdp) row[kConnectionMarks] |= kAssured;
    const double timeoutNs = k.protocol == kIcmp ? kIcmpNs : isStream ? kUdpStreamNs : kUdpNs;
    setTime(row, kConnectionExpires, k.nowNs + timeoutNs);
  }
  return true;
}

}  // namespace podplane
