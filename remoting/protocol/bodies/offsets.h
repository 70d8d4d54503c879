#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"
#include "remoting/protocol/bodies/common.h"

/// Tables of offsets. remoting.md 9.3, 9.4, 10.3, 10.6, 11.2.
namespace comet::remoting {

/// Body of RESET_CONSUMER_CLIENT_OFFSET and answer to INVOKE_BROKER_TO_RESET_OFFSET. Reads the list form, too. Source:
/// ResetOffsetBody, ResetOffsetBodyForC.
struct ResetOffsetBody {
  std::map<MessageQueue, int64_t> offsets{};
};
std::string to_json(const ResetOffsetBody& body);

/// The form for C++ clients: a list of objects.
std::string to_json_list(const ResetOffsetBody& body);
Result<ResetOffsetBody> parse_reset_offset_body(std::string_view text);

/// Answer to GET_CONSUMER_STATUS_FROM_CLIENT and INVOKE_BROKER_TO_GET_CONSUMER_STATUS. Source: GetConsumerStatusBody.
struct ConsumerStatusBody {
  std::map<std::string, std::map<MessageQueue, int64_t>> clients{};
  std::map<MessageQueue, int64_t> queues{};
};
std::string to_json(const ConsumerStatusBody& body);
Result<ConsumerStatusBody> parse_consumer_status_body(std::string_view text);

/// Answer to QUERY_CORRECTION_OFFSET. Source: QueryCorrectionOffsetBody.
struct CorrectionOffsets {
  std::map<int32_t, int64_t> offsets{};
};
std::string to_json(const CorrectionOffsets& body);
Result<CorrectionOffsets> parse_correction_offsets(std::string_view text);

/// Answer to GET_ALL_CONSUMER_OFFSET. Source: ConsumerOffsetSerializeWrapper.
struct ConsumerOffsetTable {
  std::optional<DataVersion> data_version{};
  std::map<std::string, std::map<int32_t, int64_t>> offsets{};  ///< topic@group → queue
};
std::string to_json(const ConsumerOffsetTable& body);
Result<ConsumerOffsetTable> parse_consumer_offset_table(std::string_view text);

/// Answer to GET_ALL_DELAY_OFFSET. Source: DelayOffsetSerializeWrapper.
struct DelayOffsetTable {
  std::optional<DataVersion> data_version{};
  std::map<int32_t, int64_t> offsets{};  ///< by delay level
};
std::string to_json(const DelayOffsetTable& body);
Result<DelayOffsetTable> parse_delay_offset_table(std::string_view text);

}  // namespace comet::remoting
