#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "broker/config.h"
#include "broker/groups.h"
#include "broker/queue_locks.h"
#include "broker/send_properties.h"
#include "broker/topics.h"
#include "common/result.h"
#include "common/types.h"
#include "remoting/protocol/codes.h"
#include "remoting/protocol/headers/send.h"

namespace comet::broker {

/// Why a request is not served: what the answer says.
struct Refusal {
  remoting::ResponseCode code;
  std::string remark;
};
template <class T>
using Checked = tl::expected<T, Refusal>;

inline tl::unexpected<Refusal> refusal(remoting::ResponseCode code, std::string remark) {
  return tl::unexpected<Refusal>(Refusal{code, std::move(remark)});
}

/// COMET_TRY_CHECKED(auto topic, admit(...)): binds the value, or passes the refusal up.
#define COMET_TRY_CHECKED(declaration, expression) \
  COMET_TRY_CHECKED_(COMET_CONCAT(comet_checked_, __LINE__), declaration, expression)
#define COMET_TRY_CHECKED_(temporary, declaration, expression)                       \
  auto temporary = (expression);                                                     \
  if (!temporary) [[unlikely]]                                                       \
    return ::tl::unexpected<::comet::broker::Refusal>(std::move(temporary).error()); \
  declaration = std::move(*temporary)

/// Who sends, for checks and remarks.
struct Sender {
  std::string_view address;  ///< "ip:port"
  int32_t version = 0;       ///< MQVersion ordinal
  int64_t now_ms = 0;
};

/// Where a message to a retry topic really goes.
struct RetryTarget {
  const TopicConfig* topic = nullptr;
  bool dead_letter = false;
};

/// What a send must fulfil before it is stored, in Apache's order. Source: AbstractSendMessageProcessor.msgCheck,
/// SendMessageProcessor.handleRetryAndDLQ; behaviour.md 2.3, 2.7.
class SendChecks {
 public:
  SendChecks(Topics& topics, Groups& groups, const QueueLocks& locks)
      : topics_(topics), groups_(groups), locks_(locks) {}

  /// The topic to store to, created now if its default topic allows it. `sendable` is !is_forbidden_to_send(topic).
  Checked<const TopicConfig*> admit(const remoting::SendFields& request, bool sendable, const BrokerConfig& config,
                                    const Sender& sender);

  /// For a topic %RETRY%…: the topic itself, or the group's dead-letter topic when it was tried often enough.
  Checked<RetryTarget> redirect_retry(const remoting::SendFields& request, const TopicConfig& topic,
                                      const Sender& sender);

  enum class Sent { kAlone, kInBatch };
  /// Refuses what this broker can't deliver as what it is, and transactions where they are not wanted. `sys_flag` is
  /// the request's.
  static Checked<void> check_kind(const SentProperties& properties, int32_t sys_flag, const BrokerConfig& config,
                                  Sent sent);

 private:
  const TopicConfig* create(const remoting::SendFields& request);

  Topics& topics_;
  Groups& groups_;
  const QueueLocks& locks_;
};

}  // namespace comet::broker
