#pragma once

// The field tables stand in columns.
// clang-format off

#include <optional>
#include <string>

#include "remoting/protocol/codes.h"
#include "remoting/protocol/fields.h"

/// Who is there: heartbeats, consumer lists, queue locks. remoting.md 8.6, 8.7, 8.12.
namespace comet::remoting {

/// HEART_BEAT (34), client to broker; body HeartbeatData. Source: ClientManageProcessor.
struct HeartBeatRequest {
  static constexpr auto kCode = RequestCode::kHeartBeat;

  static constexpr auto fields() { return no_fields(); }
};

/// Answer to HEART_BEAT (34).
struct HeartBeatResponse {
  std::optional<bool> supports_heartbeat_v2{};
  std::optional<bool> subscription_changed{};

  static constexpr auto fields() {
    using F = HeartBeatResponse;
    return field_table(
        optional("IS_SUPPORT_HEART_BEAT_V2", &F::supports_heartbeat_v2),
        optional("IS_SUB_CHANGE",            &F::subscription_changed));
  }
};

/// UNREGISTER_CLIENT (35), client to broker. Source: UnregisterClientRequestHeader.
struct UnregisterClientRequest {
  static constexpr auto kCode = RequestCode::kUnregisterClient;

  std::string client_id{};
  std::optional<std::string> producer_group{};
  std::optional<std::string> consumer_group{};

  static constexpr auto fields() {
    using F = UnregisterClientRequest;
    return field_table(
        required("clientID",      &F::client_id),
        optional("producerGroup", &F::producer_group),
        optional("consumerGroup", &F::consumer_group));
  }
};

/// Answer to UNREGISTER_CLIENT (35): no field, but `extFields` is there.
struct UnregisterClientResponse {

  static constexpr auto fields() { return no_fields(); }
};

/// GET_CONSUMER_LIST_BY_GROUP (38), client to broker; answer body ConsumerIdList. Source:
/// GetConsumerListByGroupRequestHeader.
struct GetConsumerListByGroupRequest {
  static constexpr auto kCode = RequestCode::kGetConsumerListByGroup;

  std::string consumer_group{};

  static constexpr auto fields() {
    using F = GetConsumerListByGroupRequest;
    return field_table(
        required("consumerGroup", &F::consumer_group));
  }
};

/// LOCK_BATCH_MQ (41), client and broker to broker; body and answer body in bodies/locks.h. Source:
/// LockBatchRequestBody.
struct LockBatchMqRequest {
  static constexpr auto kCode = RequestCode::kLockBatchMq;

  static constexpr auto fields() { return no_fields(); }
};

/// UNLOCK_BATCH_MQ (42), client and broker to broker; body in bodies/locks.h. Source: UnlockBatchRequestBody.
struct UnlockBatchMqRequest {
  static constexpr auto kCode = RequestCode::kUnlockBatchMq;

  static constexpr auto fields() { return no_fields(); }
};

/// CHECK_CLIENT_CONFIG (46), client to broker, for SQL92 subscriptions; body CheckClientBody. Source:
/// CheckClientRequestBody.
struct CheckClientConfigRequest {
  static constexpr auto kCode = RequestCode::kCheckClientConfig;

  static constexpr auto fields() { return no_fields(); }
};

/// QUERY_ASSIGNMENT (400), client to broker; body in bodies/assignment.h. Source: QueryAssignmentRequestBody.
struct QueryAssignmentRequest {
  static constexpr auto kCode = RequestCode::kQueryAssignment;

  static constexpr auto fields() { return no_fields(); }
};

/// SET_MESSAGE_REQUEST_MODE (401), admin to broker; body MessageRequestMode. Source: SetMessageRequestModeRequestBody.
struct SetMessageRequestModeRequest {
  static constexpr auto kCode = RequestCode::kSetMessageRequestMode;

  static constexpr auto fields() { return no_fields(); }
};

}  // namespace comet::remoting
