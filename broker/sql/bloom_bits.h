#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace comet::broker {

/// Which bits of a message's filter bit map stand for a group on a topic. Ours makes no bit maps, but writes these
/// numbers to consumerFilter.json: Apache's broker drops a file whose numbers don't fit its own settings.
/// Source: BloomFilter, Guava's murmur3_128; behaviour.md 3.7.
class BloomBits {
 public:
  /// Of maxErrorRateOfBloomFilter (1 to 99 percent) and expectConsumerNumUseFilter (1 or more).
  BloomBits(int32_t error_percent, int32_t consumers);

  int32_t map_bits() const { return map_bits_; }
  int32_t bits_each() const { return bits_each_; }
  std::vector<int32_t> positions(std::string_view group, std::string_view topic) const;

 private:
  int32_t map_bits_, bits_each_;
};

/// The first 8 bytes of MurmurHash3_x64_128, seed 0, as a little-endian number.
uint64_t murmur3_128_low(std::string_view bytes);

}  // namespace comet::broker
