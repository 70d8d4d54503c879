#pragma once

// The field tables stand in columns.
// clang-format off

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/types.h"
#include "remoting/protocol/codes.h"
#include "remoting/protocol/fields.h"

/// Messages from clients: send, send back, reply, recall. remoting.md 8.1, 8.3, 8.10, 8.11.
namespace comet::remoting {

/// What every send carries. The requests below differ in names only: V1 spells them out, V2 and batches use a single
/// letter. Views live as long as the frame. Source: SendMessageRequestHeader, SendMessageRequestHeaderV2.
struct SendFields {
  std::string_view producer_group{};     // may be missing: Apache stores the message all the same
  std::string_view topic{};
  std::string_view default_topic{};      // template for a topic that doesn't exist yet, normally TBW102
  int32_t default_topic_queue_nums = 4;  // the client's wish for a new topic
  QueueId queue_id{};                    // negative: the broker picks a writable queue
  int32_t sys_flag = 0;                  // remoting.md 6.3
  int64_t born_timestamp_ms = 0;
  int32_t flag = 0;
  std::string_view properties{};         // property text, remoting.md 6.1
  int32_t reconsume_times = 0;
  bool unit_mode = false;
  std::optional<int32_t> max_reconsume_times{};
  bool batch = false;                    // the body is a batch (remoting.md 6.4), whatever the request code
  std::optional<std::string_view> broker_name{};

  static constexpr auto long_names() {
    using F = SendFields;
    return field_table(
        optional("producerGroup",         &F::producer_group),
        required("topic",                 &F::topic),
        optional("defaultTopic",          &F::default_topic),
        required("defaultTopicQueueNums", &F::default_topic_queue_nums),
        required("queueId",               &F::queue_id),
        required("sysFlag",               &F::sys_flag),
        required("bornTimestamp",         &F::born_timestamp_ms),
        required("flag",                  &F::flag),
        optional("properties",            &F::properties),
        optional("reconsumeTimes",        &F::reconsume_times),
        optional("unitMode",              &F::unit_mode),
        optional("maxReconsumeTimes",     &F::max_reconsume_times),
        optional("batch",                 &F::batch),
        optional("bname",                 &F::broker_name));
  }

  static constexpr auto short_names() {
    using F = SendFields;
    return field_table(
        optional("a", &F::producer_group),
        required("b", &F::topic),
        optional("c", &F::default_topic),
        required("d", &F::default_topic_queue_nums),
        required("e", &F::queue_id),
        required("f", &F::sys_flag),
        required("g", &F::born_timestamp_ms),
        required("h", &F::flag),
        optional("i", &F::properties),
        optional("j", &F::reconsume_times),
        optional("k", &F::unit_mode),
        optional("l", &F::max_reconsume_times),
        optional("m", &F::batch),
        optional("n", &F::broker_name));
  }
};

/// SEND_MESSAGE (10), client to broker, mostly from Go. Source: SendMessageRequestHeader.
struct SendMessageRequest : SendFields {
  static constexpr auto kCode = RequestCode::kSendMessage;

  static constexpr auto fields() { return long_names(); }
};

/// SEND_MESSAGE_V2 (310), client to broker. Source: SendMessageRequestHeaderV2.
struct SendMessageV2Request : SendFields {
  static constexpr auto kCode = RequestCode::kSendMessageV2;

  static constexpr auto fields() { return short_names(); }
};

/// SEND_BATCH_MESSAGE (320), client to broker. Source: SendMessageRequestHeaderV2.
struct SendBatchMessageRequest : SendFields {
  static constexpr auto kCode = RequestCode::kSendBatchMessage;

  static constexpr auto fields() { return short_names(); }
};

/// SEND_REPLY_MESSAGE (324), client to broker: an answer for the producer that property REPLY_TO_CLIENT names. Source:
/// ReplyMessageProcessor.
struct SendReplyMessageRequest : SendFields {
  static constexpr auto kCode = RequestCode::kSendReplyMessage;

