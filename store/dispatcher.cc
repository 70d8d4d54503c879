#include "store/dispatcher.h"

#include <algorithm>
#include <charconv>

#include "common/message_properties.h"
#include "common/system_topics.h"

namespace comet::store {
namespace {

constexpr int64_t kUnknownLevelMs = 1'000;

int64_t unit_ms(char unit) {
  switch (unit) {
    case 's':
      return 1'000;
    case 'm':
      return 60'000;
    case 'h':
      return 3'600'000;
    case 'd':
      return 86'400'000;
    default:
      return 0;
  }
}

}  // namespace

std::vector<int64_t> parse_delay_levels(std::string_view text) {
  std::vector<int64_t> out;
  while (!text.empty()) {
    const size_t end = text.find(' ');
    const std::string_view level = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (level.empty()) continue;
    int64_t number = 0;
    const auto [stop, problem] = std::from_chars(level.data(), level.data() + level.size() - 1, number);
    const int64_t unit = unit_ms(level.back());
    const bool fine = problem == std::errc() && stop == level.data() + level.size() - 1 && unit > 0;
    out.push_back(fine ? number * unit : kUnknownLevelMs);
  }
  return out;
}

Dispatcher::Dispatcher(ConsumeQueueTable& queues, std::string_view delay_levels)
    : queues_(queues), delays_ms_(parse_delay_levels(delay_levels)) {}

int64_t Dispatcher::tags_code_of(const Message& message) const {
  std::string_view tags, delay;
  each_property(message.properties, [&](std::string_view name, std::string_view value) {
    if (name == property::kTags) tags = value;
    if (name == property::kDelay) delay = value;
  });
  int32_t level = 0;
  if (message.topic == kScheduleTopic) {
    if (delay.substr(0, 1) == "+") delay.remove_prefix(1);  // as Java reads numbers
    std::from_chars(delay.data(), delay.data() + delay.size(), level);
  }
  if (level <= 0) return tags_code(tags);
  const auto index = std::min(static_cast<size_t>(level), delays_ms_.size());
  return message.store_timestamp_ms + (index == 0 ? kUnknownLevelMs : delays_ms_[index - 1]);
}

Result<void> Dispatcher::restore(const DecodedMessage& record) {
  const Message& message = record.message;
  if (!has_queue_entry(message.sys_flag)) return {};
  if (!latest_ || latest_->id() != message.queue_id || latest_->topic() != message.topic) {
    latest_ = queues_.find_or_make(message.topic, message.queue_id);
    COMET_TRY_VOID(queues_.ready(latest_));
  }
  if (latest_->restore(message.queue_offset, {message.phy_offset, record.record_bytes, tags_code_of(message)}) &&
      !latest_->save_pending) {
    latest_->save_pending = true;
    restored_.push_back(latest_);
  }
  return {};
}

void Dispatcher::forget_restored() {
  for (const auto& queue : restored_) queue->save_pending = false;
  restored_.clear();
  latest_.reset();
}

}  // namespace comet::store
