#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "remoting/protocol/bodies/common.h"
#include "remoting/protocol/bodies/heartbeat.h"

/// A look into a consume queue. remoting.md 10.3.
namespace comet::remoting {

/// One entry. Source: ConsumeQueueData.
struct ConsumeQueueData {
  std::optional<std::string> bit_map{};
  bool eval = false;
  std::optional<std::string> extend_data_json{};
  std::optional<std::string> msg{};
  int64_t physical_offset = 0;
  int32_t physical_size = 0;
  int64_t tags_code = 0;
};

/// Answer to QUERY_CONSUME_QUEUE. Source: QueryConsumeQueueResponseBody.
struct QueryConsumeQueueBody {
  std::optional<std::string> filter_data{};
  int64_t max_queue_index = 0;
  int64_t min_queue_index = 0;
  std::vector<ConsumeQueueData> entries{};
  std::optional<SubscriptionData> subscription{};
};
std::string to_json(const QueryConsumeQueueBody& body);
Result<QueryConsumeQueueBody> parse_query_consume_queue_body(std::string_view text);

}  // namespace comet::remoting
