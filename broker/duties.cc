#include "broker/duties.h"

#include <chrono>
#include <future>
#include <memory>

namespace comet::broker {
namespace {

constexpr auto kLoopPatience = std::chrono::milliseconds(300);  ///< a loop that has ended does nothing more

}  // namespace

void Duties::take() {
  const std::lock_guard lock(mu_);
  if (ended_ || taken_.exchange(true)) return;
  parts_.delays.start();
  if (parts_.timers != nullptr) parts_.timers->start();
  if (parts_.escape != nullptr) return parts_.escape->start();
  loop_.post([this] {
    parts_.transactions.start();
    parts_.checks.start();
  });
}

void Duties::leave() {
  const std::lock_guard lock(mu_);
  if (!taken_) return;
  leave_transactions();
  parts_.delays.stop();
  if (parts_.timers != nullptr) {
    parts_.timers->stop_between_slots();
    if (auto flushed = parts_.timers->flush(false); !flushed) parts_.log.error("{}", flushed.error().what);
  }
  taken_ = false;
}

void Duties::end() {
  const std::lock_guard lock(mu_);
  ended_ = true;
  if (taken_) leave_transactions();
  parts_.delays.stop();
  if (parts_.timers != nullptr) parts_.timers->stop();
  taken_ = false;
}

void Duties::leave_transactions() {
  if (parts_.escape != nullptr) parts_.escape->stop();
  const auto ended = std::make_shared<std::promise<void>>();
  loop_.post([this, ended] {
    if (parts_.escape == nullptr) {
      parts_.checks.stop();
      parts_.transactions.stop();
    }
    ended->set_value();  // of a slave: behind its last step, which was posted before
  });
  ended->get_future().wait_for(kLoopPatience);
}

void Duties::follow(const store::TimerCheckpoint& master) {
  const std::lock_guard lock(mu_);
  if (!ended_ && !taken_ && parts_.timers != nullptr) parts_.timers->follow(master);
}

}  // namespace comet::broker
