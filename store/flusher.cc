#include "store/flusher.h"

#include <chrono>

namespace comet::store {

void Flusher::run() {
  while (!stopping_) {
    wait_for_work();
    if (!stopping_ && commit_log_.end() > commit_log_.durable_end()) (void)flush();  // told and logged inside
  }
}

void Flusher::wait_for_work() {
  const auto never = Sleeper::Time::max();
  if (commit_log_.failed()) return sleeper_.sleep(commit_log_.end_atomic(), Sleeper::kNever, never);
  sleeper_.sleep(commit_log_.end_atomic(), commit_log_.durable_end().value, never);
  if (options_.flush == FlushMode::kSync || stopping_) return;
  sleeper_.sleep(commit_log_.end_atomic(), Sleeper::kNever,
                 std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.flush_interval_ms));
}

void Flusher::stop() {
  stopping_ = true;
  sleeper_.wake();
}

Result<void> Flusher::flush() {
  const std::lock_guard lock(mu_);
  const auto done = commit_log_.flush();
  if (done) {
    if (tell_) tell_();
    if (wake_) wake_(*done, false);
    return {};
  }
  if (!failure_told_) {
    failure_told_ = true;
    log_.error("the CommitLog can't be made durable, no message is accepted from now on: {}", done.error().what);
    if (wake_) wake_(commit_log_.durable_end(), true);
  }
  return tl::unexpected(done.error());
}

}  // namespace comet::store
