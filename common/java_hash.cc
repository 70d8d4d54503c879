#include "common/java_hash.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace comet {
namespace {

/// Calls `unit` with each UTF-16 code unit; bytes that are not UTF-8 count as U+FFFD, as Java decodes them.
template <class F>
void each_utf16_unit(std::string_view s, F unit) {
  size_t i = 0;
  auto tail = [&](size_t k) { return i + k < s.size() && (static_cast<uint8_t>(s[i + k]) & 0xC0) == 0x80; };
  auto bits = [&](size_t k) { return static_cast<uint32_t>(static_cast<uint8_t>(s[i + k]) & 0x3F); };
  while (i < s.size()) {
    const auto lead = static_cast<uint8_t>(s[i]);
    if (lead < 0x80) {
      unit(uint32_t{lead});
      i += 1;
    } else if (lead >= 0xC2 && lead < 0xE0 && tail(1)) {
      unit((lead & 0x1Fu) << 6 | bits(1));
      i += 2;
    } else if (lead >= 0xE0 && lead < 0xF0 && tail(1) && tail(2)) {
      unit((lead & 0x0Fu) << 12 | bits(1) << 6 | bits(2));
      i += 3;
    } else if (lead >= 0xF0 && lead < 0xF5 && tail(1) && tail(2) && tail(3)) {
      const uint32_t beyond = ((lead & 0x07u) << 18 | bits(1) << 12 | bits(2) << 6 | bits(3)) - 0x10000u;
      unit(0xD800u + (beyond >> 10));
      unit(0xDC00u + (beyond & 0x3FFu));
      i += 4;
    } else {
      unit(uint32_t{0xFFFD});
      i += 1;
    }
  }
}

/// Eight ASCII characters at once: the index hashes every message's id, and almost all of them are plain.
bool hash_ascii8(const char* at, uint32_t& hash) {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  if ((word & 0x8080808080808080ull) != 0) return false;
  if constexpr (std::endian::native == std::endian::big) return false;
  // Neighbours are joined three times, as 31a + b, then 31²a + b, then 31⁴a + b; the first character has the lowest
  // byte.
  uint64_t sums = (word & 0x00FF'00FF'00FF'00FFull) * 31 + (word >> 8 & 0x00FF'00FF'00FF'00FFull);
  sums = (sums & 0x0000'FFFF'0000'FFFFull) * (31 * 31) + (sums >> 16 & 0x0000'FFFF'0000'FFFFull);
  constexpr uint32_t kPower4 = 31 * 31 * 31 * 31, kPower8 = kPower4 * kPower4;
  hash = hash * kPower8 + static_cast<uint32_t>(sums) * kPower4 + static_cast<uint32_t>(sums >> 32);
  return true;
}

}  // namespace

int32_t java_hash(std::string_view utf8) {
  uint32_t hash = 0;
  while (utf8.size() >= 8 && hash_ascii8(utf8.data(), hash)) utf8.remove_prefix(8);
  each_utf16_unit(utf8, [&](uint32_t unit) { hash = 31 * hash + unit; });
  return static_cast<int32_t>(hash);
}

int64_t java_length(std::string_view utf8) {
  int64_t units = 0;
  each_utf16_unit(utf8, [&](uint32_t) { ++units; });
  return units;
}

}  // namespace comet
