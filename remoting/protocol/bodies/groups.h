#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "remoting/protocol/bodies/common.h"

/// Subscription groups.
namespace comet::remoting {

/// A consumer group's settings. Source: SubscriptionGroupConfig.
struct SubscriptionGroupConfig {
  std::map<std::string, std::string> attributes{};
  int64_t broker_id = 0;
  bool consume_broadcast_enable = true;
  bool consume_enable = true;
  bool consume_from_min_enable = true;
  bool consume_message_orderly = false;
  int32_t consume_timeout_minutes = 15;
  std::string name{};
  RawJson retry_policy = {R"({"type":"CUSTOMIZED"})"};
  int32_t sys_flag = 0;
  bool notify_consumer_ids_changed_enable = true;
  int32_t retry_max_times = 16;
  int32_t retry_queue_nums = 1;
  std::optional<RawJson> subscriptions{};  ///< a list of {expression, expressionType, topic, version}
  int64_t which_broker_when_consume_slowly = 1;

  friend bool operator==(const SubscriptionGroupConfig&, const SubscriptionGroupConfig&) = default;
};
std::string to_json(const SubscriptionGroupConfig& body);
Result<SubscriptionGroupConfig> parse_subscription_group_config(std::string_view text);

/// Body of UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST. Source: SubscriptionGroupList.
struct SubscriptionGroupList {
  std::vector<SubscriptionGroupConfig> groups{};
};
std::string to_json(const SubscriptionGroupList& body);
Result<SubscriptionGroupList> parse_subscription_group_list(std::string_view text);

/// All groups of a broker. Source: SubscriptionGroupWrapper.
struct SubscriptionGroupWrapper {
  DataVersion data_version{};
  std::map<std::string, std::map<std::string, int32_t>> forbidden{};  ///< group → topic → bits
  std::map<std::string, SubscriptionGroupConfig> groups{};
};
std::string to_json(const SubscriptionGroupWrapper& body);
Result<SubscriptionGroupWrapper> parse_subscription_group_wrapper(std::string_view text);

/// Answer to UPDATE_AND_GET_GROUP_FORBIDDEN. Source: GroupForbidden.
struct GroupForbidden {
  std::string group{};
  std::optional<bool> readable{};
  std::string topic{};
};
std::string to_json(const GroupForbidden& body);
Result<GroupForbidden> parse_group_forbidden(std::string_view text);

}  // namespace comet::remoting
