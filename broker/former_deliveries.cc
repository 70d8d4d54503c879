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

std::optional<PhyOffset> FormerDeliveries::take(const Message& message, int64_t slot_ms) {
  const auto [queue, is_new] = queues_.try_emplace({std::string(message.topic), message.queue_id.value});
  Places& places = queue->second;
  if (is_new) find_deliveries({message.topic, message.queue_id}, slot_ms, places);
  if (places.empty()) return std::nullopt;
  const std::string wanted = identity(message);
  const auto [first, last] = places.equal_range(std::hash<std::string>{}(wanted));
  for (auto place = first; place != last; ++place) {
    const auto bytes = store_.record_at(place->second);
    const auto record = bytes ? decode_message(bytes->bytes, false) : fail(Errc::kNotFound, "");
    if (!record || identity(record->message) != wanted) continue;
    const PhyOffset end = place->second + record->record_bytes;
    places.erase(place);
    return end;
  }
  return std::nullopt;
}

/// A slot is delivered when it is over, so what was stored before it needs no look.
void FormerDeliveries::find_deliveries(store::QueueKeyView queue, int64_t since_ms, Places& found) const {
  const QueueOffset min = store_.min_offset(queue);
  for (QueueOffset at = store_.max_offset(queue, false); at > min;) {
    at = at - 1;
    const auto entry = store_.entry(queue, at);
    const auto bytes = entry ? store_.record_at(entry->at) : std::nullopt;
    const auto record = bytes ? decode_message(bytes->bytes, false) : fail(Errc::kNotFound, "");
    if (!record || record->message.store_timestamp_ms < since_ms) return;
    if (find_property(record->message.properties, property::kTimerDequeueMs))
      found.emplace(std::hash<std::string>{}(identity(record->message)), entry->at);
  }
}

}  // namespace comet::broker
