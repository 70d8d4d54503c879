#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <mutex>

namespace comet::store {

/// Where a background thread sleeps until the log has grown past a mark, somebody wakes it, or a time has come. A
/// writer pays one load per append, and a system call only when the mark is crossed, which disarms it.
class Sleeper {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  /// The writer's side, after it has published `end` (sequentially consistent).
  void passed(int64_t end) {
    if (end > mark_.load(std::memory_order_seq_cst)) [[unlikely]]
      wake();
  }

  void wake() {
    mark_.store(kNever, std::memory_order_seq_cst);
    {
      const std::lock_guard lock(mu_);
      woken_ = true;
    }
    cv_.notify_one();
  }

  /// Returns when `end` exceeds `mark`, after wake(), or at `until`. `end` is what writers publish before passed().
  void sleep(const std::atomic<int64_t>& end, int64_t mark, Time until) {
    mark_.store(mark, std::memory_order_seq_cst);
    if (end.load(std::memory_order_seq_cst) <= mark) {
      std::unique_lock lock(mu_);
      if (until == Time::max()) {
        cv_.wait(lock, [&] { return woken_; });
      } else {
        cv_.wait_until(lock, until, [&] { return woken_; });
      }
    }
    mark_.store(kNever, std::memory_order_seq_cst);
    const std::lock_guard lock(mu_);
    woken_ = false;
  }

 private:
  std::atomic<int64_t> mark_{kNever};
  std::mutex mu_;
  std::condition_variable cv_;
  bool woken_ = false;
};

}  // namespace comet::store
