#include "tools/message_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>

#include "common/java_hash.h"

namespace comet::tools {
namespace {

std::tm local_time(int64_t time_ms) {
  // Rounded down, so that times before 1970 keep their milliseconds.
  const std::time_t seconds = (time_ms - ((time_ms % 1000) + 1000) % 1000) / 1000;
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return parts;
}

/// The bucket of Java's HashMap in a table of `buckets` (a power of two).
uint32_t bucket_of(std::string_view name, uint32_t buckets) {
  const uint32_t hash = static_cast<uint32_t>(java_hash(name));
  return (hash ^ (hash >> 16)) & (buckets - 1);
}

std::string body_bytes_text(std::string_view body) {
  std::string text = "[";
  for (const char byte : body) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(static_cast<int>(static_cast<signed char>(byte)));
  }
  return text + "]";
}

}  // namespace

std::string time_text(int64_t time_ms) {
  const std::tm parts = local_time(time_ms);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string time_text_ms(int64_t time_ms) {
  return fmt::format("{},{:03}", time_text(time_ms), ((time_ms % 1000) + 1000) % 1000);
}

Result<int64_t> parse_time(std::string_view text, int64_t now_ms) {
  if (text == "now") return now_ms;
  int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && stop == text.data() + text.size()) return number;
  std::tm parts{};
  int milliseconds = 0;
  char rest = 0;
  const int read = std::sscanf(std::string(text).c_str(), "%d-%d-%d#%d:%d:%d:%d%c", &parts.tm_year, &parts.tm_mon,
                               &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &milliseconds, &rest);
  if (read != 7) {
    return fail(Errc::kInvalid, fmt::format("time '{}': give milliseconds, now, or yyyy-MM-dd#HH:mm:ss:SSS", text));
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  parts.tm_isdst = -1;
  return static_cast<int64_t>(std::mktime(&parts)) * 1000 + milliseconds;
}

std::string queue_text(std::string_view topic, std::string_view broker_name, int32_t queue_id) {
  return fmt::format("MessageQueue [topic={}, brokerName={}, queueId={}]", topic, broker_name, queue_id);
}

std::string properties_text(const std::vector<std::pair<std::string, std::string>>& properties) {
  uint32_t buckets = 128;
  while (properties.size() > buckets / 4 * 3) buckets *= 2;
  std::vector<const std::pair<std::string, std::string>*> ordered;
  for (const auto& property : properties) {
    const auto same =
        std::find_if(ordered.begin(), ordered.end(), [&](const auto* known) { return known->first == property.first; });
    if (same == ordered.end()) {
      ordered.push_back(&property);
    } else {
      *same = &property;
    }
  }
  std::stable_sort(ordered.begin(), ordered.end(), [&](const auto* a, const auto* b) {
    return bucket_of(a->first, buckets) < bucket_of(b->first, buckets);
  });
  std::string text = "{";
  for (const auto* property : ordered) {
    if (text.size() > 1) text += ", ";
    text += property->first + "=" + property->second;
  }
  return text + "}";
}

std::string message_line(const client::ReceivedMessage& message) {
  return fmt::format(
      "MessageExt [brokerName={}, queueId={}, storeSize={}, queueOffset={}, sysFlag={}, bornTimestamp={}, "
      "bornHost=/{}, "
      "storeTimestamp={}, storeHost=/{}, msgId={}, commitLogOffset={}, bodyCRC={}, reconsumeTimes={}, "
      "preparedTransactionOffset={}, toString()=Message{{topic='{}', flag={}, properties={}, body={}, "
      "transactionId='null'}}]",
      message.broker_name, message.queue_id.value, message.store_size_bytes, message.queue_offset.value,
      message.sys_flag, message.born_timestamp_ms, message.born_host.text(), message.store_timestamp_ms,
      message.store_host.text(), message.offset_msg_id(), message.phy_offset.value, message.body_crc,
      message.reconsume_times, message.prepared_transaction_offset, message.topic, message.flag,
      properties_text(message.properties), body_bytes_text(message.body));
}

Json message_json(const client::ReceivedMessage& message) {
  JsonObject properties;
  for (const auto& [name, value] : message.properties) properties.add(name, value);
  JsonObject object;
  object.add("msgId", message.msg_id())
      .add("offsetMsgId", message.offset_msg_id())
      .add("topic", message.topic)
      .add("brokerName", message.broker_name)
      .add("queueId", message.queue_id.value)
      .add("queueOffset", message.queue_offset.value)
      .add("commitLogOffset", message.phy_offset.value)
      .add("storeSize", message.store_size_bytes)
      .add("tags", message.tags())
      .add("keys", message.keys())
      .add("flag", message.flag)
      .add("sysFlag", message.sys_flag)
      .add("bodyCRC", message.body_crc)
      .add("reconsumeTimes", message.reconsume_times)
      .add("preparedTransactionOffset", message.prepared_transaction_offset)
      .add("bornTimestamp", message.born_timestamp_ms)
      .add("bornHost", message.born_host.text())
      .add("storeTimestamp", message.store_timestamp_ms)
      .add("storeHost", message.store_host.text())
      .add("properties", properties.done());
  const bool as_text = is_utf8(message.body);
  object.add(as_text ? "body" : "bodyBase64", as_text ? message.body : base64(message.body));
  return object.done();
}

bool is_utf8(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const auto first = static_cast<unsigned char>(text[at]);
    size_t more = 0;
    if (first >= 0xF0 && first < 0xF5)
      more = 3;
    else if (first >= 0xE0)
      more = 2;
    else if (first >= 0xC2)
      more = 1;
    else if (first >= 0x80)
      return false;
    if (first >= 0xF5 || at + more >= text.size()) return first < 0x80;
    for (size_t next = 1; next <= more; ++next) {
      if ((static_cast<unsigned char>(text[at + next]) & 0xC0) != 0x80) return false;
    }
    at += more + 1;
  }
  return true;
}

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t group = 0;
    for (size_t n = 0; n < 3; ++n)
      group = group << 8 | (at + n < bytes.size() ? static_cast<unsigned char>(bytes[at + n]) : 0u);
    for (size_t n = 0; n < 4; ++n) text += at + n <= bytes.size() ? kDigits[(group >> (18 - 6 * n)) & 63] : '=';
  }
  return text;
}

}  // namespace comet::tools
