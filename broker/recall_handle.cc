#include "broker/recall_handle.h"

#include <array>
#include <cstdint>
#include <vector>

namespace comet::broker {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kVersion = "v1";

std::string encode(std::string_view bytes) {
  std::string out;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t group = 0;
    const size_t left = std::min<size_t>(3, bytes.size() - at);
    for (size_t n = 0; n < 3; ++n) group = group << 8 | (n < left ? static_cast<uint8_t>(bytes[at + n]) : 0u);
    for (size_t n = 0; n < 4; ++n) out += n <= left ? kAlphabet[group >> (18 - 6 * n) & 63] : '=';
  }
  return out;
}

/// Java's decoder takes the text with or without its padding, and nothing else.
std::optional<std::string> decode(std::string_view text) {
  while (text.size() % 4 == 0 && !text.empty() && text.back() == '=') {
    text.remove_suffix(text[text.size() - 2] == '=' ? 2 : 1);
  }
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  uint32_t bits = 0;
  int32_t held = 0;
  for (const char c : text) {
    const size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 0xFF);
  }
  return out;
}

}  // namespace

std::string RecallHandle::text() const {
  std::string raw(kVersion);
  for (const std::string* part : {&topic, &broker_name, &timestamp_ms, &unique_key}) raw.append(" ").append(*part);
  return encode(raw);
}

std::optional<RecallHandle> RecallHandle::parse(std::string_view text) {
  const auto raw = decode(text);
  if (!raw) return std::nullopt;
  std::vector<std::string> parts;
  for (size_t at = 0; at <= raw->size();) {
    const size_t end = std::min(raw->find(' ', at), raw->size());
    parts.push_back(raw->substr(at, end - at));
    at = end + 1;
  }
  if (parts.size() < 5 || parts[0] != kVersion) return std::nullopt;
  return RecallHandle{parts[1], parts[2], parts[3], parts[4]};
}

}  // namespace comet::broker
