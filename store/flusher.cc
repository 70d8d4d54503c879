#include "store/flusher.h"

#include <algorithm>

namespace comet::store {
namespace {

int64_t ms_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count();
}

}  // namespace

void Flusher::run() {
  while (!stopping_) {
    wait_for_work();
    if (stopping_) break;
    const bool untold = commit_log_.failed() && !failure_told_;
    if (untold || commit_log_.end() > commit_log_.durable_end()) (void)flush();  // told inside
  }
}

/// ASYNC_FLUSH: a flush begins at most the interval after the oldest append that isn't durable. What was appended while
/// one ran may be as old as that one's begin.
void Flusher::wait_for_work() {
  const auto& end = commit_log_.end_atomic();
  if (failure_told_) return sleeper_.sleep(end, Sleeper::kNever, Time::max());
  sleeper_.sleep(end, commit_log_.durable_end().value, Time::max());
  if (options_.flush == FlushMode::kSync || stopping_ || commit_log_.failed()) return;
  if (oldest_.load() == kNone) oldest_ = std::chrono::steady_clock::now();
  sleeper_.sleep(end, Sleeper::kNever, oldest_.load() + std::chrono::milliseconds(live_.flush_interval_ms));
}

void Flusher::stop() {
  stopping_ = true;
  sleeper_.wake();
}

Result<void> Flusher::flush() {
  const std::lock_guard lock(mu_);
  const Time began = std::chrono::steady_clock::now();
  const auto done = commit_log_.flush();
  if (done) {
    oldest_ = commit_log_.end() > *done ? began : kNone;
    longest_flush_ms_ = std::max(longest_flush_ms_.load(), ms_between(began, std::chrono::steady_clock::now()));
    if (tell_) tell_();
    if (wake_) wake_(*done, false);
    return {};
  }
  if (!failure_told_.exchange(true) && wake_) wake_(commit_log_.durable_end(), true);
  return tl::unexpected(done.error());
}

int64_t Flusher::oldest_wait_ms() const {
  const Time oldest = oldest_.load();
  return oldest == kNone ? 0 : std::max<int64_t>(ms_between(oldest, std::chrono::steady_clock::now()), 0);
}

int64_t Flusher::at_risk_ms() const {
  return options_.flush == FlushMode::kSync ? 0 : live_.flush_interval_ms + longest_flush_ms_.load();
}

}  // namespace comet::store
