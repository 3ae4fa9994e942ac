// The packet that the short way has in hand.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wire.h"

namespace podplane {

// Its frame, where its headers are in it, and one past its last byte.
struct Packet {
  uint8_t* frame;
  uint8_t* ip;
  uint8_t* transport;
  uint8_t* end;
  uint8_t protocol;
  double nowNs;
};

inline size_t tcpHeaderSize(const uint8_t* tcp) { return static_cast<size_t>(tcp[12] >> 4) << 2; }

}  // namespace podplane
