#include "client/admin.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/refusal.h"
#include "client/routes.h"
#include "common/message_properties.h"
#include "common/system_topics.h"
#include "remoting/protocol/headers/admin_broker.h"
#include "remoting/protocol/headers/admin_group.h"
#include "remoting/protocol/headers/admin_topic.h"
#include "remoting/protocol/headers/kv.h"
#include "remoting/protocol/headers/offset.h"
#include "remoting/protocol/headers/push.h"
#include "remoting/protocol/headers/query.h"
#include "remoting/protocol/headers/replication.h"
#include "remoting/protocol/headers/route.h"

namespace comet::client {
namespace {

using remoting::Response;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  remoting::append_json_escaped(out, text);
  return out + '"';
}

std::string property_line(const std::string& key, const std::string& value) {
  Properties one;
  one.set(key, value);
  return one.text();
}

std::string json_of(const GroupConfig& config) {
  std::string attributes;
  for (const auto& [name, value] : config.attributes) {
    attributes += fmt::format("{}{}:{}", attributes.empty() ? "" : ",", quoted(name), quoted(value));
  }
  return fmt::format(
      "{{\"attributes\":{{{}}},\"brokerId\":{},\"consumeBroadcastEnable\":{},\"consumeEnable\":{},"
      "\"consumeFromMinEnable\":{},"
      "\"consumeMessageOrderly\":{},\"consumeTimeoutMinute\":15,\"groupName\":{},\"groupRetryPolicy\":{},"
      "\"groupSysFlag\":0,"
      "\"notifyConsumerIdsChangedEnable\":{},\"retryMaxTimes\":{},\"retryQueueNums\":{},"
      "\"whichBrokerWhenConsumeSlowly\":{}}}",
      attributes, config.broker_id, config.consume_broadcast_enable, config.consume_enable,
      config.consume_from_min_enable, config.consume_message_orderly, quoted(config.name),
      config.retry_policy_json.empty() ? "{\"type\":\"CUSTOMIZED\"}" : config.retry_policy_json,
      config.notify_ids_changed, config.retry_max_times, config.retry_queues, config.which_broker_when_slow);
}

/// Whether a message really has the key that its hash answered for.
bool has_key(const ReceivedMessage& message, const KeyQuery& query) {
  if (message.topic != query.topic) return false;
  if (query.unique) return message.property(property::kUniqueKey) == query.key;
  const std::string keys = " " + message.keys() + " ";
  return keys.find(" " + query.key + " ") != std::string::npos;
}

}  // namespace

Result<std::map<std::string, std::string>> parse_attributes(std::string_view text) {
  std::map<std::string, std::string> attributes;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const size_t equals = one.find('=');
    const bool sets = one.starts_with('+') && equals != std::string_view::npos;
    const bool removes = one.starts_with('-') && equals == std::string_view::npos;
    if (one.size() < 2 || (!sets && !removes)) {
      return fail(Errc::kInvalid, fmt::format("attribute '{}': write +key=value to set and -key to remove", one));
    }
    attributes[std::string(one.substr(0, equals))] = sets ? one.substr(equals + 1) : std::string_view();
  }
  return attributes;
}

template <class Request>
Result<Response> Admin::ask(const std::string& address, const Request& request, std::string body, int64_t timeout_ms) {
  COMET_TRY(Response response, transport_.call(address, remoting::make_request(request, std::move(body)), timeout_ms));
  COMET_TRY_VOID(accepted(response, address, Request::kCode));
  return response;
}

template <class Request>
Result<Response> Admin::ask_any_name_server(const Request& request) {
  COMET_TRY(Response response, name_servers_.call(remoting::make_request(request)));
  COMET_TRY_VOID(accepted(response, "name server", Request::kCode));
  return response;
}

template <class Request>
Result<void> Admin::tell_all_name_servers(const Request& request) {
  for (const std::string& server : name_servers_.addresses()) COMET_TRY_VOID(ask(server, request));
  return {};
}

Result<ClusterInfo> Admin::clusters() {
  COMET_TRY(const Response response, ask_any_name_server(remoting::GetBrokerClusterInfoRequest{}));
  return read_cluster_info(response.body);
}

