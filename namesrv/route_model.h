#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "remoting/protocol/bodies/topics.h"

/// What the route table holds and what brokers tell it. Plain values; the rules are in route_table.h.
namespace comet::namesrv {

inline constexpr int64_t kMasterId = 0;

using remoting::DataVersion;
using MappingInfo = remoting::TopicMappingInfo;

/// One topic as a broker registers it.
struct TopicEntry {
  std::string topic;
  int32_t read_queues = 0;
  int32_t write_queues = 0;
  int32_t perm = 0;  ///< bits of common/system_topics.h perm
  int32_t sys_flag = 0;
};

/// A broker's announcement of itself (REGISTER_BROKER), header and body together.
struct Registration {
  std::string cluster;
  std::string broker_name;
  std::string address;     ///< host:port
  std::string ha_address;  ///< where slaves of it replicate from
  int64_t broker_id = 0;
  std::optional<int64_t> timeout_ms;         ///< of silence; absent: 120 s
  std::optional<bool> enable_acting_master;  ///< absent marks a 4.x broker
  std::optional<std::string> zone;
  DataVersion version;
  std::vector<TopicEntry> topics;
  std::vector<MappingInfo> mappings;
  std::optional<std::vector<std::string>> filter_servers;  ///< absent: leave those known
  uint64_t connection = 0;                                 ///< Channel::Id that carried it
};

/// The replicas of one broker name. Never without an address while it is in the table.
struct BrokerGroup {
  std::string name;
  std::string cluster;  ///< of the first registration
  std::optional<std::string> zone;
  bool enable_acting_master = false;
  std::map<int64_t, std::string> addresses;  ///< by broker id
  uint64_t changed_at = 0;                   ///< stamp of the last change that shows in routes

  int64_t lowest_id() const { return addresses.begin()->first; }
  bool has_master() const { return addresses.contains(kMasterId); }
};

/// A topic's queues on one broker name. Source: QueueData.
struct QueueRow {
  BrokerGroup* group = nullptr;
  int32_t read_queues = 0;
  int32_t write_queues = 0;
  int32_t perm = 0;
  int32_t sys_flag = 0;
};

/// NOTIFY_MIN_BROKER_ID_CHANGE (905) that has to go out.
struct MinIdNotice {
  int64_t min_id = 0;
  std::string min_address;
  std::optional<std::string> offline_address;
  std::optional<std::string> ha_address;
  std::vector<std::string> to;  ///< addresses of the group's members to tell
};

}  // namespace comet::namesrv
