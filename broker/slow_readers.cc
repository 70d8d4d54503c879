#include "broker/slow_readers.h"

#include <fmt/core.h>

#include <set>

namespace comet::broker {

int64_t SlowReaders::behind_bytes(const ConsumerOffsets::PulledPlace& place, PhyOffset log_end) {
  const auto next = store_.entry({place.topic, place.queue}, place.offset);
  return next ? log_end - next->at : 0;
}

void SlowReaders::look() {
  const BrokerConfig& config = config_.now();
  if (!config.disable_slow_consumers) return seen_.clear();
  const PhyOffset log_end = store_.figures().max_offset;
  std::map<std::string, int64_t> now;
  std::set<std::string> slow;
  for (const ConsumerOffsets::PulledPlace& place : offsets_.pulled_places()) {
    const std::string key = fmt::format("{}@{}@{}", place.queue.value, place.topic, place.group);
    const auto before = seen_.find(key);
    now.emplace(key, place.offset.value);
    if (before != seen_.end() && before->second == place.offset.value) continue;
    const int64_t behind = behind_bytes(place, log_end);
    if (behind <= config.slow_consumer_bytes || !slow.insert(place.group).second) continue;
    log_.warn("consumer group {} reads {} bytes behind in topic {} queue {}: consuming is disabled", place.group,
              behind, place.topic, place.queue.value);
  }
  seen_ = std::move(now);
  for (const std::string& group : slow) groups_.disable(group);
}

}  // namespace comet::broker
