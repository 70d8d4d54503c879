#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/messages.h"
#include "common/result.h"
#include "tools/json_text.h"

/// How RocketMQ's tool writes messages, times and queues.
namespace comet::tools {

/// "2026-11-20 21:16:26,375" in local time.
std::string time_text_ms(int64_t time_ms);
/// "2026-11-20 21:16:26" in local time.
std::string time_text(int64_t time_ms);
/// What options take for a time: milliseconds, `now`, or yyyy-MM-dd#HH:mm:ss:SSS in local time. kInvalid otherwise.
Result<int64_t> parse_time(std::string_view text, int64_t now_ms);

/// "MessageQueue [topic=t1, brokerName=broker-a, queueId=2]"
std::string queue_text(std::string_view topic, std::string_view broker_name, int32_t queue_id);

/// "{A=1, B=2}" in the order in which Java's HashMap of 128 buckets holds the names, so that outputs can be compared.
std::string properties_text(const std::vector<std::pair<std::string, std::string>>& properties);

/// One line with every field of a message, as MessageExt.toString() gives it.
std::string message_line(const client::ReceivedMessage& message);

/// The message as a JSON object: wire names, properties as an object, the body as text if it is UTF-8, else in base64.
Json message_json(const client::ReceivedMessage& message);

bool is_utf8(std::string_view text);
std::string base64(std::string_view bytes);

}  // namespace comet::tools
