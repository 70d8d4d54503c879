#pragma once

#include "remoting/protocol/bodies/common_shapes.h"
#include "remoting/protocol/bodies/heartbeat.h"

/// Shapes of bodies/heartbeat.h, for the .cc files of bodies.
namespace comet::remoting {

// One member a line.
// clang-format off
template <>
struct EnumNames<ConsumeType> {
  static constexpr std::string_view kNames[] = {"CONSUME_ACTIVELY", "CONSUME_PASSIVELY", "CONSUME_POP"};
};

template <>
struct EnumNames<MessageModel> {
  static constexpr std::string_view kNames[] = {"BROADCASTING", "CLUSTERING"};
};

template <>
struct EnumNames<ConsumeFromWhere> {
  static constexpr std::string_view kNames[] = {"CONSUME_FROM_LAST_OFFSET", "CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST", "CONSUME_FROM_MIN_OFFSET", "CONSUME_FROM_MAX_OFFSET", "CONSUME_FROM_FIRST_OFFSET", "CONSUME_FROM_TIMESTAMP"};
};

template <>
struct Shape<SubscriptionData> {
  static constexpr auto list() {
    using T = SubscriptionData;
    return members(
        member("classFilterMode", &T::class_filter_mode),
        member("codeSet", &T::codes),
        member("expressionType", &T::expression_type),
        member("subString", &T::expression),
        member("subVersion", &T::version),
        member("tagsSet", &T::tags),
        member("topic", &T::topic));
  }
};

template <>
struct Shape<ConsumerData> {
  static constexpr auto list() {
    using T = ConsumerData;
    return members(
        member("consumeFromWhere", &T::consume_from_where),
        member("consumeType", &T::consume_type),
        member("groupName", &T::group_name),
        member("messageModel", &T::message_model),
        member("subscriptionDataSet", &T::subscriptions),
        member("unitMode", &T::unit_mode));
  }
};

template <>
struct Shape<ProducerData> {
  static constexpr auto list() {
    using T = ProducerData;
    return members(
        member("groupName", &T::group_name));
  }
};

template <>
struct Shape<HeartbeatData> {
  static constexpr auto list() {
    using T = HeartbeatData;
    return members(
        member("clientID", &T::client_id),
        member("consumerDataSet", &T::consumers),
        member("heartbeatFingerprint", &T::fingerprint),
        member("producerDataSet", &T::producers),
        member("withoutSub", &T::without_subscriptions));
  }
};

template <>
struct Shape<CheckClientBody> {
  static constexpr auto list() {
    using T = CheckClientBody;
    return members(
        member("clientId", &T::client_id),
        member("group", &T::group),
        member("namespace", &T::name_space),
        member("subscriptionData", &T::subscription));
  }
};

template <>
struct Shape<GroupSubscription> {
  static constexpr auto list() {
    using T = GroupSubscription;
    return members(
        member("group", &T::group),
        member("subscriptionData", &T::subscription),
        member("topic", &T::topic));
  }
};
// clang-format on

}  // namespace comet::remoting