Result<Route> Admin::route(const std::string& topic) { return ask_route(name_servers_, topic); }

Result<std::vector<std::string>> Admin::topics() {
  COMET_TRY(const Response response, ask_any_name_server(remoting::GetAllTopicListFromNameserverRequest{}));
  return read_topics(response.body);
}

Result<std::optional<std::string>> Admin::kv(const std::string& name_space, const std::string& key) {
  auto response = ask_any_name_server(remoting::GetKvConfigRequest{name_space, key});
  if (!response && response.error().code == Errc::kNotFound) return std::optional<std::string>();
  COMET_TRY(const Response found, std::move(response));
  COMET_TRY(auto header, remoting::header_of<remoting::GetKvConfigResponse>(found));
  return std::move(header.value);
}

Result<void> Admin::put_kv(const std::string& name_space, const std::string& key, const std::string& value) {
  return tell_all_name_servers(remoting::PutKvConfigRequest{name_space, key, value});
}

Result<void> Admin::delete_kv(const std::string& name_space, const std::string& key) {
  return tell_all_name_servers(remoting::DeleteKvConfigRequest{name_space, key});
}

Result<void> Admin::delete_topic_in_name_servers(const std::string& topic, const std::string& cluster) {
  remoting::DeleteTopicInNamesrvRequest request{topic, std::nullopt};
  if (!cluster.empty()) request.cluster_name = cluster;
  return tell_all_name_servers(request);
}

Result<int32_t> Admin::wipe_write_perm(const std::string& server, const std::string& broker_name) {
  COMET_TRY(const Response response, ask(server, remoting::WipeWritePermOfBrokerRequest{broker_name}));
  COMET_TRY(const auto header, remoting::header_of<remoting::WipeWritePermOfBrokerResponse>(response));
  return header.wipe_topic_count;
}

Result<int32_t> Admin::add_write_perm(const std::string& server, const std::string& broker_name) {
  COMET_TRY(const Response response, ask(server, remoting::AddWritePermOfBrokerRequest{broker_name}));
  COMET_TRY(const auto header, remoting::header_of<remoting::AddWritePermOfBrokerResponse>(response));
  return header.add_topic_count;
}

Result<Properties> Admin::name_server_config(const std::string& server) {
  COMET_TRY(const Response response, ask(server, remoting::GetNamesrvConfigRequest{}));
  return Properties::parse(response.body);
}

Result<void> Admin::update_name_server_config(const std::string& server, const std::string& key,
                                              const std::string& value) {
  COMET_TRY_VOID(ask(server, remoting::UpdateNamesrvConfigRequest{}, property_line(key, value)));
  return {};
}

Result<std::map<std::string, std::string>> Admin::runtime(const std::string& address) {
  COMET_TRY(const Response response, ask(address, remoting::GetBrokerRuntimeInfoRequest{}));
  return read_table(response.body);
}

Result<HaStatus> Admin::ha_status(const std::string& address) {
  COMET_TRY(const Response response, ask(address, remoting::GetBrokerHaStatusRequest{}));
  return read_ha_status(response.body);
}

Result<Properties> Admin::broker_config(const std::string& address) {
  COMET_TRY(const Response response, ask(address, remoting::GetBrokerConfigRequest{}));
  return Properties::parse(response.body);
}

Result<void> Admin::update_broker_config(const std::string& address, const std::string& key, const std::string& value) {
  COMET_TRY_VOID(ask(address, remoting::UpdateBrokerConfigRequest{}, property_line(key, value)));
  return {};
}

Result<void> Admin::clean_expired_queues(const std::string& address) {
  COMET_TRY_VOID(ask(address, remoting::CleanExpiredConsumequeueRequest{}));
  return {};
}

Result<void> Admin::clean_unused_topics(const std::string& address) {
  COMET_TRY_VOID(ask(address, remoting::CleanUnusedTopicRequest{}));
  return {};
}

Result<void> Admin::delete_expired_commit_log(const std::string& address) {
  COMET_TRY_VOID(ask(address, remoting::DeleteExpiredCommitlogRequest{}));
  return {};
}

