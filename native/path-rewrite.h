// The short way's last word on a packet: MACs, TTL, addresses, ports and checksums as they leave. Twin of
// src/kernels/path-rewrite.ts.
#pragma once

#include <cstring>

#include "kernels.h"
#include "packet.h"
#include "tables.h"
#include "tcp-window.h"

namespace podplane {

// A checksum after a one's complement difference that is not 0 (RFC 1624 equation 3).
PODPLANE_INLINE uint32_t adjusted(uint32_t checksum, uint32_t delta) {
  const uint32_t sum = (~checksum & 0xffff) + delta;
  return ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
}

PODPLANE_INLINE void rewriteTransport(const int32_t* path, uint32_t delta, const Packet& k) {
  uint8_t* p = k.transport;
  const int32_t* ports = path + kPathPorts;
  if (k.protocol == kTcp) {
    std::memcpy(p, ports, 4);
    putBe16(p + 16, adjusted(be16(p + 16), delta));
  } else if (k.protocol == kUdp) {
    std::memcpy(p, ports, 4);
    const uint32_t sum = be16(p + 6);
    if (sum == 0) return;
    const uint32_t next = adjusted(sum, delta);
    putBe16(p + 6, next == 0 ? 0xffff : next);
  } else if (std::memcmp(p + 4, ports, 2) != 0) {
    std::memcpy(p + 4, ports, 2);
    putBe16(p + 2, adjusted(be16(p + 2), delta));
  }
}

PODPLANE_INLINE void rewrite(const int32_t* path, uint32_t forwards, uint32_t flags, const Packet& k) {
  constexpr size_t kMacs = 12, kAddresses = 8;
  if ((flags & kPathFlagMac) != 0) std::memcpy(k.frame, path + kPathMacs, kMacs);
  const bool isNat = (flags & kPathFlagNat) != 0;
  if (forwards == 0 && !isNat) return;
  const uint32_t deltas = word(path, kPathDeltas);
  // TTL, protocol, checksum.
  const uint32_t before = be32(k.ip + 8);
  putBe32(k.ip + 8, ((before & 0xffff0000u) - (forwards << 24)) | adjusted(before & 0xffff, deltas & 0xffff));
  if (!isNat) return;
  std::memcpy(k.ip + 12, path + kPathSrc, kAddresses);
  rewriteTransport(path, deltas >> 16, k);
}

}  // namespace podplane