  static constexpr auto fields() { return long_names(); }
};

/// SEND_REPLY_MESSAGE_V2 (325), the same with single-letter names.
struct SendReplyMessageV2Request : SendFields {
  static constexpr auto kCode = RequestCode::kSendReplyMessageV2;

  static constexpr auto fields() { return short_names(); }
};

/// Answer to every send, also on FLUSH_DISK_TIMEOUT, FLUSH_SLAVE_TIMEOUT and SLAVE_NOT_AVAILABLE: Java needs the fields
/// to be there. Views: they live as long as what they were taken from. Source: SendMessageResponseHeader.
struct SendMessageResponse {
  std::string_view msg_id{};                         // offsetMsgId; a comma-separated list for a batch
  QueueId queue_id{};
  QueueOffset queue_offset{};                        // of the first message of a batch
  std::optional<std::string_view> transaction_id{};  // UNIQ_KEY; of a batch that of all of it, if it has one
  std::optional<std::string_view> batch_uniq_id{};
  std::optional<std::string_view> recall_handle{};   // timer messages only
  std::optional<std::string_view> msg_region{};
  std::optional<std::string_view> trace_on{};

  static constexpr auto fields() {
    using F = SendMessageResponse;
    return field_table(
        required("msgId",         &F::msg_id),
        required("queueId",       &F::queue_id),
        required("queueOffset",   &F::queue_offset),
        optional("transactionId", &F::transaction_id),
        optional("batchUniqId",   &F::batch_uniq_id),
        optional("recallHandle",  &F::recall_handle),
        optional("MSG_REGION",    &F::msg_region),
        optional("TRACE_ON",      &F::trace_on));
  }
};

/// Fields that a refused send still answers with. Source: AbstractSendMessageProcessor.
struct SendRefusal {
  std::optional<std::string_view> msg_region{};
  std::optional<std::string_view> trace_on{};

  static constexpr auto fields() {
    using F = SendRefusal;
    return field_table(
        optional("MSG_REGION", &F::msg_region),
        optional("TRACE_ON",   &F::trace_on));
  }
};

/// CONSUMER_SEND_MSG_BACK (36), client to broker: consuming failed, try this message again later. Source:
/// ConsumerSendMsgBackRequestHeader.
struct ConsumerSendMsgBackRequest {
  static constexpr auto kCode = RequestCode::kConsumerSendMsgBack;

  PhyOffset offset{};       // of the record
  std::string group{};
  int32_t delay_level = 0;  // -1 straight to the dead letter queue, 0 the broker decides
  std::optional<std::string> origin_msg_id{};
  std::optional<std::string> origin_topic{};
  bool unit_mode = false;
  std::optional<int32_t> max_reconsume_times{};

  static constexpr auto fields() {
    using F = ConsumerSendMsgBackRequest;
    return field_table(
        required("offset",            &F::offset),
        required("group",             &F::group),
        required("delayLevel",        &F::delay_level),
        optional("originMsgId",       &F::origin_msg_id),
        optional("originTopic",       &F::origin_topic),
        optional("unitMode",          &F::unit_mode),
        optional("maxReconsumeTimes", &F::max_reconsume_times));
  }
};

/// RECALL_MESSAGE (370), client to broker: take back a timer message. Source: RecallMessageRequestHeader.
struct RecallMessageRequest {
  static constexpr auto kCode = RequestCode::kRecallMessage;

  std::optional<std::string> producer_group{};
  std::string topic{};
  std::string recall_handle{};

  static constexpr auto fields() {
    using F = RecallMessageRequest;
    return field_table(
        optional("producerGroup", &F::producer_group),
        required("topic",         &F::topic),
        required("recallHandle",  &F::recall_handle));
  }
};

/// Answer to RECALL_MESSAGE (370).
struct RecallMessageResponse {
  std::string_view msg_id{};  // UNIQ_KEY of what was taken back
  std::optional<std::string_view> msg_region{};

  static constexpr auto fields() {
    using F = RecallMessageResponse;
    return field_table(
        required("msgId",      &F::msg_id),
        optional("MSG_REGION", &F::msg_region));
  }
};

}  // namespace comet::remoting
