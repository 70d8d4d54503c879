#include "broker/persister.h"

#include <algorithm>

namespace comet::broker {
namespace {

int64_t steady_ms(const Clock& clock) { return clock.steady_ns() / 1'000'000; }

}  // namespace

void Persister::soon() {
  State seen = state_.load();
  for (;;) {
    const State wanted = seen == State::kIdle ? State::kBusy : State::kBusyAndChanged;
    if (!state_.compare_exchange_weak(seen, wanted)) continue;
    if (wanted == State::kBusy) begin();
    return;
  }
}

/// A full queue of workers is no reason to forget: tried again after a while.
void Persister::begin() {
  if (!workers_.submit([this] { write(); })) loop_.post([this] { loop_.after(kFullQueueMs, [this] { begin(); }); });
}

void Persister::write() {
  state_ = State::kBusy;  // what changes from here on may have missed this write
  const int64_t from_ms = steady_ms(loop_.clock());
  int64_t rest_ms = kRetryMs;
  if (auto written = write_(); written) {
    rest_ms = std::min(kLongestRestMs, kRestFactor * (steady_ms(loop_.clock()) - from_ms));
  } else {
    log_.error("{}", written.error().what);
    state_ = State::kBusyAndChanged;
  }
  loop_.post([this, rest_ms] { loop_.after(rest_ms, [this] { rested(); }); });
}

void Persister::rested() {
  State expected = State::kBusy;
  if (!state_.compare_exchange_strong(expected, State::kIdle)) begin();
}

}  // namespace comet::broker
