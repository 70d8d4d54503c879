#pragma once

// The field tables stand in columns.
// clang-format off

#include <cstdint>
#include <optional>
#include <string>

#include "common/types.h"
#include "remoting/protocol/codes.h"
#include "remoting/protocol/fields.h"

/// Subscription groups, their members and offsets: admin to broker. remoting.md 10.2, 10.3, 10.6.
namespace comet::remoting {

/// UPDATE_AND_CREATE_SUBSCRIPTIONGROUP (200), admin to broker; body SubscriptionGroupConfig.
struct UpdateAndCreateSubscriptiongroupRequest {
  static constexpr auto kCode = RequestCode::kUpdateAndCreateSubscriptiongroup;

  static constexpr auto fields() { return no_fields(); }
};

/// UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST (225), admin to broker; body: a list of SubscriptionGroupConfig.
struct UpdateAndCreateSubscriptiongroupListRequest {
  static constexpr auto kCode = RequestCode::kUpdateAndCreateSubscriptiongroupList;

  static constexpr auto fields() { return no_fields(); }
};

/// DELETE_SUBSCRIPTIONGROUP (207), admin to broker. Source: DeleteSubscriptionGroupRequestHeader.
struct DeleteSubscriptiongroupRequest {
  static constexpr auto kCode = RequestCode::kDeleteSubscriptiongroup;

  std::string group_name{};
  bool clean_offset = false;
  std::optional<bool> remove_offset{};  // what 4.x calls cleanOffset

  static constexpr auto fields() {
    using F = DeleteSubscriptiongroupRequest;
    return field_table(
        required("groupName",    &F::group_name),
        optional("cleanOffset",  &F::clean_offset),
        optional("removeOffset", &F::remove_offset));
  }
};

/// GET_SUBSCRIPTIONGROUP_CONFIG (352), admin to broker; answer body SubscriptionGroupConfig. Source:
/// GetSubscriptionGroupConfigRequestHeader.
struct GetSubscriptiongroupConfigRequest {
  static constexpr auto kCode = RequestCode::kGetSubscriptiongroupConfig;

  std::string group{};

  static constexpr auto fields() {
    using F = GetSubscriptiongroupConfigRequest;
    return field_table(
        required("group", &F::group));
  }
};

/// UPDATE_AND_GET_GROUP_FORBIDDEN (353), admin to broker; answer body GroupForbidden. Source:
/// UpdateGroupForbiddenRequestHeader.
struct UpdateAndGetGroupForbiddenRequest {
  static constexpr auto kCode = RequestCode::kUpdateAndGetGroupForbidden;

  std::string group{};
  std::string topic{};
  std::optional<bool> readable{};

  static constexpr auto fields() {
    using F = UpdateAndGetGroupForbiddenRequest;
    return field_table(
        required("group",    &F::group),
        required("topic",    &F::topic),
        optional("readable", &F::readable));
  }
};

/// GET_CONSUME_STATS (208), admin to broker; answer body ConsumeStats. Source: GetConsumeStatsRequestHeader.
struct GetConsumeStatsRequest {
  static constexpr auto kCode = RequestCode::kGetConsumeStats;

  std::string consumer_group{};
  std::optional<std::string> topic{};       // blank: all
  std::optional<std::string> topic_list{};  // joined by ;

  static constexpr auto fields() {
    using F = GetConsumeStatsRequest;
    return field_table(
        required("consumerGroup", &F::consumer_group),
        optional("topic",         &F::topic),
        optional("topicList",     &F::topic_list));
  }
};

/// GET_CONSUMER_CONNECTION_LIST (203), admin to broker; answer body ConsumerConnection. Source:
/// GetConsumerConnectionListRequestHeader.
struct GetConsumerConnectionListRequest {
  static constexpr auto kCode = RequestCode::kGetConsumerConnectionList;

  std::string consumer_group{};

  static constexpr auto fields() {
    using F = GetConsumerConnectionListRequest;
    return field_table(
        required("consumerGroup", &F::consumer_group));
  }
};

/// GET_PRODUCER_CONNECTION_LIST (204), admin to broker; answer body ProducerConnection. Source:
/// GetProducerConnectionListRequestHeader.
struct GetProducerConnectionListRequest {
  static constexpr auto kCode = RequestCode::kGetProducerConnectionList;

  std::string producer_group{};

  static constexpr auto fields() {
    using F = GetProducerConnectionListRequest;
    return field_table(
        required("producerGroup", &F::producer_group));
  }
};

/// GET_ALL_PRODUCER_INFO (328), admin to broker; answer body ProducerTable. Source: GetAllProducerInfoRequestHeader.
struct GetAllProducerInfoRequest {
  static constexpr auto kCode = RequestCode::kGetAllProducerInfo;

