#pragma once

// The field tables stand in columns.
// clang-format off

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/types.h"
#include "remoting/protocol/codes.h"
#include "remoting/protocol/fields.h"

/// Pulls. remoting.md 8.2.
namespace comet::remoting {

/// Bits of a pull's sysFlag. Source: PullSysFlag.
namespace pull_flag {
inline constexpr int32_t kCommitOffset = 1, kSuspend = 2, kSubscription = 4, kClassFilter = 8, kLitePull = 16;
}

/// What both pulls carry. Views live as long as the frame. Source: PullMessageRequestHeader.
struct PullFields {
  std::string_view consumer_group{};
  std::string_view topic{};
  QueueId queue_id{};
  QueueOffset queue_offset{};                         // next entry wanted
  int32_t max_msg_nums = 32;                          // Apache clamps, it doesn't refuse
  int32_t sys_flag = 0;                               // pull_flag
  QueueOffset commit_offset{};                        // used with kCommitOffset
  int64_t suspend_timeout_ms = 0;                     // how long an empty pull may be held, with kSuspend
  std::optional<std::string_view> subscription{};     // expression, with kSubscription
  int64_t sub_version = 0;
  std::optional<std::string_view> expression_type{};  // TAG if absent, or SQL92
  std::optional<int32_t> max_msg_bytes{};
  std::optional<int32_t> request_source{};            // -1 SDK, 0 to 2 proxy
  std::optional<std::string_view> proxy_forward_client_id{};

  static constexpr auto fields() {
    using F = PullFields;
    return field_table(
        required("consumerGroup",        &F::consumer_group),
        required("topic",                &F::topic),
        required("queueId",              &F::queue_id),
        required("queueOffset",          &F::queue_offset),
        required("maxMsgNums",           &F::max_msg_nums),
        required("sysFlag",              &F::sys_flag),
        optional("commitOffset",         &F::commit_offset),
        optional("suspendTimeoutMillis", &F::suspend_timeout_ms),
        optional("subscription",         &F::subscription),
        optional("subVersion",           &F::sub_version),
        optional("expressionType",       &F::expression_type),
        optional("maxMsgBytes",          &F::max_msg_bytes),
        optional("requestSource",        &F::request_source),
        optional("proxyFrowardClientId", &F::proxy_forward_client_id));
  }
};

/// PULL_MESSAGE (11), client to broker and slave to master.
struct PullMessageRequest : PullFields {
  static constexpr auto kCode = RequestCode::kPullMessage;
};

/// LITE_PULL_MESSAGE (361), client to broker: a pull of the lite consumer.
struct LitePullMessageRequest : PullFields {
  static constexpr auto kCode = RequestCode::kLitePullMessage;
};

/// Answer to a pull. The first four are mandatory with codes 0, 19, 20 and 21: Java and C++ throw without them. Source:
/// PullMessageResponseHeader.
struct PullMessageResponse {
  int64_t suggest_which_broker_id = 0;
  QueueOffset next_begin_offset{};
  QueueOffset min_offset{};
  QueueOffset max_offset{};
  std::optional<int64_t> offset_delta{};
  std::optional<int32_t> topic_sys_flag{};
  std::optional<int32_t> group_sys_flag{};
  std::optional<int32_t> forbidden_type{};  // with NO_PERMISSION: 1 broker, 2 group, 3 topic, 4 broadcast, 5 subscription

  static constexpr auto fields() {
    using F = PullMessageResponse;
    return field_table(
        required("suggestWhichBrokerId", &F::suggest_which_broker_id),
        required("nextBeginOffset",      &F::next_begin_offset),
        required("minOffset",            &F::min_offset),
        required("maxOffset",            &F::max_offset),
        optional("offsetDelta",          &F::offset_delta),
        optional("topicSysFlag",         &F::topic_sys_flag),
        optional("groupSysFlag",         &F::group_sys_flag),
        optional("forbiddenType",        &F::forbidden_type));
  }
};

}  // namespace comet::remoting
