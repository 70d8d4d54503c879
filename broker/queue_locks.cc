#include "broker/queue_locks.h"

#include <algorithm>
#include <iterator>

namespace comet::broker {

std::vector<LockedQueue> QueueLocks::lock(std::string_view group, std::string_view client,
                                          const std::vector<LockedQueue>& queues) {
  const int64_t now = now_ms();
  std::vector<LockedQueue> held;
  const std::lock_guard lock(mu_);
  auto found = groups_.find(group);
  if (found == groups_.end()) {
    if (queues.empty()) return held;
    found = groups_.emplace(std::string(group), Leases()).first;
  }
  Leases& leases = found->second;
  for (const LockedQueue& queue : queues) {
    auto lease = leases.find(queue);
    if (lease == leases.end()) {
      if (leases.size() >= kMaxQueuesPerGroup) continue;
      lease = leases.emplace(queue, Lease{std::string(client), now}).first;
    } else if (lease->second.client != client) {
      if (!expired(lease->second, now)) continue;
      lease->second.client = client;
    }
    lease->second.renewed_ms = now;
    held.push_back(queue);
  }
  return held;
}

void QueueLocks::unlock(std::string_view group, std::string_view client, const std::vector<LockedQueue>& queues) {
  const std::lock_guard lock(mu_);
  const auto found = groups_.find(group);
  if (found == groups_.end()) return;
  for (const LockedQueue& queue : queues) {
    const auto lease = found->second.find(queue);
    if (lease != found->second.end() && lease->second.client == client) found->second.erase(lease);
  }
  if (found->second.empty()) groups_.erase(found);
}

void QueueLocks::expire() {
  const int64_t now = now_ms();
  const std::lock_guard lock(mu_);
  for (auto group = groups_.begin(); group != groups_.end();) {
    std::erase_if(group->second, [now](const auto& lease) { return expired(lease.second, now); });
    group = group->second.empty() ? groups_.erase(group) : std::next(group);
  }
}

size_t QueueLocks::size() const {
  const std::lock_guard lock(mu_);
  size_t leases = 0;
  for (const auto& [group, queues] : groups_) leases += queues.size();
  return leases;
}

bool QueueLocks::any_held(std::string_view group) const {
  const int64_t now = now_ms();
  const std::lock_guard lock(mu_);
  const auto found = groups_.find(group);
  return found != groups_.end() && std::any_of(found->second.begin(), found->second.end(),
                                               [now](const auto& entry) { return !expired(entry.second, now); });
}

}  // namespace comet::broker
