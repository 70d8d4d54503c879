#include "broker/sql/bloom_bits.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>
#include <string>

namespace comet::broker {
namespace {

constexpr uint64_t kC1 = 0x87c37b91114253d5, kC2 = 0x4cf5ad432745937f;

uint64_t little_endian(const char* at, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value |= uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
  return value;
}

uint64_t mixed_first(uint64_t k) { return std::rotl(k * kC1, 31) * kC2; }
uint64_t mixed_second(uint64_t k) { return std::rotl(k * kC2, 33) * kC1; }

uint64_t avalanche(uint64_t k) {
  k = (k ^ (k >> 33)) * 0xff51afd7ed558ccd;
  k = (k ^ (k >> 33)) * 0xc4ceb9fe1a85ec53;
  return k ^ (k >> 33);
}

}  // namespace

uint64_t murmur3_128_low(std::string_view bytes) {
  constexpr size_t kBlock = 16, kHalf = 8;
  uint64_t h1 = 0, h2 = 0;
  std::string_view rest = bytes;
  for (; rest.size() >= kBlock; rest.remove_prefix(kBlock)) {
    h1 = (std::rotl(h1 ^ mixed_first(little_endian(rest.data(), kHalf)), 27) + h2) * 5 + 0x52dce729;
    h2 = (std::rotl(h2 ^ mixed_second(little_endian(rest.data() + kHalf, kHalf)), 31) + h1) * 5 + 0x38495ab5;
  }
  if (rest.size() > kHalf) h2 ^= mixed_second(little_endian(rest.data() + kHalf, rest.size() - kHalf));
  if (!rest.empty()) h1 ^= mixed_first(little_endian(rest.data(), rest.size() < kHalf ? rest.size() : kHalf));
  h1 ^= bytes.size();
  h2 ^= bytes.size();
  h1 += h2;
  h2 += h1;
  return avalanche(h1) + avalanche(h2);
}

BloomBits::BloomBits(int32_t error_percent, int32_t consumers) {
  const double rate = error_percent / 100.0;
  const auto log2_as_java = [](double value) { return std::log(value) / std::log(2.0); };
  bits_each_ = static_cast<int32_t>(std::ceil(std::log(rate) / std::log(0.5)));
  const double bits = std::ceil(consumers * log2_as_java(1 / rate) * log2_as_java(std::numbers::e));
  map_bits_ = static_cast<int32_t>(8 * std::ceil(bits / 8));
}

std::vector<int32_t> BloomBits::positions(std::string_view group, std::string_view topic) const {
  const uint64_t hash = murmur3_128_low(std::string(group).append("#").append(topic));
  const auto first = static_cast<uint32_t>(hash), second = static_cast<uint32_t>(hash >> 32);
  std::vector<int32_t> positions;
  for (int32_t n = 1; n <= bits_each_; ++n) {
    auto combined = static_cast<int32_t>(first + static_cast<uint32_t>(n) * second);
    if (combined < 0) combined = ~combined;
    positions.push_back(combined % map_bits_);
  }
  return positions;
}

}  // namespace comet::broker
