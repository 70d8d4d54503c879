#include "broker/alarm.h"

#include <algorithm>
#include <chrono>

namespace comet::broker {
namespace {

using Wall = std::chrono::system_clock;

constexpr int64_t kFarMs = 24LL * 3600 * 1000;  ///< a time beyond it is looked at again then

Wall::time_point wall(int64_t ms) { return Wall::time_point(std::chrono::milliseconds(ms)); }
int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Wall::now().time_since_epoch()).count();
}

}  // namespace

void Alarm::begin() {
  const std::lock_guard lock(mu_);
  wake_at_.exchange(ended() ? 0 : kNever, std::memory_order_acq_rel);
}

void Alarm::sleep(int64_t until_ms) {
  std::unique_lock lock(mu_);
  wake_at_.store(std::min(until_ms, wake_at_.load()), std::memory_order_seq_cst);
  for (int64_t now = wall_ms(); wake_at_.load() > now; now = wall_ms()) {
    changed_.wait_until(lock, wall(std::min(wake_at_.load(), now + kFarMs)));
  }
}

void Alarm::bring(int64_t at_ms) {
  const std::lock_guard lock(mu_);
  if (at_ms >= wake_at_.load()) return;
  wake_at_.store(at_ms, std::memory_order_seq_cst);
  changed_.notify_one();
}

void Alarm::end() {
  ended_ = true;
  bring(0);
}

}  // namespace comet::broker
