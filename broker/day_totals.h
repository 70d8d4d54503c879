#pragma once

#include <cstdint>
#include <mutex>

namespace comet::broker {

/// Messages put and got as they stood when the last two days began, local time: what dashboards draw their days from.
/// Threads: any. Source: BrokerStats.record.
class DayTotals {
 public:
  struct Figures {
    int64_t yesterday_morning = 0, today_morning = 0;
  };

  explicit DayTotals(int64_t now_ms) : today_(day_of(now_ms)) {}

  /// Notes the counts if a new day has begun. Call every minute or oftener.
  void tick(int64_t now_ms, int64_t puts, int64_t gets);
  Figures puts() const;
  Figures gets() const;

 private:
  /// Days since an arbitrary start, by the local clock.
  static int64_t day_of(int64_t now_ms);

  mutable std::mutex mu_;  // guards what follows
  int64_t today_;
  Figures puts_, gets_;
};

}  // namespace comet::broker
