#pragma once

#include <ostream>
#include <span>
#include <string>

#include "client/transport.h"
#include "common/clock.h"
#include "common/rng.h"

namespace comet::tools {

/// What a run of mqadmin takes from the outside.
struct World {
  client::Transport& transport;
  const Clock& clock;
  Rng& rng;
  std::string namesrv_addr;  ///< the environment's NAMESRV_ADDR
  std::ostream& out;
  std::ostream& err;
};

/// mqadmin with the words behind its name. Returns the exit status: 0, or 1 for every failure (RocketMQ's tool ends
/// with 0 on most); the reason and what to do about it then stand on `err` in one sentence.
int run_mqadmin(std::span<const std::string> words, World& world);

}  // namespace comet::tools
