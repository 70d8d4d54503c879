#include "broker/processors/admin_progress.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <ctime>
#include <map>

#include "broker/split.h"
#include "broker/to_body.h"

namespace comet::broker {

using remoting::Call;
using remoting::Reply;
using remoting::ResponseCode;

namespace {

/// As RocketMQ's tools print a store time, in local time.
std::string time_text(int64_t ms) {
  const int64_t part_ms = (ms % 1'000 + 1'000) % 1'000;
  const std::time_t seconds = (ms - part_ms) / 1'000;
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return fmt::format("{:%Y-%m-%d#%H:%M:%S}:{:03}", parts, part_ms);
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
    if (!listed && online != nullptr && !online->subscriptions.empty() &&
        consumers_.subscription(request.consumer_group, name) == nullptr)
      continue;
    add_rows(request.consumer_group, *topic, topic->read_queues, body);
  }
  return Reply::ok_body(remoting::to_json(body));
}

Reply AdminProgressProcessor::broker_consume_stats(const Call&, const remoting::GetBrokerConsumeStatsRequest& request) {
  remoting::BrokerConsumeStats body;
  body.broker_addr = config_.now().address();
  std::map<std::string, std::vector<std::string>, std::less<>> topics_by_group;
  for (ConsumerOffsets::Entry& entry : offsets_.all()) topics_by_group[entry.group].push_back(std::move(entry.topic));
  for (const GroupConfig& group : groups_.all()) {
    std::vector<remoting::ConsumeStats> of_group;
    const ConsumerGroup* online = consumers_.find(group.name);
    for (const std::string& name : topics_by_group[group.name]) {
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
    span.min_text = time_text(span.min_timestamp_ms);
    span.max_text = time_text(span.max_timestamp_ms);
    span.consume_text = time_text(span.consume_timestamp_ms);
    body.spans.push_back(std::move(span));
  }
  return Reply::ok_body(remoting::to_json(body));
}

}  // namespace comet::broker
