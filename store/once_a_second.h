#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace comet::store {

/// Bounds how often the same thing is said: true for the first who asks in a second. Thread-safe.
class OnceASecond {
 public:
  bool operator()() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const int64_t now_s = std::chrono::duration_cast<std::chrono::seconds>(now).count();
    return said_s_.exchange(now_s) != now_s;
  }

 private:
  std::atomic<int64_t> said_s_{0};
};

}  // namespace comet::store
