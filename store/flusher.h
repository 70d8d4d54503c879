#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>

#include "store/commit_log.h"
#include "store/live_settings.h"
#include "store/sleeper.h"

namespace comet::store {

/// Makes the log durable: SYNC_FLUSH as group commit (what arrives during a flush is the next one), ASYNC_FLUSH at most
/// flushIntervalCommitLog after the oldest byte that isn't. The first failure is the last try.
class Flusher {
 public:
  Flusher(CommitLog& commit_log, const StoreOptions& options, const LiveSettings& live)
      : commit_log_(commit_log), options_(options), live_(live) {}

  /// Told after each flush, on the thread that flushed. Set before run().
  void on_durable(std::function<void(PhyOffset, bool failed)> wake) { wake_ = std::move(wake); }
  /// Told after each good flush, before `wake`: what became visible.
  void on_visible(std::function<void()> tell) { tell_ = std::move(tell); }

  void run();
  void stop();
  /// The writer's side, after publishing.
  void appended(int64_t end) { sleeper_.passed(end); }
  /// Keeps it from flushing and telling while the lock is held.
  std::unique_lock<std::mutex> pause() { return std::unique_lock(mu_); }
  /// Flushes on the caller's thread.
  Result<void> flush();
  /// The log isn't trusted any more: tells those who wait for durability.
  void wake() { sleeper_.wake(); }

  /// How long the oldest message that isn't durable has waited for that, at most; 0: none waits.
  int64_t oldest_wait_ms() const;
  /// The most that a power cut can take: everything accepted in so long a time. The wait for a flush and the longest
  /// one so far; 0 under SYNC_FLUSH, where nothing is acknowledged before.
  int64_t at_risk_ms() const;

 private:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr Time kNone = Time::max();

  void wait_for_work();

  CommitLog& commit_log_;
  const StoreOptions& options_;
  const LiveSettings& live_;
  std::function<void(PhyOffset, bool)> wake_;
  std::function<void()> tell_;
  Sleeper sleeper_;
  std::atomic<bool> stopping_{false};
  std::atomic<Time> oldest_{kNone};  ///< not after the oldest append that isn't durable, as far as this thread knows
  std::atomic<int64_t> longest_flush_ms_{0};
  std::mutex mu_;                           ///< one flush and its tellings at a time
  std::atomic<bool> failure_told_ = false;  // changes under mu_
};

}  // namespace comet::store
