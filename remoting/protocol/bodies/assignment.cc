#include "remoting/protocol/bodies/assignment.h"

#include "remoting/protocol/bodies/common_shapes.h"
#include "remoting/protocol/bodies/heartbeat_shapes.h"

namespace comet::remoting {

// One member a line.
// clang-format off
template <>
struct EnumNames<RequestMode> {
  static constexpr std::string_view kNames[] = {"PULL", "POP"};
};

template <>
struct Shape<QueryAssignmentBody> {
  static constexpr auto list() {
    using T = QueryAssignmentBody;
    return members(
        member("clientId", &T::client_id),
        member("consumerGroup", &T::consumer_group),
        member("messageModel", &T::message_model),
        member("strategyName", &T::strategy_name),
        member("topic", &T::topic));
  }
};

template <>
struct Shape<QueueAssignment> {
  static constexpr auto list() {
    using T = QueueAssignment;
    return members(
        member("attachments", &T::attachments),
        member("messageQueue", &T::queue),
        member("mode", &T::mode));
  }
};

template <>
struct Shape<QueueAssignments> {
  static constexpr auto list() {
    using T = QueueAssignments;
    return members(
        member("messageQueueAssignments", &T::assignments));
  }
};

template <>
struct Shape<MessageRequestMode> {
  static constexpr auto list() {
    using T = MessageRequestMode;
    return members(
        member("consumerGroup", &T::consumer_group),
        member("mode", &T::mode),
        member("popShareQueueNum", &T::pop_share_queue_num),
        member("topic", &T::topic));
  }
};

template <>
struct Shape<MessageRequestModeWrapper> {
  static constexpr auto list() {
    using T = MessageRequestModeWrapper;
    return members(
        member("messageRequestModeMap", &T::modes));
  }
};

template <>
struct Shape<AckRange> {
  static constexpr auto list() {
    using T = AckRange;
    return members(
        member("b", &T::bit_set),
        member("c", &T::consumer_group),
        member("it", &T::invisible_time_ms),
        member("pt", &T::pop_time_ms),
        member("q", &T::queue_id),
        member("r", &T::retry),
        member("rq", &T::revive_queue_id),
        member("so", &T::start_offset),
        member("t", &T::topic),
        alias("bitSet", &T::bit_set),
        alias("consumerGroup", &T::consumer_group),
        alias("invisibleTime", &T::invisible_time_ms),
        alias("popTime", &T::pop_time_ms),
        alias("queueId", &T::queue_id),
        alias("retry", &T::retry),
        alias("reviveQueueId", &T::revive_queue_id),
        alias("startOffset", &T::start_offset),
        alias("topic", &T::topic));
  }
};

template <>
struct Shape<BatchAckBody> {
  static constexpr auto list() {
    using T = BatchAckBody;
    return members(
        member("acks", &T::acks),
        member("brokerName", &T::broker_name));
  }
};
// clang-format on

std::string_view name_of(RequestMode value) { return EnumNames<RequestMode>::kNames[static_cast<size_t>(value)]; }
std::string to_json(const QueryAssignmentBody& body) { return shape::to_text(body); }
Result<QueryAssignmentBody> parse_query_assignment_body(std::string_view text) {
  return shape::from_text<QueryAssignmentBody>(text, "query assignment body");
}
std::string to_json(const QueueAssignments& body) { return shape::to_text(body); }
Result<QueueAssignments> parse_queue_assignments(std::string_view text) {
  return shape::from_text<QueueAssignments>(text, "queue assignments");
}
std::string to_json(const MessageRequestMode& body) { return shape::to_text(body); }
Result<MessageRequestMode> parse_message_request_mode(std::string_view text) {
  return shape::from_text<MessageRequestMode>(text, "message request mode");
}
std::string to_json(const MessageRequestModeWrapper& body) { return shape::to_text(body); }
Result<MessageRequestModeWrapper> parse_message_request_mode_wrapper(std::string_view text) {
  return shape::from_text<MessageRequestModeWrapper>(text, "message request mode wrapper");
}
std::string to_json(const BatchAckBody& body) { return shape::to_text(body); }
Result<BatchAckBody> parse_batch_ack_body(std::string_view text) {
  return shape::from_text<BatchAckBody>(text, "batch ack body");
}

}  // namespace comet::remoting
