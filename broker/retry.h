#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/groups.h"
#include "broker/send_checks.h"
#include "broker/topics.h"
#include "common/message_codec.h"

/// The rules by which a message that a consumer didn't take is tried again, whichever way it comes back: given back by
/// its place (CONSUMER_SEND_MSG_BACK), or sent to the retry topic. Source: AbstractSendMessageProcessor,
/// SendMessageProcessor.handleRetryAndDLQ; behaviour.md 2.7, 7.
namespace comet::broker {

/// How often a message is tried again: the group's retryMaxTimes, or what the client asks for, which counts since
/// version 3.4.9.
int32_t retry_limit(const GroupConfig& group, std::optional<int32_t> own_limit, int32_t client_version);

/// The delay level of the next try: `asked`, or, where the consumer leaves it to the broker with 0, one that grows with
/// each try from level 3 on.
inline int32_t retry_level(int32_t asked, int32_t reconsume_times) { return asked == 0 ? 3 + reconsume_times : asked; }

/// %DLQ%group, created now if it isn't there: one queue, readable and writable.
Checked<const TopicConfig*> dead_letter_topic(Topics& topics, std::string_view group);

/// The properties of `consumed` as its next try has them: RETRY_TOPIC and ORIGIN_MESSAGE_ID, which are set once, say
/// where the message first stood; DELAY what it waits (0: a dead letter); nobody waits for it (WAIT).
std::string properties_given_back(const Message& consumed, int32_t delay_level);

}  // namespace comet::broker
