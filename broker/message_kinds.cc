#include "broker/message_kinds.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "common/system_topics.h"
#include "store/dispatcher.h"

namespace comet::broker {
namespace {

using remoting::ResponseCode;

constexpr int32_t kNoLimit = std::numeric_limits<int32_t>::max();
constexpr int64_t kTakeInMs = 100;  ///< how long a timer message may wait for its way into the wheel

/// Delays are for messages that are not in doubt: plain ones and committed ones.
bool may_wait(int32_t sys_flag) {
  const int32_t transaction = sys_flag & sys_flag::kTransactionMask;
  return transaction == sys_flag::kTransactionNone || transaction == sys_flag::kCommit;
}

/// What a timer message asks for.
struct TimerRequest {
  std::string_view name, value;       ///< the property that counts
  std::optional<int64_t> deliver_ms;  ///< nothing: the value is no number
};

/// Of several properties the first of these counts: seconds, milliseconds, a time.
TimerRequest timer_request(const SentProperties& sent, int64_t now_ms) {
  TimerRequest asked{property::kTimerDeliverMs, sent.timer_deliver_ms, std::nullopt};
  if (!sent.timer_delay_ms.empty()) asked = {property::kTimerDelayMs, sent.timer_delay_ms, std::nullopt};
  if (!sent.timer_delay_s.empty()) asked = {property::kTimerDelaySec, sent.timer_delay_s, std::nullopt};
  int64_t value = 0;
  std::string_view text = asked.value;
  if (text.substr(0, 1) == "+") text.remove_prefix(1);  // as Java reads numbers
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size()) return asked;
  if (asked.name == property::kTimerDeliverMs) {
    asked.deliver_ms = value;
  } else {
    const int64_t unit_ms = asked.name == property::kTimerDelaySec ? 1'000 : 1;
    const int64_t furthest = (std::numeric_limits<int64_t>::max() - now_ms) / unit_ms;
    asked.deliver_ms = now_ms + std::clamp(value, -furthest, furthest) * unit_ms;
  }
  return asked;
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

MessageKinds::MessageKinds(const LiveConfig& config, Statistics& statistics, const Clock& clock, Alarm& delays,
                           Alarm& timers)
    : config_(config),
      statistics_(statistics),
      clock_(clock),
      delays_(delays),
      timers_(timers),
      delays_ms_(store::parse_delay_levels(config.now().store.delay_levels)) {}

Checked<Placement> MessageKinds::place(store::PutRequest& put, const SentProperties& sent,
                                       std::string& properties) const {
  if (sent.delay.empty() && !sent.asks_for_timer()) return Placement{};
  if (!may_wait(put.message.sys_flag)) return Placement{};
  if (sent.delay_level() > 0 && !delays_ms_.empty()) return place_delayed(put, sent, properties);
  if (sent.asks_for_timer() && !sent.timer_out && put.message.topic != kTimerTopic)
    return place_timed(put, sent, properties);
  return Placement{};
}

Placement MessageKinds::place_delayed(store::PutRequest& put, const SentProperties& sent,
                                      std::string& properties) const {
  const auto levels = static_cast<int32_t>(delays_ms_.size());
  const int32_t level = std::min(sent.delay_level(), levels);
  if (level != sent.delay_level()) properties = with_property(properties, property::kDelay, std::to_string(level));
  if (sent.asks_for_timer()) {  // the level wins
    for (const auto name : {property::kTimerDeliverMs, property::kTimerDelaySec, property::kTimerDelayMs})
      properties = without_property(properties, name);
  }
  reroute(put, sent, properties, kScheduleTopic, QueueId(level - 1));
  const int64_t delay_ms = delays_ms_[static_cast<size_t>(level - 1)];
  put.due_after_ms = delay_ms;
  return {.kind = MessageKind::kDelayed, .delay_ms = delay_ms, .timer_out_ms = 0};
}

Checked<Placement> MessageKinds::place_timed(store::PutRequest& put, const SentProperties& sent,
                                             std::string& properties) const {
  const BrokerConfig& config = config_.now();
  if (!config.timer_wheel) {
    return refusal(ResponseCode::kSystemError,
                   "accurate timer message is not enabled, timerWheelEnable is false: send it without TIMER_DELAY_SEC, "
                   "TIMER_DELAY_MS or TIMER_DELIVER_MS, or with a delay level");
  }
  const int64_t now = clock_.now_ms();
  const TimerRequest asked = timer_request(sent, now);
  const int64_t most_ms = int64_t{config.timer_max_delay_s} * 1'000;
  const bool too_far = asked.deliver_ms && *asked.deliver_ms > now && *asked.deliver_ms - now > most_ms;
  const bool too_late = asked.deliver_ms && *asked.deliver_ms <= now && sent.takes_back;
  if (!asked.deliver_ms || too_far || too_late) {
    return refusal(ResponseCode::kMessageIllegal,
                   fmt::format("timer message illegal, the delay time should not be bigger than the max delay {}ms; or "
                               "if set del msg, the delay time should be bigger than the current time: {}={} {}",
                               most_ms, asked.name, asked.value,
                               !asked.deliver_ms ? "is no number"
                               : too_far         ? "is too far off"
                                                 : "has passed"));
  }
  if (*asked.deliver_ms <= now) return Placement{};
  const int64_t out_ms = (*asked.deliver_ms - 1) / config.timer_precision_ms * config.timer_precision_ms;
  if (config.timer_congest_each_slot < kNoLimit && congested_ && congested_(out_ms)) {
    return refusal(
        ResponseCode::kSystemError,
        fmt::format("timer message is under flow control, max num limit is {} or the current value is greater than {} "
                    "and less than {}, trigger random flow control: too many messages for {}={}",
                    2LL * config.timer_congest_each_slot, config.timer_congest_each_slot,
                    2LL * config.timer_congest_each_slot, asked.name, asked.value));
  }
  append_property(properties, property::kTimerOutMs, std::to_string(out_ms));
  reroute(put, sent, properties, kTimerTopic, QueueId(0));
  return Placement{.kind = MessageKind::kTimed, .delay_ms = 0, .timer_out_ms = out_ms};
}

void MessageKinds::stored(const Placement& placement, const store::PutRequest& put,
                          const store::PutResult& result) const {
  if (placement.kind == MessageKind::kTimed) {
    const int64_t due_ms = placement.timer_out_ms + config_.now().timer_precision_ms;
    return timers_.earlier(std::min(due_ms, result.store_timestamp_ms + kTakeInMs));
  }
  if (placement.kind != MessageKind::kDelayed) return;
  delays_.earlier(result.store_timestamp_ms + placement.delay_ms);
  if (!config_.now().schedule_message_stats) return;
  const std::string key = fmt::format("{}@{}", kScheduleTopic, put.message.queue_id.value);
  statistics_.add("QUEUE_PUT_NUMS", key, 1);
  statistics_.add("QUEUE_PUT_SIZE", key, result.end - result.at);
}

}  // namespace comet::broker
