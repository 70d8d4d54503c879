#pragma once

#include "remoting/protocol/bodies/heartbeat.h"

namespace comet::broker {

/// What a group wants of a topic.
struct Subscription : remoting::SubscriptionData {
  bool matches_all() const { return expression.empty() || expression == "*"; }
};

}  // namespace comet::broker
