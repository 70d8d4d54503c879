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

/// Committed offsets and the bounds of queues. remoting.md 8.4, 8.5.
namespace comet::remoting {

/// QUERY_CONSUMER_OFFSET (14), client to broker. Views live as long as the frame. Source:
/// QueryConsumerOffsetRequestHeader.
struct QueryConsumerOffsetRequest {
  static constexpr auto kCode = RequestCode::kQueryConsumerOffset;

  std::string_view consumer_group{};
  std::string_view topic{};
  QueueId queue_id{};
  std::optional<bool> set_zero_if_not_found{};

  static constexpr auto fields() {
    using F = QueryConsumerOffsetRequest;
    return field_table(
        required("consumerGroup",     &F::consumer_group),
        required("topic",             &F::topic),
        required("queueId",           &F::queue_id),
        optional("setZeroIfNotFound", &F::set_zero_if_not_found));
  }
};

/// Answer to QUERY_CONSUMER_OFFSET (14).
struct QueryConsumerOffsetResponse {
  QueueOffset offset{};

  static constexpr auto fields() {
    using F = QueryConsumerOffsetResponse;
    return field_table(
        required("offset", &F::offset));
  }
};

/// UPDATE_CONSUMER_OFFSET (15), client to broker, mostly one-way. Views live as long as the frame. Source:
/// UpdateConsumerOffsetRequestHeader.
struct UpdateConsumerOffsetRequest {
  static constexpr auto kCode = RequestCode::kUpdateConsumerOffset;

  std::string_view consumer_group{};
  std::string_view topic{};
  QueueId queue_id{};
  QueueOffset commit_offset{};

  static constexpr auto fields() {
    using F = UpdateConsumerOffsetRequest;
    return field_table(
        required("consumerGroup", &F::consumer_group),
        required("topic",         &F::topic),
        required("queueId",       &F::queue_id),
        required("commitOffset",  &F::commit_offset));
  }
};

/// SEARCH_OFFSET_BY_TIMESTAMP (29), client and admin to broker. Source: SearchOffsetRequestHeader.
struct SearchOffsetByTimestampRequest {
  static constexpr auto kCode = RequestCode::kSearchOffsetByTimestamp;

  std::string topic{};
  QueueId queue_id{};
  int64_t timestamp_ms = 0;
  std::optional<std::string> boundary_type{};  // lower (what is meant if absent) or upper, in any case

  static constexpr auto fields() {
    using F = SearchOffsetByTimestampRequest;
    return field_table(
        required("topic",        &F::topic),
        required("queueId",      &F::queue_id),
        required("timestamp",    &F::timestamp_ms),
        optional("boundaryType", &F::boundary_type));
  }
};

/// Answer to SEARCH_OFFSET_BY_TIMESTAMP (29).
struct SearchOffsetByTimestampResponse {
  QueueOffset offset{};

  static constexpr auto fields() {
    using F = SearchOffsetByTimestampResponse;
    return field_table(
        required("offset", &F::offset));
  }
};

/// GET_MAX_OFFSET (30), client and admin to broker. Source: GetMaxOffsetRequestHeader.
struct GetMaxOffsetRequest {
  static constexpr auto kCode = RequestCode::kGetMaxOffset;

  std::string topic{};
  QueueId queue_id{};
  bool committed = true;

  static constexpr auto fields() {
    using F = GetMaxOffsetRequest;
    return field_table(
        required("topic",     &F::topic),
        required("queueId",   &F::queue_id),
        optional("committed", &F::committed));
  }
};

/// Answer to GET_MAX_OFFSET (30).
struct GetMaxOffsetResponse {
  QueueOffset offset{};

  static constexpr auto fields() {
    using F = GetMaxOffsetResponse;
    return field_table(
        required("offset", &F::offset));
  }
};

/// GET_MIN_OFFSET (31), client and admin to broker. Source: GetMinOffsetRequestHeader.
struct GetMinOffsetRequest {
  static constexpr auto kCode = RequestCode::kGetMinOffset;

  std::string topic{};
  QueueId queue_id{};

  static constexpr auto fields() {
    using F = GetMinOffsetRequest;
    return field_table(
        required("topic",   &F::topic),
        required("queueId", &F::queue_id));
  }
};

/// Answer to GET_MIN_OFFSET (31).
struct GetMinOffsetResponse {
  QueueOffset offset{};

  static constexpr auto fields() {
    using F = GetMinOffsetResponse;
    return field_table(
        required("offset", &F::offset));
  }
};

/// GET_EARLIEST_MSG_STORETIME (32), client and admin to broker. Source: GetEarliestMsgStoretimeRequestHeader.
struct GetEarliestMsgStoretimeRequest {
  static constexpr auto kCode = RequestCode::kGetEarliestMsgStoretime;

  std::string topic{};
  QueueId queue_id{};

  static constexpr auto fields() {
    using F = GetEarliestMsgStoretimeRequest;
    return field_table(
        required("topic",   &F::topic),
        required("queueId", &F::queue_id));
  }
};

/// Answer to GET_EARLIEST_MSG_STORETIME (32).
struct GetEarliestMsgStoretimeResponse {
  int64_t timestamp_ms = 0;  // -1 if there is none

  static constexpr auto fields() {
    using F = GetEarliestMsgStoretimeResponse;
    return field_table(
        required("timestamp", &F::timestamp_ms));
  }
};

}  // namespace comet::remoting
