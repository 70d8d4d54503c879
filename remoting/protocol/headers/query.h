#pragma once

// The field tables stand in columns.
// clang-format off

#include <cstdint>
#include <optional>
#include <string>

#include "common/types.h"
#include "remoting/protocol/codes.h"
#include "remoting/protocol/fields.h"

/// Looking messages up. remoting.md 8.9.
namespace comet::remoting {

/// QUERY_MESSAGE (12), client and admin to broker; answer body: records. Source: QueryMessageRequestHeader.
struct QueryMessageRequest {
  static constexpr auto kCode = RequestCode::kQueryMessage;

  std::string topic{};
  std::string key{};
  int32_t max_num = 0;
  int64_t begin_timestamp_ms = 0;
  int64_t end_timestamp_ms = 0;
  bool unique_key_query = false;  // the key is a UNIQ_KEY

  static constexpr auto fields() {
    using F = QueryMessageRequest;
    return field_table(
        required("topic",             &F::topic),
        required("key",               &F::key),
        required("maxNum",            &F::max_num),
        required("beginTimestamp",    &F::begin_timestamp_ms),
        required("endTimestamp",      &F::end_timestamp_ms),
        optional("_UNIQUE_KEY_QUERY", &F::unique_key_query));
  }
};

/// Answer to QUERY_MESSAGE (12).
struct QueryMessageResponse {
  int64_t index_last_update_timestamp_ms = 0;
  PhyOffset index_last_update_phyoffset{};

  static constexpr auto fields() {
    using F = QueryMessageResponse;
    return field_table(
        required("indexLastUpdateTimestamp", &F::index_last_update_timestamp_ms),
        required("indexLastUpdatePhyoffset", &F::index_last_update_phyoffset));
  }
};

/// VIEW_MESSAGE_BY_ID (33), client and admin to broker; answer body: one record. Source: ViewMessageRequestHeader.
struct ViewMessageByIdRequest {
  static constexpr auto kCode = RequestCode::kViewMessageById;

  PhyOffset offset{};
  std::optional<std::string> topic{};

  static constexpr auto fields() {
    using F = ViewMessageByIdRequest;
    return field_table(
        required("offset", &F::offset),
        optional("topic",  &F::topic));
  }
};

}  // namespace comet::remoting
