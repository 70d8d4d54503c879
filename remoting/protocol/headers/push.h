#pragma once

// The field tables stand in columns.
// clang-format off

#include <cstdint>
#include <optional>
#include <string>

#include "common/types.h"
#include "remoting/protocol/codes.h"
#include "remoting/protocol/fields.h"

/// Broker to client; 307 and 309 are relayed from admin to client. remoting.md 9.
namespace comet::remoting {

/// NOTIFY_CONSUMER_IDS_CHANGED (40), broker to client, one-way: rebalance now. Source:
/// NotifyConsumerIdsChangedRequestHeader.
struct NotifyConsumerIdsChangedRequest {
  static constexpr auto kCode = RequestCode::kNotifyConsumerIdsChanged;

  std::string consumer_group{};

  static constexpr auto fields() {
    using F = NotifyConsumerIdsChangedRequest;
    return field_table(
        required("consumerGroup", &F::consumer_group));
  }
};

/// RESET_CONSUMER_CLIENT_OFFSET (220), broker to client, one-way; body ResetOffsetBody, for C++ in list form. Source:
/// ResetOffsetRequestHeader.
struct ResetConsumerClientOffsetRequest {
  static constexpr auto kCode = RequestCode::kResetConsumerClientOffset;

  std::string topic{};
  std::string group{};
  int64_t timestamp_ms = 0;
  bool is_force = false;
  QueueId queue_id = QueueId{-1};
  std::optional<QueueOffset> offset{};

  static constexpr auto fields() {
    using F = ResetConsumerClientOffsetRequest;
    return field_table(
        required("topic",     &F::topic),
        required("group",     &F::group),
        required("timestamp", &F::timestamp_ms),
        optional("isForce",   &F::is_force),
        optional("queueId",   &F::queue_id),
        optional("offset",    &F::offset));
  }
};

/// GET_CONSUMER_STATUS_FROM_CLIENT (221), broker to client. Source: GetConsumerStatusRequestHeader.
struct GetConsumerStatusFromClientRequest {
  static constexpr auto kCode = RequestCode::kGetConsumerStatusFromClient;

  std::string topic{};
  std::string group{};
  std::optional<std::string> client_addr{};

  static constexpr auto fields() {
    using F = GetConsumerStatusFromClientRequest;
    return field_table(
        required("topic",      &F::topic),
        required("group",      &F::group),
        optional("clientAddr", &F::client_addr));
  }
};

/// GET_CONSUMER_RUNNING_INFO (307), admin to broker to client; the answer is relayed as it is. Source:
/// GetConsumerRunningInfoRequestHeader.
struct GetConsumerRunningInfoRequest {
  static constexpr auto kCode = RequestCode::kGetConsumerRunningInfo;

  std::string consumer_group{};
  std::string client_id{};
  std::optional<bool> jstack_enable{};

  static constexpr auto fields() {
    using F = GetConsumerRunningInfoRequest;
    return field_table(
        required("consumerGroup", &F::consumer_group),
        required("clientId",      &F::client_id),
        optional("jstackEnable",  &F::jstack_enable));
  }
};

/// CONSUME_MESSAGE_DIRECTLY (309), admin to broker to client; body: one record. Source:
/// ConsumeMessageDirectlyResultRequestHeader.
struct ConsumeMessageDirectlyRequest {
  static constexpr auto kCode = RequestCode::kConsumeMessageDirectly;

  std::string consumer_group{};
  std::optional<std::string> client_id{};
  std::optional<std::string> msg_id{};  // offsetMsgId
  std::optional<std::string> broker_name{};
  std::optional<std::string> topic{};
  std::optional<int32_t> topic_sys_flag{};
  std::optional<int32_t> group_sys_flag{};

  static constexpr auto fields() {
    using F = ConsumeMessageDirectlyRequest;
    return field_table(
        required("consumerGroup", &F::consumer_group),
        optional("clientId",      &F::client_id),
        optional("msgId",         &F::msg_id),
        optional("brokerName",    &F::broker_name),
        optional("topic",         &F::topic),
        optional("topicSysFlag",  &F::topic_sys_flag),
        optional("groupSysFlag",  &F::group_sys_flag));
  }
};

/// PUSH_REPLY_MESSAGE_TO_CLIENT (326), broker to client; body: the message body. Source: ReplyMessageRequestHeader.
struct PushReplyMessageToClientRequest {
  static constexpr auto kCode = RequestCode::kPushReplyMessageToClient;

  std::string producer_group{};
  std::string topic{};
  std::string default_topic{};
  int32_t default_topic_queue_nums = 0;
  QueueId queue_id{};
  int32_t sys_flag = 0;
  int64_t born_timestamp_ms = 0;
  int32_t flag = 0;
  std::optional<std::string> properties{};
  std::optional<int32_t> reconsume_times{};
  std::optional<bool> unit_mode{};
  std::string born_host{};   // ip:port
  std::string store_host{};  // ip:port
  int64_t store_timestamp_ms = 0;

  static constexpr auto fields() {
    using F = PushReplyMessageToClientRequest;
    return field_table(
        required("producerGroup",         &F::producer_group),
        required("topic",                 &F::topic),
        required("defaultTopic",          &F::default_topic),
        required("defaultTopicQueueNums", &F::default_topic_queue_nums),
        required("queueId",               &F::queue_id),
        required("sysFlag",               &F::sys_flag),
        required("bornTimestamp",         &F::born_timestamp_ms),
        required("flag",                  &F::flag),
        optional("properties",            &F::properties),
        optional("reconsumeTimes",        &F::reconsume_times),
        optional("unitMode",              &F::unit_mode),
        required("bornHost",              &F::born_host),
        required("storeHost",             &F::store_host),
        required("storeTimestamp",        &F::store_timestamp_ms));
  }
};

}  // namespace comet::remoting