Result<void> Admin::update_topic(const std::string& address, const TopicConfig& config) {
  remoting::UpdateAndCreateTopicRequest request;
  request.topic = config.name;
  request.default_topic = std::string(kAutoCreateTopic);
  request.read_queue_nums = config.read_queues;
  request.write_queue_nums = config.write_queues;
  request.perm = config.perm;
  request.topic_filter_type = config.filter_type;
  request.topic_sys_flag = config.sys_flag;
  request.order = config.order;
  request.force = false;
  std::string attributes;
  for (const auto& [name, value] : config.attributes) {
    attributes += (attributes.empty() ? "" : ",") + name + (value.empty() ? "" : "=" + value);
  }
  if (!attributes.empty()) request.attributes = attributes;
  COMET_TRY_VOID(ask(address, request));
  return {};
}

Result<void> Admin::delete_topic(const std::string& address, const std::string& topic) {
  COMET_TRY_VOID(ask(address, remoting::DeleteTopicInBrokerRequest{topic}));
  return {};
}

Result<TopicConfig> Admin::topic_config(const std::string& address, const std::string& topic) {
  remoting::GetTopicConfigRequest request;
  request.topic = topic;
  COMET_TRY(const Response response, ask(address, request));
  return read_topic_config(response.body);
}

Result<TopicStats> Admin::topic_stats(const std::string& address, const std::string& topic) {
  COMET_TRY(const Response response, ask(address, remoting::GetTopicStatsInfoRequest{topic}));
  return read_topic_stats(response.body);
}

Result<std::vector<std::string>> Admin::groups_of_topic(const std::string& address, const std::string& topic) {
  COMET_TRY(const Response response, ask(address, remoting::QueryTopicConsumeByWhoRequest{topic}));
  return read_group_names(response.body);
}

Result<void> Admin::update_group(const std::string& address, const GroupConfig& config) {
  COMET_TRY_VOID(ask(address, remoting::UpdateAndCreateSubscriptiongroupRequest{}, json_of(config)));
  return {};
}

Result<void> Admin::delete_group(const std::string& address, const std::string& group, bool clean_offset) {
  remoting::DeleteSubscriptiongroupRequest request;
  request.group_name = group;
  request.clean_offset = clean_offset;
  request.remove_offset = clean_offset;
  COMET_TRY_VOID(ask(address, request));
  return {};
}

Result<std::map<std::string, GroupFields>> Admin::groups(const std::string& address) {
  COMET_TRY(const Response response,
            ask(address, remoting::GetAllSubscriptiongroupConfigRequest{}, {}, kStatsTimeoutMs));
  return read_groups(response.body);
}

Result<ConsumeStats> Admin::consume_stats(const std::string& address, const std::string& group,
                                          const std::string& topic) {
  remoting::GetConsumeStatsRequest request;
  request.consumer_group = group;
  if (!topic.empty()) request.topic = topic;
  COMET_TRY(const Response response, ask(address, request, {}, kStatsTimeoutMs));
  return read_consume_stats(response.body);
}

Result<BrokerConsumeStats> Admin::broker_consume_stats(const std::string& address, bool order, int64_t timeout_ms) {
  COMET_TRY(const Response response, ask(address, remoting::GetBrokerConsumeStatsRequest{order}, {}, timeout_ms));
  return read_broker_consume_stats(response.body);
}

Result<StatsData> Admin::stats(const std::string& address, const std::string& name, const std::string& key) {
  COMET_TRY(const Response response, ask(address, remoting::ViewBrokerStatsDataRequest{name, key}));
  return read_stats(response.body);
}

Result<GroupClients> Admin::consumers(const std::string& address, const std::string& group) {
  COMET_TRY(const Response response, ask(address, remoting::GetConsumerConnectionListRequest{group}));
  return read_consumers(response.body);
}

Result<GroupClients> Admin::producers(const std::string& address, const std::string& group) {
  COMET_TRY(const Response response, ask(address, remoting::GetProducerConnectionListRequest{group}));
  return read_producers_of_group(response.body);
}

Result<std::vector<ProducerInfo>> Admin::all_producers(const std::string& address) {
  COMET_TRY(const Response response, ask(address, remoting::GetAllProducerInfoRequest{}));
  return read_producers(response.body);
}

