#pragma once

#include "remoting/protocol/bodies/common.h"

namespace comet::broker {

/// A table's version, raised by each change. Name servers and slaves compare it. Source: DataVersion.
struct DataVersion : remoting::DataVersion {
  void next(int64_t now_ms) {
    timestamp_ms = now_ms;
    ++counter;
  }
};

}  // namespace comet::broker
