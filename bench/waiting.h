#pragma once

#include <cstdint>
#include <string>

#include "client/producer.h"
#include "client/pull_consumer.h"
#include "common/clock.h"
#include "common/result.h"

namespace comet::bench {

struct WaitingOptions {
  std::string topic = "waiting";
  int64_t count = 50'000;
  int32_t level = 0;          ///< a delay level of the default ones; 0: timers, each with a time of its own
  int64_t first_ms = 5'000;   ///< timers: from now to when the first is due
  int64_t window_ms = 1'000;  ///< over which the messages fall due
};

/// Sends messages that wait, in batches of a hundred that fall due together. Each body says when it may come at the
/// earliest (Unix ms).
Result<void> send_waiting(client::Producer& producer, const Clock& clock, const WaitingOptions& options);

/// Reads what was delivered until all of them are there, and prints as JSON how much later than due they were stored.
/// kCorrupt: one came too early, or twice.
Result<void> take_waiting(client::PullConsumer& consumer, const Clock& clock, const WaitingOptions& options);

}  // namespace comet::bench