Result<std::map<Queue, int64_t>> Admin::reset_offsets(const std::string& address, const OffsetReset& reset) {
  remoting::InvokeBrokerToResetOffsetRequest request;
  request.topic = reset.topic;
  request.group = reset.group;
  request.queue_id = QueueId{reset.queue_id};
  request.offset = QueueOffset{reset.offset.value_or(-1)};
  request.timestamp_ms = reset.time_ms;
  request.is_force = reset.force;
  COMET_TRY(const Response response, ask(address, request));
  return read_reset_offsets(response.body);
}

Result<void> Admin::update_offset(const std::string& address, const std::string& group, const Queue& queue,
                                  int64_t offset) {
  remoting::UpdateConsumerOffsetRequest request;
  request.consumer_group = group;
  request.topic = queue.topic;
  request.queue_id = QueueId{queue.queue_id};
  request.commit_offset = QueueOffset{offset};
  COMET_TRY_VOID(ask(address, request));
  return {};
}

Result<int64_t> Admin::offset_at(const std::string& address, const Queue& queue, int64_t time_ms) {
  remoting::SearchOffsetByTimestampRequest request;
  request.topic = queue.topic;
  request.queue_id = QueueId{queue.queue_id};
  request.timestamp_ms = time_ms;
  COMET_TRY(const Response response, ask(address, request));
  COMET_TRY(const auto header, remoting::header_of<remoting::SearchOffsetByTimestampResponse>(response));
  return header.offset.value;
}

Result<std::vector<ReceivedMessage>> Admin::query(const std::string& address, const KeyQuery& query) {
  remoting::QueryMessageRequest request;
  request.topic = query.topic;
  request.key = query.key;
  request.max_num = query.most;
  request.begin_timestamp_ms = query.begin_ms;
  request.end_timestamp_ms = query.end_ms;
  request.unique_key_query = query.unique;
  auto response = ask(address, request, {}, kStatsTimeoutMs);
  if (!response && response.error().code == Errc::kNotFound) return std::vector<ReceivedMessage>();
  COMET_TRY(const Response found, std::move(response));
  COMET_TRY(auto messages, read_messages(found.body, {}));
  std::erase_if(messages, [&](const ReceivedMessage& message) { return !has_key(message, query); });
  return messages;
}

Result<ReceivedMessage> Admin::view(const std::string& address, const std::string& topic, PhyOffset offset) {
  remoting::ViewMessageByIdRequest request;
  request.offset = offset;
  if (!topic.empty()) request.topic = topic;
  COMET_TRY(const Response response, ask(address, request));
  COMET_TRY(auto messages, read_messages(response.body, {}));
  if (messages.empty())
    return fail(Errc::kNotFound, fmt::format("{} has no message at offset {}", address, offset.value));
  return std::move(messages.front());
}

Result<QueueEntries> Admin::queue_entries(const std::string& address, const Queue& queue, int64_t index, int32_t count,
                                          const std::string& group) {
  remoting::QueryConsumeQueueRequest request;
  request.topic = queue.topic;
  request.queue_id = QueueId{queue.queue_id};
  request.index = QueueOffset{index};
  request.count = count;
  if (!group.empty()) request.consumer_group = group;
  COMET_TRY(const Response response, ask(address, request));
  return read_queue_entries(response.body);
}

Result<std::vector<Queue>> Admin::queues_of_client(const std::string& address, const std::string& group,
                                                   const std::string& client_id) {
  remoting::GetConsumerRunningInfoRequest request;
  request.consumer_group = group;
  request.client_id = client_id;
  COMET_TRY(const Response response, ask(address, request, {}, kStatsTimeoutMs));
  return read_client_queues(response.body);
}

Result<std::string> Admin::consume_directly(const std::string& address, const std::string& group,
                                            const std::string& client_id, const ReceivedMessage& message) {
  remoting::ConsumeMessageDirectlyRequest request;
  request.consumer_group = group;
  request.client_id = client_id;
  request.msg_id = message.offset_msg_id();
  request.topic = message.topic;
  if (!message.broker_name.empty()) request.broker_name = message.broker_name;
  COMET_TRY(const Response response, ask(address, request, {}, kStatsTimeoutMs));
  return read_consume_result(response.body);
}

}  // namespace comet::client
