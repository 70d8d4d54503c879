#include "store/indexer.h"

#include <algorithm>
#include <limits>

#include "common/bytes.h"
#include "store/index_keys.h"
#include "store/prefetch.h"
#include "store/record_scan.h"

namespace comet::store {
namespace {

constexpr int64_t kStepBytes = 256 * 1024;
constexpr int kRecordsAtOnce = 32, kRecordsAhead = 4;
constexpr auto kPause = std::chrono::milliseconds(100);
constexpr auto kRetryPause = std::chrono::seconds(5);

}  // namespace

/// Fetches the next records of a file while those before them are looked at.
class Indexer::FetchAhead {
 public:
  FetchAhead(MappedFile& segment, PhyOffset at, PhyOffset limit) : segment_(segment), at_(at), limit_(limit) {
    for (int i = 0; i < kRecordsAhead; ++i) one_more();
  }

  void one_more() {
    if (limit_ - at_ < kRecordHeadBytes) return;
    const std::byte* const data = segment_.at(at_);
    const int64_t bytes = load_be<int32_t>(data);
    if (bytes < kRecordHeadBytes || bytes > limit_ - at_) return;
    prefetch_tail({data, static_cast<size_t>(bytes)});
    at_ += bytes;
    if (at_ < limit_) prefetch(segment_.at(at_), std::min(limit_ - at_, kRecordHeadBytes));
  }

 private:
  MappedFile& segment_;
  PhyOffset at_;
  const PhyOffset limit_;
};

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
  FetchAhead ahead(segment, at, limit);
  while (at < limit) {
    const PhyOffset next = gather(segment, at, limit, ahead);
    if (auto added = index_.add(keys_); !added) {
      if (!failing_.exchange(true)) log_.error("the key index can't be written and waits: {}", added.error().what);
      position_.store(at.value, std::memory_order_release);
      return false;
    }
    failing_ = false;
    at = next;
  }
  position_.store(at.value, std::memory_order_release);
  return true;
}

PhyOffset Indexer::gather(MappedFile& segment, PhyOffset at, PhyOffset limit, FetchAhead& ahead) {
  keys_.clear();
  for (int i = 0; i < kRecordsAtOnce && at < limit; ++i) {
    if (is_blank(segment, at)) return segment.limit();
    ahead.one_more();
    const auto record = decode_record(segment, at, false);
    if (!record) {
      const auto behind = find_record(segment, at + 1, segment.limit(), 0, std::numeric_limits<int64_t>::max());
      return behind.value_or(segment.limit());
    }
    const Message& message = record->message;
    each_index_key(message, [&](std::string_view key) {
      keys_.push_back({IndexFile::hash_of(message.topic, key), at, message.store_timestamp_ms});
    });
    at += record->record_bytes;
  }
  return at;
}

}  // namespace comet::store
