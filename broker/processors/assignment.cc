#include "broker/processors/assignment.h"

#include <fmt/core.h>

#include <utility>

#include "broker/queue_assignment.h"
#include "common/system_topics.h"
#include "remoting/protocol/bodies/assignment.h"

namespace comet::broker {

using remoting::Call;
using remoting::Reply;
using remoting::Responder;
using remoting::ResponseCode;

namespace {

using QueueList = std::optional<std::vector<remoting::MessageQueue>>;

remoting::QueueAssignments to_pull(const QueueList& queues) {
  remoting::QueueAssignments out;
  if (!queues) return out;
  out.assignments.emplace();
  for (const remoting::MessageQueue& queue : *queues) {
    remoting::QueueAssignment one;
    one.queue = queue;
    out.assignments->push_back(std::move(one));
  }
  return out;
}

}  // namespace

void AssignmentProcessor::query(const Call& call, const remoting::QueryAssignmentRequest&, Responder responder) {
  auto wanted = remoting::parse_query_assignment_body(call.body);
  if (!wanted) {
    return std::move(responder).send(Reply::refuse(ResponseCode::kSystemError, std::move(wanted).error().what));
  }
  std::string topic = wanted->topic;
  routes_.find(std::move(topic), [this, wanted = std::move(*wanted),
                                  held = std::move(responder)](const TopicRoutes::Route& route) mutable {
    std::move(held).send(Reply::ok_body(to_json(assign(wanted, route))));
  });
}

/// No list: the client keeps what it has.
remoting::QueueAssignments AssignmentProcessor::assign(const remoting::QueryAssignmentBody& wanted,
                                                       const TopicRoutes::Route& route) const {
  if (route == nullptr) return {};
  const bool shared_out = config_.now().server_load_balancer;
  if (wanted.message_model == remoting::MessageModel::kBroadcasting || !shared_out) return to_pull(route->readable);
  return to_pull(assign_queues(wanted.strategy_name, wanted.client_id, route->readable,
                               consumers_.client_ids(wanted.consumer_group)));
}

Reply AssignmentProcessor::set_mode(const Call& call, const remoting::SetMessageRequestModeRequest&) {
  const auto wanted = remoting::parse_message_request_mode(call.body);
  if (!wanted) return Reply::refuse(ResponseCode::kSystemError, wanted.error().what);
  if (is_retry_topic(wanted->topic))
    return Reply::refuse(ResponseCode::kNoPermission, "retry topic is not allowed to set mode");
  if (topics_.find(wanted->topic) == nullptr)
    return Reply::refuse(ResponseCode::kTopicNotExist, fmt::format("topic[{}] not exist", wanted->topic));
  if (groups_.find_or_create(wanted->consumer_group) == nullptr) {
    return Reply::refuse(ResponseCode::kSubscriptionGroupNotExist,
                         fmt::format("subscription group does not exist: {}", wanted->consumer_group));
  }
  if (wanted->mode == remoting::RequestMode::kPop) {
    return Reply::refuse(ResponseCode::kRequestCodeNotSupported,
                         fmt::format("mode POP is not served: group {} can have topic {} with mode PULL",
                                     wanted->consumer_group, wanted->topic));
  }
  if (auto written = modes_.set(*wanted); !written)
    return Reply::refuse(ResponseCode::kSystemError, std::move(written).error().what);
  return Reply::ok();
}

Reply AssignmentProcessor::all_modes(const Call&, const remoting::GetAllMessageRequestModeRequest&) {
  return Reply::ok_body(modes_.text());
}

}  // namespace comet::broker
