#include "broker/processors/heartbeat.h"

#include <fmt/core.h>

#include <algorithm>

#include "broker/subscription_filter.h"
#include "common/system_topics.h"

namespace comet::broker {

using remoting::Call;
using remoting::Reply;
using remoting::ResponseCode;

namespace {

ClientInfo client_of(const Call& call, std::string client_id) {
  ClientInfo client;
  client.channel = call.channel;
  client.client_id = std::move(client_id);
  client.language = call.head.language;
  client.version = call.head.version;
  client.last_update_ms = call.received_ms;
  return client;
}

}  // namespace

Reply HeartbeatProcessor::heartbeat(const Call& call, const remoting::HeartBeatRequest&) {
  auto data = remoting::parse_heartbeat_data(call.body);
  if (!data) return Reply::refuse(ResponseCode::kSystemError, std::move(data).error().what);
  const ClientInfo client = client_of(call, data->client_id);
  bool changed = data->fingerprint == 0;  // version 1 always says so
  for (const auto& consumer : data->consumers) {
    register_consumer(client, *data, consumer);
    changed |= remember_fingerprint(consumer.group_name, data->fingerprint);
  }
  for (const auto& producer : data->producers) {
    if (producer.group_name.empty()) continue;
    const int64_t since_ms = clock_.now_ms();
    producers_.register_client(client, producer.group_name);
    count_registration("PRODUCER_REGISTER_TIME", since_ms);
  }
  return Reply::ok(remoting::HeartBeatResponse{.supports_heartbeat_v2 = true, .subscription_changed = changed});
}

/// Whether a group's stored subscriptions are another client's: a version 2 heartbeat without them must send them
/// again.
bool HeartbeatProcessor::remember_fingerprint(const std::string& group, int32_t fingerprint) {
  std::lock_guard lock(mu_);
  const auto [known, is_new] = fingerprints_.try_emplace(group, fingerprint);
  const bool differs = !is_new && known->second != fingerprint;
  known->second = fingerprint;
  return fingerprint != 0 && differs;
}

void HeartbeatProcessor::count_registration(std::string_view name, int64_t since_ms) {
  statistics_.add(name, config_.now().cluster_name, std::max<int64_t>(0, clock_.now_ms() - since_ms));
}

void HeartbeatProcessor::forget_group(std::string_view group) {
  std::lock_guard lock(mu_);
  if (const auto known = fingerprints_.find(group); known != fingerprints_.end()) fingerprints_.erase(known);
}

void HeartbeatProcessor::register_consumer(const ClientInfo& client, const remoting::HeartbeatData& data,
                                           const remoting::ConsumerData& consumer) {
  if (config_.now().reject_pull_consumer && consumer.consume_type == ConsumeType::kActively) return;
  const GroupConfig* group = groups_.find_or_create(consumer.group_name);
  if (group == nullptr) return;  // as RocketMQ, the heartbeat still succeeds

  ConsumerRegistration registration;
  registration.group = consumer.group_name;
  registration.type = consumer.consume_type;
  registration.model = consumer.message_model;
  registration.from_where = consumer.consume_from_where;
  registration.keep_subscriptions = data.fingerprint != 0 && data.without_subscriptions;
  registration.notify = group->notify_ids_changed;
  bool order = false;
  for (const auto& subscription : consumer.subscriptions) {
    const TopicConfig* topic = topics_.find(subscription.topic);
    order |= topic != nullptr && topic->order;
    registration.subscriptions.push_back(Subscription{subscription});
  }
  topics_.create_for_group(retry_topic(consumer.group_name), group->retry_queues, perm::kRead | perm::kWrite, order,
                           consumer.unit_mode ? kTopicUnitSubscription : 0);
  const int64_t since_ms = clock_.now_ms();
  consumers_.register_client(client, registration);
  count_registration("CONSUMER_REGISTER_TIME", since_ms);
  if (registration.keep_subscriptions) return;
  filters_.heard(registration.group, registration.subscriptions);
  // The last client may have gone meanwhile, with nobody left to say so.
  if (consumers_.find(registration.group) == nullptr) filters_.group_gone(registration.group);
}

Reply HeartbeatProcessor::unregister(const Call& call, const remoting::UnregisterClientRequest& request) {
  if (request.producer_group) producers_.unregister_client(call.channel, *request.producer_group);
  if (request.consumer_group) {
    const GroupConfig* group = groups_.find(*request.consumer_group);
    consumers_.unregister_client(call.channel, *request.consumer_group, group == nullptr || group->notify_ids_changed);
  }
  return Reply::ok(remoting::UnregisterClientResponse{});
}

Reply HeartbeatProcessor::consumer_list(const Call&, const remoting::GetConsumerListByGroupRequest& request) {
  remoting::ConsumerIdList list{consumers_.client_ids(request.consumer_group)};
  if (list.ids.empty()) {
    Reply none = Reply::refuse(ResponseCode::kSystemError,
                               fmt::format("no consumer for this group, {}", request.consumer_group));
    none.has_ext = true;
    return none;
  }
  Reply reply = Reply::ok_body(to_json(list));
  reply.has_ext = true;  // {}, as clients know it
  return reply;
}

Reply HeartbeatProcessor::check_client(const Call& call, const remoting::CheckClientConfigRequest&) {
  auto body = remoting::parse_check_client_body(call.body);
  if (!body) return Reply::refuse(ResponseCode::kSystemError, std::move(body).error().what);
  if (!body->subscription || is_tag_type(body->subscription->expression_type)) return Reply::ok();
  const remoting::SubscriptionData& wanted = *body->subscription;
  if (!config_.now().enable_property_filter) {
    return Reply::refuse(
        ResponseCode::kSystemError,
        fmt::format("The broker does not support consumer to filter message by {}", wanted.expression_type));
  }
  const auto program = sql_.compile(wanted.expression_type, wanted.expression);
  if (!program) return Reply::refuse(ResponseCode::kSubscriptionParseFailed, program.error().what);
  return Reply::ok();
}

}  // namespace comet::broker
