#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

/// What answers of name servers and brokers say, in the shape in which those who ask need it: sorted, with what follows
/// from several fields. Read with the bodies of remoting/protocol/bodies.
namespace comet::client {

/// A queue as clients name it (MessageQueue).
struct Queue {
  std::string topic;
  std::string broker_name;
  int32_t queue_id = 0;
  /// By topic, broker, number.
  friend auto operator<=>(const Queue&, const Queue&) = default;
};

struct Broker {
  std::string cluster;
  std::string name;
  std::map<int64_t, std::string> addresses;  ///< by broker id; 0 is the master
  bool enable_acting_master = false;

  /// Empty without one.
  std::string master() const;
  /// The master, else the replica with the lowest id; empty if the broker has no address.
  std::string address() const;
};

/// The queues of a topic on one broker.
struct BrokerQueues {
  std::string broker_name;
  int32_t read_queues = 0;
  int32_t write_queues = 0;
  int32_t perm = 0;
  int32_t topic_sys_flag = 0;
};

struct Route {
  std::vector<Broker> brokers;       ///< by name
  std::vector<BrokerQueues> queues;  ///< by broker name
  std::string order_topic_conf;

  const Broker* broker(std::string_view name) const;
  /// Queues with the write permission on brokers that have a master, sorted.
  std::vector<Queue> writable(const std::string& topic) const;
  std::vector<Queue> readable(const std::string& topic) const;
};
Result<Route> read_route(std::string_view body);

struct ClusterInfo {
  std::map<std::string, Broker> brokers;                     ///< by name
  std::map<std::string, std::vector<std::string>> clusters;  ///< broker names, sorted

  /// Brokers of a cluster; kNotFound, naming the known ones, if it isn't there.
  Result<std::vector<Broker>> of(const std::string& cluster) const;
};
Result<ClusterInfo> read_cluster_info(std::string_view body);

/// TopicList and GroupList, sorted.
Result<std::vector<std::string>> read_topics(std::string_view body);
Result<std::vector<std::string>> read_group_names(std::string_view body);
/// KVTable.
Result<std::map<std::string, std::string>> read_table(std::string_view body);

struct TopicOffset {
  int64_t min_offset = 0;
  int64_t max_offset = 0;
  int64_t last_update_ms = 0;
};
using TopicStats = std::map<Queue, TopicOffset>;
Result<TopicStats> read_topic_stats(std::string_view body);

struct GroupOffset {
  int64_t broker_offset = 0;
  int64_t consumer_offset = 0;
  int64_t pull_offset = 0;
  int64_t last_ms = 0;

  int64_t lag() const { return broker_offset - consumer_offset; }
  int64_t inflight() const { return pull_offset - consumer_offset; }
};
struct ConsumeStats {
  std::map<Queue, GroupOffset> offsets;
  double tps = 0;

  int64_t lag() const;
  int64_t inflight() const;
};
Result<ConsumeStats> read_consume_stats(std::string_view body);

/// GET_BROKER_CONSUME_STATS: groups in the broker's order.
struct BrokerConsumeStats {
  std::vector<std::pair<std::string, ConsumeStats>> groups;
  int64_t total_lag = 0;
};
Result<BrokerConsumeStats> read_broker_consume_stats(std::string_view body);

struct Connection {
  std::string client_id;
  std::string client_addr;
  std::string language;
  int32_t version = 0;
};
struct GroupClients {
  std::vector<Connection> connections;
  std::map<std::string, std::string> subscriptions;  ///< topic → expression
  std::string consume_type;
  std::string message_model;
  std::string consume_from_where;
  std::string conflict;      ///< how two clients contradict each other; empty: they agree, or an Apache broker answered
  std::string duplicate_id;  ///< which client id two connections use
};
Result<GroupClients> read_consumers(std::string_view body);
/// Only the connections are there.
Result<GroupClients> read_producers_of_group(std::string_view body);

struct ProducerInfo {
  std::string group;
  std::string client_id;
  std::string remote_ip;
  std::string language;
  int32_t version = 0;
  int64_t last_update_ms = 0;
};
Result<std::vector<ProducerInfo>> read_producers(std::string_view body);

/// A figure of VIEW_BROKER_STATS_DATA over its last minute, hour and day.
struct StatsItem {
  int64_t sum = 0;
  double tps = 0;
};
struct StatsData {
  StatsItem minute, hour, day;

  /// What RocketMQ's tool shows for 24 hours: the day's sum, else the hour's, else the minute's.
  int64_t day_sum() const;
};
Result<StatsData> read_stats(std::string_view body);

/// GET_BROKER_HA_STATUS: how replication stands, at a master or at a slave.
struct HaStatus {
  struct Slave {
    std::string address;
    int64_t ack_offset = 0, diff_bytes = 0, sent_to = 0, bytes_per_second = 0;
    bool in_sync = false;
  };
  bool master = false;
  int64_t max_offset = 0;
  int32_t slaves_in_sync = 0;
  std::vector<Slave> slaves;  ///< a master's
  // A slave's.
  std::string master_address;
  int64_t bytes_per_second = 0, last_read_ms = 0, last_write_ms = 0, master_flush_offset = 0;
};
Result<HaStatus> read_ha_status(std::string_view body);

struct TopicConfig {
  std::string name;
  int32_t read_queues = 8;
  int32_t write_queues = 8;
  int32_t perm = 6;
  std::string filter_type = "SINGLE_TAG";
  int32_t sys_flag = 0;
  bool order = false;
  std::map<std::string, std::string> attributes;
};
Result<TopicConfig> read_topic_config(std::string_view body);

/// One entry of a ConsumeQueue.
struct QueueEntry {
  int64_t phy_offset = 0;
  int32_t size_bytes = 0;
  int64_t tags_code = 0;
  bool eval = false;
  std::string message;  ///< a remark of the broker; empty if none
};
struct QueueEntries {
  int64_t min_index = 0;
  int64_t max_index = 0;
  std::string subscription_json;  ///< empty if none
  std::string filter_data;
  std::vector<QueueEntry> entries;
};
Result<QueueEntries> read_queue_entries(std::string_view body);

/// INVOKE_BROKER_TO_RESET_OFFSET: where each queue stands now.
Result<std::map<Queue, int64_t>> read_reset_offsets(std::string_view body);

/// The keys of ConsumerRunningInfo's mqTable.
Result<std::vector<Queue>> read_client_queues(std::string_view body);

/// CONSUME_MESSAGE_DIRECTLY: "ConsumeMessageDirectlyResult [order=false, …]".
Result<std::string> read_consume_result(std::string_view body);

/// A subscription group with every field as text, in the order of RocketMQ's class. Fields that are absent are "".
using GroupFields = std::vector<std::pair<std::string, std::string>>;
/// Groups by name, from GET_ALL_SUBSCRIPTIONGROUP_CONFIG (201).
Result<std::map<std::string, GroupFields>> read_groups(std::string_view body);

}  // namespace comet::client
