#pragma once

#include <cstdint>
#include <string>

#include "client/transport.h"
#include "common/clock.h"
#include "common/result.h"
#include "common/rng.h"

namespace comet::bench {

struct WatchOptions {
  std::string topic = "Quickstart";
  std::string name_servers{};
  int32_t seconds = 20;
  int32_t per_second = 500;  ///< messages sent
};

/// Sends and consumes for a while whatever happens to the brokers, shows twice a second how both get on and who serves,
/// and in the end holds what was acknowledged against what was seen. kCorrupt: something acknowledged is missing.
Result<void> watch(client::Transport& transport, const Clock& clock, Rng& rng, const WatchOptions& options);

}  // namespace comet::bench
