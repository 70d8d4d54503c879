#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "common/types.h"
#include "remoting/protocol/bodies/common.h"
#include "remoting/protocol/bodies/heartbeat.h"

/// Server-side assignment of queues, and batch acks. remoting.md 8.12, 8.13.
namespace comet::remoting {

/// How a group gets messages. Source: MessageRequestMode.
enum class RequestMode : int8_t { kPull, kPop };
std::string_view name_of(RequestMode value);

/// Body of QUERY_ASSIGNMENT. Source: QueryAssignmentRequestBody.
struct QueryAssignmentBody {
  std::string client_id{};
  std::string consumer_group{};
  MessageModel message_model = MessageModel::kClustering;
  std::string strategy_name{};
  std::string topic{};
};
std::string to_json(const QueryAssignmentBody& body);
Result<QueryAssignmentBody> parse_query_assignment_body(std::string_view text);

/// One queue for the client that asked. Source: MessageQueueAssignment.
struct QueueAssignment {
  std::optional<std::map<std::string, std::string>> attachments{};
  MessageQueue queue{};
  RequestMode mode = RequestMode::kPull;
};

/// Answer to QUERY_ASSIGNMENT. Without a list the client keeps what it has; an empty one drops all. Source:
/// QueryAssignmentResponseBody.
struct QueueAssignments {
  std::optional<std::vector<QueueAssignment>> assignments{};
};
std::string to_json(const QueueAssignments& body);
Result<QueueAssignments> parse_queue_assignments(std::string_view text);

/// Body of SET_MESSAGE_REQUEST_MODE. Source: SetMessageRequestModeRequestBody.
struct MessageRequestMode {
  std::string consumer_group{};
  RequestMode mode = RequestMode::kPull;
  int32_t pop_share_queue_num = 0;
  std::string topic{};
};
std::string to_json(const MessageRequestMode& body);
Result<MessageRequestMode> parse_message_request_mode(std::string_view text);

/// Answer to GET_ALL_MESSAGE_REQUEST_MODE. Source: MessageRequestModeSerializeWrapper.
struct MessageRequestModeWrapper {
  std::map<std::string, std::map<std::string, MessageRequestMode>> modes{};  ///< topic → group
};
std::string to_json(const MessageRequestModeWrapper& body);
Result<MessageRequestModeWrapper> parse_message_request_mode_wrapper(std::string_view text);

/// Acks of one popped range of a queue; bit i of the base64 bit set stands for start_offset + i. Source: BatchAck.
struct AckRange {
  std::string bit_set{};
  std::string consumer_group{};
  int64_t invisible_time_ms = 0;
  int64_t pop_time_ms = 0;
  QueueId queue_id{};
  std::string retry{};
  int32_t revive_queue_id = 0;
  QueueOffset start_offset{};
  std::string topic{};
};

/// Body of BATCH_ACK_MESSAGE. Source: BatchAckMessageRequestBody.
struct BatchAckBody {
  std::vector<AckRange> acks{};
  std::string broker_name{};
};
std::string to_json(const BatchAckBody& body);
Result<BatchAckBody> parse_batch_ack_body(std::string_view text);

}  // namespace comet::remoting
