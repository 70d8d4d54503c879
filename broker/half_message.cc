#include "broker/half_message.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "common/message_properties.h"
#include "common/system_topics.h"

namespace comet::broker {
namespace {

constexpr std::string_view kTransactionId = "__transactionId__", kCheckTimes = "TRANSACTION_CHECK_TIMES",
                           kImmunity = "CHECK_IMMUNITY_TIME_IN_SECONDS", kFirstPlace = "TRAN_PREPARED_QUEUE_OFFSET",
                           kOpTag = "d";
/// What Apache's op records carry, byte for byte.
constexpr std::string_view kOpProperties =
    "WAIT\x01"
    "true\x02"
    "TAGS\x01"
    "d\x02";

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

/// Whole seconds as milliseconds, within what a clock can show.
int64_t ms_of_seconds(int64_t seconds) {
  constexpr int64_t kMost = INT64_MAX / 1'000;
  return std::clamp(seconds, -kMost, kMost) * 1'000;
}

uint64_t mixed(uint64_t sum, uint64_t next) {
  sum = (sum ^ next) * 0x9E3779B97F4A7C15u;
  return sum ^ (sum >> 32);
}

/// The record's fields for another place; the store fills offsets, times and checksums anew.
Message moved_to(const HalfMessage& half, std::string_view topic, QueueId queue) {
  Message message = half.message;
  message.topic = topic;
  message.queue_id = queue;
  message.sys_flag &= ~sys_flag::kTransactionMask;
  message.prepared_transaction_offset = 0;
  return message;
}

void set_property(std::string& properties, std::string_view name, std::string_view value) {
  if (find_property(properties, name)) properties = without_property(properties, name);
  append_property(properties, name, value);
}

}  // namespace

uint64_t HalfMessage::identity() const {
  const std::hash<std::string_view> hash;
  const uint64_t born = mixed(0, static_cast<uint64_t>(message.born_timestamp_ms));
  return mixed(mixed(mixed(born, hash(unique_key)), hash(group)), hash(real_topic));
}

bool HalfMessage::same_transaction(const HalfMessage& other) const {
  return unique_key == other.unique_key && group == other.group && real_topic == other.real_topic &&
         message.born_timestamp_ms == other.message.born_timestamp_ms;
}

std::optional<int64_t> HalfMessage::end_limit_ms(int64_t timeout_ms) const {
  if (!immunity) return std::nullopt;
  return std::max(timeout_ms, ms_of_seconds(number_of<int64_t>(*immunity).value_or(0)));
}

int64_t HalfMessage::immunity_ms(int64_t timeout_ms) const {
  const int64_t seconds = immunity ? number_of<int64_t>(*immunity).value_or(-1) : -1;
  return seconds == -1 ? timeout_ms : ms_of_seconds(seconds);
}

std::optional<HalfMessage> read_half(const Message& message) {
  HalfMessage half;
  half.message = message;
  std::optional<int32_t> queue;
  each_property(message.properties, [&](std::string_view name, std::string_view value) {
    if (name == property::kRealTopic)
      half.real_topic = value;
    else if (name == property::kRealQueueId)
      queue = number_of<int32_t>(value);
    else if (name == property::kProducerGroup)
      half.group = value;
    else if (name == property::kUniqueKey)
      half.unique_key = value;
    else if (name == kCheckTimes)
      half.checks = number_of<int32_t>(value).value_or(-1);
    else if (name == kImmunity)
      half.immunity = value;
    else if (name == kFirstPlace)
      half.first_place = value;
  });
  if (half.real_topic.empty() || !queue || *queue < 0) return std::nullopt;
  half.real_queue = QueueId(*queue);
  return half;
}

void make_half(store::PutRequest& put, std::string& properties) {
  Message& message = put.message;
  set_property(properties, kTransactionId, put.unique_key);
  set_property(properties, property::kRealTopic, message.topic);
  set_property(properties, property::kRealQueueId, fmt::format("{}", message.queue_id.value));
  message.topic = kHalfTopic;
  message.queue_id = kHalfQueue;
  message.sys_flag &= ~sys_flag::kTransactionMask;
  message.properties = properties;
}

Message committed_message(const HalfMessage& half) {
  Message message = moved_to(half, half.real_topic, half.real_queue);
  message.sys_flag |= sys_flag::kCommit;
  message.prepared_transaction_offset = half.message.phy_offset.value;
  return message;
}

Message next_copy(const HalfMessage& half, CopyMarks marks, std::string& properties) {
  properties.assign(half.message.properties);
  if (marks.checks) set_property(properties, kCheckTimes, fmt::format("{}", *marks.checks));
  if (marks.first_place) set_property(properties, kFirstPlace, fmt::format("{}", marks.first_place->value));
  Message message = moved_to(half, kHalfTopic, kHalfQueue);
  message.properties = properties;
  return message;
}

Message discarded_message(const HalfMessage& half) { return moved_to(half, kTransCheckMaxTimeTopic, QueueId(0)); }

Message handed_on(const HalfMessage& half, std::string& properties) {
  properties.clear();
  each_property(half.message.properties, [&](std::string_view name, std::string_view value) {
    const bool of_this_place = name == property::kRealTopic || name == property::kRealQueueId || name == kFirstPlace ||
                               name == property::kTransactionPrepared || name == property::kCrc32;
    if (!of_this_place) append_property(properties, name, value);
  });
  append_property(properties, property::kTransactionPrepared, "true");
  Message message = moved_to(half, half.real_topic, half.real_queue);
  message.sys_flag |= sys_flag::kPrepared;
  message.properties = properties;
  return message;
}

Message op_record(std::string_view body, const Host& broker, int64_t now_ms) {
  Message message;
  message.topic = kOpHalfTopic;
  message.queue_id = kHalfQueue;
  message.body = body;
  message.properties = kOpProperties;
  message.born_timestamp_ms = now_ms;
  message.born_host = broker;
  message.store_host = broker;
  return message;
}

int64_t op_offset_of(std::string_view text) { return number_of<int64_t>(text).value_or(-1); }

bool is_op_record(const Message& message) { return find_property(message.properties, property::kTags) == kOpTag; }

}  // namespace comet::broker
