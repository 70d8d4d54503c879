#pragma once

// The field tables stand in columns.
// clang-format off

#include <cstdint>
#include <optional>
#include <string>

#include "common/types.h"
#include "remoting/protocol/codes.h"
#include "remoting/protocol/fields.h"

/// Broker to broker: membership and what a slave copies from its master. remoting.md 11.
namespace comet::remoting {

/// NOTIFY_MIN_BROKER_ID_CHANGE (905), name server to broker, one-way. Source: NotifyMinBrokerIdChangeRequestHeader.
struct NotifyMinBrokerIdChangeRequest {
  static constexpr auto kCode = RequestCode::kNotifyMinBrokerIdChange;

  std::optional<int64_t> min_broker_id{};
  std::optional<std::string> broker_name{};
  std::optional<std::string> min_broker_addr{};
  std::optional<std::string> offline_broker_addr{};
  std::optional<std::string> ha_broker_addr{};

  static constexpr auto fields() {
    using F = NotifyMinBrokerIdChangeRequest;
    return field_table(
        optional("minBrokerId",       &F::min_broker_id),
        optional("brokerName",        &F::broker_name),
        optional("minBrokerAddr",     &F::min_broker_addr),
        optional("offlineBrokerAddr", &F::offline_broker_addr),
        optional("haBrokerAddr",      &F::ha_broker_addr));
  }
};

/// EXCHANGE_BROKER_HA_INFO (906), broker to broker: without masterHaAddress a question to the master, with it the
/// master tells. Source: ExchangeHAInfoRequestHeader.
struct ExchangeBrokerHaInfoRequest {
  static constexpr auto kCode = RequestCode::kExchangeBrokerHaInfo;

  std::optional<std::string> master_ha_address{};
  std::optional<PhyOffset> master_flush_offset{};
  std::optional<std::string> master_address{};

  static constexpr auto fields() {
    using F = ExchangeBrokerHaInfoRequest;
    return field_table(
        optional("masterHaAddress",   &F::master_ha_address),
        optional("masterFlushOffset", &F::master_flush_offset),
        optional("masterAddress",     &F::master_address));
  }
};

/// Answer to EXCHANGE_BROKER_HA_INFO (906).
struct ExchangeBrokerHaInfoResponse {
  std::optional<std::string> master_ha_address{};
  std::optional<PhyOffset> master_flush_offset{};
  std::optional<std::string> master_address{};

  static constexpr auto fields() {
    using F = ExchangeBrokerHaInfoResponse;
    return field_table(
        optional("masterHaAddress",   &F::master_ha_address),
        optional("masterFlushOffset", &F::master_flush_offset),
        optional("masterAddress",     &F::master_address));
  }
};

/// RESET_MASTER_FLUSH_OFFSET (908), broker to slave. Source: ResetMasterFlushOffsetHeader.
struct ResetMasterFlushOffsetRequest {
  static constexpr auto kCode = RequestCode::kResetMasterFlushOffset;

  PhyOffset master_flush_offset{};

  static constexpr auto fields() {
    using F = ResetMasterFlushOffsetRequest;
    return field_table(
        required("masterFlushOffset", &F::master_flush_offset));
  }
};

/// GET_ALL_TOPIC_CONFIG (21), slave and admin to broker; answer body TopicConfigWrapper. Source:
/// GetAllTopicConfigRequestHeader (paging since 5.3.4; without these fields everything is meant).
struct GetAllTopicConfigRequest {
  static constexpr auto kCode = RequestCode::kGetAllTopicConfig;

  std::optional<int32_t> topic_seq{};
  std::optional<int32_t> max_topic_num{};
  std::optional<std::string> data_version{};

  static constexpr auto fields() {
    using F = GetAllTopicConfigRequest;
    return field_table(
        optional("topicSeq",    &F::topic_seq),
        optional("maxTopicNum", &F::max_topic_num),
        optional("dataVersion", &F::data_version));
  }
};

/// Answer to GET_ALL_TOPIC_CONFIG (21).
struct GetAllTopicConfigResponse {
  std::optional<int32_t> total_topic_num{};  // absent: the body is complete

  static constexpr auto fields() {
    using F = GetAllTopicConfigResponse;
    return field_table(
        optional("totalTopicNum", &F::total_topic_num));
  }
};

/// GET_ALL_SUBSCRIPTIONGROUP_CONFIG (201), slave and admin to broker; answer body SubscriptionGroupWrapper. Source:
/// GetAllSubscriptionGroupRequestHeader.
struct GetAllSubscriptiongroupConfigRequest {
  static constexpr auto kCode = RequestCode::kGetAllSubscriptiongroupConfig;

  std::optional<int32_t> group_seq{};
  std::optional<int32_t> max_group_num{};
  std::optional<std::string> data_version{};

  static constexpr auto fields() {
    using F = GetAllSubscriptiongroupConfigRequest;
    return field_table(
        optional("groupSeq",    &F::group_seq),
        optional("maxGroupNum", &F::max_group_num),
        optional("dataVersion", &F::data_version));
  }
};

/// Answer to GET_ALL_SUBSCRIPTIONGROUP_CONFIG (201).
struct GetAllSubscriptiongroupConfigResponse {
  std::optional<int32_t> total_group_num{};  // absent: the body is complete

  static constexpr auto fields() {
    using F = GetAllSubscriptiongroupConfigResponse;
    return field_table(
        optional("totalGroupNum", &F::total_group_num));
  }
};

/// GET_ALL_CONSUMER_OFFSET (43), slave to master; answer body: the master's consumer offsets as JSON.
struct GetAllConsumerOffsetRequest {
  static constexpr auto kCode = RequestCode::kGetAllConsumerOffset;

  static constexpr auto fields() { return no_fields(); }
};

/// GET_ALL_DELAY_OFFSET (45), slave to master; answer body: the master's delayOffset.json.
struct GetAllDelayOffsetRequest {
  static constexpr auto kCode = RequestCode::kGetAllDelayOffset;

  static constexpr auto fields() { return no_fields(); }
};

/// GET_ALL_MESSAGE_REQUEST_MODE (402), slave to master; answer body MessageRequestModeWrapper.
struct GetAllMessageRequestModeRequest {
  static constexpr auto kCode = RequestCode::kGetAllMessageRequestMode;

  static constexpr auto fields() { return no_fields(); }
};

/// GET_TIMER_CHECK_POINT (60), slave to master; answer body: 7 big-endian int64.
struct GetTimerCheckPointRequest {
  static constexpr auto kCode = RequestCode::kGetTimerCheckPoint;

  static constexpr auto fields() { return no_fields(); }
};

/// GET_TIMER_METRICS (61), slave to master.
struct GetTimerMetricsRequest {
  static constexpr auto kCode = RequestCode::kGetTimerMetrics;

  static constexpr auto fields() { return no_fields(); }
};

}  // namespace comet::remoting
