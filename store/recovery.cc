#include "store/recovery.h"

#include <algorithm>
#include <limits>

#include "common/crc32.h"
#include "store/read_ahead.h"
#include "store/record_scan.h"

namespace comet::store {
namespace {

constexpr int64_t kSaveEveryRecords = 100'000;
/// From this many queues on one syncfs is cheaper than a sync of each file.
constexpr size_t kQueuesForFileSystemSync = 64;

}  // namespace

std::optional<Recovered> Recovery::try_clean_end() const {
  const auto mark = checkpoint_.clean_end();
  const Segment last = mark ? commit_log_.segments().last() : nullptr;
  if (!mark || !last || !last->contains(mark->log_end)) return std::nullopt;
  const int64_t left = last->limit() - mark->log_end;
  if (left >= 8 && load_be<int64_t>(last->at(mark->log_end)) != 0) return std::nullopt;  // somebody went on writing
  Recovered out{mark->log_end, mark->last_record, checkpoint_.times().log_ms, true, 0};
  if (mark->last_record.value < 0) return out;
  const Segment holder = commit_log_.segments().find(mark->last_record);
  if (!holder) return std::nullopt;
  const auto record = decode_record(*holder, mark->last_record, options_.check_crc_on_recover);
  if (!record) {
    // Behind a mark of ours nothing was written: the end is known, though its last record has rotted.
    log_.error("the record at {} is damaged ({}) and is passed over", mark->last_record.value, record.error().what);
    out.last_store_ms = checkpoint_.times().log_ms;
    return out;
  }
  const PhyOffset record_end = mark->last_record + record->record_bytes;
  if (record_end != mark->log_end && !(is_blank(*holder, record_end) && holder->limit() == mark->log_end))
    return std::nullopt;
  out.last_store_ms = record->message.store_timestamp_ms;
  return out;
}

bool Recovery::first_record_is_safe(const LogFile& file) const {
  const Segment segment = commit_log_.segments().find(file.base);
  if (!segment) return false;
  const auto record = decode_record(*segment, file.base, options_.check_crc_on_recover);
  return record && record->message.store_timestamp_ms != 0 && record->message.store_timestamp_ms <= safe_ms_;
}

bool Recovery::can_start_at(PhyOffset mark) const {
  const Segment segment = commit_log_.segments().find(mark);
  return segment && decode_record(*segment, mark, true);
}

Recovery::Start Recovery::start_after_crash(const std::vector<LogFilePtr>& files) const {
  const auto mark = checkpoint_.queues_end();
  for (size_t i = files.size(); i-- > 0;) {
    if (mark && files[i]->contains(*mark) && can_start_at(*mark)) return {i, *mark};
    if (first_record_is_safe(*files[i])) return {i, files[i]->base};
  }
  return {0, files.front()->base};
}

/// Whether somebody removed, replaced or damaged queue files after the clean stop of ours that was the last.
bool Recovery::queues_changed() const {
  const auto mark = checkpoint_.clean_end();
  if (!mark || mark->queues_sum < 0 || queues_.as_they_were() || !try_clean_end()) return false;
  const int64_t now = queues_.sum();
  return now >= 0 && now != mark->queues_sum;
}

PhyOffset Recovery::newest_begun(const std::vector<LogFilePtr>& files) const {
  for (size_t i = files.size(); i-- > 0;)
    if (first_record_is_safe(*files[i])) return files[i]->base;
  return PhyOffset(-1);
}

Recovery::Start Recovery::start_after_stop(const std::vector<LogFilePtr>& files, PhyOffset queues_end) const {
  for (size_t i = files.size(); i-- > 0;)
    if (files[i]->base <= queues_end) return {i, files[i]->base};
  return {0, files.front()->base};
}

/// What the checkpoint vouches for may be older than the setting that asks for it, and so may a record be whose
/// predecessor, at `before`, has no CRC of its own either.
bool Recovery::lacks_own_crc(MappedFile& file, PhyOffset at, const DecodedMessage& record, PhyOffset before) const {
  if (!options_.force_prop_crc || !options_.check_crc_on_recover) return false;
  if (record.message.store_timestamp_ms <= safe_ms_ || at < checkpoint_.queues_end().value_or(PhyOffset(0)))
    return false;
  if (has_own_crc(file, at, record)) return false;
  const Segment holder = commit_log_.segments().find(before);
  const auto predecessor = holder ? decode_record(*holder, before, false) : fail(Errc::kNotFound, "");
  return predecessor && has_own_crc(*holder, before, *predecessor);
}

Result<bool> Recovery::scan_file(const Segment& segment, PhyOffset at, const LogFilePtr& next, PhyOffset dispatch_from,
                                 Recovered& found) {
  ReadAhead ahead(segment, at);
  for (;;) {
    found.end = at;
    ahead.reached(at);
    if (is_blank(*segment, at)) return true;
    auto record = decode_record(*segment, at, options_.check_crc_on_recover);
    if (record && record->message.store_timestamp_ms > safe_ms_ && lost_a_sector(*segment, at, *record))
      record = fail(Errc::kCorrupt, "a sector of its properties was never written");
    if (record && lacks_own_crc(*segment, at, *record, found.last_record))
      record = fail(Errc::kCorrupt, "it has no right CRC of its own (__CRC32#), which forceVerifyPropCRC asks for");
    if (record) {
      found.last_record = at;
      found.last_store_ms = std::max(found.last_store_ms, record->message.store_timestamp_ms);
      if (at >= dispatch_from) COMET_TRY_VOID(dispatcher_.restore(*record));
      at += record->record_bytes;
      if (++found.records_scanned % kSaveEveryRecords == 0)
        for (const auto& queue : dispatcher_.restored()) COMET_TRY_VOID(queue->save(at));
      continue;
    }
    // A record that stands behind it and is durable says that this one was, too; else its own head may.
    const bool was_durable = claims_time(*segment, at, found.last_store_ms, safe_ms_);
    const auto behind = find_record(*segment, at + 1, segment->limit(), found.last_store_ms,
                                    was_durable ? std::numeric_limits<int64_t>::max() : safe_ms_);
    // Only its body rotted: its entry keeps the place, and whoever reads it is told.
    const auto shape = was_durable ? decode_record(*segment, at, false) : fail(Errc::kCorrupt, "");
    if (shape && crc32_masked(as_bytes(shape->message.body)) != shape->message.body_crc) {
      log_.error("the record at {} is damaged ({}): it keeps its place and is passed over", at.value,
                 record.error().what);
      found.last_record = at;
      found.last_store_ms = std::max(found.last_store_ms, shape->message.store_timestamp_ms);
      if (at >= dispatch_from) COMET_TRY_VOID(dispatcher_.restore(*shape));
      at += shape->record_bytes;
      continue;
    }
    if (behind) {
      log_.error("{} is damaged at byte {} ({}): {} bytes are passed over", segment->path(), at - segment->base(),
                 record.error().what, *behind - at);
      at = *behind;
      continue;
    }
    if (next && first_record_is_safe(*next)) {
      log_.error("{} is damaged from byte {} on ({}): the rest of it is passed over", segment->path(),
                 at - segment->base(), record.error().what);
      return true;
    }
    const bool empty = load_be<int64_t>(segment->at(at)) == 0;
    if (!empty) log_.warn("the CommitLog ends at {} ({})", at.value, record.error().what);
    return false;
  }
}

Result<Recovered> Recovery::scan(const std::vector<LogFilePtr>& files, Start start, PhyOffset dispatch_from) {
  const int64_t failures = commit_log_.segments().failures();
  Recovered found;
  found.end = start.at;
  for (size_t i = start.file; i < files.size(); ++i) {
    COMET_TRY(const Segment segment, commit_log_.segments().map(files[i]->base));
    const PhyOffset from = i == start.file ? start.at : files[i]->base;
    COMET_TRY(const bool goes_on,
              scan_file(segment, from, i + 1 < files.size() ? files[i + 1] : nullptr, dispatch_from, found));
    if (!goes_on) break;
    found.end = files[i]->limit();
    if (i + 1 == files.size()) break;
    if (files[i + 1]->base != files[i]->limit() && !first_record_is_safe(*files[i + 1])) {
      log_.warn("the CommitLog ends before {}, since what should stand there is missing", files[i + 1]->path);
      break;
    }
  }
  // Where the disk gives nothing zeros stand in, which look like the log's end: what follows it would be cleared.
  if (commit_log_.segments().failures() != failures)
    return fail(Errc::kIo, "a page of the CommitLog can't be read: check its disk, or restore the file from a copy");
  return found;
}

/// Queues that aren't loaded yet are settled when they are.
Result<void> Recovery::settle_queues(PhyOffset end, bool crashed) {
  const PhyOffset log_min = commit_log_.min_offset();
  const auto queues = queues_.loaded();
  for (const auto& queue : queues) {
    queue->cut_behind(end);
    COMET_TRY_VOID(queue->save(end));
    COMET_TRY_VOID(queue->clear_behind_end());
  }
  const bool at_once = queues.size() >= kQueuesForFileSystemSync;
  if (crashed && at_once) COMET_TRY_VOID(files_.sync_file_system(queues_.root()));
  for (const auto& queue : queues) {
    if (crashed) COMET_TRY_VOID(queue->sync(at_once));
    queue->correct_min(log_min);
  }
  for (const auto& queue : dispatcher_.restored()) queue->drop_ring();
  dispatcher_.forget_restored();
  return {};
}

Result<Recovered> Recovery::run(bool crashed) {
  const auto files = commit_log_.segments().all();
  queues_.log_begins_at(commit_log_.min_offset());
  if (files.empty()) {
    Recovered nothing;
    COMET_TRY_VOID(commit_log_.start_at(PhyOffset(0), 0, false));
    return nothing;
  }
  safe_ms_ = crashed ? checkpoint_.times().safe_ms() : std::numeric_limits<int64_t>::max();
  const bool lacking = !crashed && queues_changed();
  if (!crashed && !lacking && !queues_.first_gap()) {
    if (auto known = try_clean_end()) {
      COMET_TRY_VOID(commit_log_.start_at(known->end, known->last_store_ms, false));
      if (!queues_.as_they_were())
        for (const auto& queue : queues_.loaded()) queue->correct_min(commit_log_.min_offset());
      return *known;
    }
  }
  // Whoever stopped cleanly had built all entries: queues that weren't looked at yet lack at most some of the last
  // file.
  const PhyOffset queues_end = queues_.all_loaded() ? queues_.max_phy() : newest_begun(files);
  Start start = crashed ? start_after_crash(files) : start_after_stop(files, queues_end);
  PhyOffset dispatch_from = crashed ? start.at : std::max(queues_end, PhyOffset(0));
  bool rebuild = crashed, scanned = false;
  if (lacking) {
    log_.error("the ConsumeQueues hold fewer or more entries than at the last stop: all are built again from the log");
    start = {0, files.front()->base};
    dispatch_from = start.at;
    rebuild = true;
  }
  Recovered found;
  for (auto gap = queues_.first_gap();; gap = queues_.first_gap()) {
    if (gap && *gap <= dispatch_from && dispatch_from > files.front()->base) {
      start = start_after_stop(files, PhyOffset(gap->value - 1));
      dispatch_from = start.at;
      rebuild = true;
      log_.error("a ConsumeQueue lacks entries: all are built again from {} on", files[start.file]->path);
    } else if (scanned) {
      break;
    }
    if (rebuild) queues_.cut_behind(dispatch_from);
    COMET_TRY(found, scan(files, start, dispatch_from));
    scanned = true;
  }
  COMET_TRY_VOID(settle_queues(found.end, crashed || rebuild));
  COMET_TRY_VOID(commit_log_.make_durable(start.at));
  COMET_TRY_VOID(commit_log_.start_at(found.end, found.last_store_ms, true));
  return found;
}

}  // namespace comet::store
