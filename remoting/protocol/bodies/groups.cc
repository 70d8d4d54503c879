#include "remoting/protocol/bodies/groups.h"

#include "remoting/protocol/bodies/common_shapes.h"

namespace comet::remoting {

// One member a line.
// clang-format off
template <>
struct Shape<SubscriptionGroupConfig> {
  static constexpr auto list() {
    using T = SubscriptionGroupConfig;
    return members(
        member("attributes", &T::attributes),
        member("brokerId", &T::broker_id),
        member("consumeBroadcastEnable", &T::consume_broadcast_enable),
        member("consumeEnable", &T::consume_enable),
        member("consumeFromMinEnable", &T::consume_from_min_enable),
        member("consumeMessageOrderly", &T::consume_message_orderly),
        member("consumeTimeoutMinute", &T::consume_timeout_minutes),
        member("groupName", &T::name),
        member("groupRetryPolicy", &T::retry_policy),
        member("groupSysFlag", &T::sys_flag),
        member("notifyConsumerIdsChangedEnable", &T::notify_consumer_ids_changed_enable),
        member("retryMaxTimes", &T::retry_max_times),
        member("retryQueueNums", &T::retry_queue_nums),
        member("subscriptionDataSet", &T::subscriptions),
        member("whichBrokerWhenConsumeSlowly", &T::which_broker_when_consume_slowly));
  }
};

template <>
struct Shape<SubscriptionGroupList> {
  static constexpr auto list() {
    using T = SubscriptionGroupList;
    return members(
        member("groupConfigList", &T::groups));
  }
};

template <>
struct Shape<SubscriptionGroupWrapper> {
  static constexpr auto list() {
    using T = SubscriptionGroupWrapper;
    return members(
        member("dataVersion", &T::data_version),
        member("forbiddenTable", &T::forbidden),
        member("subscriptionGroupTable", &T::groups));
  }
};

template <>
struct Shape<GroupForbidden> {
  static constexpr auto list() {
    using T = GroupForbidden;
    return members(
        member("group", &T::group),
        member("readable", &T::readable),
        member("topic", &T::topic));
  }
};
// clang-format on

std::string to_json(const SubscriptionGroupConfig& body) { return shape::to_text(body); }
Result<SubscriptionGroupConfig> parse_subscription_group_config(std::string_view text) {
  return shape::from_text<SubscriptionGroupConfig>(text, "subscription group config");
}
std::string to_json(const SubscriptionGroupList& body) { return shape::to_text(body); }
Result<SubscriptionGroupList> parse_subscription_group_list(std::string_view text) {
  return shape::from_text<SubscriptionGroupList>(text, "subscription group list");
}
std::string to_json(const SubscriptionGroupWrapper& body) { return shape::to_text(body); }
Result<SubscriptionGroupWrapper> parse_subscription_group_wrapper(std::string_view text) {
  return shape::from_text<SubscriptionGroupWrapper>(text, "subscription group wrapper");
}
std::string to_json(const GroupForbidden& body) { return shape::to_text(body); }
Result<GroupForbidden> parse_group_forbidden(std::string_view text) {
  return shape::from_text<GroupForbidden>(text, "group forbidden");
}

}  // namespace comet::remoting
