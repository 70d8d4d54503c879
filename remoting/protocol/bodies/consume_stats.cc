#include "remoting/protocol/bodies/consume_stats.h"

#include "remoting/protocol/bodies/common_shapes.h"

namespace comet::remoting {

// One member a line.
// clang-format off
template <>
struct Shape<OffsetWrapper> {
  static constexpr auto list() {
    using T = OffsetWrapper;
    return members(
        member("brokerOffset", &T::broker_offset),
        member("consumerOffset", &T::consumer_offset),
        member("lastTimestamp", &T::last_timestamp_ms),
        member("pullOffset", &T::pull_offset));
  }
};

template <>
struct Shape<ConsumeStats> {
  static constexpr auto list() {
    using T = ConsumeStats;
    return members(
        member("consumeTps", &T::consume_tps),
        member("offsetTable", &T::offsets));
  }
};

template <>
struct Shape<BrokerConsumeStats> {
  static constexpr auto list() {
    using T = BrokerConsumeStats;
    return members(
        member("brokerAddr", &T::broker_addr),
        member("consumeStatsList", &T::groups),
        member("totalDiff", &T::total_diff),
        member("totalInflightDiff", &T::total_inflight_diff));
  }
};

template <>
struct Shape<TimeSpan> {
  static constexpr auto list() {
    using T = TimeSpan;
    return members(
        member("consumeTimeStamp", &T::consume_timestamp_ms),
        member("consumeTimeStampStr", &T::consume_text),
        member("delayTime", &T::delay_ms),
        member("maxTimeStamp", &T::max_timestamp_ms),
        member("maxTimeStampStr", &T::max_text),
        member("messageQueue", &T::queue),
        member("minTimeStamp", &T::min_timestamp_ms),
        member("minTimeStampStr", &T::min_text));
  }
};

template <>
struct Shape<ConsumeTimeSpans> {
  static constexpr auto list() {
    using T = ConsumeTimeSpans;
    return members(
        member("consumeTimeSpanSet", &T::spans));
  }
};
// clang-format on

std::string to_json(const ConsumeStats& body) { return shape::to_text(body); }
Result<ConsumeStats> parse_consume_stats(std::string_view text) {
  return shape::from_text<ConsumeStats>(text, "consume stats");
}
std::string to_json(const BrokerConsumeStats& body) { return shape::to_text(body); }
Result<BrokerConsumeStats> parse_broker_consume_stats(std::string_view text) {
  return shape::from_text<BrokerConsumeStats>(text, "broker consume stats");
}
std::string to_json(const ConsumeTimeSpans& body) { return shape::to_text(body); }
Result<ConsumeTimeSpans> parse_consume_time_spans(std::string_view text) {
  return shape::from_text<ConsumeTimeSpans>(text, "consume time spans");
}

}  // namespace comet::remoting
