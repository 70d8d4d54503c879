#pragma once

// The field tables stand in columns.
// clang-format off

#include <cstdint>
#include <optional>
#include <string>

#include "common/types.h"
#include "remoting/protocol/codes.h"
#include "remoting/protocol/fields.h"

/// Brokers and topics at the name server. remoting.md 12.1 to 12.3, 12.5.
namespace comet::remoting {

/// REGISTER_BROKER (103), broker to name server; body RegisterBrokerBody; answer body: KVTable of ordered topics, or
/// none. Source: RegisterBrokerRequestHeader.
struct RegisterBrokerRequest {
  static constexpr auto kCode = RequestCode::kRegisterBroker;

  std::string broker_name{};
  std::string broker_addr{};
  std::string cluster_name{};
  std::string ha_server_addr{};
  int64_t broker_id = 0;
  std::optional<int64_t> heartbeat_timeout_ms{};  // absent: 120000
  std::optional<bool> enable_acting_master{};     // absent: a broker older than 5.0
  bool compressed = false;
  int32_t body_crc32 = 0;                         // 0: don't check
  std::optional<std::string> zone_name{};

  static constexpr auto fields() {
    using F = RegisterBrokerRequest;
    return field_table(
        required("brokerName",             &F::broker_name),
        required("brokerAddr",             &F::broker_addr),
        required("clusterName",            &F::cluster_name),
        optional("haServerAddr",           &F::ha_server_addr),
        required("brokerId",               &F::broker_id),
        optional("heartbeatTimeoutMillis", &F::heartbeat_timeout_ms),
        optional("enableActingMaster",     &F::enable_acting_master),
        optional("compressed",             &F::compressed),
        optional("bodyCrc32",              &F::body_crc32),
        optional("__ZONE_NAME",            &F::zone_name));
  }
};

/// Answer to REGISTER_BROKER (103).
struct RegisterBrokerResponse {
  std::optional<std::string> ha_server_addr{};
  std::optional<std::string> master_addr{};

  static constexpr auto fields() {
    using F = RegisterBrokerResponse;
    return field_table(
        optional("haServerAddr", &F::ha_server_addr),
        optional("masterAddr",   &F::master_addr));
  }
};

/// UNREGISTER_BROKER (104), broker to name server. Source: UnRegisterBrokerRequestHeader.
struct UnregisterBrokerRequest {
  static constexpr auto kCode = RequestCode::kUnregisterBroker;

  std::string broker_name{};
  std::string broker_addr{};
  std::string cluster_name{};
  int64_t broker_id = 0;

  static constexpr auto fields() {
    using F = UnregisterBrokerRequest;
    return field_table(
        required("brokerName",  &F::broker_name),
        required("brokerAddr",  &F::broker_addr),
        required("clusterName", &F::cluster_name),
        required("brokerId",    &F::broker_id));
  }
};

/// QUERY_DATA_VERSION (322), broker to name server; body and answer body DataVersion. Source:
/// QueryDataVersionRequestHeader.
struct QueryDataVersionRequest {
  static constexpr auto kCode = RequestCode::kQueryDataVersion;

  std::string broker_name{};
  std::string broker_addr{};
  std::string cluster_name{};
  int64_t broker_id = 0;

  static constexpr auto fields() {
    using F = QueryDataVersionRequest;
    return field_table(
        required("brokerName",  &F::broker_name),
        required("brokerAddr",  &F::broker_addr),
        required("clusterName", &F::cluster_name),
        required("brokerId",    &F::broker_id));
  }
};

/// Answer to QUERY_DATA_VERSION (322).
struct QueryDataVersionResponse {
  bool changed = false;

  static constexpr auto fields() {
    using F = QueryDataVersionResponse;
    return field_table(
        required("changed", &F::changed));
  }
};

/// BROKER_HEARTBEAT (904), broker to name server. Source: BrokerHeartbeatRequestHeader.
struct BrokerHeartbeatRequest {
  static constexpr auto kCode = RequestCode::kBrokerHeartbeat;

  std::string cluster_name{};
  std::string broker_addr{};
  std::string broker_name{};
  std::optional<int64_t> broker_id{};
  std::optional<int32_t> epoch{};
  std::optional<PhyOffset> max_offset{};
  std::optional<PhyOffset> confirm_offset{};
  std::optional<int64_t> heartbeat_timeout_ms{};
  std::optional<int32_t> election_priority{};

  static constexpr auto fields() {
    using F = BrokerHeartbeatRequest;
    return field_table(
        required("clusterName",           &F::cluster_name),
        required("brokerAddr",            &F::broker_addr),
        required("brokerName",            &F::broker_name),
        optional("brokerId",              &F::broker_id),
        optional("epoch",                 &F::epoch),
        optional("maxOffset",             &F::max_offset),
        optional("confirmOffset",         &F::confirm_offset),
        optional("heartbeatTimeoutMills", &F::heartbeat_timeout_ms),
        optional("electionPriority",      &F::election_priority));
  }
};

/// REGISTER_TOPIC_IN_NAMESRV (217), broker to name server; body RouteData. Source: RegisterTopicRequestHeader.
struct RegisterTopicInNamesrvRequest {
  static constexpr auto kCode = RequestCode::kRegisterTopicInNamesrv;

  std::string topic{};

  static constexpr auto fields() {
    using F = RegisterTopicInNamesrvRequest;
    return field_table(
        required("topic", &F::topic));
  }
};

/// GET_ROUTEINFO_BY_TOPIC (105), anybody to name server; answer body RouteData. Source: GetRouteInfoRequestHeader.
struct GetRouteinfoByTopicRequest {
  static constexpr auto kCode = RequestCode::kGetRouteinfoByTopic;

