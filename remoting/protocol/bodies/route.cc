#include "remoting/protocol/bodies/route.h"

#include "remoting/protocol/bodies/common_shapes.h"
#include "remoting/protocol/bodies/topics_shapes.h"

namespace comet::remoting {

// One member a line.
// clang-format off
template <>
struct Shape<QueueData> {
  static constexpr auto list() {
    using T = QueueData;
    return members(
        member("brokerName", &T::broker_name),
        member("perm", &T::perm),
        member("readQueueNums", &T::read_queue_nums),
        member("topicSysFlag", &T::sys_flag),
        member("writeQueueNums", &T::write_queue_nums),
        alias("topicSynFlag", &T::sys_flag));
  }
};

template <>
struct Shape<BrokerData> {
  static constexpr auto list() {
    using T = BrokerData;
    return members(
        member("brokerAddrs", &T::addresses),
        member("brokerName", &T::broker_name),
        member("cluster", &T::cluster),
        member("enableActingMaster", &T::enable_acting_master),
        member("zoneName", &T::zone));
  }
};

template <>
struct Shape<RouteData> {
  static constexpr auto list() {
    using T = RouteData;
    return members(
        member("brokerDatas", &T::brokers),
        member("filterServerTable", &T::filter_servers),
        member("orderTopicConf", &T::order_topic_conf),
        member("queueDatas", &T::queues),
        member("topicQueueMappingByBroker", &T::mappings));
  }
};

template <>
struct Shape<ClusterInfo> {
  static constexpr auto list() {
    using T = ClusterInfo;
    return members(
        member("brokerAddrTable", &T::brokers),
        member("clusterAddrTable", &T::clusters));
  }
};

template <>
struct Shape<MemberGroup> {
  static constexpr auto list() {
    using T = MemberGroup;
    return members(
        member("brokerAddrs", &T::addresses),
        member("brokerName", &T::broker_name),
        member("cluster", &T::cluster));
  }
};

template <>
struct Shape<MemberGroupBody> {
  static constexpr auto list() {
    using T = MemberGroupBody;
    return members(
        member("brokerMemberGroup", &T::group));
  }
};
// clang-format on

Result<RouteData> parse_route_data(std::string_view text) { return shape::from_text<RouteData>(text, "route data"); }
std::string to_json(const RouteData& body, JsonWriter::IntegerKeys keys) { return shape::to_text(body, keys); }
std::string to_json(const ClusterInfo& body) { return shape::to_text(body); }
Result<ClusterInfo> parse_cluster_info(std::string_view text) {
  return shape::from_text<ClusterInfo>(text, "cluster info");
}
std::string to_json(const MemberGroupBody& body) { return shape::to_text(body); }
Result<MemberGroupBody> parse_member_group_body(std::string_view text) {
  return shape::from_text<MemberGroupBody>(text, "member group body");
}

}  // namespace comet::remoting
