#include "broker/processors/admin_progress.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <set>

#include "broker/to_body.h"
#include "remoting/protocol/bodies/offsets.h"

namespace comet::broker {

using remoting::Call;
using remoting::Reply;
using remoting::ResponseCode;

namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = text.find(separator);
    if (end != 0) parts.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return parts;
}

bool is_blank(const std::optional<std::string>& text) {
  return !text || text->find_first_not_of(' ') == std::string::npos;
}

}  // namespace

double AdminProgressProcessor::consume_rate(const std::string& group, const std::string& topic) const {
  const auto view = statistics_.view("GROUP_GET_NUMS", topic + "@" + group);
  return view ? view->minute.tps : 0.0;
}

void AdminProgressProcessor::add_rows(const std::string& group, const TopicConfig& topic, int32_t queues,
                                      remoting::ConsumeStats& into) {
  for (int32_t id = 0; id < queues; ++id) {
    const store::QueueKeyView queue{topic.name, QueueId(id)};
    remoting::OffsetWrapper row;
    row.broker_offset = std::max<int64_t>(0, store_.max_offset(queue, true).value);
    row.consumer_offset =
        std::max<int64_t>(0, offsets_.committed(group, topic.name, QueueId(id)).value_or(QueueOffset(0)).value);
    row.pull_offset = std::max(row.consumer_offset, offsets_.pulled(group, topic.name, QueueId(id)).value);
    if (row.consumer_offset > 0)
      row.last_timestamp_ms = std::max<int64_t>(0, store_.store_time_ms(queue, QueueOffset(row.consumer_offset - 1)));
    into.offsets.emplace(remoting::MessageQueue{config_.now().broker_name, QueueId(id), topic.name}, row);
  }
  into.consume_tps += consume_rate(group, topic.name);
}

Reply AdminProgressProcessor::consume_stats(const Call&, const remoting::GetConsumeStatsRequest& request) {
  std::vector<std::string> topics;
  const bool listed = !is_blank(request.topic_list);
  if (listed) {
    topics = split(*request.topic_list, ';');
  } else if (!is_blank(request.topic)) {
    topics = {*request.topic};
  } else {
    topics = offsets_.topics_of(request.consumer_group);
  }
  const ConsumerGroup* online = consumers_.find(request.consumer_group);
  remoting::ConsumeStats body;
  for (const std::string& name : topics) {
    const TopicConfig* topic = topics_.find(name);
    if (topic == nullptr) continue;
    // What an online group no longer subscribes is history, not lag.
    if (!listed && online != nullptr && online->clients > 0 && !online->subscriptions.empty() &&
        online->find(name) == nullptr)
      continue;
    add_rows(request.consumer_group, *topic, topic->read_queues, body);
  }
  return Reply::ok_body(remoting::to_json(body));
}

Reply AdminProgressProcessor::broker_consume_stats(const Call&, const remoting::GetBrokerConsumeStatsRequest& request) {
  remoting::BrokerConsumeStats body;
  body.broker_addr = config_.now().address();
  for (const GroupConfig& group : groups_.all()) {
    std::vector<remoting::ConsumeStats> of_group;
    const ConsumerGroup* online = consumers_.find(group.name);
    for (const std::string& name : offsets_.topics_of(group.name)) {
      const TopicConfig* topic = topics_.find(name);
      if (topic == nullptr || (request.is_order && !topic->order)) continue;
      if (online != nullptr && online->find(name) == nullptr) continue;
      remoting::ConsumeStats stats;
      add_rows(group.name, *topic, topic->write_queues, stats);
      for (const auto& [queue, row] : stats.offsets) {
        body.total_diff += row.broker_offset - row.consumer_offset;
        body.total_inflight_diff += row.pull_offset - row.consumer_offset;
      }
      of_group.push_back(std::move(stats));
    }
    body.groups.push_back({{group.name, std::move(of_group)}});
  }
  return Reply::ok_body(remoting::to_json(body));
}

Reply AdminProgressProcessor::time_spans(const Call&, const remoting::QueryConsumeTimeSpanRequest& request) {
  const TopicConfig* topic = topics_.find(request.topic);
  if (topic == nullptr)
    return Reply::refuse(ResponseCode::kTopicNotExist, fmt::format("topic[{}] not exist", request.topic));
  remoting::ConsumeTimeSpans body;
  const int64_t now_ms = clock_.now_ms();
  for (int32_t id = 0; id < topic->write_queues; ++id) {
    const store::QueueKeyView queue{request.topic, QueueId(id)};
    const int64_t max = store_.max_offset(queue, true).value;
    remoting::TimeSpan span;
    span.queue = {config_.now().broker_name, QueueId(id), request.topic};
    span.min_timestamp_ms = store_.earliest_store_time_ms(queue);
    span.max_timestamp_ms = store_.store_time_ms(queue, QueueOffset(max - 1));
    const int64_t consumed =
        offsets_.committed(request.group, request.topic, QueueId(id)).value_or(QueueOffset(-1)).value;
    span.consume_timestamp_ms =
        consumed > 0 ? store_.store_time_ms(queue, QueueOffset(consumed - 1)) : span.min_timestamp_ms;
    if (consumed < max) {
      const int64_t next_ms = store_.store_time_ms(queue, QueueOffset(std::max<int64_t>(0, consumed)));
      if (next_ms > 0) span.delay_ms = now_ms - next_ms;
    }
    body.spans.push_back(std::move(span));
  }
  return Reply::ok_body(remoting::to_json(body));
}

