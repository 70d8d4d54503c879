#include "replication/slaves.h"

#include <algorithm>
#include <limits>

namespace comet::replication {

void Slaves::add(const std::shared_ptr<Slave>& slave) {
  const std::lock_guard lock(mu_);
  slaves_.push_back(slave);
}

void Slaves::remove(const std::shared_ptr<Slave>& slave) {
  const std::lock_guard lock(mu_);
  std::erase(slaves_, slave);
}

std::vector<std::shared_ptr<Slave>> Slaves::all() const {
  const std::lock_guard lock(mu_);
  return slaves_;
}

PhyOffset Slaves::held_by(int32_t replicas) const {
  if (replicas <= 1) return PhyOffset(std::numeric_limits<int64_t>::max());
  const std::lock_guard lock(mu_);
  // The wanted one of few: (replicas - 1)-th largest.
  int64_t limit = std::numeric_limits<int64_t>::max();
  for (int32_t rank = 1; rank < replicas;) {
    int64_t best = -1;
    int32_t holders = 0;
    for (const auto& slave : slaves_) {
      const int64_t acked = slave->acked.load(std::memory_order_acquire);
      if (acked >= limit || acked < best) continue;
      holders = acked == best ? holders + 1 : 1;
      best = acked;
    }
    if (best < 0) return PhyOffset(-1);
    limit = best;
    rank += holders;
  }
  return PhyOffset(limit);
}

int32_t Slaves::in_sync(PhyOffset end, int64_t max_gap_bytes) const {
  const std::lock_guard lock(mu_);
  return 1 + static_cast<int32_t>(std::count_if(slaves_.begin(), slaves_.end(), [&](const auto& slave) {
           const int64_t acked = slave->acked.load(std::memory_order_acquire);
           return acked >= 0 && end.value - acked < max_gap_bytes;
         }));
}

}  // namespace comet::replication
