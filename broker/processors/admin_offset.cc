#include "broker/processors/admin_offset.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "broker/split.h"
#include "broker/to_body.h"
#include "remoting/protocol/headers/push.h"

namespace comet::broker {

using remoting::Call;
using remoting::Reply;
using remoting::ResponseCode;

namespace {

constexpr int32_t kOldestVersion = 28;  ///< V3_0_7_SNAPSHOT: older clients don't know 220

/// A client of the list that is too old for what is asked of it; null if none is.
const ClientInfo* too_old(const std::vector<ClientInfo>& clients) {
  const auto found = std::find_if(clients.begin(), clients.end(),
                                  [](const ClientInfo& client) { return client.version < kOldestVersion; });
  return found == clients.end() ? nullptr : &*found;
}

Reply refuse_old(const ClientInfo& client) {
  return Reply::refuse(ResponseCode::kSystemError,
                       fmt::format("the client does not support this feature. version={}, client={}",
                                   remoting::version_name(client.version), client.client_id));
}

}  // namespace

// --- Reset -----------------------------------------------------------------------------------------------------------

Reply AdminOffsetProcessor::reset(const Call& call, const Request& request) {
  const TopicConfig* topic = parts_.topics.find(request.topic);
  if (topic == nullptr)
    return Reply::refuse(ResponseCode::kTopicNotExist, fmt::format("Topic {} does not exist", request.topic));
  return parts_.config.now().server_side_reset_offset ? reset_here(call, request, *topic)
                                                      : reset_in_clients(call, request, *topic);
}

QueueOffset AdminOffsetProcessor::offset_at(store::QueueKeyView queue, int64_t timestamp_ms) {
  return timestamp_ms < 0 ? parts_.store.max_offset(queue, true)
                          : parts_.store.offset_by_time(queue, timestamp_ms, store::TimeBoundary::kLower);
}

std::string AdminOffsetProcessor::offset_problem(const Request& request) {
  const store::QueueKeyView queue{request.topic, request.queue_id};
  const int64_t min = parts_.store.min_offset(queue).value, max = parts_.store.max_offset(queue, true).value;
  if (request.offset->value >= min && request.offset->value <= max + 1) return {};
  return fmt::format("Target offset {} not in consume queue range [{}-{}]", request.offset->value, min, max);
}

Reply AdminOffsetProcessor::reset_here(const Call& call, const Request& request, const TopicConfig& topic) {
  if (parts_.config.now().is_slave())
    return Reply::refuse(ResponseCode::kSystemError, "Can not reset offset in slave broker");
  if (parts_.groups.find(request.group) == nullptr) {
    return Reply::refuse(ResponseCode::kSubscriptionGroupNotExist,
                         fmt::format("Group {} does not exist", request.group));
  }
  if (request.queue_id.value >= topic.read_queues) {
    return Reply::refuse(ResponseCode::kInvalidParameter,
                         fmt::format("queueId {} is illegal: topic {} has {} read queues", request.queue_id.value,
                                     request.topic, topic.read_queues));
  }
  const bool one_queue = request.queue_id.value >= 0;
  const bool to_number = one_queue && request.offset && request.offset->value != -1;
  if (to_number) {
    if (std::string problem = offset_problem(request); !problem.empty())
      return Reply::refuse(ResponseCode::kSystemError, std::move(problem));
  }
  remoting::ResetOffsetBody body;
  const int32_t first = one_queue ? request.queue_id.value : 0;
  const int32_t end = one_queue ? first + 1 : topic.read_queues;
  for (QueueId id(first); id.value < end; ++id.value) {
    const QueueOffset target = to_number ? *request.offset : offset_at({request.topic, id}, request.timestamp_ms);
    if (target.value < 0) continue;
    body.offsets.emplace(remoting::MessageQueue{parts_.config.now().broker_name, id, request.topic}, target.value);
  }
  if (body.offsets.empty()) return Reply::refuse(ResponseCode::kSystemError, "No queues to reset.");
  for (const auto& [queue, offset] : body.offsets) {
    parts_.offsets.set_reset(request.group, request.topic, queue.queue_id, QueueOffset(offset));
    parts_.holds.wake_group({request.topic, queue.queue_id}, request.group);
  }
  parts_.log.info("reset offsets of group {} in topic {} to time {}, {} queues, by {}", request.group, request.topic,
                  request.timestamp_ms, body.offsets.size(), call.channel->remote_text());
  return Reply::ok_body(remoting::to_json(body));
}

Reply AdminOffsetProcessor::reset_in_clients(const Call& call, const Request& request, const TopicConfig& topic) {
  remoting::ResetOffsetBody body;
  for (QueueId id(0); id.value < topic.write_queues; ++id.value) {
    const auto committed = parts_.offsets.committed(request.group, request.topic, id);
    if (!committed) {
      return Reply::refuse(ResponseCode::kSystemError, fmt::format("THe consumer group <{}> not exist", request.group));
    }
    const int64_t wanted = std::max<int64_t>(0, offset_at({request.topic, id}, request.timestamp_ms).value);
    const int64_t target = request.is_force ? wanted : std::min(wanted, committed->value);
    body.offsets.emplace(remoting::MessageQueue{parts_.config.now().broker_name, id, request.topic}, target);
  }
  const std::vector<ClientInfo> clients = parts_.consumers.clients(request.group);
  if (clients.empty()) {
    return Reply::refuse(ResponseCode::kConsumerNotOnline,
                         fmt::format("Consumer not online, so can not reset offset, Group: {} Topic: {} Timestamp: {}",
                                     request.group, request.topic, request.timestamp_ms));
  }
  if (const ClientInfo* old = too_old(clients)) return refuse_old(*old);
  tell(clients, request, body);
  parts_.log.info("told {} clients of group {} to reset topic {} to time {}, by {}", clients.size(), request.group,
                  request.topic, request.timestamp_ms, call.channel->remote_text());
  return Reply::ok_body(remoting::to_json(body));
}

/// Apache chooses the dialect by who asks for the reset; here it is the one of who gets it.
void AdminOffsetProcessor::tell(const std::vector<ClientInfo>& clients, const Request& request,
                                const remoting::ResetOffsetBody& body) {
  remoting::ResetConsumerClientOffsetRequest push;
  push.topic = request.topic;
  push.group = request.group;
  push.timestamp_ms = request.timestamp_ms;
  push.is_force = request.is_force;
  for (const ClientInfo& client : clients) {
    const bool cpp = client.language == remoting::Language::kCpp;
    client.channel->send_oneway(
        remoting::make_request(push, cpp ? remoting::to_json_list(body) : remoting::to_json(body)));
  }
}

// --- Copies and comparisons ------------------------------------------------------------------------------------------

Reply AdminOffsetProcessor::clone(const Call& call, const remoting::CloneGroupOffsetRequest& request) {
  const std::vector<std::string> topics =
      is_blank(request.topic) ? parts_.offsets.topics_of(request.src_group) : std::vector<std::string>{*request.topic};
  const ConsumerGroup* online = parts_.consumers.find(request.src_group);
  for (const std::string& topic : topics) {
    if (parts_.topics.find(topic) == nullptr) {
      parts_.log.warn("clone offsets of group {}: topic {} does not exist, left out", request.src_group, topic);
      continue;
    }
    const bool unsubscribed = online != nullptr && !online->subscriptions.empty() &&
                              parts_.consumers.subscription(request.src_group, topic) == nullptr;
    if (!request.offline && unsubscribed) continue;
    parts_.offsets.copy(request.src_group, request.dest_group, topic);
  }
  parts_.log.info("cloned offsets of group {} to group {} by {}", request.src_group, request.dest_group,
                  call.channel->remote_text());
  return Reply::ok();
}

Reply AdminOffsetProcessor::correction(const Call&, const remoting::QueryCorrectionOffsetRequest& request) {
  const std::vector<std::string> left_out = split(request.filter_groups.value_or(""), ',');
  remoting::CorrectionOffsets body;
  for (const std::string& group : parts_.offsets.groups_of(request.topic)) {
    if (std::find(left_out.begin(), left_out.end(), group) != left_out.end()) continue;
    for (const auto& [id, offset] : parts_.offsets.offsets(group, request.topic)) {
      if (offset < parts_.store.min_offset({request.topic, id})) continue;
      const auto [at, fresh] = body.offsets.emplace(id.value, offset.value);
      if (!fresh) at->second = std::min(at->second, offset.value);
    }
  }
  for (const auto& [id, offset] : parts_.offsets.offsets(request.compare_group, request.topic)) {
    const auto at = body.offsets.find(id.value);
    if (at != body.offsets.end() && at->second > offset.value) at->second = std::numeric_limits<int64_t>::max();
  }
  return Reply::ok_body(remoting::to_json(body));
}

Reply AdminOffsetProcessor::all_offsets(const Call&, const remoting::GetAllConsumerOffsetRequest&) {
  remoting::ConsumerOffsetTable body;
  body.data_version = to_body(parts_.offsets.version());
  for (const ConsumerOffsets::Entry& entry : parts_.offsets.all()) {
    auto& row = body.offsets[entry.topic + "@" + entry.group];
    for (const auto& [id, offset] : entry.offsets) row.emplace(id.value, offset.value);
  }
  return Reply::ok_body(remoting::to_json(body));
}

}  // namespace comet::broker
