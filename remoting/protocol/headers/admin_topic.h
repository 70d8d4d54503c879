#pragma once

// The field tables stand in columns.
// clang-format off

#include <cstdint>
#include <optional>
#include <string>

#include "common/types.h"
#include "remoting/protocol/codes.h"
#include "remoting/protocol/fields.h"

/// Topics: admin to broker. remoting.md 10.1, 10.3.
namespace comet::remoting {

/// UPDATE_AND_CREATE_TOPIC (17), admin and clients to broker. Source: CreateTopicRequestHeader.
struct UpdateAndCreateTopicRequest {
  static constexpr auto kCode = RequestCode::kUpdateAndCreateTopic;

  std::string topic{};
  std::optional<std::string> default_topic{};
  int32_t read_queue_nums = 8;
  int32_t write_queue_nums = 8;
  int32_t perm = 6;
  std::string topic_filter_type = "SINGLE_TAG";
  int32_t topic_sys_flag = 0;
  bool order = false;
  std::optional<std::string> attributes{};  // +key=value,-key
  std::optional<bool> force{};

  static constexpr auto fields() {
    using F = UpdateAndCreateTopicRequest;
    return field_table(
        required("topic",           &F::topic),
        optional("defaultTopic",    &F::default_topic),
        required("readQueueNums",   &F::read_queue_nums),
        required("writeQueueNums",  &F::write_queue_nums),
        required("perm",            &F::perm),
        optional("topicFilterType", &F::topic_filter_type),
        optional("topicSysFlag",    &F::topic_sys_flag),
        optional("order",           &F::order),
        optional("attributes",      &F::attributes),
        optional("force",           &F::force));
  }
};

/// UPDATE_AND_CREATE_STATIC_TOPIC (513), admin to broker; body TopicQueueMappingDetail. Source:
/// CreateTopicRequestHeader.
struct UpdateAndCreateStaticTopicRequest {
  static constexpr auto kCode = RequestCode::kUpdateAndCreateStaticTopic;

  std::string topic{};
  std::optional<std::string> default_topic{};
  int32_t read_queue_nums = 8;
  int32_t write_queue_nums = 8;
  int32_t perm = 6;
  std::string topic_filter_type = "SINGLE_TAG";
  int32_t topic_sys_flag = 0;
  bool order = false;
  std::optional<std::string> attributes{};  // +key=value,-key
  std::optional<bool> force{};

  static constexpr auto fields() {
    using F = UpdateAndCreateStaticTopicRequest;
    return field_table(
        required("topic",           &F::topic),
        optional("defaultTopic",    &F::default_topic),
        required("readQueueNums",   &F::read_queue_nums),
        required("writeQueueNums",  &F::write_queue_nums),
        required("perm",            &F::perm),
        optional("topicFilterType", &F::topic_filter_type),
        optional("topicSysFlag",    &F::topic_sys_flag),
        optional("order",           &F::order),
        optional("attributes",      &F::attributes),
        optional("force",           &F::force));
  }
};

/// UPDATE_AND_CREATE_TOPIC_LIST (18), admin to broker; body: a list of TopicConfig. Source: CreateTopicListRequestBody.
struct UpdateAndCreateTopicListRequest {
  static constexpr auto kCode = RequestCode::kUpdateAndCreateTopicList;

  static constexpr auto fields() { return no_fields(); }
};

/// DELETE_TOPIC_IN_BROKER (215), admin to broker. Source: DeleteTopicRequestHeader.
struct DeleteTopicInBrokerRequest {
  static constexpr auto kCode = RequestCode::kDeleteTopicInBroker;

  std::string topic{};

  static constexpr auto fields() {
    using F = DeleteTopicInBrokerRequest;
    return field_table(
        required("topic", &F::topic));
  }
};

/// GET_TOPIC_CONFIG (351), admin to broker; answer body TopicConfig. Source: GetTopicConfigRequestHeader.
struct GetTopicConfigRequest {
  static constexpr auto kCode = RequestCode::kGetTopicConfig;

  std::string topic{};
  std::optional<bool> with_mapping{};  // static topics: with the queue mapping

  static constexpr auto fields() {
    using F = GetTopicConfigRequest;
    return field_table(
        required("topic", &F::topic),
        optional("lo",    &F::with_mapping));
  }
};

/// GET_TOPIC_STATS_INFO (202), admin to broker; answer body TopicStats. Source: GetTopicStatsInfoRequestHeader.
struct GetTopicStatsInfoRequest {
  static constexpr auto kCode = RequestCode::kGetTopicStatsInfo;

  std::string topic{};

  static constexpr auto fields() {
    using F = GetTopicStatsInfoRequest;
    return field_table(
        required("topic", &F::topic));
  }
};

/// QUERY_TOPIC_CONSUME_BY_WHO (300), admin to broker; answer body GroupList. Source:
/// QueryTopicConsumeByWhoRequestHeader.
struct QueryTopicConsumeByWhoRequest {
  static constexpr auto kCode = RequestCode::kQueryTopicConsumeByWho;

  std::string topic{};

  static constexpr auto fields() {
    using F = QueryTopicConsumeByWhoRequest;
    return field_table(
        required("topic", &F::topic));
  }
};

/// GET_SYSTEM_TOPIC_LIST_FROM_BROKER (305), admin to broker; answer body TopicList.
struct GetSystemTopicListFromBrokerRequest {
  static constexpr auto kCode = RequestCode::kGetSystemTopicListFromBroker;

  static constexpr auto fields() { return no_fields(); }
};

/// QUERY_CONSUME_QUEUE (321), admin to broker; answer body QueryConsumeQueueBody. Source:
/// QueryConsumeQueueRequestHeader.
struct QueryConsumeQueueRequest {
  static constexpr auto kCode = RequestCode::kQueryConsumeQueue;

  std::string topic{};
  QueueId queue_id{};
  QueueOffset index{};
  int32_t count = 0;
  std::optional<std::string> consumer_group{};

  static constexpr auto fields() {
    using F = QueryConsumeQueueRequest;
    return field_table(
        required("topic",         &F::topic),
        required("queueId",       &F::queue_id),
        required("index",         &F::index),
        required("count",         &F::count),
        optional("consumerGroup", &F::consumer_group));
  }
};

}  // namespace comet::remoting
