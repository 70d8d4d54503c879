#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

/// What the route table holds and what brokers tell it. Plain values; the rules are in route_table.h.
namespace comet::namesrv {

inline constexpr int64_t kMasterId = 0;

/// When a broker's topics last changed; equal only if all three are. Source: DataVersion.
struct DataVersion {
  int64_t counter = 0;
  int64_t state_version = 0;  ///< grows with the election that made this broker master
  int64_t timestamp = 0;      ///< Unix ms
  friend bool operator==(const DataVersion&, const DataVersion&) = default;
};

/// One topic as a broker registers it.
struct TopicEntry {
  std::string topic;
  int32_t read_queues = 0;
  int32_t write_queues = 0;
  int32_t perm = 0;  ///< bits of common/system_topics.h perm
  int32_t sys_flag = 0;
};

/// Which logical queues of a static topic a broker holds. Source: TopicQueueMappingInfo.
struct MappingInfo {
  std::string topic;
  std::string scope;
  int32_t total_queues = 0;
  std::string broker_name;
  int64_t epoch = 0;
  bool dirty = false;
  std::map<int32_t, int32_t> current_ids;
};

/// A broker's announcement of itself (REGISTER_BROKER), header and body together.
struct Registration {
  std::string cluster;
  std::string broker_name;
  std::string address;     ///< host:port
  std::string ha_address;  ///< where slaves of it replicate from
  int64_t broker_id = 0;
  std::optional<int64_t> timeout_ms;           ///< of silence; absent: 120 s
  std::optional<bool> enable_acting_master;    ///< absent marks a 4.x broker
  std::optional<std::string> zone;
  DataVersion version;
  std::vector<TopicEntry> topics;
  std::vector<MappingInfo> mappings;
  std::optional<std::vector<std::string>> filter_servers;  ///< absent: leave those known
  uint64_t connection = 0;                                  ///< Channel::Id that carried it
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
