#include "broker/message_kinds.h"

#include <fmt/core.h>

#include <algorithm>

#include "common/system_topics.h"
#include "store/dispatcher.h"

namespace comet::broker {
namespace {

/// Delays are for messages that are not in doubt: plain ones and committed ones.
bool may_wait(int32_t sys_flag) {
  const int32_t transaction = sys_flag & sys_flag::kTransactionMask;
  return transaction == sys_flag::kTransactionNone || transaction == sys_flag::kCommit;
}

/// Sends the message to another topic, which remembers where it really belongs.
void reroute(store::PutRequest& put, const SentProperties& sent, std::string& properties, std::string_view topic,
             QueueId queue) {
  const std::string real_queue = std::to_string(put.message.queue_id.value);
  if (sent.has_real_place) {
    properties = without_property(properties, property::kRealTopic);
    properties = without_property(properties, property::kRealQueueId);
  }
  append_property(properties, property::kRealTopic, put.message.topic);
  append_property(properties, property::kRealQueueId, real_queue);
  put.message.topic = topic;
  put.message.queue_id = queue;
  put.message.properties = properties;
}

}  // namespace

MessageKinds::MessageKinds(const LiveConfig& config, Statistics& statistics, Alarm& delays)
    : config_(config),
      statistics_(statistics),
      delays_(delays),
      delays_ms_(store::parse_delay_levels(config.now().store.delay_levels)) {}

Checked<Placement> MessageKinds::place(store::PutRequest& put, const SentProperties& sent,
                                       std::string& properties) const {
  if (sent.delay.empty() && !sent.timer) return Placement{};
  if (!may_wait(put.message.sys_flag)) return Placement{};
  if (sent.delay_level() > 0 && !delays_ms_.empty()) return place_delayed(put, sent, properties);
  return Placement{};
}

Placement MessageKinds::place_delayed(store::PutRequest& put, const SentProperties& sent,
                                      std::string& properties) const {
  const auto levels = static_cast<int32_t>(delays_ms_.size());
  const int32_t level = std::min(sent.delay_level(), levels);
  if (level != sent.delay_level()) properties = with_property(properties, property::kDelay, std::to_string(level));
  if (sent.timer) {  // the level wins
    for (const auto name : {property::kTimerDeliverMs, property::kTimerDelaySec, property::kTimerDelayMs})
      properties = without_property(properties, name);
  }
  reroute(put, sent, properties, kScheduleTopic, QueueId(level - 1));
  const int64_t delay_ms = delays_ms_[static_cast<size_t>(level - 1)];
  put.due_after_ms = delay_ms;
  return {.kind = MessageKind::kDelayed, .delay_ms = delay_ms};
}

void MessageKinds::stored(const Placement& placement, const store::PutRequest& put,
                          const store::PutResult& result) const {
  if (placement.kind != MessageKind::kDelayed) return;
  delays_.earlier(result.store_timestamp_ms + placement.delay_ms);
  if (!config_.now().schedule_message_stats) return;
  const std::string key = fmt::format("{}@{}", kScheduleTopic, put.message.queue_id.value);
  statistics_.add("QUEUE_PUT_NUMS", key, 1);
  statistics_.add("QUEUE_PUT_SIZE", key, result.end - result.at);
}

}  // namespace comet::broker
