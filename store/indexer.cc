#include "store/indexer.h"

#include <algorithm>
#include <limits>

#include "store/record_scan.h"

namespace comet::store {
namespace {

constexpr int64_t kStepBytes = 256 * 1024;
constexpr auto kPause = std::chrono::milliseconds(100);
constexpr auto kRetryPause = std::chrono::seconds(5);

}  // namespace

void Indexer::run() {
  while (!stopping_) {
    const int64_t before = position_;
    while (!stopping_ && step()) {
    }
    if (stopping_) break;
    const auto now = std::chrono::steady_clock::now();
    // While there is traffic it looks again soon; then it sleeps until the keeper sees the log move.
    const auto until = failing_ ? now + kRetryPause : position_ != before ? now + kPause : Sleeper::Time::max();
    sleeper_.sleep(commit_log_.end_atomic(), Sleeper::kNever, until);
  }
}

void Indexer::stop() {
  stopping_ = true;
  sleeper_.wake();
}

void Indexer::catch_up(std::chrono::milliseconds most) {
  const auto until = std::chrono::steady_clock::now() + most;
  while (step() && std::chrono::steady_clock::now() < until) {
  }
}

bool Indexer::step() {
  const std::lock_guard lock(mu_);
  const PhyOffset limit = std::min(limit_(), commit_log_.end());
  const PhyOffset at = std::max(position(), commit_log_.min_offset());
  if (at >= limit) return false;
  const auto segment = commit_log_.segments().find(at);
  if (!segment) {
    if (commit_log_.segments().holds(at)) return false;  // it can't be mapped now: the next nudge tries again
    // Deleted just now, or a hole in an old log: on with the next file.
    position_ = std::min(PhyOffset((at.value / commit_log_.file_bytes() + 1) * commit_log_.file_bytes()), limit).value;
    return true;
  }
  return index_file(*segment, at, std::min({limit, segment->limit(), at + kStepBytes}));
}

bool Indexer::index_file(MappedFile& segment, PhyOffset at, PhyOffset limit) {
  while (at < limit) {
    if (is_blank(segment, at)) {
      at = segment.limit();
      break;
    }
    const auto record = decode_record(segment, at, false);
    if (!record) {
      const auto behind = find_record(segment, at + 1, segment.limit(), 0, std::numeric_limits<int64_t>::max());
      at = behind.value_or(segment.limit());
      continue;
    }
    if (auto added = index_.add(record->message); !added) {
      if (!failing_.exchange(true)) log_.error("the key index can't be written and waits: {}", added.error().what);
      position_.store(at.value, std::memory_order_release);
      return false;
    }
    failing_ = false;
    at += record->record_bytes;
  }
  position_.store(at.value, std::memory_order_release);
  return true;
}

}  // namespace comet::store
