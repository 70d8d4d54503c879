#pragma once

// The field tables stand in columns.
// clang-format off

#include <cstdint>
#include <optional>
#include <string>

#include "common/types.h"
#include "remoting/protocol/codes.h"
#include "remoting/protocol/fields.h"

/// Pop consumption. remoting.md 8.13.
namespace comet::remoting {

/// POP_MESSAGE (200050), client to broker; answer body: records. Source: PopMessageRequestHeader.
struct PopMessageRequest {
  static constexpr auto kCode = RequestCode::kPopMessage;

  std::string consumer_group{};
  std::string topic{};
  QueueId queue_id = QueueId{-1};  // -1: any
  int32_t max_msg_nums = 0;
  int64_t invisible_time_ms = 0;
  int64_t poll_time_ms = 0;
  int64_t born_time_ms = 0;        // 0: the server fills it in
  int32_t init_mode = 0;           // 0 from the beginning, 1 from the end
  std::optional<std::string> exp_type{};
  std::optional<std::string> exp{};
  std::optional<bool> order{};
  std::optional<std::string> attempt_id{};

  static constexpr auto fields() {
    using F = PopMessageRequest;
    return field_table(
        required("consumerGroup", &F::consumer_group),
        required("topic",         &F::topic),
        required("queueId",       &F::queue_id),
        required("maxMsgNums",    &F::max_msg_nums),
        required("invisibleTime", &F::invisible_time_ms),
        required("pollTime",      &F::poll_time_ms),
        optional("bornTime",      &F::born_time_ms),
        required("initMode",      &F::init_mode),
        optional("expType",       &F::exp_type),
        optional("exp",           &F::exp),
        optional("order",         &F::order),
        optional("attemptId",     &F::attempt_id));
  }
};

/// Answer to POP_MESSAGE (200050).
struct PopMessageResponse {
  int64_t pop_time_ms = 0;
  int64_t invisible_time_ms = 0;
  int32_t revive_qid = 0;  // 999: orderly
  int64_t rest_num = 0;
  std::optional<std::string> start_offset_info{};
  std::optional<std::string> msg_offset_info{};
  std::optional<std::string> order_count_info{};

  static constexpr auto fields() {
    using F = PopMessageResponse;
    return field_table(
        required("popTime",         &F::pop_time_ms),
        required("invisibleTime",   &F::invisible_time_ms),
        required("reviveQid",       &F::revive_qid),
        required("restNum",         &F::rest_num),
        optional("startOffsetInfo", &F::start_offset_info),
        optional("msgOffsetInfo",   &F::msg_offset_info),
        optional("orderCountInfo",  &F::order_count_info));
  }
};

/// ACK_MESSAGE (200051), client to broker. Source: AckMessageRequestHeader.
struct AckMessageRequest {
  static constexpr auto kCode = RequestCode::kAckMessage;

  std::string consumer_group{};
  std::string topic{};
  QueueId queue_id{};
  std::string extra_info{};
  QueueOffset offset{};

  static constexpr auto fields() {
    using F = AckMessageRequest;
    return field_table(
        required("consumerGroup", &F::consumer_group),
        required("topic",         &F::topic),
        required("queueId",       &F::queue_id),
        required("extraInfo",     &F::extra_info),
        required("offset",        &F::offset));
  }
};

/// PEEK_MESSAGE (200052), client to broker; answers like a pop. Source: PeekMessageRequestHeader.
struct PeekMessageRequest {
  static constexpr auto kCode = RequestCode::kPeekMessage;

  std::string consumer_group{};
  std::string topic{};
  QueueId queue_id{};
  int32_t max_msg_nums = 0;

