#include "client/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/system_topics.h"
#include "remoting/protocol/bodies/broker_stats.h"
#include "remoting/protocol/bodies/connections.h"
#include "remoting/protocol/bodies/consume_stats.h"
#include "remoting/protocol/bodies/groups.h"
#include "remoting/protocol/bodies/offsets.h"
#include "remoting/protocol/bodies/queue_view.h"
#include "remoting/protocol/bodies/route.h"
#include "remoting/protocol/bodies/topics.h"
#include "remoting/protocol/fastjson.h"

namespace comet::client {
namespace {

Queue queue_of(const remoting::MessageQueue& from) { return {from.topic, from.broker_name, from.queue_id.value}; }

Broker broker_of(const remoting::BrokerData& from) {
  return {from.cluster, from.broker_name, from.addresses, from.enable_acting_master};
}

ConsumeStats consume_stats_of(const remoting::ConsumeStats& from) {
  ConsumeStats stats;
  stats.tps = from.consume_tps;
  for (const auto& [queue, offset] : from.offsets) {
    // Brokers before 5.0 don't say how far their clients have pulled.
    const int64_t pulled = std::max(offset.pull_offset, offset.consumer_offset);
    stats.offsets[queue_of(queue)] = {offset.broker_offset, offset.consumer_offset, pulled, offset.last_timestamp_ms};
  }
  return stats;
}

Connection connection_of(const remoting::ConnectionInfo& from) {
  return {from.client_id, from.client_addr, from.language.value_or(""), from.version};
}

void sort_by_client(std::vector<Connection>& connections) {
  std::sort(connections.begin(), connections.end(),
            [](const Connection& a, const Connection& b) { return a.client_id < b.client_id; });
}

template <class Wanted>
std::vector<Queue> queues_of(const std::string& topic, const Route& route, int32_t perm, Wanted count) {
  std::vector<Queue> queues;
  for (const BrokerQueues& entry : route.queues) {
    if ((entry.perm & perm) == 0) continue;
    const Broker* broker = route.broker(entry.broker_name);
    if (broker == nullptr || broker->address().empty()) continue;
    if (perm == perm::kWrite && broker->master().empty() && !broker->enable_acting_master) continue;
    for (int32_t id = 0; id < count(entry); ++id) queues.push_back({topic, entry.broker_name, id});
  }
  return queues;
}

}  // namespace

std::string Broker::master() const {
  const auto found = addresses.find(0);
  return found == addresses.end() ? std::string() : found->second;
}

std::string Broker::address() const { return addresses.empty() ? std::string() : addresses.begin()->second; }

const Broker* Route::broker(std::string_view name) const {
  const auto found = std::find_if(brokers.begin(), brokers.end(), [&](const Broker& one) { return one.name == name; });
  return found == brokers.end() ? nullptr : &*found;
}

std::vector<Queue> Route::writable(const std::string& topic) const {
  return queues_of(topic, *this, perm::kWrite, [](const BrokerQueues& entry) { return entry.write_queues; });
}

std::vector<Queue> Route::readable(const std::string& topic) const {
  return queues_of(topic, *this, perm::kRead, [](const BrokerQueues& entry) { return entry.read_queues; });
}

Result<Route> read_route(std::string_view body) {
  COMET_TRY(const remoting::RouteData from, remoting::parse_route_data(body));
  Route route;
  for (const auto& broker : from.brokers) route.brokers.push_back(broker_of(broker));
  for (const auto& queues : from.queues) {
    route.queues.push_back(
        {queues.broker_name, queues.read_queue_nums, queues.write_queue_nums, queues.perm, queues.sys_flag});
  }
  route.order_topic_conf = from.order_topic_conf.value_or("");
  std::sort(route.brokers.begin(), route.brokers.end(),
            [](const Broker& a, const Broker& b) { return a.name < b.name; });
  std::sort(route.queues.begin(), route.queues.end(),
            [](const BrokerQueues& a, const BrokerQueues& b) { return a.broker_name < b.broker_name; });
  return route;
}

Result<std::vector<Broker>> ClusterInfo::of(const std::string& cluster) const {
  const auto found = clusters.find(cluster);
  if (found == clusters.end()) {
    std::string known;
    for (const auto& [name, ignored] : clusters) known += (known.empty() ? "" : ", ") + name;
    return fail(Errc::kNotFound, known.empty()
                                     ? fmt::format("no cluster {}: no broker has registered", cluster)
                                     : fmt::format("no cluster {}; the name server knows {}", cluster, known));
  }
  std::vector<Broker> members;
  for (const std::string& name : found->second) {
    if (const auto broker = brokers.find(name); broker != brokers.end()) members.push_back(broker->second);
  }
  return members;
}

Result<ClusterInfo> read_cluster_info(std::string_view body) {
  COMET_TRY(const remoting::ClusterInfo from, remoting::parse_cluster_info(body));
  ClusterInfo info;
  for (const auto& [name, broker] : from.brokers) info.brokers[name] = broker_of(broker);
  info.clusters = from.clusters;
  for (auto& [cluster, names] : info.clusters) std::sort(names.begin(), names.end());
  return info;
}

Result<std::vector<std::string>> read_topics(std::string_view body) {
  COMET_TRY(remoting::TopicList list, remoting::parse_topic_list(body));
  std::sort(list.topics.begin(), list.topics.end());
  return std::move(list.topics);
}

Result<std::vector<std::string>> read_group_names(std::string_view body) {
  COMET_TRY(remoting::GroupList list, remoting::parse_group_list(body));
  std::sort(list.groups.begin(), list.groups.end());
  return std::move(list.groups);
}

Result<std::map<std::string, std::string>> read_table(std::string_view body) {
  COMET_TRY(const remoting::KVTable from, remoting::parse_kv_table(body));
  return std::map<std::string, std::string>(from.table.begin(), from.table.end());
}

Result<TopicStats> read_topic_stats(std::string_view body) {
  COMET_TRY(const remoting::TopicStats from, remoting::parse_topic_stats(body));
  TopicStats stats;
  for (const auto& [queue, offset] : from.offsets) {
    stats[queue_of(queue)] = {offset.min_offset, offset.max_offset, offset.last_update_timestamp_ms};
  }
  return stats;
}

int64_t ConsumeStats::lag() const {
  int64_t sum = 0;
  for (const auto& [queue, offset] : offsets) sum += offset.lag();
  return sum;
}

int64_t ConsumeStats::inflight() const {
  int64_t sum = 0;
  for (const auto& [queue, offset] : offsets) sum += offset.inflight();
  return sum;
}

Result<ConsumeStats> read_consume_stats(std::string_view body) {
  COMET_TRY(const remoting::ConsumeStats from, remoting::parse_consume_stats(body));
  return consume_stats_of(from);
}

Result<BrokerConsumeStats> read_broker_consume_stats(std::string_view body) {
  COMET_TRY(const remoting::BrokerConsumeStats from, remoting::parse_broker_consume_stats(body));
  BrokerConsumeStats all;
  all.total_lag = from.total_diff;
  for (const auto& groups : from.groups) {
    for (const auto& [group, list] : groups) {
      for (const auto& stats : list) all.groups.emplace_back(group, consume_stats_of(stats));
    }
  }
  return all;
}

Result<GroupClients> read_consumers(std::string_view body) {
  COMET_TRY(const remoting::ConsumerConnection from, remoting::parse_consumer_connection(body));
  GroupClients clients;
  for (const auto& one : from.connections) clients.connections.push_back(connection_of(one));
  sort_by_client(clients.connections);
  for (const auto& [topic, subscription] : from.subscriptions) clients.subscriptions[topic] = subscription.expression;
  clients.consume_type = name_of(from.consume_type);
  clients.message_model = name_of(from.message_model);
  clients.consume_from_where = name_of(from.consume_from_where);
  clients.conflict = from.conflict.value_or("");
  clients.duplicate_id = from.duplicate_id.value_or("");
  return clients;
}

Result<GroupClients> read_producers_of_group(std::string_view body) {
  COMET_TRY(const remoting::ProducerConnection from, remoting::parse_producer_connection(body));
  GroupClients clients;
  for (const auto& one : from.connections) clients.connections.push_back(connection_of(one));
  sort_by_client(clients.connections);
  return clients;
}

Result<std::vector<ProducerInfo>> read_producers(std::string_view body) {
  COMET_TRY(const remoting::ProducerTable from, remoting::parse_producer_table(body));
  std::vector<ProducerInfo> producers;
  for (const auto& [group, clients] : from.groups) {
    for (const auto& one : clients) {
      producers.push_back({group, one.client_id, one.remote_text, one.language.value_or(""), one.version,
                           one.last_update_timestamp_ms});
    }
  }
  return producers;
}

int64_t StatsData::day_sum() const {
  if (day.sum > 0) return day.sum;
  return hour.sum > 0 ? hour.sum : minute.sum;
}

Result<StatsData> read_stats(std::string_view body) {
  COMET_TRY(const remoting::BrokerStatsData from, remoting::parse_broker_stats_data(body));
  const auto item = [](const remoting::StatsItem& one) { return StatsItem{one.sum, one.tps}; };
  return StatsData{item(from.minute), item(from.hour), item(from.day)};
}

Result<HaStatus> read_ha_status(std::string_view body) {
  COMET_TRY(const remoting::HaStatus from, remoting::parse_ha_status(body));
  HaStatus to;
  to.master = from.master;
  to.max_offset = from.master ? from.master_commit_log_max_offset : from.client.max_offset;
  to.slaves_in_sync = from.in_sync_slave_nums;
  for (const remoting::HaConnectionStatus& slave : from.connections) {
    to.slaves.push_back({slave.address, slave.slave_ack_offset, slave.diff, slave.transfer_from_where,
                         slave.transferred_bytes_per_second, slave.in_sync});
  }
  to.master_address = from.client.master_addr.value_or("");
  to.bytes_per_second = from.client.transferred_bytes_per_second;
  to.last_read_ms = from.client.last_read_timestamp_ms;
  to.last_write_ms = from.client.last_write_timestamp_ms;
  to.master_flush_offset = from.client.master_flush_offset;
  return to;
}

Result<TopicConfig> read_topic_config(std::string_view body) {
  COMET_TRY(const remoting::TopicConfig from, remoting::parse_topic_config(body));
  return TopicConfig{
      from.name,     from.read_queue_nums, from.write_queue_nums, from.perm, std::string(name_of(from.filter_type)),
      from.sys_flag, from.order,           from.attributes};
}

Result<QueueEntries> read_queue_entries(std::string_view body) {
  COMET_TRY(const remoting::QueryConsumeQueueBody from, remoting::parse_query_consume_queue_body(body));
  QueueEntries entries;
  entries.min_index = from.min_queue_index;
  entries.max_index = from.max_queue_index;
  if (from.subscription) entries.subscription_json = remoting::to_json(*from.subscription);
  entries.filter_data = from.filter_data.value_or("");
  for (const auto& one : from.entries) {
    entries.entries.push_back({one.physical_offset, one.physical_size, one.tags_code, one.eval, one.msg.value_or("")});
  }
  return entries;
}

Result<std::map<Queue, int64_t>> read_reset_offsets(std::string_view body) {
  COMET_TRY(const remoting::ResetOffsetBody from, remoting::parse_reset_offset_body(body));
  std::map<Queue, int64_t> offsets;
  for (const auto& [queue, offset] : from.offsets) offsets[queue_of(queue)] = offset;
  return offsets;
}

Result<std::vector<Queue>> read_client_queues(std::string_view body) {
  COMET_TRY(const nlohmann::json info, remoting::parse_fastjson(body));
  std::vector<Queue> queues;
  if (!info.is_object() || !info.contains("mqTable")) return queues;
  for (const auto& [key, ignored] : info["mqTable"].items()) {
    COMET_TRY(const remoting::MessageQueue queue, remoting::parse_message_queue(key));
    queues.push_back(queue_of(queue));
  }
  return queues;
}

Result<std::string> read_consume_result(std::string_view body) {
  COMET_TRY(const nlohmann::json result, remoting::parse_fastjson(body));
  const auto text = [&](const char* name, const char* otherwise) {
    if (!result.is_object() || !result.contains(name)) return std::string(otherwise);
    return result[name].is_string() ? result[name].get<std::string>() : result[name].dump();
  };
  return fmt::format(
      "ConsumeMessageDirectlyResult [order={}, autoCommit={}, consumeResult={}, remark={}, spentTimeMills={}]",
      text("order", "false"), text("autoCommit", "true"), text("consumeResult", "null"), text("remark", "null"),
      text("spentTimeMills", "0"));
}

namespace {

/// GroupRetryPolicy.toString().
Result<std::string> retry_policy_text(const remoting::RawJson& policy) {
  COMET_TRY(const nlohmann::json value, remoting::parse_fastjson(policy.text));
  const auto text = [&](const char* name) {
    if (!value.is_object() || !value.contains(name)) return std::string("null");
    return value[name].is_string() ? value[name].get<std::string>() : value[name].dump();
  };
  return fmt::format("GroupRetryPolicy{{type={}, exponentialRetryPolicy={}, customizedRetryPolicy={}}}", text("type"),
                     text("exponentialRetryPolicy"), text("customizedRetryPolicy"));
}

std::string attributes_text(const std::map<std::string, std::string>& attributes) {
  std::string text;
  for (const auto& [name, value] : attributes) text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, value);
  return "{" + text + "}";
}

Result<GroupFields> group_fields(const remoting::SubscriptionGroupConfig& group) {
  COMET_TRY(const std::string policy, retry_policy_text(group.retry_policy));
  const auto truth = [](bool value) { return std::string(value ? "true" : "false"); };
  return GroupFields{{"groupName", group.name},
                     {"consumeEnable", truth(group.consume_enable)},
                     {"consumeFromMinEnable", truth(group.consume_from_min_enable)},
                     {"consumeBroadcastEnable", truth(group.consume_broadcast_enable)},
                     {"consumeMessageOrderly", truth(group.consume_message_orderly)},
                     {"retryQueueNums", std::to_string(group.retry_queue_nums)},
                     {"retryMaxTimes", std::to_string(group.retry_max_times)},
                     {"groupRetryPolicy", policy},
                     {"brokerId", std::to_string(group.broker_id)},
                     {"whichBrokerWhenConsumeSlowly", std::to_string(group.which_broker_when_consume_slowly)},
                     {"notifyConsumerIdsChangedEnable", truth(group.notify_consumer_ids_changed_enable)},
                     {"groupSysFlag", std::to_string(group.sys_flag)},
                     {"consumeTimeoutMinute", std::to_string(group.consume_timeout_minutes)},
                     {"subscriptionDataSet", group.subscriptions ? group.subscriptions->text : std::string()},
                     {"attributes", attributes_text(group.attributes)}};
}

}  // namespace

Result<std::map<std::string, GroupFields>> read_groups(std::string_view body) {
  COMET_TRY(const auto from, remoting::parse_subscription_group_wrapper(body));
  std::map<std::string, GroupFields> groups;
  for (const auto& [name, group] : from.groups) {
    COMET_TRY(groups[name], group_fields(group));
  }
  return groups;
}

}  // namespace comet::client
