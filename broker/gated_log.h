#pragma once

#include <cstdint>
#include <string_view>

#include "common/clock.h"
#include "common/log.h"

namespace comet::broker {

/// A log for lines that clients cause by what they do: at most `lines_per_second` of them go on to the log behind it,
/// and how many did not is said with the next one that does. Errors always go. Thread-safe.
class GatedLog final : public Log {
 public:
  GatedLog(Log& to, const Clock& clock, int32_t lines_per_second = 50)
      : to_(to), clock_(clock), gate_(lines_per_second) {}

  void write(LogLevel level, std::string_view line) override {
    if (level == LogLevel::kError) return to_.write(level, line);
    int64_t suppressed = 0;
    if (!gate_.admit(clock_.now_ms(), suppressed)) return;
    if (suppressed > 0) to_.warn("{} lines were not written, clients caused too many", suppressed);
    to_.write(level, line);
  }
  bool enabled(LogLevel level) const override { return to_.enabled(level); }

 private:
  Log& to_;
  const Clock& clock_;
  LogGate gate_;
};

}  // namespace comet::broker
