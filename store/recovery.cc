#include "store/recovery.h"

#include <algorithm>
#include <limits>

#include "store/record_scan.h"

namespace comet::store {
namespace {

constexpr int64_t kReadAheadBytes = 4 * 1024 * 1024;
constexpr int64_t kSaveEveryRecords = 100'000;

}  // namespace

std::optional<Recovered> Recovery::try_clean_end() const {
  const auto mark = checkpoint_.clean_end();
  const Segment last = commit_log_.segments().last();
  if (!mark || !last || !last->contains(mark->log_end)) return std::nullopt;
  const int64_t left = last->limit() - mark->log_end;
  if (left >= 8 && load_be<int64_t>(last->at(mark->log_end)) != 0) return std::nullopt;  // somebody went on writing
  Recovered out{mark->log_end, mark->last_record, checkpoint_.times().log_ms, true, 0};
  if (mark->last_record.value < 0) return out;
  const Segment holder = commit_log_.segments().find(mark->last_record);
  if (!holder) return std::nullopt;
  const auto record = decode_record(*holder, mark->last_record, options_.check_crc_on_recover);
  if (!record) return std::nullopt;
  const PhyOffset record_end = mark->last_record + record->record_bytes;
  if (record_end != mark->log_end && !(is_blank(*holder, record_end) && holder->limit() == mark->log_end))
    return std::nullopt;
  out.last_store_ms = record->message.store_timestamp_ms;
  return out;
}

bool Recovery::first_record_is_safe(const Segment& segment) const {
  const auto record = decode_record(*segment, segment->base(), options_.check_crc_on_recover);
  return record && record->message.store_timestamp_ms != 0 && record->message.store_timestamp_ms <= safe_ms_;
}

size_t Recovery::first_file_after_crash(const std::vector<Segment>& segments) const {
  for (size_t i = segments.size(); i-- > 0;)
    if (first_record_is_safe(segments[i])) return i;
  return 0;
}

size_t Recovery::first_file_after_stop(const std::vector<Segment>& segments, PhyOffset queues_end) const {
  for (size_t i = segments.size(); i-- > 0;)
    if (segments[i]->base() <= queues_end) return i;
  return 0;
}

Result<bool> Recovery::scan_file(const Segment& segment, const Segment& next, PhyOffset dispatch_from,
                                 Recovered& found) {
  PhyOffset at = segment->base(), asked = at;
  for (;;) {
    found.end = at;
    if (at >= asked) {
      segment->mapping().will_need(asked - segment->base(), 2 * kReadAheadBytes);
      asked = at + kReadAheadBytes;
    }
    if (is_blank(*segment, at)) return true;
    auto record = decode_record(*segment, at, options_.check_crc_on_recover);
    if (record) {
      found.last_record = at;
      found.last_store_ms = std::max(found.last_store_ms, record->message.store_timestamp_ms);
      if (at >= dispatch_from) dispatcher_.restore(*record);
      at += record->record_bytes;
      if (++found.records_scanned % kSaveEveryRecords == 0)
        for (const auto& queue : queues_.all()) COMET_TRY_VOID(queue->save(at));
      continue;
    }
    const auto behind = find_record(*segment, at + 1, segment->limit(), found.last_store_ms, safe_ms_);
    if (behind) {
      log_.error("{} is damaged at byte {} ({}): {} bytes are passed over", segment->path(), at - segment->base(),
                 record.error().what, *behind - at);
      at = *behind;
      continue;
    }
    if (next && first_record_is_safe(next)) {
      log_.error("{} is damaged from byte {} on ({}): the rest of it is passed over", segment->path(),
                 at - segment->base(), record.error().what);
      return true;
    }
    const bool empty = load_be<int64_t>(segment->at(at)) == 0;
    if (!empty) log_.warn("the CommitLog ends at {} ({})", at.value, record.error().what);
    return false;
  }
}

Result<Recovered> Recovery::scan(const std::vector<Segment>& segments, size_t first, PhyOffset dispatch_from) {
  Recovered found;
  found.end = segments[first]->base();
  for (size_t i = first; i < segments.size(); ++i) {
    COMET_TRY(const bool goes_on,
              scan_file(segments[i], i + 1 < segments.size() ? segments[i + 1] : nullptr, dispatch_from, found));
    if (!goes_on) break;
    if (i + 1 == segments.size()) found.end = segments[i]->limit();
  }
  return found;
}

Result<void> Recovery::settle_queues(PhyOffset end, bool crashed) {
  const PhyOffset log_min = commit_log_.min_offset();
  for (const auto& queue : queues_.all()) {
    queue->cut_behind(end);
    COMET_TRY_VOID(queue->save(end));
    COMET_TRY_VOID(queue->clear_behind_end());
    if (crashed) COMET_TRY_VOID(queue->sync());
    queue->correct_min(log_min);
  }
  return {};
}

Result<Recovered> Recovery::run(bool crashed) {
  const auto segments = commit_log_.segments().all();
  if (segments.empty()) {
    Recovered nothing;
    COMET_TRY_VOID(commit_log_.start_at(PhyOffset(0), 0, false));
    return nothing;
  }
  safe_ms_ = crashed ? checkpoint_.times().safe_ms() : std::numeric_limits<int64_t>::max();
  if (!crashed) {
    if (auto known = try_clean_end()) {
      COMET_TRY_VOID(commit_log_.start_at(known->end, known->last_store_ms, false));
      const PhyOffset log_min = commit_log_.min_offset();
      for (const auto& queue : queues_.all()) queue->correct_min(log_min);
      return *known;
    }
  }
  const PhyOffset queues_end = queues_.max_phy();
  const size_t first = crashed ? first_file_after_crash(segments) : first_file_after_stop(segments, queues_end);
  if (crashed)
    for (const auto& queue : queues_.all()) queue->cut_behind(segments[first]->base());
  COMET_TRY(const Recovered found,
            scan(segments, first, crashed ? segments[first]->base() : std::max(queues_end, PhyOffset(0))));
  COMET_TRY_VOID(settle_queues(found.end, crashed));
  COMET_TRY_VOID(commit_log_.start_at(found.end, found.last_store_ms, true));
  return found;
}

}  // namespace comet::store
