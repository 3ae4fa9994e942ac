// TCP's window tracking of an established connection. Twin of src/kernels/tcp-window.ts and window-shape.ts, which say
// where each rule comes from.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.h"
#include "tables.h"
#include "wire.h"

namespace podplane {

// Sequence numbers compare modulo 2^32.
inline bool isBefore(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b) < 0; }
inline bool isAfter(uint32_t a, uint32_t b) { return isBefore(b, a); }

inline uint32_t word(const int32_t* words, size_t at) { return static_cast<uint32_t>(words[at]); }
inline void setWord(int32_t* words, size_t at, uint32_t value) { words[at] = static_cast<int32_t>(value); }

// First word of the side of a row that sends in `direction`.
inline int32_t* sideOf(int32_t* row, uint32_t direction) { return row + kWindowSides + direction * kWindowSide; }
inline const int32_t* sideOf(const int32_t* row, uint32_t direction) {
  return row + kWindowSides + direction * kWindowSide;
}

// The options' word with the sender in `direction` below, or such a word as the row has it.
constexpr uint32_t turned(uint32_t options, uint32_t direction) {
  return direction == 0 ? options : options >> kOptionsHalf | options << kOptionsHalf;
}
constexpr uint32_t receiverFlags(uint32_t flags) { return flags << kOptionsHalf; }

// What a segment says of itself. `sacked`: the highest right edge of its SACK blocks, or its acknowledgement; `window` as
// it stands in the header; `data`: as kWindowLastData has it.
struct Segment {
  uint32_t seq, ack, sacked, end, window, data;
};

// What a segment meets on a row, and what it makes of the words that it may change. `options` has the sender below.
// isAgain: the last segment was the same. isWidening: what goes beyond the window widens it, each time anew.
struct Learnt {
  uint32_t senderEnd, senderMaxWindow, senderMaxAck, receiverMaxEnd, receiverMaxWindow, options;
  bool isAgain, isWidening;
};

enum class Judged { kTaken, kLiberal, kRefused };

PODPLANE_INLINE uint32_t sackOf(uint32_t options, const Segment& s) {
  return (options & receiverFlags(kWindowFlagSackPermitted)) != 0 ? s.sacked : s.ack;
}

// Conditions I to IV of the source's comment.
PODPLANE_INLINE Judged judge(const int32_t* row, uint32_t direction, const Segment& s) {
  constexpr uint32_t kMaxAckWindow = 66000;
  const int32_t* sender = sideOf(row, direction);
  const int32_t* receiver = sideOf(row, direction ^ 1);
  const uint32_t options = turned(word(row, kWindowOptions), direction);
  const uint32_t sack = sackOf(options, s);
  const uint32_t senderWindow = word(sender, kWindowMaxWindow);
  const uint32_t receiverEnd = word(receiver, kWindowEnd);
  const uint32_t receiverWindow = word(receiver, kWindowMaxWindow);
  const uint32_t ackWindow = senderWindow > kMaxAckWindow ? senderWindow : kMaxAckWindow;
  if (seldom(senderWindow == 0)) return Judged::kRefused;
  const bool isInBounds = isAfter(sack, receiverEnd - ackWindow - 1) && isBefore(sack, receiverEnd + 1) &&
                          (receiverWindow == 0 || isAfter(s.end, word(sender, kWindowEnd) - receiverWindow - 1)) &&
                          isBefore(s.seq, word(sender, kWindowMaxEnd) + 1);
  if (!seldom(!isInBounds)) return Judged::kTaken;
  // A connection picked up in the middle takes the segment all the same, and learns nothing from it.
  return (options & kWindowFlagLiberal) != 0 ? Judged::kLiberal : Judged::kRefused;
}

