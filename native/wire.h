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

// The one's complement sum of 64 bits: what runs over comes in again below.
inline uint64_t addAround(uint64_t sum, uint64_t word) {
  sum += word;
  return sum + (sum < word);
}

// Sum of the words of [p, p + size) as they lie in memory, not folded; an odd last byte is padded with zero. The one's
// complement sum does not depend on byte order, so "all ones" means the same in either (RFC 1071 section 2 B), nor on the
// words' size.
inline uint64_t sumInMemoryOrder(const uint8_t* p, size_t size, uint64_t sum) {
  for (; size >= 32; p += 32, size -= 32) {
    sum = addAround(sum, loadAs<uint64_t>(p));
    sum = addAround(sum, loadAs<uint64_t>(p + 8));
    sum = addAround(sum, loadAs<uint64_t>(p + 16));
    sum = addAround(sum, loadAs<uint64_t>(p + 24));
  }
  if ((size & 16) != 0) {
    sum = addAround(sum, loadAs<uint64_t>(p));
    sum = addAround(sum, loadAs<uint64_t>(p + 8));
    p += 16;
  }
  if ((size & 8) != 0) sum = addAround(sum, loadAs<uint64_t>(p)), p += 8;
  if ((size & 4) != 0) sum = addAround(sum, loadAs<uint32_t>(p)), p += 4;
  if ((size & 2) != 0) sum = addAround(sum, loadAs<uint16_t>(p)), p += 2;
  if ((size & 1) == 0) return sum;
  const uint8_t last[2] = {*p, 0};
  return addAround(sum, loadAs<uint16_t>(last));
}

// Does such a sum fold to all ones, as it must over data that includes its right checksum?
inline bool isAllOnes(uint64_t sum) {
  const uint32_t high = static_cast<uint32_t>(sum >> 32);
  uint32_t folded = static_cast<uint32_t>(sum) + high;
  folded += folded < high;
  folded = (folded >> 16) + (folded & 0xffff);
  return folded == 0xffff || folded == 0x1fffe;
}

}  // namespace podplane