QueueOffset AdminProgressProcessor::offset_at(store::QueueKeyView queue, int64_t timestamp_ms) {
  return timestamp_ms < 0 ? store_.max_offset(queue, true)
                          : store_.offset_by_time(queue, timestamp_ms, store::TimeBoundary::kLower);
}

Reply AdminProgressProcessor::reset(const Call& call, const remoting::InvokeBrokerToResetOffsetRequest& request) {
  const TopicConfig* topic = topics_.find(request.topic);
  if (topic == nullptr)
    return Reply::refuse(ResponseCode::kTopicNotExist, fmt::format("Topic {} does not exist", request.topic));
  if (groups_.find(request.group) == nullptr) {
    return Reply::refuse(ResponseCode::kSubscriptionGroupNotExist,
                         fmt::format("Group {} does not exist", request.group));
  }
  remoting::ResetOffsetBody body;
  auto move_to = [&](QueueId id, QueueOffset offset) {
    if (offset.value >= 0)
      body.offsets.emplace(remoting::MessageQueue{config_.now().broker_name, id, request.topic}, offset.value);
  };
  if (request.queue_id.value >= 0) {
    if (request.queue_id.value >= topic->read_queues) {
      return Reply::refuse(ResponseCode::kInvalidParameter,
                           fmt::format("queueId {} is illegal: topic {} has {} read queues", request.queue_id.value,
                                       request.topic, topic->read_queues));
    }
    const store::QueueKeyView queue{request.topic, request.queue_id};
    if (request.offset && request.offset->value != -1) {
      const int64_t min = store_.min_offset(queue).value, max = store_.max_offset(queue, true).value;
      if (request.offset->value < min || request.offset->value > max + 1) {
        return Reply::refuse(
            ResponseCode::kSystemError,
            fmt::format("Target offset {} not in consume queue range [{}-{}]", request.offset->value, min, max));
      }
      move_to(request.queue_id, *request.offset);
    } else {
      move_to(request.queue_id, offset_at(queue, request.timestamp_ms));
    }
  } else {
    for (int32_t id = 0; id < topic->read_queues; ++id)
      move_to(QueueId(id), offset_at({request.topic, QueueId(id)}, request.timestamp_ms));
  }
  for (const auto& [queue, offset] : body.offsets)
    offsets_.set_reset(request.group, request.topic, queue.queue_id, QueueOffset(offset));
  log_.info("reset offsets of group {} in topic {} to time {}, {} queues, by {}", request.group, request.topic,
            request.timestamp_ms, body.offsets.size(), call.channel->remote_text());
  return Reply::ok_body(remoting::to_json(body));
}

Reply AdminProgressProcessor::clone(const Call& call, const remoting::CloneGroupOffsetRequest& request) {
  const std::vector<std::string> topics =
      is_blank(request.topic) ? offsets_.topics_of(request.src_group) : std::vector<std::string>{*request.topic};
  const ConsumerGroup* online = consumers_.find(request.src_group);
  for (const std::string& topic : topics) {
    if (topics_.find(topic) == nullptr) {
      log_.warn("clone offsets of group {}: topic {} does not exist, left out", request.src_group, topic);
      continue;
    }
    if (!request.offline && online != nullptr && online->find(topic) == nullptr) continue;
    offsets_.copy(request.src_group, request.dest_group, topic);
  }
  log_.info("cloned offsets of group {} to group {} by {}", request.src_group, request.dest_group,
            call.channel->remote_text());
  return Reply::ok();
}

Reply AdminProgressProcessor::correction(const Call&, const remoting::QueryCorrectionOffsetRequest& request) {
  const std::vector<std::string> left_out = split(request.filter_groups.value_or(""), ',');
  remoting::CorrectionOffsets body;
  for (const std::string& group : offsets_.groups_of(request.topic)) {
    if (std::find(left_out.begin(), left_out.end(), group) != left_out.end()) continue;
    for (const auto& [id, offset] : offsets_.offsets(group, request.topic)) {
      if (offset < store_.min_offset({request.topic, id})) continue;
      const auto [at, fresh] = body.offsets.emplace(id.value, offset.value);
      if (!fresh) at->second = std::min(at->second, offset.value);
    }
  }
  for (const auto& [id, offset] : offsets_.offsets(request.compare_group, request.topic)) {
    const auto at = body.offsets.find(id.value);
    if (at != body.offsets.end() && at->second > offset.value) at->second = std::numeric_limits<int64_t>::max();
  }
  return Reply::ok_body(remoting::to_json(body));
}

Reply AdminProgressProcessor::all_offsets(const Call&, const remoting::GetAllConsumerOffsetRequest&) {
  remoting::ConsumerOffsetTable body;
  body.data_version = to_body(offsets_.version());
  for (const ConsumerOffsets::Entry& entry : offsets_.all()) {
    auto& row = body.offsets[entry.topic + "@" + entry.group];
    for (const auto& [id, offset] : entry.offsets) row.emplace(id.value, offset.value);
  }
  return Reply::ok_body(remoting::to_json(body));
}

}  // namespace comet::broker