// What a segment that is taken, and has an acknowledgement, says of both sides.
PODPLANE_INLINE Learnt learn(const int32_t* row, uint32_t direction, const Segment& s) {
  const int32_t* sender = sideOf(row, direction);
  const int32_t* receiver = sideOf(row, direction ^ 1);
  uint32_t options = turned(word(row, kWindowOptions), direction);
  const uint32_t sack = sackOf(options, s);
  const uint32_t senderEnd = word(sender, kWindowEnd);
  const uint32_t senderMaxEnd = word(sender, kWindowMaxEnd);
  const uint32_t senderMaxWindow = word(sender, kWindowMaxWindow);
  const uint32_t senderMaxAck = word(sender, kWindowMaxAck);
  const uint32_t receiverMaxEnd = word(receiver, kWindowMaxEnd);
  const uint32_t receiverMaxWindow = word(receiver, kWindowMaxWindow);
  Learnt l;
  // The same pure ACK again and again shortens the timeout.
  l.isAgain = word(row, kWindowLastSeq) == s.seq && word(row, kWindowLastAck) == s.ack &&
              word(row, kWindowLastData) == s.data &&
              (word(row, kConnectionMarks) >> kMarksDirectionAt & 1) == direction;
  const uint32_t window = s.window << (options >> kOptionsScaleAt & kOptionsScale);
  // The window counts as signed: a shift by a scale that no connection has may make it so.
  const int64_t wide = static_cast<int64_t>(static_cast<int32_t>(window)) + static_cast<int64_t>(sack - s.ack);
  l.senderMaxWindow = static_cast<int64_t>(senderMaxWindow) < wide ? static_cast<uint32_t>(wide) : senderMaxWindow;
  const bool isNew = isAfter(s.end, senderEnd);
  l.senderEnd = isNew ? s.end : senderEnd;
  const bool isAckNew = (options & kWindowFlagMaxAckSet) == 0 || isAfter(s.ack, senderMaxAck);
  l.senderMaxAck = isAckNew ? s.ack : senderMaxAck;
  options |= kWindowFlagMaxAckSet | (isNew ? kWindowFlagUnacknowledged : 0);
  l.isWidening = receiverMaxWindow != 0 && isAfter(s.end, senderMaxEnd);
  l.receiverMaxWindow = seldom(l.isWidening) ? receiverMaxWindow + s.end - senderMaxEnd : receiverMaxWindow;
  const uint32_t edge = sack + window;
  const uint32_t nextMaxEnd = edge + (window == 0 ? 1 : 0);
  l.receiverMaxEnd = isAfter(edge, receiverMaxEnd - 1) ? nextMaxEnd : receiverMaxEnd;
  constexpr uint32_t kAcknowledged = ~receiverFlags(kWindowFlagUnacknowledged);
  l.options = s.ack == word(receiver, kWindowEnd) ? options & kAcknowledged : options;
  return l;
}

// The highest right edge of the SACK blocks, or `ack`. The header of `headerSize` bytes at `tcp` is whole.
inline uint32_t highestSack(const uint8_t* tcp, size_t headerSize, uint32_t ack) {
  constexpr uint8_t kEnd = 0, kNop = 1, kSack = 5;
  uint32_t highest = ack;
  for (size_t at = kTcpMinSize; at < headerSize;) {
    const uint8_t kind = tcp[at];
    if (kind == kEnd) return highest;
    if (kind == kNop) {
      at++;
      continue;
    }
    const size_t size = at + 1 < headerSize ? tcp[at + 1] : 0;
    if (size < 2 || at + size > headerSize) return highest;
    if (kind == kSack && size >= 10 && (size - 2) % 8 == 0) {
      for (size_t block = at + 2; block < at + size; block += 8) {
        const uint32_t edge = be32(tcp + block + 4);
        if (isAfter(edge, highest)) highest = edge;
      }
      return highest;
    }
    at += size;
  }
  return highest;
}

// How long an established connection stays after an acknowledgement: by its options, turned or not, by how often the segment
// came again and by its data word; without a reply it was picked up in the middle.
PODPLANE_INLINE double windowTimeoutNs(uint32_t options, uint32_t again, uint32_t data, bool isAnswered) {
  constexpr double kEstablishedNs = 86400e9, kShortenedNs = 300e9;
  constexpr uint32_t kRetransmissionsMax = 3;
  constexpr uint32_t kEither = kWindowFlagUnacknowledged | receiverFlags(kWindowFlagUnacknowledged);
  // A closed window: the sender will only probe it.
  const bool isShortened =
      !isAnswered || again >= kRetransmissionsMax || (options & kEither) != 0 || (data & 0xffff) == 0;
  return isShortened ? kShortenedNs : kEstablishedNs;
}

}  // namespace podplane