  std::string topic{};
  std::optional<bool> accept_standard_json_only{};
  std::optional<std::string> zone_mode{};
  std::optional<std::string> zone_name{};

  static constexpr auto fields() {
    using F = GetRouteinfoByTopicRequest;
    return field_table(
        required("topic",                  &F::topic),
        optional("acceptStandardJsonOnly", &F::accept_standard_json_only),
        optional("__ZONE_MODE",            &F::zone_mode),
        optional("__ZONE_NAME",            &F::zone_name));
  }
};

/// GET_BROKER_CLUSTER_INFO (106), admin and broker to name server; answer body ClusterInfo.
struct GetBrokerClusterInfoRequest {
  static constexpr auto kCode = RequestCode::kGetBrokerClusterInfo;

  static constexpr auto fields() { return no_fields(); }
};

/// GET_ALL_TOPIC_LIST_FROM_NAMESERVER (206), admin and client to name server; answer body TopicList.
struct GetAllTopicListFromNameserverRequest {
  static constexpr auto kCode = RequestCode::kGetAllTopicListFromNameserver;

  static constexpr auto fields() { return no_fields(); }
};

/// GET_TOPICS_BY_CLUSTER (224), admin to name server; answer body TopicList. Source: GetTopicsByClusterRequestHeader.
struct GetTopicsByClusterRequest {
  static constexpr auto kCode = RequestCode::kGetTopicsByCluster;

  std::string cluster{};

  static constexpr auto fields() {
    using F = GetTopicsByClusterRequest;
    return field_table(
        required("cluster", &F::cluster));
  }
};

/// GET_SYSTEM_TOPIC_LIST_FROM_NS (304), admin to name server; answer body TopicList.
struct GetSystemTopicListFromNsRequest {
  static constexpr auto kCode = RequestCode::kGetSystemTopicListFromNs;

  static constexpr auto fields() { return no_fields(); }
};

/// GET_UNIT_TOPIC_LIST (311), admin to name server; answer body TopicList.
struct GetUnitTopicListRequest {
  static constexpr auto kCode = RequestCode::kGetUnitTopicList;

  static constexpr auto fields() { return no_fields(); }
};

/// GET_HAS_UNIT_SUB_TOPIC_LIST (312), admin to name server; answer body TopicList.
struct GetHasUnitSubTopicListRequest {
  static constexpr auto kCode = RequestCode::kGetHasUnitSubTopicList;

  static constexpr auto fields() { return no_fields(); }
};

/// GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST (313), admin to name server; answer body TopicList.
struct GetHasUnitSubUnunitTopicListRequest {
  static constexpr auto kCode = RequestCode::kGetHasUnitSubUnunitTopicList;

  static constexpr auto fields() { return no_fields(); }
};

/// GET_BROKER_MEMBER_GROUP (901), broker to name server; answer body MemberGroup. Source:
/// GetBrokerMemberGroupRequestHeader.
struct GetBrokerMemberGroupRequest {
  static constexpr auto kCode = RequestCode::kGetBrokerMemberGroup;

  std::string cluster_name{};
  std::string broker_name{};

  static constexpr auto fields() {
    using F = GetBrokerMemberGroupRequest;
    return field_table(
        required("clusterName", &F::cluster_name),
        required("brokerName",  &F::broker_name));
  }
};

/// WIPE_WRITE_PERM_OF_BROKER (205), admin to name server. Source: WipeWritePermOfBrokerRequestHeader.
struct WipeWritePermOfBrokerRequest {
  static constexpr auto kCode = RequestCode::kWipeWritePermOfBroker;

  std::string broker_name{};

  static constexpr auto fields() {
    using F = WipeWritePermOfBrokerRequest;
    return field_table(
        required("brokerName", &F::broker_name));
  }
};

/// Answer to WIPE_WRITE_PERM_OF_BROKER (205).
struct WipeWritePermOfBrokerResponse {
  int32_t wipe_topic_count = 0;

  static constexpr auto fields() {
    using F = WipeWritePermOfBrokerResponse;
    return field_table(
        required("wipeTopicCount", &F::wipe_topic_count));
  }
};

/// ADD_WRITE_PERM_OF_BROKER (327), admin to name server. Source: AddWritePermOfBrokerRequestHeader.
struct AddWritePermOfBrokerRequest {
  static constexpr auto kCode = RequestCode::kAddWritePermOfBroker;

  std::string broker_name{};

  static constexpr auto fields() {
    using F = AddWritePermOfBrokerRequest;
    return field_table(
        required("brokerName", &F::broker_name));
  }
};

/// Answer to ADD_WRITE_PERM_OF_BROKER (327).
struct AddWritePermOfBrokerResponse {
  int32_t add_topic_count = 0;

  static constexpr auto fields() {
    using F = AddWritePermOfBrokerResponse;
    return field_table(
        required("addTopicCount", &F::add_topic_count));
  }
};

/// DELETE_TOPIC_IN_NAMESRV (216), admin to name server. Source: DeleteTopicFromNamesrvRequestHeader.
struct DeleteTopicInNamesrvRequest {
  static constexpr auto kCode = RequestCode::kDeleteTopicInNamesrv;

  std::string topic{};
  std::optional<std::string> cluster_name{};

  static constexpr auto fields() {
    using F = DeleteTopicInNamesrvRequest;
    return field_table(
        required("topic",       &F::topic),
        optional("clusterName", &F::cluster_name));
  }
};

}  // namespace comet::remoting
