#pragma once

// The field tables stand in columns.
// clang-format off

#include <cstdint>
#include <optional>
#include <string>

#include "remoting/protocol/codes.h"
#include "remoting/protocol/fields.h"

/// The broker itself: settings, figures, maintenance; users and ACLs. remoting.md 10.3 to 10.8.
namespace comet::remoting {

/// UPDATE_BROKER_CONFIG (25), admin to broker; body: properties text.
struct UpdateBrokerConfigRequest {
  static constexpr auto kCode = RequestCode::kUpdateBrokerConfig;

  static constexpr auto fields() { return no_fields(); }
};

/// GET_BROKER_CONFIG (26), admin to broker; answer body: properties text. Source: GetBrokerConfigResponseHeader.
struct GetBrokerConfigRequest {
  static constexpr auto kCode = RequestCode::kGetBrokerConfig;

  static constexpr auto fields() { return no_fields(); }
};

/// Answer to GET_BROKER_CONFIG (26).
struct GetBrokerConfigResponse {
  std::string version{};  // DataVersion as JSON

  static constexpr auto fields() {
    using F = GetBrokerConfigResponse;
    return field_table(
        required("version", &F::version));
  }
};

/// GET_BROKER_RUNTIME_INFO (28), admin to broker; answer body KVTable.
struct GetBrokerRuntimeInfoRequest {
  static constexpr auto kCode = RequestCode::kGetBrokerRuntimeInfo;

  static constexpr auto fields() { return no_fields(); }
};

/// VIEW_BROKER_STATS_DATA (315), admin to broker; answer body BrokerStatsData. Source:
/// ViewBrokerStatsDataRequestHeader.
struct ViewBrokerStatsDataRequest {
  static constexpr auto kCode = RequestCode::kViewBrokerStatsData;

  std::string stats_name{};
  std::string stats_key{};

  static constexpr auto fields() {
    using F = ViewBrokerStatsDataRequest;
    return field_table(
        required("statsName", &F::stats_name),
        required("statsKey",  &F::stats_key));
  }
};

/// GET_BROKER_CONSUME_STATS (317), admin to broker; answer body BrokerConsumeStats. Source:
/// GetConsumeStatsInBrokerHeader.
struct GetBrokerConsumeStatsRequest {
  static constexpr auto kCode = RequestCode::kGetBrokerConsumeStats;

  bool is_order = false;

  static constexpr auto fields() {
    using F = GetBrokerConsumeStatsRequest;
    return field_table(
        optional("isOrder", &F::is_order));
  }
};

/// GET_BROKER_HA_STATUS (907), admin to broker; answer body HaStatus.
struct GetBrokerHaStatusRequest {
  static constexpr auto kCode = RequestCode::kGetBrokerHaStatus;

  static constexpr auto fields() { return no_fields(); }
};

/// CLEAN_EXPIRED_CONSUMEQUEUE (306), admin to broker.
struct CleanExpiredConsumequeueRequest {
  static constexpr auto kCode = RequestCode::kCleanExpiredConsumequeue;

  static constexpr auto fields() { return no_fields(); }
};

/// CLEAN_UNUSED_TOPIC (316), admin to broker.
struct CleanUnusedTopicRequest {
  static constexpr auto kCode = RequestCode::kCleanUnusedTopic;

  static constexpr auto fields() { return no_fields(); }
};

/// DELETE_EXPIRED_COMMITLOG (329), admin to broker.
struct DeleteExpiredCommitlogRequest {
  static constexpr auto kCode = RequestCode::kDeleteExpiredCommitlog;

  static constexpr auto fields() { return no_fields(); }
};

/// RESUME_CHECK_HALF_MESSAGE (323), admin to broker: check a half message again. Source:
/// ResumeCheckHalfMessageRequestHeader.
struct ResumeCheckHalfMessageRequest {
  static constexpr auto kCode = RequestCode::kResumeCheckHalfMessage;

  std::optional<std::string> topic{};
  std::optional<std::string> msg_id{};  // offsetMsgId

  static constexpr auto fields() {
    using F = ResumeCheckHalfMessageRequest;
    return field_table(
        optional("topic", &F::topic),
        optional("msgId", &F::msg_id));
  }
};

/// CHECK_ROCKSDB_CQ_WRITE_PROGRESS (354), admin to broker. Source: CheckRocksdbCqWriteProgressRequestHeader.
struct CheckRocksdbCqWriteProgressRequest {
  static constexpr auto kCode = RequestCode::kCheckRocksdbCqWriteProgress;

  std::string topic{};
  int64_t check_store_time = 0;

  static constexpr auto fields() {
    using F = CheckRocksdbCqWriteProgressRequest;
    return field_table(
        required("topic",          &F::topic),
        optional("checkStoreTime", &F::check_store_time));
  }
};

/// EXPORT_ROCKSDB_CONFIG_TO_JSON (355), admin to broker. Source: ExportRocksDBConfigToJsonRequestHeader.
struct ExportRocksdbConfigToJsonRequest {
  static constexpr auto kCode = RequestCode::kExportRocksdbConfigToJson;

  std::string config_type{};

