#include "broker/readers_behind.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace comet::broker {

std::vector<ReaderBehind> ReadersBehind::look(int64_t now_ms) {
  const PhyOffset log_end = store_.figures().max_offset;
  std::map<std::string, int64_t> now;
  std::vector<ReaderBehind> readers;
  for (const ConsumerOffsets::PulledPlace& place : offsets_.pulled_places()) {
    ReaderBehind reader{fmt::format("{}@{}@{}", place.queue.value, place.topic, place.group), place.group};
    const auto before = seen_.find(reader.key);
    now.emplace(reader.key, place.offset.value);
    if (before != seen_.end() && before->second == place.offset.value) continue;
    const store::QueueKeyView queue{place.topic, place.queue};
    if (const auto next = store_.entry(queue, place.offset); next && *next) {
      reader.bytes = log_end - (*next)->at;
      const int64_t stored_ms = store_.store_time_ms(queue, place.offset);
      if (stored_ms >= 0) reader.ms = std::max<int64_t>(0, now_ms - stored_ms);
    }
    readers.push_back(std::move(reader));
  }
  seen_ = std::move(now);
  return readers;
}

}  // namespace comet::broker
