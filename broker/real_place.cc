#include "broker/real_place.h"

#include <charconv>

#include "common/message_properties.h"
#include "common/system_topics.h"

namespace comet::broker {

std::optional<RealPlace> real_place(std::string_view properties) {
  std::string_view topic, queue;
  each_property(properties, [&](std::string_view name, std::string_view value) {
    if (name == property::kRealTopic) topic = value;
    if (name == property::kRealQueueId) queue = value;
  });
  int32_t id = -1;
  const auto [stop, error] = std::from_chars(queue.data(), queue.data() + queue.size(), id);
  if (topic.empty() || topic == kHalfTopic || error != std::errc() || stop != queue.data() + queue.size() || id < 0)
    return std::nullopt;
  return RealPlace{topic, QueueId(id)};
}

}  // namespace comet::broker
