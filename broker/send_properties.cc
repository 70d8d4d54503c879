#include "broker/send_properties.h"

#include <charconv>
#include <cstring>

namespace comet::broker {
namespace {

constexpr std::string_view kTransientPrefix = "__RMQ.TRANSIENT.";

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t n = 0; n < text.size(); ++n) {
    if ((text[n] | 0x20) != lower[n]) return false;
  }
  return true;
}

size_t find_byte(std::string_view text, char byte) {
  const void* found = std::memchr(text.data(), byte, text.size());
  return found == nullptr ? std::string_view::npos : static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

/// One property against the names that mean something to a send.
struct Walk {
  SentProperties found;
  bool is_item;
  bool drop_delay;

  /// Whether the property is stored as it was sent.
  bool keep(std::string_view name, std::string_view value) {
    switch (name.front()) {
      case 'T':
        return keep_t(name, value);
      case 'K':
        if (name == property::kKeys) found.keys = value;
        return true;
      case 'U':
        if (name == property::kUniqueKey) found.unique_key = value;
        return true;
      case 'W':
        if (name == property::kWait) found.wait = !equals_ignoring_case(value, "false");
        return true;
      case 'D':
        if (name != property::kDelay) return true;
        found.delay = value;
        return !drop_delay;
      case 'C':
        return name != property::kCluster || own(found.has_cluster);
      case 'M':
        return name != property::kMsgRegion || own(found.has_region);
      case 'I':
        if (name == property::kInnerNum) found.inner_batch = true;
        return true;
      case 'P':
        return name != property::kPopCheckpoint;
      case 'R':
        if (name == property::kRealTopic || name == property::kRealQueueId) found.has_real_place = true;
        return true;
      case '_':
        if (name == property::kCrc32) found.has_checksum = true;
        return name != property::kCrc32 && name.substr(0, kTransientPrefix.size()) != kTransientPrefix;
      default:
        return true;
    }
  }

 private:
  bool keep_t(std::string_view name, std::string_view value) {
    if (name == property::kTags)
      found.tags = value;
    else if (name == property::kTraceOn)
      return own(found.has_trace);
    else if (name == property::kTransactionPrepared)
      found.transaction = value;
    else if (name == property::kTimerOutMs)
      found.timer_out = true;
    else if (name == property::kTimerDelaySec)
      found.timer_delay_s = value;
    else if (name == property::kTimerDelayMs)
      found.timer_delay_ms = value;
    else if (name == property::kTimerDeliverMs)
      found.timer_deliver_ms = value;
    else if (name == property::kTimerDelUniqueKey)
      found.takes_back = true;
    return true;
  }
  /// A property that the broker writes itself: only an item of a batch keeps what it came with.
  bool own(bool& has) {
    has = true;
    return is_item;
  }
};

}  // namespace

int32_t SentProperties::delay_level() const {
  int32_t level = 0;
  const char* end = delay.data() + delay.size();
  const auto [stop, error] = std::from_chars(delay.data() + (delay.substr(0, 1) == "+" ? 1 : 0), end, level);
  return error == std::errc() && stop == end ? level : 0;
}

SentProperties read_properties(std::string_view text) {
  Walk walk{{}, true, false};
  each_property(text, [&](std::string_view name, std::string_view value) { (void)walk.keep(name, value); });
  return walk.found;
}

bool SentProperties::asks_for_timer() const {
  return !timer_delay_s.empty() || !timer_delay_ms.empty() || !timer_deliver_ms.empty();
}

bool SentProperties::is_half() const { return equals_ignoring_case(transaction, "true"); }

SentProperties take_properties(std::string_view sent, PropertyScope scope, bool drop_delay, std::string& out) {
  Walk walk{{}, scope == PropertyScope::kBatchItem, drop_delay};
  size_t kept_from = 0;  // a run of properties to keep is copied at its end
  size_t at = 0;
  const auto flush_run = [&](size_t until) {
    if (until > kept_from) out.append(sent.data() + kept_from, until - kept_from);
  };
  while (at < sent.size()) {
    const size_t length = find_byte(sent.substr(at), kPropertyEnd);
    const std::string_view pair = sent.substr(at, length);
    const size_t next = length == std::string_view::npos ? sent.size() : at + length + 1;
    const size_t split = find_byte(pair, kPropertyNameEnd);
    const bool readable = pair.size() >= 3 && split != 0 && split != std::string_view::npos && split + 1 < pair.size();
    if (!readable || !walk.keep(pair.substr(0, split), pair.substr(split + 1))) {
      flush_run(at);
      kept_from = next;
    }
    at = next;
  }
  flush_run(sent.size());
  if (kept_from < sent.size() && sent.back() != kPropertyEnd) out += kPropertyEnd;
  return walk.found;
}

}  // namespace comet::broker