  static constexpr auto fields() {
    using F = ExportRocksdbConfigToJsonRequest;
    return field_table(
        required("configType", &F::config_type));
  }
};

/// UPDATE_COLD_DATA_FLOW_CTR_CONFIG (2001), admin to broker; body: properties text group=threshold.
struct UpdateColdDataFlowCtrConfigRequest {
  static constexpr auto kCode = RequestCode::kUpdateColdDataFlowCtrConfig;

  static constexpr auto fields() { return no_fields(); }
};

/// REMOVE_COLD_DATA_FLOW_CTR_CONFIG (2002), admin to broker; body: a group.
struct RemoveColdDataFlowCtrConfigRequest {
  static constexpr auto kCode = RequestCode::kRemoveColdDataFlowCtrConfig;

  static constexpr auto fields() { return no_fields(); }
};

/// GET_COLD_DATA_FLOW_CTR_INFO (2003), admin to broker.
struct GetColdDataFlowCtrInfoRequest {
  static constexpr auto kCode = RequestCode::kGetColdDataFlowCtrInfo;

  static constexpr auto fields() { return no_fields(); }
};

/// SET_COMMITLOG_READ_MODE (2004), admin to broker.
struct SetCommitlogReadModeRequest {
  static constexpr auto kCode = RequestCode::kSetCommitlogReadMode;

  std::optional<std::string> read_ahead_mode{};  // 0 normal, 1 random

  static constexpr auto fields() {
    using F = SetCommitlogReadModeRequest;
    return field_table(
        optional("READ_AHEAD_MODE", &F::read_ahead_mode));
  }
};

/// AUTH_CREATE_USER (3001), admin to broker.
struct AuthCreateUserRequest {
  static constexpr auto kCode = RequestCode::kAuthCreateUser;

  std::string username{};

  static constexpr auto fields() {
    using F = AuthCreateUserRequest;
    return field_table(
        optional("username", &F::username));
  }
};

/// AUTH_UPDATE_USER (3002), admin to broker.
struct AuthUpdateUserRequest {
  static constexpr auto kCode = RequestCode::kAuthUpdateUser;

  std::string username{};

  static constexpr auto fields() {
    using F = AuthUpdateUserRequest;
    return field_table(
        optional("username", &F::username));
  }
};

/// AUTH_DELETE_USER (3003), admin to broker.
struct AuthDeleteUserRequest {
  static constexpr auto kCode = RequestCode::kAuthDeleteUser;

  std::string username{};

  static constexpr auto fields() {
    using F = AuthDeleteUserRequest;
    return field_table(
        optional("username", &F::username));
  }
};

/// AUTH_GET_USER (3004), admin to broker.
struct AuthGetUserRequest {
  static constexpr auto kCode = RequestCode::kAuthGetUser;

  std::string username{};

  static constexpr auto fields() {
    using F = AuthGetUserRequest;
    return field_table(
        optional("username", &F::username));
  }
};

/// AUTH_LIST_USER (3005), admin to broker.
struct AuthListUserRequest {
  static constexpr auto kCode = RequestCode::kAuthListUser;

  std::optional<std::string> filter{};

  static constexpr auto fields() {
    using F = AuthListUserRequest;
    return field_table(
        optional("filter", &F::filter));
  }
};

/// AUTH_CREATE_ACL (3006), admin to broker.
struct AuthCreateAclRequest {
  static constexpr auto kCode = RequestCode::kAuthCreateAcl;

  std::string subject{};

  static constexpr auto fields() {
    using F = AuthCreateAclRequest;
    return field_table(
        optional("subject", &F::subject));
  }
};

/// AUTH_UPDATE_ACL (3007), admin to broker.
struct AuthUpdateAclRequest {
  static constexpr auto kCode = RequestCode::kAuthUpdateAcl;

  std::string subject{};

  static constexpr auto fields() {
    using F = AuthUpdateAclRequest;
    return field_table(
        optional("subject", &F::subject));
  }
};

/// AUTH_DELETE_ACL (3008), admin to broker.
struct AuthDeleteAclRequest {
  static constexpr auto kCode = RequestCode::kAuthDeleteAcl;

  std::string subject{};
  std::optional<std::string> policy_type{};
  std::optional<std::string> resource{};

  static constexpr auto fields() {
    using F = AuthDeleteAclRequest;
    return field_table(
        optional("subject",    &F::subject),
        optional("policyType", &F::policy_type),
        optional("resource",   &F::resource));
  }
};

/// AUTH_GET_ACL (3009), admin to broker.
struct AuthGetAclRequest {
  static constexpr auto kCode = RequestCode::kAuthGetAcl;

  std::string subject{};

  static constexpr auto fields() {
    using F = AuthGetAclRequest;
    return field_table(
        optional("subject", &F::subject));
  }
};

/// AUTH_LIST_ACL (3010), admin to broker.
struct AuthListAclRequest {
  static constexpr auto kCode = RequestCode::kAuthListAcl;

  std::optional<std::string> subject_filter{};
  std::optional<std::string> resource_filter{};

  static constexpr auto fields() {
    using F = AuthListAclRequest;
    return field_table(
        optional("subjectFilter",  &F::subject_filter),
        optional("resourceFilter", &F::resource_filter));
  }
};

}  // namespace comet::remoting
