#pragma once

#include <string>

#include "broker/consumers.h"
#include "broker/groups.h"
#include "broker/topics.h"
#include "remoting/protocol/bodies/common.h"
#include "remoting/protocol/bodies/groups.h"
#include "remoting/protocol/bodies/heartbeat.h"
#include "remoting/protocol/bodies/topics.h"

/// The broker's state as bodies say it, and back.
namespace comet::broker {

remoting::TopicConfig to_body(const TopicConfig& topic);
TopicConfig from_body(const remoting::TopicConfig& body);
remoting::SubscriptionGroupConfig to_body(const GroupConfig& group);
GroupConfig from_body(const remoting::SubscriptionGroupConfig& body);
remoting::SubscriptionData to_body(const Subscription& subscription);
remoting::DataVersion to_body(const DataVersion& version);
remoting::ConnectionInfo to_body(const ClientInfo& client);

}  // namespace comet::broker
