#pragma once

#include "remoting/protocol/bodies/common.h"
#include "remoting/protocol/bodies/shape.h"

/// Shapes of bodies/common.h, for the .cc files of bodies.
namespace comet::remoting {

// One member a line.
// clang-format off
template <>
struct Shape<MessageQueue> {
  static constexpr auto list() {
    using T = MessageQueue;
    return members(
        member("brokerName", &T::broker_name),
        member("queueId", &T::queue_id),
        member("topic", &T::topic));
  }
};

template <>
struct Shape<DataVersion> {
  static constexpr auto list() {
    using T = DataVersion;
    return members(
        member("counter", &T::counter),
        member("stateVersion", &T::state_version),
        member("timestamp", &T::timestamp_ms));
  }
};

template <>
struct Shape<KVTable> {
  static constexpr auto list() {
    using T = KVTable;
    return members(
        member("table", &T::table));
  }
};

template <>
struct Shape<TopicList> {
  static constexpr auto list() {
    using T = TopicList;
    return members(
        member("brokerAddr", &T::broker_addr),
        member("topicList", &T::topics));
  }
};

template <>
struct Shape<GroupList> {
  static constexpr auto list() {
    using T = GroupList;
    return members(
        member("groupList", &T::groups));
  }
};

template <>
struct Shape<ConsumerIdList> {
  static constexpr auto list() {
    using T = ConsumerIdList;
    return members(
        member("consumerIdList", &T::ids));
  }
};

template <>
struct Shape<ConnectionInfo> {
  static constexpr auto list() {
    using T = ConnectionInfo;
    return members(
        member("clientAddr", &T::client_addr),
        member("clientId", &T::client_id),
        member("language", &T::language),
        member("version", &T::version));
  }
};
// clang-format on

}  // namespace comet::remoting
