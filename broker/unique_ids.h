#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "common/message_codec.h"
#include "common/rng.h"

namespace comet::broker {

/// Makes UNIQ_KEYs for messages that come without one: upper-case hex of address, process number, a random word,
/// milliseconds since the maker began and a counter. 32 characters, 56 with an IPv6 address. One per thread.
/// Source: MessageClientIDSetter, remoting.md 6.5.
class UniqueIds {
 public:
  UniqueIds(const Host& host, Rng& rng, int64_t now_ms);

  /// Valid until the next call.
  std::string_view next(int64_t now_ms);

 private:
  void put_hex(size_t at, uint64_t value, size_t bytes);

  std::array<char, 56> text_;
  size_t prefix_;  // characters that stay
  int64_t start_ms_;
  uint16_t counter_ = 0;
};

}  // namespace comet::broker
