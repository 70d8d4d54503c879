#include "broker/to_body.h"

namespace comet::broker {

remoting::TopicConfig to_body(const TopicConfig& topic) {
  remoting::TopicConfig body;
  body.attributes = topic.attributes;
  body.order = topic.order;
  body.perm = topic.perm;
  body.read_queue_nums = topic.read_queues;
  body.filter_type = topic.multi_tag ? remoting::TopicFilterType::kMultiTag : remoting::TopicFilterType::kSingleTag;
  body.name = topic.name;
  body.sys_flag = topic.sys_flag;
  body.write_queue_nums = topic.write_queues;
  return body;
}

TopicConfig from_body(const remoting::TopicConfig& body) {
  TopicConfig topic;
  topic.name = body.name;
  topic.read_queues = body.read_queue_nums;
  topic.write_queues = body.write_queue_nums;
  topic.perm = body.perm;
  topic.multi_tag = body.filter_type == remoting::TopicFilterType::kMultiTag;
  topic.sys_flag = body.sys_flag;
  topic.order = body.order;
  topic.attributes = body.attributes;
  return topic;
}

remoting::SubscriptionGroupConfig to_body(const GroupConfig& group) {
  remoting::SubscriptionGroupConfig body;
  body.attributes = group.attributes;
  body.broker_id = group.broker_id;
  body.consume_broadcast_enable = group.consume_broadcast_enable;
  body.consume_enable = group.consume_enable;
  body.consume_from_min_enable = group.consume_from_min_enable;
  body.consume_message_orderly = group.consume_message_orderly;
  body.consume_timeout_minutes = group.consume_timeout_minutes;
  body.name = group.name;
  body.retry_policy = {group.retry_policy_json};
  body.sys_flag = group.sys_flag;
  body.notify_consumer_ids_changed_enable = group.notify_ids_changed;
  body.retry_max_times = group.retry_max_times;
  body.retry_queue_nums = group.retry_queues;
  if (!group.subscriptions_json.empty()) body.subscriptions = remoting::RawJson{group.subscriptions_json};
  body.which_broker_when_consume_slowly = group.broker_id_when_slow;
  return body;
}

GroupConfig from_body(const remoting::SubscriptionGroupConfig& body) {
  GroupConfig group;
  group.name = body.name;
  group.consume_enable = body.consume_enable;
  group.consume_from_min_enable = body.consume_from_min_enable;
  group.consume_broadcast_enable = body.consume_broadcast_enable;
  group.consume_message_orderly = body.consume_message_orderly;
  group.retry_queues = body.retry_queue_nums;
  group.retry_max_times = body.retry_max_times;
  group.broker_id = body.broker_id;
  group.broker_id_when_slow = body.which_broker_when_consume_slowly;
  group.notify_ids_changed = body.notify_consumer_ids_changed_enable;
  group.sys_flag = body.sys_flag;
  group.consume_timeout_minutes = body.consume_timeout_minutes;
  group.retry_policy_json = body.retry_policy.text;
  if (body.subscriptions) group.subscriptions_json = body.subscriptions->text;
  group.attributes = body.attributes;
  return group;
}

remoting::SubscriptionData to_body(const Subscription& subscription) {
  remoting::SubscriptionData body;
  body.class_filter_mode = subscription.class_filter_mode;
  body.codes = subscription.codes;
  body.expression_type = subscription.expression_type;
  body.expression = subscription.expression;
  body.version = subscription.version;
  body.tags = subscription.tags;
  body.topic = subscription.topic;
  return body;
}

remoting::DataVersion to_body(const DataVersion& version) {
  return {.counter = version.counter, .state_version = version.state_version, .timestamp_ms = version.timestamp_ms};
}

remoting::ConnectionInfo to_body(const ClientInfo& client) {
  remoting::ConnectionInfo body;
  body.client_addr = client.channel->remote_text();
  body.client_id = client.client_id;
  if (const std::string_view language = remoting::language_name(client.language); !language.empty())
    body.language = language;
  body.version = client.version;
  return body;
}

}  // namespace comet::broker
