#pragma once

// The field tables stand in columns.
// clang-format off

#include <optional>
#include <string>

#include "remoting/protocol/codes.h"
#include "remoting/protocol/fields.h"

/// Key-value settings and own configuration of the name server. remoting.md 12.4, 12.6.
namespace comet::remoting {

/// PUT_KV_CONFIG (100), admin to name server. Source: PutKVConfigRequestHeader.
struct PutKvConfigRequest {
  static constexpr auto kCode = RequestCode::kPutKvConfig;

  std::string name_space{};
  std::string key{};
  std::string value{};

  static constexpr auto fields() {
    using F = PutKvConfigRequest;
    return field_table(
        required("namespace", &F::name_space),
        required("key",       &F::key),
        required("value",     &F::value));
  }
};

/// GET_KV_CONFIG (101), admin and client to name server. Source: GetKVConfigRequestHeader.
struct GetKvConfigRequest {
  static constexpr auto kCode = RequestCode::kGetKvConfig;

  std::string name_space{};
  std::string key{};

  static constexpr auto fields() {
    using F = GetKvConfigRequest;
    return field_table(
        required("namespace", &F::name_space),
        required("key",       &F::key));
  }
};

/// Answer to GET_KV_CONFIG (101).
struct GetKvConfigResponse {
  std::optional<std::string> value{};

  static constexpr auto fields() {
    using F = GetKvConfigResponse;
    return field_table(
        optional("value", &F::value));
  }
};

/// DELETE_KV_CONFIG (102), admin to name server. Source: DeleteKVConfigRequestHeader.
struct DeleteKvConfigRequest {
  static constexpr auto kCode = RequestCode::kDeleteKvConfig;

  std::string name_space{};
  std::string key{};

  static constexpr auto fields() {
    using F = DeleteKvConfigRequest;
    return field_table(
        required("namespace", &F::name_space),
        required("key",       &F::key));
  }
};

/// GET_KVLIST_BY_NAMESPACE (219), admin to name server; answer body KVTable. Source: GetKVListByNamespaceRequestHeader.
struct GetKvlistByNamespaceRequest {
  static constexpr auto kCode = RequestCode::kGetKvlistByNamespace;

  std::string name_space{};

  static constexpr auto fields() {
    using F = GetKvlistByNamespaceRequest;
    return field_table(
        required("namespace", &F::name_space));
  }
};

/// UPDATE_NAMESRV_CONFIG (318), admin to name server; body: properties text.
struct UpdateNamesrvConfigRequest {
  static constexpr auto kCode = RequestCode::kUpdateNamesrvConfig;

  static constexpr auto fields() { return no_fields(); }
};

/// GET_NAMESRV_CONFIG (319), admin to name server; answer body: properties text.
struct GetNamesrvConfigRequest {
  static constexpr auto kCode = RequestCode::kGetNamesrvConfig;

  static constexpr auto fields() { return no_fields(); }
};

}  // namespace comet::remoting
