#include "remoting/protocol/bodies/batch.h"

#include "common/bytes.h"

namespace comet::remoting {
namespace {

constexpr size_t kFixedBytes = 22;  // of a message whose body and properties are empty
constexpr size_t kFlagAt = 12, kBodyLengthAt = 16, kBodyAt = 20;

/// Reads the message that fills `bytes`. False if its lengths don't add up to them.
bool parse_one(std::string_view bytes, BatchMessage& out) {
  out.flag = load_be<int32_t>(bytes.data() + kFlagAt);
  const auto body_bytes = load_be<int32_t>(bytes.data() + kBodyLengthAt);
  if (body_bytes < 0 || static_cast<size_t>(body_bytes) > bytes.size() - kFixedBytes) return false;
  out.body = bytes.substr(kBodyAt, static_cast<size_t>(body_bytes));
  const size_t properties_at = kBodyAt + out.body.size() + sizeof(int16_t);
  const auto properties_bytes = load_be<int16_t>(bytes.data() + properties_at - sizeof(int16_t));
  out.properties = bytes.substr(properties_at);
  return properties_bytes >= 0 && static_cast<size_t>(properties_bytes) == out.properties.size();
}

}  // namespace

Result<void> parse_batch(std::string_view bytes, std::vector<BatchMessage>& out) {
  out.clear();
  for (size_t at = 0; at < bytes.size();) {
    const size_t left = bytes.size() - at;
    const auto whole = left < kFixedBytes ? 0 : load_be<int32_t>(bytes.data() + at);
    const bool fits = whole >= static_cast<int32_t>(kFixedBytes) && static_cast<size_t>(whole) <= left;
    BatchMessage message;
    if (!fits || !parse_one(bytes.substr(at, static_cast<size_t>(whole)), message)) {
      return fail(Errc::kInvalid, "batch: message " + std::to_string(out.size()) + " at byte " + std::to_string(at) +
                                      " doesn't add up");
    }
    if (out.size() == kMaxBatchMessages)
      return fail(Errc::kInvalid, "batch: more than " + std::to_string(kMaxBatchMessages) + " messages");
    out.push_back(message);
    at += static_cast<size_t>(whole);
  }
  return {};
}

void append_batch_message(std::string& out, const BatchMessage& message) {
  const size_t start = out.size();
  const size_t whole = kFixedBytes + message.body.size() + message.properties.size();
  out.append(kBodyAt, '\0');
  store_be(out.data() + start, static_cast<int32_t>(whole));
  store_be(out.data() + start + kFlagAt, message.flag);
  store_be(out.data() + start + kBodyLengthAt, static_cast<int32_t>(message.body.size()));
  out += message.body;
  char length[2];
  store_be(length, static_cast<int16_t>(message.properties.size()));
  out.append(length, sizeof length);
  out += message.properties;
}

}  // namespace comet::remoting
