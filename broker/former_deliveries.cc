#include "broker/former_deliveries.h"

#include <string_view>

#include "common/message_properties.h"

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

Result<std::optional<PhyOffset>> FormerDeliveries::take(const Message& message, int64_t slot_ms) {
  const std::pair key(std::string(message.topic), message.queue_id.value);
  auto queue = queues_.find(key);
  if (queue == queues_.end()) {
    COMET_TRY(auto found, find_deliveries({message.topic, message.queue_id}, slot_ms));
    queue = queues_.emplace(key, std::move(found)).first;
  }
  Places& places = queue->second;
  if (places.empty()) return std::nullopt;
  const std::string wanted = identity(message);
  const auto [first, last] = places.equal_range(std::hash<std::string>{}(wanted));
  for (auto place = first; place != last; ++place) {
    const auto bytes = store_.record_at(place->second);
    if (!bytes && bytes.error().code != Errc::kNotFound) return tl::unexpected(bytes.error());
    const auto record = bytes ? decode_message(bytes->bytes, false) : tl::unexpected(bytes.error());
    if (!record || identity(record->message) != wanted) continue;
    const PhyOffset end = place->second + record->record_bytes;
    places.erase(place);
    return end;
  }
  return std::nullopt;
}

/// A slot is delivered when it is over, so what was stored before it needs no look.
Result<FormerDeliveries::Places> FormerDeliveries::find_deliveries(store::QueueKeyView queue, int64_t since_ms) const {
  Places found;
  const QueueOffset min = store_.min_offset(queue);
  for (QueueOffset at = store_.max_offset(queue, false); at > min;) {
    at = at - 1;
    COMET_TRY(const auto entry, store_.entry(queue, at));
    if (!entry) break;
    const auto bytes = store_.record_at(entry->at);
    if (!bytes && bytes.error().code != Errc::kNotFound) return tl::unexpected(bytes.error());
    const auto record = bytes ? decode_message(bytes->bytes, false) : tl::unexpected(bytes.error());
    if (!record || record->message.store_timestamp_ms < since_ms) break;
    if (find_property(record->message.properties, property::kTimerDequeueMs))
      found.emplace(std::hash<std::string>{}(identity(record->message)), entry->at);
  }
  return found;
}

}  // namespace comet::broker
