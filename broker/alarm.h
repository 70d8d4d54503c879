#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <mutex>

namespace comet::broker {

/// Where a thread sleeps until the wall clock reaches a time, unless somebody brings an earlier one or ends it.
///
/// The sleeper calls begin(), looks at its work, and calls sleep() with the next time that it knows of. What others
/// bring between the two isn't missed: who puts work somewhere calls earlier() afterwards. That costs one load as long
/// as the sleeper wakes in time anyway. Times are Unix milliseconds; setting the clock moves them. Threads: begin() and
/// sleep() on the sleeper's; the rest from any.
class Alarm {
 public:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  /// Forgets earlier times: what they stand for is found by looking.
  void begin();
  /// Returns at `until_ms` (at once if it has passed), at an earlier time that was brought since begin(), or when
  /// woken.
  void sleep(int64_t until_ms);

  /// Something wants to be looked at no later than `at_ms`.
  void earlier(int64_t at_ms) {
    // A change of nothing, so that it stands before or behind begin()'s: the sleeper sees the work, or we its time.
    if (at_ms < wake_at_.fetch_add(0, std::memory_order_acq_rel)) bring(at_ms);
  }
  void wake() { earlier(0); }
  /// Wakes the sleeper for good: ended() is true from now on.
  void end();
  bool ended() const { return ended_.load(std::memory_order_relaxed); }

 private:
  void bring(int64_t at_ms);

  std::atomic<bool> ended_{false};
  std::atomic<int64_t> wake_at_{
      kNever};  ///< the earliest time brought; while it sleeps, when it wakes. Falls under mu_
  std::mutex mu_;
  std::condition_variable changed_;
};

}  // namespace comet::broker
