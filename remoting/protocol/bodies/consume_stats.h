#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "remoting/protocol/bodies/common.h"

/// How far consumers are. remoting.md 10.3.
namespace comet::remoting {

/// How far a group is in one queue. Source: OffsetWrapper.
struct OffsetWrapper {
  int64_t broker_offset = 0;
  int64_t consumer_offset = 0;
  int64_t last_timestamp_ms = 0;
  int64_t pull_offset = 0;
};

/// Answer to GET_CONSUME_STATS. Source: ConsumeStats.
struct ConsumeStats {
  double consume_tps = 0;
  std::map<MessageQueue, OffsetWrapper> offsets{};
};
std::string to_json(const ConsumeStats& body);
Result<ConsumeStats> parse_consume_stats(std::string_view text);

/// Answer to GET_BROKER_CONSUME_STATS. Source: ConsumeStatsList.
struct BrokerConsumeStats {
  std::optional<std::string> broker_addr{};
  std::vector<std::map<std::string, std::vector<ConsumeStats>>> groups{};  ///< one map a group
  int64_t total_diff = 0;
  int64_t total_inflight_diff = 0;
};
std::string to_json(const BrokerConsumeStats& body);
Result<BrokerConsumeStats> parse_broker_consume_stats(std::string_view text);

/// From when to when the messages of a queue are, and where its consumer is. Source: QueueTimeSpan.
struct TimeSpan {
  int64_t consume_timestamp_ms = 0;
  std::optional<std::string> consume_text{};  ///< yyyy-MM-dd#HH:mm:ss:SSS
  int64_t delay_ms = 0;
  int64_t max_timestamp_ms = 0;
  std::optional<std::string> max_text{};
  MessageQueue queue{};
  int64_t min_timestamp_ms = 0;
  std::optional<std::string> min_text{};
};

/// Answer to QUERY_CONSUME_TIME_SPAN. Source: QueryConsumeTimeSpanBody.
struct ConsumeTimeSpans {
  std::vector<TimeSpan> spans{};
};
std::string to_json(const ConsumeTimeSpans& body);
Result<ConsumeTimeSpans> parse_consume_time_spans(std::string_view text);

}  // namespace comet::remoting
