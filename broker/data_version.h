#pragma once

#include <cstdint>

namespace comet::broker {

/// Which state of a table somebody has seen; equal only if all three are. Name servers and slaves compare them.
/// Source: DataVersion, remoting.md 7.
struct DataVersion {
  int64_t state_version = 0;
  int64_t timestamp_ms = 0;
  int64_t counter = 0;

  void next(int64_t now_ms) {
    timestamp_ms = now_ms;
    ++counter;
  }
  friend bool operator==(const DataVersion&, const DataVersion&) = default;
};

}  // namespace comet::broker
