#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

/// Property text: `name 0x01 value 0x02` repeated, UTF-8. Source: MessageDecoder, remoting.md 6.1, store.md 4.
namespace comet {

inline constexpr char kPropertyNameEnd = '\x01';
inline constexpr char kPropertyEnd = '\x02';
/// The most bytes that a record's property text can have on disk (a signed 16-bit count).
inline constexpr int32_t kMaxPropertiesBytes = 32767;

/// Names as RocketMQ writes them (MessageConst).
namespace property {
inline constexpr std::string_view kKeys = "KEYS", kTags = "TAGS", kWait = "WAIT", kDelay = "DELAY",
                                  kRetryTopic = "RETRY_TOPIC", kRealTopic = "REAL_TOPIC", kRealQueueId = "REAL_QID",
                                  kTransactionPrepared = "TRAN_MSG", kProducerGroup = "PGROUP",
                                  kMinOffset = "MIN_OFFSET", kMaxOffset = "MAX_OFFSET",
                                  kOriginMessageId = "ORIGIN_MESSAGE_ID", kReconsumeTime = "RECONSUME_TIME",
                                  kMaxReconsumeTimes = "MAX_RECONSUME_TIMES", kMsgRegion = "MSG_REGION",
                                  kTraceOn = "TRACE_ON", kUniqueKey = "UNIQ_KEY", kInnerNum = "INNER_NUM",
                                  kInnerBase = "INNER_BASE", kPopCheckpoint = "POP_CK",
                                  kTimerDelaySec = "TIMER_DELAY_SEC", kTimerDelayMs = "TIMER_DELAY_MS",
                                  kTimerDeliverMs = "TIMER_DELIVER_MS", kTimerOutMs = "TIMER_OUT_MS",
                                  kTimerEnqueueMs = "TIMER_ENQUEUE_MS", kTimerDequeueMs = "TIMER_DEQUEUE_MS",
                                  kTimerRollTimes = "TIMER_ROLL_TIMES", kBornTimestamp = "BORN_TIMESTAMP",
                                  kTimerDelUniqueKey = "TIMER_DEL_UNIQKEY", kMultiDispatch = "INNER_MULTI_DISPATCH",
                                  kMultiQueueOffset = "INNER_MULTI_QUEUE_OFFSET", kCluster = "CLUSTER",
                                  kCrc32 = "__CRC32#", kShardingKey = "__SHARDINGKEY",
                                  kReplyToClient = "REPLY_TO_CLIENT", kCorrelationId = "CORRELATION_ID",
                                  kMessageType = "MSG_TYPE", kArriveTime = "ARRIVE_TIME",
                                  kPushReplyTime = "PUSH_REPLY_TIME", kTtl = "TTL", kInstanceId = "INSTANCE_ID";
}  // namespace property

/// Calls `visit(name, value)` for each property that Java's decoder would keep; a bool result of false ends the walk.
/// A segment shorter than 3 bytes, with an empty name or with an empty value is passed over.
template <class Visit>
void each_property(std::string_view text, Visit visit);

/// Calls `visit(pair)` for each segment as it stands, not split yet: with value_of() the cheapest way to a few names.
template <class Visit>
void each_pair(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const size_t end = text.find(kPropertyEnd);
    visit(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
}

/// The value, if `pair` is the property `name` (not empty); else, or if it has none, empty.
inline std::string_view value_of(std::string_view pair, std::string_view name) {
  const bool is_it = pair.size() > name.size() && pair[name.size()] == kPropertyNameEnd && pair.starts_with(name);
  return is_it ? pair.substr(name.size() + 1) : std::string_view();
}

/// The last value of `name`, as Java keeps it; nothing if absent.
std::optional<std::string_view> find_property(std::string_view text, std::string_view name);

/// `text` plus one property, ending in 0x02. The name must not be there already.
void append_property(std::string& text, std::string_view name, std::string_view value);

/// `text` without any property called `name`; the other bytes stay as they are.
std::string without_property(std::string_view text, std::string_view name);

/// `text` with `name` set to `value`, replacing what was there.
std::string with_property(std::string_view text, std::string_view name, std::string_view value);

template <class Visit>
void each_property(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const size_t end = text.find(kPropertyEnd);
    const std::string_view pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (pair.size() < 3) continue;
    const size_t split = pair.find(kPropertyNameEnd);
    if (split == 0 || split == std::string_view::npos || split + 1 == pair.size()) continue;
    if constexpr (std::is_same_v<decltype(visit(pair, pair)), bool>) {
      if (!visit(pair.substr(0, split), pair.substr(split + 1))) return;
    } else {
      visit(pair.substr(0, split), pair.substr(split + 1));
    }
  }
}

}  // namespace comet