  static constexpr auto fields() {
    using F = PeekMessageRequest;
    return field_table(
        required("consumerGroup", &F::consumer_group),
        required("topic",         &F::topic),
        required("queueId",       &F::queue_id),
        required("maxMsgNums",    &F::max_msg_nums));
  }
};

/// CHANGE_MESSAGE_INVISIBLETIME (200053), client to broker. Source: ChangeInvisibleTimeRequestHeader.
struct ChangeMessageInvisibletimeRequest {
  static constexpr auto kCode = RequestCode::kChangeMessageInvisibletime;

  std::string consumer_group{};
  std::string topic{};
  QueueId queue_id{};
  std::string extra_info{};
  QueueOffset offset{};
  int64_t invisible_time_ms = 0;

  static constexpr auto fields() {
    using F = ChangeMessageInvisibletimeRequest;
    return field_table(
        required("consumerGroup", &F::consumer_group),
        required("topic",         &F::topic),
        required("queueId",       &F::queue_id),
        required("extraInfo",     &F::extra_info),
        required("offset",        &F::offset),
        required("invisibleTime", &F::invisible_time_ms));
  }
};

/// Answer to CHANGE_MESSAGE_INVISIBLETIME (200053).
struct ChangeMessageInvisibletimeResponse {
  int64_t pop_time_ms = 0;
  int64_t invisible_time_ms = 0;
  int32_t revive_qid = 0;

  static constexpr auto fields() {
    using F = ChangeMessageInvisibletimeResponse;
    return field_table(
        required("popTime",       &F::pop_time_ms),
        required("invisibleTime", &F::invisible_time_ms),
        required("reviveQid",     &F::revive_qid));
  }
};

/// NOTIFICATION (200054), client to broker: is there anything to pop? Source: NotificationRequestHeader.
struct NotificationRequest {
  static constexpr auto kCode = RequestCode::kNotification;

  std::string consumer_group{};
  std::string topic{};
  QueueId queue_id{};
  int64_t poll_time_ms = 0;
  int64_t born_time_ms = 0;
  std::optional<bool> order{};
  std::optional<std::string> attempt_id{};

  static constexpr auto fields() {
    using F = NotificationRequest;
    return field_table(
        required("consumerGroup", &F::consumer_group),
        required("topic",         &F::topic),
        required("queueId",       &F::queue_id),
        required("pollTime",      &F::poll_time_ms),
        required("bornTime",      &F::born_time_ms),
        optional("order",         &F::order),
        optional("attemptId",     &F::attempt_id));
  }
};

/// Answer to NOTIFICATION (200054).
struct NotificationResponse {
  bool has_msg = false;
  bool polling_full = false;

  static constexpr auto fields() {
    using F = NotificationResponse;
    return field_table(
        required("hasMsg",      &F::has_msg),
        optional("pollingFull", &F::polling_full));
  }
};

/// POLLING_INFO (200055), client to broker. Source: PollingInfoRequestHeader.
struct PollingInfoRequest {
  static constexpr auto kCode = RequestCode::kPollingInfo;

  std::string consumer_group{};
  std::string topic{};
  QueueId queue_id{};

  static constexpr auto fields() {
    using F = PollingInfoRequest;
    return field_table(
        required("consumerGroup", &F::consumer_group),
        required("topic",         &F::topic),
        required("queueId",       &F::queue_id));
  }
};

/// Answer to POLLING_INFO (200055).
struct PollingInfoResponse {
  int32_t polling_num = 0;

  static constexpr auto fields() {
    using F = PollingInfoResponse;
    return field_table(
        required("pollingNum", &F::polling_num));
  }
};

/// POP_ROLLBACK (200056), admin to broker.
struct PopRollbackRequest {
  static constexpr auto kCode = RequestCode::kPopRollback;

  static constexpr auto fields() { return no_fields(); }
};

/// BATCH_ACK_MESSAGE (200151), client to broker; body BatchAck. Source: BatchAckMessageRequestBody.
struct BatchAckMessageRequest {
  static constexpr auto kCode = RequestCode::kBatchAckMessage;

  static constexpr auto fields() { return no_fields(); }
};

}  // namespace comet::remoting
