#include "broker/unread_losses.h"

#include <fmt/core.h>

#include <algorithm>

namespace comet::broker {

void UnreadLosses::look() {
  const std::unique_lock looking(mu_, std::try_to_lock);
  if (!looking) return;
  const PhyOffset log_min = store_.figures().min_offset;
  if (log_min == looked_from_) return;
  const bool counts = looked_from_.value >= 0;
  looked_from_ = log_min;
  std::map<std::string, int64_t> now;
  for (const ConsumerOffsets::Entry& group : offsets_.all()) {
    const int64_t lost = lost_by(group, now);
    if (lost == 0 || !counts) continue;
    count_.fetch_add(lost, std::memory_order_relaxed);
    log_.error(
        "consumer group {} will never get {} messages of topic {}: their log files were deleted before it read "
        "them",
        group.group, lost, group.topic);
  }
  counted_ = std::move(now);
}

/// How many messages went since the last look; `now` gets the queues in which the group is behind.
int64_t UnreadLosses::lost_by(const ConsumerOffsets::Entry& group, std::map<std::string, int64_t>& now) {
  int64_t lost = 0;
  for (const auto& [queue, committed] : group.offsets) {
    const int64_t min = store_.min_offset({group.topic, queue}).value;
    if (committed.value >= min) continue;
    const std::string key = fmt::format("{}@{}@{}", queue.value, group.topic, group.group);
    const auto before = counted_.find(key);
    lost += min - std::max(committed.value, before == counted_.end() ? 0 : std::min(before->second, min));
    now.emplace(key, min);
  }
  return lost;
}

}  // namespace comet::broker
