#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "common/clock.h"
#include "common/rng.h"

namespace comet::client {

/// Makes UNIQ_KEYs, the ids that a producer gives its messages: 32 upper-case hex digits of
///
///     IPv4 address 4 | process id 2 | random 4 | milliseconds since the month began 4 | counter 2     (bytes,
///     big-endian)
///
/// The random part stands where Java has a class loader's hash: two producers in one process differ by it.
/// Not thread-safe: one per producer. Source: MessageClientIDSetter, remoting.md 6.5.
class UniqueIds {
 public:
  UniqueIds(std::array<uint8_t, 4> address, int32_t process_id, const Clock& clock, Rng& rng);
  /// With this machine's first address that isn't loopback (127.0.0.1 if there is none) and this process' id.
  static UniqueIds of_this_process(const Clock& clock, Rng& rng);

  std::string next();

 private:
  void begin_month(int64_t now_ms);

  const Clock& clock_;
  std::array<uint8_t, 10> prefix_{};
  uint16_t counter_;
  int64_t month_start_ms_ = 0;
  int64_t month_end_ms_ = 0;
};

}  // namespace comet::client
