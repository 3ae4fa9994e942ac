// Reads and writes of network byte order, and the Internet checksum. Twin of src/wire/checksum.ts, as far as kernels need it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace podplane {

inline uint32_t be16(const uint8_t* p) { return static_cast<uint32_t>(p[0]) << 8 | p[1]; }
inline uint32_t be32(const uint8_t* p) { return be16(p) << 16 | be16(p + 2); }

inline void putBe16(uint8_t* p, uint32_t value) {
  p[0] = static_cast<uint8_t>(value >> 8);
  p[1] = static_cast<uint8_t>(value);
}
inline void putBe32(uint8_t* p, uint32_t value) {
  putBe16(p, value >> 16);
  putBe16(p + 2, value);
}

template <typename T>
inline T loadAs(const uint8_t* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

// Sum of the words of [p, p + size) as they lie in memory, not folded; an odd last byte is padded with zero. The one's
// complement sum does not depend on byte order, so "all ones" means the same in either (RFC 1071 section 2 B).
inline uint64_t sumInMemoryOrder(const uint8_t* p, size_t size, uint64_t sum) {
  for (; size >= 8; p += 8, size -= 8) {
    const uint64_t word = loadAs<uint64_t>(p);
    sum += (word & 0xffffffffu) + (word >> 32);
  }
  if ((size & 4) != 0) sum += loadAs<uint32_t>(p), p += 4;
  if ((size & 2) != 0) sum += loadAs<uint16_t>(p), p += 2;
  if ((size & 1) == 0) return sum;
  const uint8_t last[2] = {*p, 0};
  return sum + loadAs<uint16_t>(last);
}

// Does a sum of words fold to all ones, as it must over data that includes its right checksum?
inline bool isAllOnes(uint64_t sum) { return sum != 0 && sum % 0xffff == 0; }

// HC' = ~(~HC + ~m + m'), RFC 1624 equation 3, for one 16-bit word.
inline uint32_t adjust16(uint32_t hc, uint32_t from, uint32_t to) {
  uint32_t sum = (~hc & 0xffff) + (~from & 0xffff) + (to & 0xffff);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

}  // namespace podplane
