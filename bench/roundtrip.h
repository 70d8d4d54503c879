#pragma once

#include <cstdint>
#include <string>

#include "client/producer.h"
#include "client/pull_consumer.h"
#include "common/result.h"

namespace comet::bench {

struct RoundtripOptions {
  std::string topic = "Quickstart";
  int64_t count = 10'000;
  int32_t body_bytes = 256;
};

/// Sends `count` messages one by one, consumes them all, and checks that each arrived exactly once with the body that
/// was sent; progress goes to standard output. kCorrupt names what is missing or altered.
Result<void> roundtrip(client::Producer& producer, client::PullConsumer& consumer, const Clock& clock,
                       const RoundtripOptions& options);

}  // namespace comet::bench
