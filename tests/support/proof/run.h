#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>

namespace comet::test {

/// The seed of a run: COMETMQ_SEED, else one that the clock gives. Whoever asks prints it.
inline uint64_t seed_of_run() {
  if (const char* wanted = std::getenv("COMETMQ_SEED")) return std::strtoull(wanted, nullptr, 10);
  return static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
}

/// Whether this is `./dev test --long`.
inline bool is_long_run() { return std::getenv("COMETMQ_LONG") != nullptr; }

}  // namespace comet::test
