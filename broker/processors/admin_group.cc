#include "broker/processors/admin_group.h"

#include <fmt/core.h>

#include "broker/to_body.h"
#include "remoting/protocol/bodies/connections.h"

namespace comet::broker {

using remoting::Call;
using remoting::Reply;
using remoting::ResponseCode;

namespace {

/// What was changed is on the disk before it is answered.
Reply when_saved(Groups& groups) {
  if (auto written = groups.persist(); !written)
    return Reply::refuse(ResponseCode::kSystemError, std::move(written).error().what);
  return Reply::ok();
}

}  // namespace

Reply AdminGroupProcessor::update(const Call& call, const remoting::UpdateAndCreateSubscriptiongroupRequest&) {
  auto body = remoting::parse_subscription_group_config(call.body);
  if (!body) return Reply::refuse(ResponseCode::kSystemError, std::move(body).error().what);
  if (std::string problem = group_name_problem(body->name); !problem.empty())
    return Reply::refuse(ResponseCode::kInvalidParameter, std::move(problem));
  log_.info("updateSubGroup {} by {}", body->name, call.channel->remote_text());
  groups_.put(from_body(*body));
  return when_saved(groups_);
}

Reply AdminGroupProcessor::update_list(const Call& call, const remoting::UpdateAndCreateSubscriptiongroupListRequest&) {
  auto list = remoting::parse_subscription_group_list(call.body);
  if (!list) return Reply::refuse(ResponseCode::kSystemError, std::move(list).error().what);
  for (const auto& group : list->groups) {
    if (std::string problem = group_name_problem(group.name); !problem.empty())
      return Reply::refuse(ResponseCode::kInvalidParameter, std::move(problem));
  }
  for (const auto& group : list->groups) groups_.put(from_body(group));
  log_.info("updateSubGroupList of {} groups by {}", list->groups.size(), call.channel->remote_text());
  return when_saved(groups_);
}

Reply AdminGroupProcessor::remove(const Call& call, const remoting::DeleteSubscriptiongroupRequest& request) {
  log_.info("deleteSubGroup {} by {}", request.group_name, call.channel->remote_text());
  groups_.remove(request.group_name);
  if (request.clean_offset || request.remove_offset.value_or(false)) offsets_.remove_group(request.group_name);
  if (config_.now().delete_unused_stats) statistics_.delete_group(request.group_name);
  return when_saved(groups_);
}

Reply AdminGroupProcessor::get(const Call&, const remoting::GetSubscriptiongroupConfigRequest& request) {
  const GroupConfig* group = groups_.find_or_create(request.group);
  if (group == nullptr)
    return Reply::refuse(ResponseCode::kSubscriptionGroupNotExist,
                         fmt::format("Group {} does not exist", request.group));
  return Reply::ok_body(remoting::to_json(to_body(*group)));
}

Reply AdminGroupProcessor::all(const Call&, const remoting::GetAllSubscriptiongroupConfigRequest&) {
  remoting::SubscriptionGroupWrapper body;
  body.data_version = to_body(groups_.version());
  body.forbidden = groups_.forbidden_table();
  for (const GroupConfig& group : groups_.all()) body.groups.emplace(group.name, to_body(group));
  return Reply::ok_body(remoting::to_json(body));
}

Reply AdminGroupProcessor::forbidden(const Call&, const remoting::UpdateAndGetGroupForbiddenRequest& request) {
  if (request.readable) groups_.set_reading_forbidden(request.group, request.topic, !*request.readable);
  remoting::GroupForbidden body;
  body.group = request.group;
  body.topic = request.topic;
  body.readable = !groups_.reading_forbidden(request.group, request.topic);
  return Reply::ok_body(remoting::to_json(body));
}

Reply AdminGroupProcessor::consumer_connections(const Call&,
                                                const remoting::GetConsumerConnectionListRequest& request) {
  const ConsumerGroup* group = consumers_.find(request.consumer_group);
  if (group == nullptr) {
    return Reply::refuse(ResponseCode::kConsumerNotOnline,
                         fmt::format("the consumer group[{}] not online", request.consumer_group));
  }
  remoting::ConsumerConnection body;
  for (const ClientInfo& client : consumers_.clients(request.consumer_group))
    body.connections.push_back(to_body(client));
  body.consume_from_where = group->from_where;
  body.consume_type = group->type;
  body.message_model = group->model;
  for (const auto& subscription : group->subscriptions)
    body.subscriptions.emplace(subscription->topic, to_body(*subscription));
  GroupProblem problem = consumers_.problem(request.consumer_group);
  if (!problem.conflict.empty()) body.conflict = std::move(problem.conflict);
  if (!problem.duplicate_id.empty()) body.duplicate_id = std::move(problem.duplicate_id);
  return Reply::ok_body(remoting::to_json(body));
}

Reply AdminGroupProcessor::producer_connections(const Call&,
                                                const remoting::GetProducerConnectionListRequest& request) {
  const std::vector<ClientInfo> clients = producers_.clients(request.producer_group);
  if (clients.empty())
    return Reply::refuse(ResponseCode::kSystemError,
                         fmt::format("the producer group[{}] not exist", request.producer_group));
  remoting::ProducerConnection body;
  for (const ClientInfo& client : clients) body.connections.push_back(to_body(client));
  return Reply::ok_body(remoting::to_json(body));
}

Reply AdminGroupProcessor::all_producers(const Call&, const remoting::GetAllProducerInfoRequest&) {
  remoting::ProducerTable body;
  for (const std::string& group : producers_.groups()) {
    for (const ClientInfo& client : producers_.clients(group)) {
      remoting::ConnectionInfo shown = to_body(client);
      body.groups[group].push_back({.client_id = std::move(shown.client_id),
                                    .language = std::move(shown.language),
                                    .last_update_timestamp_ms = client.last_update_ms,
                                    .remote_text = "/" + shown.client_addr,
                                    .version = client.version});
    }
  }
  return Reply::ok_body(remoting::to_json(body));
}

Reply AdminGroupProcessor::topics_of(const Call&, const remoting::QueryTopicsByConsumerRequest& request) {
  remoting::TopicList body;
  body.broker_addr = config_.now().address();
  body.topics = offsets_.topics_of(request.group);
  return Reply::ok_body(remoting::to_json(body));
}

Reply AdminGroupProcessor::subscription_of(const Call&, const remoting::QuerySubscriptionByConsumerRequest& request) {
  remoting::GroupSubscription body;
  body.group = request.group;
  body.topic = request.topic;
  if (const auto found = consumers_.subscription(request.group, request.topic)) body.subscription = to_body(*found);
  return Reply::ok_body(remoting::to_json(body));
}

}  // namespace comet::broker
