#include "broker/former_deliveries.h"

#include <string_view>

#include "common/message_properties.h"
#include "store/stored_message.h"

namespace comet::broker {
namespace {

/// All that a delivery keeps of a message: not when it went into the wheel and out of it, nor its record's checksum.
std::string identity(const Message& message) {
  std::string text = std::to_string(message.born_timestamp_ms) + ' ' + std::to_string(message.body_crc) + ' ' +
                     std::to_string(message.body.size()) + ' ';
  each_property(message.properties, [&](std::string_view name, std::string_view value) {
    if (name == property::kTimerEnqueueMs || name == property::kTimerDequeueMs || name == property::kCrc32) return;
    append_property(text, name, value);
  });
  return text;
}

}  // namespace

Result<std::optional<PhyOffset>> FormerDeliveries::take(const Message& message, int64_t due_ms) {
  if (due_ms >= until_ms_) return std::nullopt;
  const store::QueueKeyView key{message.topic, message.queue_id};
  const auto known =
      queues_.try_emplace({std::string(message.topic), message.queue_id.value}, Queue{store_.max_offset(key, false)});
  Queue& queue = known.first->second;
  COMET_TRY_VOID(look_back(key, due_ms, queue));
  if (queue.deliveries.empty()) return std::nullopt;
  const std::string wanted = identity(message);
  const auto [first, last] = queue.deliveries.equal_range(std::hash<std::string>{}(wanted));
  for (auto place = first; place != last; ++place) {
    const auto record = store::message_at(store_, place->second);
    if (!record && record.error().code != Errc::kNotFound) return tl::unexpected(record.error());
    if (!record || identity(record->message) != wanted) continue;
    const PhyOffset end = place->second + record->record_bytes;
    queue.deliveries.erase(place);
    return end;
  }
  return std::nullopt;
}

Result<void> FormerDeliveries::look_back(store::QueueKeyView key, int64_t since_ms, Queue& queue) const {
  for (const QueueOffset min = store_.min_offset(key); queue.begin > min; queue.begin = queue.begin - 1) {
    COMET_TRY(const auto entry, store_.entry(key, queue.begin - 1));
    if (!entry) break;
    const auto record = store::message_at(store_, entry->at);
    if (!record && record.error().code != Errc::kNotFound) return tl::unexpected(record.error());
    if (!record || record->message.store_timestamp_ms < since_ms) break;
    if (find_property(record->message.properties, property::kTimerDequeueMs))
      queue.deliveries.emplace(std::hash<std::string>{}(identity(record->message)), entry->at);
  }
  return {};
}

}  // namespace comet::broker
