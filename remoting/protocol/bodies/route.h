#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "remoting/protocol/bodies/common.h"
#include "remoting/protocol/bodies/topics.h"
#include "remoting/protocol/fastjson.h"

/// Where topics live. remoting.md 12.2, 12.3.
namespace comet::remoting {

/// A topic's queues on one broker name. Source: QueueData.
struct QueueData {
  std::string broker_name{};
  int32_t perm = 0;
  int32_t read_queue_nums = 0;
  int32_t sys_flag = 0;
  int32_t write_queue_nums = 0;
};

/// The replicas of one broker name. Source: BrokerData.
struct BrokerData {
  std::map<int64_t, std::string> addresses{};  ///< by broker id, 0 the master
  std::string broker_name{};
  std::string cluster{};
  bool enable_acting_master = false;
  std::optional<std::string> zone{};
};

/// Answer to GET_ROUTEINFO_BY_TOPIC. Source: TopicRouteData.
struct RouteData {
  std::vector<BrokerData> brokers{};
  std::map<std::string, std::vector<std::string>> filter_servers{};
  std::optional<std::string> order_topic_conf{};
  std::vector<QueueData> queues{};
  std::optional<std::map<std::string, TopicMappingInfo>> mappings{};
};
Result<RouteData> parse_route_data(std::string_view text);

/// Clients since 4.9.4 take quoted broker ids; fastjson's own form, which older servers wrote, has them bare.
std::string to_json(const RouteData& body, JsonWriter::IntegerKeys keys = JsonWriter::IntegerKeys::kQuoted);

/// Answer to GET_BROKER_CLUSTER_INFO. Source: ClusterInfo.
struct ClusterInfo {
  std::map<std::string, BrokerData> brokers{};
  std::map<std::string, std::vector<std::string>> clusters{};  ///< broker names
};
std::string to_json(const ClusterInfo& body);
Result<ClusterInfo> parse_cluster_info(std::string_view text);

/// Source: BrokerMemberGroup.
struct MemberGroup {
  std::map<int64_t, std::string> addresses{};
  std::string broker_name{};
  std::string cluster{};
};

/// Answer to GET_BROKER_MEMBER_GROUP. Source: GetBrokerMemberGroupResponseBody.
struct MemberGroupBody {
  MemberGroup group{};
};
std::string to_json(const MemberGroupBody& body);
Result<MemberGroupBody> parse_member_group_body(std::string_view text);

}  // namespace comet::remoting
