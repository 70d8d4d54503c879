#pragma once

#include <atomic>
#include <cstdint>

namespace comet::store {

/// A lock for sections of some hundred nanoseconds: spins a little, then sleeps in the kernel. Four bytes; not
/// recursive.
class AdaptiveLock {
 public:
  void lock() {
    int32_t expected = kFree;
    if (state_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire)) return;
    lock_slowly();
  }
  void unlock() {
    if (state_.exchange(kFree, std::memory_order_release) == kAwaited) state_.notify_one();
  }

 private:
  static constexpr int32_t kFree = 0, kHeld = 1, kAwaited = 2;

  void lock_slowly() {
    for (int32_t spin = 0; spin < 100; ++spin) {
      int32_t expected = kFree;
      if (state_.load(std::memory_order_relaxed) == kFree &&
          state_.compare_exchange_weak(expected, kHeld, std::memory_order_acquire))
        return;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
    while (state_.exchange(kAwaited, std::memory_order_acquire) != kFree)
      state_.wait(kAwaited, std::memory_order_relaxed);
  }

  std::atomic<int32_t> state_{kFree};
};

}  // namespace comet::store
