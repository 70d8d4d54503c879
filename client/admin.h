#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/answers.h"
#include "client/messages.h"
#include "client/name_servers.h"
#include "client/transport.h"
#include "common/options.h"
#include "common/result.h"

namespace comet::client {

/// "+key=value,-key" as pairs whose names keep their sign; kInvalid for anything else.
Result<std::map<std::string, std::string>> parse_attributes(std::string_view text);

/// A subscription group to create or overwrite; defaults are the tool's, not the class' (admin.md, updateSubGroup).
struct GroupConfig {
  std::string name;
  bool consume_enable = true;
  bool consume_from_min_enable = false;
  bool consume_broadcast_enable = false;
  bool consume_message_orderly = false;
  int32_t retry_queues = 1;
  int32_t retry_max_times = 16;
  std::string retry_policy_json;  ///< empty: RocketMQ's customized policy with its default steps
  int64_t broker_id = 0;
  int64_t which_broker_when_slow = 1;
  bool notify_ids_changed = true;
  std::map<std::string, std::string> attributes;  ///< keys with their + or -
};

/// A question for messages by key. Times are when the broker stored them.
struct KeyQuery {
  std::string topic{};
  std::string key{};
  bool unique = false;  ///< the key is a UNIQ_KEY
  int32_t most = 64;
  int64_t begin_ms = 0;
  int64_t end_ms = INT64_MAX;
};

struct OffsetReset {
  std::string topic;
  std::string group;
  int64_t time_ms = 0;  ///< -1: the end
  bool force = true;
  int32_t queue_id = -1;  ///< -1: all
  std::optional<int64_t> offset;
};

/// Questions and orders to name servers and brokers. An answer that refuses is an error: kNotFound for what isn't
/// there, kRefused otherwise, with address, request, code and remark. Not thread-safe. Source: DefaultMQAdminExt,
/// remoting.md 10, 12.
class Admin {
 public:
  static constexpr int64_t kTimeoutMs = 5'000;
  static constexpr int64_t kStatsTimeoutMs = 15'000;  ///< consume stats of a group walk all its queues

  Admin(Transport& transport, NameServers& name_servers) : transport_(transport), name_servers_(name_servers) {}

  NameServers& name_servers() { return name_servers_; }

  // What any name server knows.
  Result<ClusterInfo> clusters();
  Result<Route> route(const std::string& topic);
  Result<std::vector<std::string>> topics();
  Result<std::optional<std::string>> kv(const std::string& name_space, const std::string& key);

  // Orders to every name server; they share nothing.
  Result<void> put_kv(const std::string& name_space, const std::string& key, const std::string& value);
  Result<void> delete_kv(const std::string& name_space, const std::string& key);
  Result<void> delete_topic_in_name_servers(const std::string& topic, const std::string& cluster);

  // One name server.
  Result<int32_t> wipe_write_perm(const std::string& server, const std::string& broker_name);
  Result<int32_t> add_write_perm(const std::string& server, const std::string& broker_name);
  Result<Properties> name_server_config(const std::string& server);
  Result<void> update_name_server_config(const std::string& server, const std::string& key, const std::string& value);

  // One broker, by its address.
  Result<std::map<std::string, std::string>> runtime(const std::string& address);
  Result<HaStatus> ha_status(const std::string& address);
  Result<Properties> broker_config(const std::string& address);
  Result<void> update_broker_config(const std::string& address, const std::string& key, const std::string& value);
  Result<void> clean_expired_queues(const std::string& address);
  Result<void> clean_unused_topics(const std::string& address);
  Result<void> delete_expired_commit_log(const std::string& address);

  Result<void> update_topic(const std::string& address, const TopicConfig& config);
  Result<void> delete_topic(const std::string& address, const std::string& topic);
  Result<TopicConfig> topic_config(const std::string& address, const std::string& topic);
  Result<TopicStats> topic_stats(const std::string& address, const std::string& topic);
  Result<std::vector<std::string>> groups_of_topic(const std::string& address, const std::string& topic);

  Result<void> update_group(const std::string& address, const GroupConfig& config);
  Result<void> delete_group(const std::string& address, const std::string& group, bool clean_offset);
  Result<std::map<std::string, GroupFields>> groups(const std::string& address);

  Result<ConsumeStats> consume_stats(const std::string& address, const std::string& group,
                                     const std::string& topic = {});
  Result<BrokerConsumeStats> broker_consume_stats(const std::string& address, bool order, int64_t timeout_ms);
  Result<StatsData> stats(const std::string& address, const std::string& name, const std::string& key);
  Result<GroupClients> consumers(const std::string& address, const std::string& group);
  Result<GroupClients> producers(const std::string& address, const std::string& group);
  Result<std::vector<ProducerInfo>> all_producers(const std::string& address);

  Result<std::map<Queue, int64_t>> reset_offsets(const std::string& address, const OffsetReset& reset);
  Result<void> update_offset(const std::string& address, const std::string& group, const Queue& queue, int64_t offset);
  Result<int64_t> offset_at(const std::string& address, const Queue& queue, int64_t time_ms);

  /// Empty if nothing matches. Answers that match by hash alone are sorted out here.
  Result<std::vector<ReceivedMessage>> query(const std::string& address, const KeyQuery& query);
  Result<ReceivedMessage> view(const std::string& address, const std::string& topic, PhyOffset offset);
  Result<QueueEntries> queue_entries(const std::string& address, const Queue& queue, int64_t index, int32_t count,
                                     const std::string& group);

  /// The queues that a connected consumer works on, asked of it through its broker.
  Result<std::vector<Queue>> queues_of_client(const std::string& address, const std::string& group,
                                              const std::string& client_id);
  /// Has a connected client of the group consume the message now; what it said, as ConsumeMessageDirectlyResult's text.
  Result<std::string> consume_directly(const std::string& address, const std::string& group,
                                       const std::string& client_id, const ReceivedMessage& message);

 private:
  template <class Request>
  Result<remoting::Response> ask(const std::string& address, const Request& request, std::string body = {},
                                 int64_t timeout_ms = kTimeoutMs);
  template <class Request>
  Result<remoting::Response> ask_any_name_server(const Request& request);
  template <class Request>
  Result<void> tell_all_name_servers(const Request& request);

  Transport& transport_;
  NameServers& name_servers_;
};

}  // namespace comet::client
