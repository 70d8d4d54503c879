#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "broker/topic_counts.h"
#include "common/clock.h"
#include "common/files.h"
#include "common/log.h"

namespace comet::broker {

/// How many messages of each topic wait for a timer: the file config/timermetrics, and the answer to GET_TIMER_METRICS.
/// Threads: any; persist() one at a time. Source: TimerMetrics; store.md 23, 24.
class TimerMetrics {
 public:
  TimerMetrics(Files& files, const Clock& clock, Log& log, Path file)
      : files_(files), clock_(clock), log_(log), file_(std::move(file)) {}

  Result<void> load();
  void add(std::string_view topic, int64_t count);
  void forget_topic(std::string_view topic);
  int64_t count(std::string_view topic) const;

  std::string text() const;  ///< compact JSON
  /// Writes the file if anything changed. A large one is left alone for a while: a second for each million bytes.
  Result<void> persist(bool now);
  bool changed() const;  ///< since the last persist()
  /// Takes over what a master answered to GET_TIMER_METRICS. kCorrupt, kInvalid: it is none.
  Result<void> adopt(std::string_view text);

 private:
  Files& files_;
  const Clock& clock_;
  Log& log_;
  const Path file_;
  mutable std::mutex mu_;  // guards all below
  TopicCounts counts_{"timingCount"};
  bool changed_ = false;
  int64_t persist_from_ms_ = 0;
};

}  // namespace comet::broker
