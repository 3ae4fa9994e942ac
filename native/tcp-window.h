// TCP's window tracking of an established connection. Twin of src/kernels/tcp-window.ts, with the columns of
// src/kernels/window-columns.ts; which say where each rule comes from.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tables.h"
#include "wire.h"

namespace podplane {

enum class InWindow { kAccept, kIgnore, kInvalid };

// Sequence numbers compare modulo 2^32.
inline bool isBefore(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b) < 0; }
inline bool isAfter(uint32_t a, uint32_t b) { return isBefore(b, a); }

// One side of a connection, or the words behind both: `win` points at its first word.
inline uint32_t word(const int32_t* win, size_t at) { return static_cast<uint32_t>(win[at]); }
inline void setWord(int32_t* win, size_t at, uint32_t value) { win[at] = static_cast<int32_t>(value); }

// Conditions I to IV of the source's comment.
inline InWindow boundsBroken(const int32_t* sender, const int32_t* receiver, uint32_t seq, uint32_t end,
                             uint32_t sack) {
  constexpr uint32_t kMaxAckWindow = 66000;
  const uint32_t senderEnd = word(sender, kWindowEnd);
  const uint32_t senderMaxEnd = word(sender, kWindowMaxEnd);
  const uint32_t receiverEnd = word(receiver, kWindowEnd);
  const uint32_t receiverWindow = word(receiver, kWindowMaxWindow);
  const uint32_t senderWindow = word(sender, kWindowMaxWindow);
  const uint32_t ackWindow = senderWindow > kMaxAckWindow ? senderWindow : kMaxAckWindow;
  const bool isAckRecent = isAfter(sack, receiverEnd - ackWindow - 1);
  const bool isAckSeen = isBefore(sack, receiverEnd + 1);
  const bool isEndInWindow = isAfter(end, senderEnd - receiverWindow - 1);
  if (!isBefore(seq, senderMaxEnd + 1)) {
    const uint32_t overshot = end - senderMaxEnd + 1;
    const bool isTolerated =
        receiverWindow != 0 && isEndInWindow && isAckRecent && overshot <= receiverWindow && isAckSeen;
    return isTolerated ? InWindow::kIgnore : InWindow::kInvalid;
  }
  if (!isAckSeen) return InWindow::kInvalid;
  if (receiverWindow != 0 && !isEndInWindow) return InWindow::kInvalid;
  return isAckRecent ? InWindow::kAccept : InWindow::kIgnore;
}

// What an accepted segment, which has an acknowledgement, says of both sides.
inline void learnWindow(int32_t* sender, int32_t* receiver, uint32_t end, uint32_t ack, uint32_t sack,
                        uint32_t window) {
  // The window counts as signed: a shift by a scale that no connection has may make it so.
  const int64_t wide = static_cast<int64_t>(static_cast<int32_t>(window)) + static_cast<int64_t>(sack - ack);
  if (static_cast<int64_t>(word(sender, kWindowMaxWindow)) < wide)
    setWord(sender, kWindowMaxWindow, static_cast<uint32_t>(wide));
  if (isAfter(end, word(sender, kWindowEnd))) {
    setWord(sender, kWindowEnd, end);
    sender[kWindowFlags] |= kWindowFlagUnacknowledged;
  }
  const bool isFirst = (sender[kWindowFlags] & kWindowFlagMaxAckSet) == 0;
  if (isFirst || isAfter(ack, word(sender, kWindowMaxAck))) setWord(sender, kWindowMaxAck, ack);
  sender[kWindowFlags] |= kWindowFlagMaxAckSet;
  if (receiver[kWindowMaxWindow] != 0 && isAfter(end, word(sender, kWindowMaxEnd)))
    setWord(receiver, kWindowMaxWindow, word(receiver, kWindowMaxWindow) + end - word(sender, kWindowMaxEnd));
  const uint32_t edge = sack + window;
  if (isAfter(edge, word(receiver, kWindowMaxEnd) - 1))
    setWord(receiver, kWindowMaxEnd, window == 0 ? edge + 1 : edge);
  if (ack == word(receiver, kWindowEnd)) receiver[kWindowFlags] &= ~kWindowFlagUnacknowledged;
}

// The same pure ACK again and again shortens the timeout. `row` is the connection's first word.
inline void countRetransmission(int32_t* row, uint32_t direction, uint32_t seq, uint32_t ack, uint32_t end,
                                uint32_t window) {
  int32_t* last = row + kWindowLast;
  const uint32_t shape = direction << 16 | window;
  if (word(last, 0) == seq && word(last, 1) == ack && word(last, 2) == end && word(last, 3) == shape) {
    setWord(last, 4, word(last, 4) + 1);
    return;
  }
  setWord(last, 0, seq);
  setWord(last, 1, ack);
  setWord(last, 2, end);
  setWord(last, 3, shape);
  last[4] = 0;
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

// How long an established connection stays after an acknowledgement.
inline double windowTimeoutNs(const int32_t* row) {
  constexpr double kEstablishedNs = 86400e9, kShortenedNs = 300e9;
  constexpr int32_t kRetransmissionsMax = 3;
  constexpr int32_t kSeenReplyMark = 0x100;
  const int32_t* sides = row + kWindowSides;
  // Picked up in the middle, and no reply seen.
  if ((row[kConnectionMarks] & kSeenReplyMark) == 0) return kShortenedNs;
  if (row[kWindowRetransmissions] >= kRetransmissionsMax) return kShortenedNs;
  if (((sides[kWindowFlags] | sides[kWindowSide + kWindowFlags]) & kWindowFlagUnacknowledged) != 0) return kShortenedNs;
  // A closed window: the sender will only probe it.
  if ((row[kWindowLast + 3] & 0xffff) == 0) return kShortenedNs;
  return kEstablishedNs;
}

}  // namespace podplane