  static constexpr auto fields() { return no_fields(); }
};

/// QUERY_TOPICS_BY_CONSUMER (343), admin to broker; answer body TopicList. Source: QueryTopicsByConsumerRequestHeader.
struct QueryTopicsByConsumerRequest {
  static constexpr auto kCode = RequestCode::kQueryTopicsByConsumer;

  std::string group{};

  static constexpr auto fields() {
    using F = QueryTopicsByConsumerRequest;
    return field_table(
        required("group", &F::group));
  }
};

/// QUERY_SUBSCRIPTION_BY_CONSUMER (345), admin to broker; answer body GroupSubscription. Source:
/// QuerySubscriptionByConsumerRequestHeader.
struct QuerySubscriptionByConsumerRequest {
  static constexpr auto kCode = RequestCode::kQuerySubscriptionByConsumer;

  std::string group{};
  std::string topic{};

  static constexpr auto fields() {
    using F = QuerySubscriptionByConsumerRequest;
    return field_table(
        required("group", &F::group),
        optional("topic", &F::topic));
  }
};

/// QUERY_CONSUME_TIME_SPAN (303), admin to broker; answer body ConsumeTimeSpans. Source:
/// QueryConsumeTimeSpanRequestHeader.
struct QueryConsumeTimeSpanRequest {
  static constexpr auto kCode = RequestCode::kQueryConsumeTimeSpan;

  std::string topic{};
  std::string group{};

  static constexpr auto fields() {
    using F = QueryConsumeTimeSpanRequest;
    return field_table(
        required("topic", &F::topic),
        required("group", &F::group));
  }
};

/// QUERY_CORRECTION_OFFSET (308), admin to broker. Source: QueryCorrectionOffsetHeader.
struct QueryCorrectionOffsetRequest {
  static constexpr auto kCode = RequestCode::kQueryCorrectionOffset;

  std::optional<std::string> filter_groups{};
  std::string compare_group{};
  std::string topic{};

  static constexpr auto fields() {
    using F = QueryCorrectionOffsetRequest;
    return field_table(
        optional("filterGroups", &F::filter_groups),
        required("compareGroup", &F::compare_group),
        required("topic",        &F::topic));
  }
};

/// INVOKE_BROKER_TO_RESET_OFFSET (222), admin to broker; answer body ResetOffsetBody. Source: ResetOffsetRequestHeader.
struct InvokeBrokerToResetOffsetRequest {
  static constexpr auto kCode = RequestCode::kInvokeBrokerToResetOffset;

  std::string topic{};
  std::string group{};
  QueueId queue_id = QueueId{-1};  // -1: all
  std::optional<QueueOffset> offset{};
  int64_t timestamp_ms = 0;        // -1: the end
  bool is_force = false;

  static constexpr auto fields() {
    using F = InvokeBrokerToResetOffsetRequest;
    return field_table(
        required("topic",     &F::topic),
        required("group",     &F::group),
        optional("queueId",   &F::queue_id),
        optional("offset",    &F::offset),
        required("timestamp", &F::timestamp_ms),
        optional("isForce",   &F::is_force));
  }
};

/// INVOKE_BROKER_TO_GET_CONSUMER_STATUS (223), admin to broker. Source: GetConsumerStatusRequestHeader.
struct InvokeBrokerToGetConsumerStatusRequest {
  static constexpr auto kCode = RequestCode::kInvokeBrokerToGetConsumerStatus;

  std::string topic{};
  std::string group{};
  std::optional<std::string> client_addr{};  // a clientId

  static constexpr auto fields() {
    using F = InvokeBrokerToGetConsumerStatusRequest;
    return field_table(
        required("topic",      &F::topic),
        required("group",      &F::group),
        optional("clientAddr", &F::client_addr));
  }
};

/// CLONE_GROUP_OFFSET (314), admin to broker. Source: CloneGroupOffsetRequestHeader.
struct CloneGroupOffsetRequest {
  static constexpr auto kCode = RequestCode::kCloneGroupOffset;

  std::string src_group{};
  std::string dest_group{};
  std::optional<std::string> topic{};  // blank: all
  bool offline = false;

  static constexpr auto fields() {
    using F = CloneGroupOffsetRequest;
    return field_table(
        required("srcGroup",  &F::src_group),
        required("destGroup", &F::dest_group),
        optional("topic",     &F::topic),
        optional("offline",   &F::offline));
  }
};

}  // namespace comet::remoting
