#include "broker/slave_lag.h"

#include <algorithm>

namespace comet::broker {

void SlaveLag::told(PhyOffset master_end, int64_t now_ms) {
  const std::lock_guard lock(mu_);
  if (last_ && master_end < last_->end) unreached_.clear();  // another master, or one with an older disk
  const bool grown = unreached_.empty() || master_end > unreached_.back().end;
  if (grown && unreached_.size() < kMostMarks) unreached_.push_back({master_end, now_ms});
  last_ = {master_end, now_ms};
}

std::optional<int64_t> SlaveLag::bytes(PhyOffset end, int64_t now_ms) const {
  const std::lock_guard lock(mu_);
  if (!is_fresh(now_ms)) return std::nullopt;
  return std::max<int64_t>(0, last_->end - end);
}

std::optional<double> SlaveLag::seconds(PhyOffset end, int64_t now_ms) const {
  const std::lock_guard lock(mu_);
  if (!is_fresh(now_ms)) return std::nullopt;
  while (!unreached_.empty() && unreached_.front().end <= end) unreached_.pop_front();
  if (last_->end <= end) return 0;
  return static_cast<double>(now_ms - (unreached_.empty() ? last_->told_ms : unreached_.front().told_ms)) / 1000;
}

}  // namespace comet::broker
