#pragma once

#include <deque>
#include <string>

#include "broker/escape.h"

namespace comet::test {

/// Another broker, as a slave's outlet sees it: keeps what it is given, or refuses.
struct RecordingOutlet final : broker::Outlet {
  struct Stored {
    std::string topic, body, properties;
    int32_t queue = 0, sys_flag = 0;
  };
  store::PutResult put(const Message& message) override {
    store::PutResult result;
    if (refusals > 0) {
      --refusals;
      result.status = store::PutStatus::kServiceNotAvailable;
      result.problem = "not now";
      return result;
    }
    messages.push_back({std::string(message.topic), std::string(message.body), std::string(message.properties),
                        message.queue_id.value, message.sys_flag});
    return result;
  }
  int refusals = 0;
  std::deque<Stored> messages;
};

}  // namespace comet::test
