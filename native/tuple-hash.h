// The flow hash. Twin of src/kernels/tuple-hash.ts, which says why it is as it is.
#pragma once

#include <cstdint>

namespace podplane {

constexpr uint32_t rotateLeft(uint32_t x, int bits) { return (x << bits) | (x >> (32 - bits)); }

constexpr uint32_t tupleHash(uint32_t seed, uint32_t k0, uint32_t k1, uint32_t k2, uint32_t k3) {
  const uint32_t x0 = k0 * ((0x9e3779b1u ^ seed) | 1);
  const uint32_t x1 = k1 * ((0x85ebca77u ^ rotateLeft(seed, 11)) | 1);
  const uint32_t x2 = k2 * ((0xc2b2ae3du ^ rotateLeft(seed, 19)) | 1);
  const uint32_t x3 = k3 * ((0x27d4eb2fu ^ rotateLeft(seed, 27)) | 1);
  uint32_t h = x0 ^ rotateLeft(x1, 9) ^ rotateLeft(x2, 16) ^ rotateLeft(x3, 23);
  h = (h ^ (h >> 16)) * 0x7feb352du;
  h = (h ^ (h >> 15)) * 0x846ca68bu;
  return h ^ (h >> 16);
}

}  // namespace podplane
