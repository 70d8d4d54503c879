#pragma once

#include <atomic>
#include <cstdint>

namespace comet {

/// Time as a parameter, so that tests can own it. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall time, Unix milliseconds; may step when somebody sets the clock.
  virtual int64_t now_ms() const = 0;
  /// Never goes back; nanoseconds from an arbitrary start.
  virtual int64_t steady_ns() const = 0;
  /// The same clock in milliseconds as of the machine's last tick, 1 to 10 ms ago: for figures on a hot path, at a
  /// tenth of the cost.
  virtual int64_t tick_ms() const = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  int64_t now_ms() const override;
  int64_t steady_ns() const override;
  int64_t tick_ms() const override;
};

/// A clock that stands still until a test moves it; all readings move together.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t start_ms = 1'700'000'000'000) : now_ms_(start_ms) {}
  int64_t now_ms() const override { return now_ms_.load(); }
  int64_t steady_ns() const override { return now_ms_.load() * 1'000'000; }
  int64_t tick_ms() const override { return now_ms_.load(); }
  void advance_ms(int64_t ms) { now_ms_ += ms; }
  void set_ms(int64_t ms) { now_ms_ = ms; }

 private:
  std::atomic<int64_t> now_ms_;
};

}  // namespace comet
