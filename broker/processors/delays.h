#pragma once

#include "broker/delay_offsets.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/replication.h"

namespace comet::broker {

/// Up to where delayed messages were delivered, for slaves, which copy it.
/// Source: AdminBrokerProcessor; replication.md 6; remoting.md 11.2.
class DelayProcessor {
 public:
  explicit DelayProcessor(const DelayOffsets& offsets) : offsets_(offsets) {}

  remoting::Reply all_offsets(const remoting::Call&, const remoting::GetAllDelayOffsetRequest&) {
    return remoting::Reply::ok_body(offsets_.text());
  }

 private:
  const DelayOffsets& offsets_;
};

}  // namespace comet::broker
