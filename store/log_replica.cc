#include "store/log_replica.h"

#include <algorithm>
#include <cstring>

#include "store/record_scan.h"

namespace comet::store {
namespace {

/// A reader so far behind the end may meet the disk: the bytes behind what it takes are asked for ahead of it.
constexpr int64_t kColdBytes = 256 * 1024 * 1024, kReadAheadBytes = 8 * 1024 * 1024;

}  // namespace

std::optional<PinnedBytes> LogReplica::published(PhyOffset at, int64_t most) {
  const PhyOffset end = log_end();
  if (at.value < 0 || at >= end) return std::nullopt;
  auto segment = parts_.commit_log.segments().find(at);
  if (!segment || !segment->intact()) return std::nullopt;
  const int64_t bytes = std::min({most, end - at, segment->limit() - at});
  if (end - at > kColdBytes)
    segment->mapping().will_need(at - segment->base() + bytes,
                                 std::min(kReadAheadBytes, segment->limit() - at - bytes));
  const std::byte* from = segment->at(at);
  return PinnedBytes{ByteView(from, static_cast<size_t>(bytes)), std::move(segment)};
}

bool LogReplica::tell_beyond(PhyOffset mark) {
  mark_.store(mark.value, std::memory_order_seq_cst);
  if (log_end() <= mark) return true;
  return mark_.exchange(kNever) == kNever;  // somebody is telling already
}

void LogReplica::tell_grown() {
  if (mark_.exchange(kNever) != kNever && grown_) grown_();
}

Result<void> LogReplica::append(PhyOffset at, ByteView bytes) {
  const std::lock_guard lock(mu_);
  if (stopped_) return fail(Errc::kClosed, "the store is shutting down");
  CommitLog& log = parts_.commit_log;
  if (log.failed()) return fail(Errc::kIo, "writing to the disk failed: nothing is taken until the store is restarted");
  if (at != log.received_end()) {
    if (log.received_end().value != 0 || !log.segments().empty())
      return fail(Errc::kInvalid, "bytes for " + std::to_string(at.value) + " don't follow what was received up to " +
                                      std::to_string(log.received_end().value));
    COMET_TRY_VOID(log.begin_at(at));
  }
  while (!bytes.empty()) {
    COMET_TRY(const auto room, log.receive_room());
    const size_t taken = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), taken);
    if (log.failed())
      return fail(Errc::kIo, "a page of the CommitLog couldn't be brought in: its disk can't be trusted");
    log.received(static_cast<int64_t>(taken));
    bytes = bytes.subspan(taken);
    COMET_TRY_VOID(take_whole_records());
  }
  return {};
}

Result<void> LogReplica::take_whole_records() {
  const PhyOffset before = log_end();
  Result<void> done;
  for (;;) {
    auto taken = take_one();
    if (!taken) {
      done = tl::unexpected(std::move(taken).error());
      break;
    }
    if (!*taken) break;
  }
  if (const int64_t end = log_end().value; end > before.value) {
    parts_.flusher.appended(end);
    parts_.keeper.appended(end);
    appended(end);
  }
  return done;
}

Result<bool> LogReplica::take_one() {
  CommitLog& log = parts_.commit_log;
  const PhyOffset at = log.end();
  const auto segment = log.receiving();
  const int64_t there = log.received_end() - at;
  if (there <= 0 || !segment || !segment->contains(at)) return false;
  if (there < std::min<int64_t>(kBlankBytes, segment->limit() - at)) return false;
  if (is_blank(*segment, at)) {
    if (log.received_end() < segment->limit()) return false;
    log.publish_received(segment->limit(), 0);
    return true;
  }
  const auto bytes = load_be<int32_t>(segment->at(at));
  const auto magic = load_be<int32_t>(segment->at(at) + RecordPositions::kMagic);
  const bool is_record = magic == kMessageMagicV1 || magic == kMessageMagicV2;
  if (is_record && bytes > 0 && bytes <= segment->limit() - at && there < bytes) return false;
  auto record = decode_record(*segment, at, parts_.options.check_crc_on_recover);
  if (!record) {
    log.drop_incomplete();
    return fail(Errc::kCorrupt, "the bytes received for " + std::to_string(at.value) + " are no record (" +
                                    record.error().what +
                                    "); mappedFileSizeCommitLog must be the same on master and slave");
  }
  COMET_TRY_VOID(take_(*record));
  return true;
}

void LogReplica::drop_incomplete() {
  const std::lock_guard lock(mu_);
  if (!stopped_) parts_.commit_log.drop_incomplete();
}

void LogReplica::stop() {
  const std::lock_guard lock(mu_);
  if (stopped_) return;
  stopped_ = true;
  parts_.commit_log.drop_incomplete();  // a clean end has zeros behind it
}

void LogReplica::place_out_of_order(ConsumeQueue& queue, QueueOffset at, const QueueEntry& entry) {
  const bool replaces = at < queue.end_offset();
  queue.restore(at, entry);
  if (!replaces) return;
  if (auto cleared = queue.clear_behind_end(); !cleared)
    parts_.log.error("stale entries of queue {} of {} can't be cleared: {}", queue.id().value, queue.topic(),
                     cleared.error().what);
}

Result<PinnedBytes> LogReplica::record_at(PhyOffset at) { return pinned_record(parts_.commit_log, at, log_end()); }

std::vector<PhyOffset> LogReplica::file_starts() const {
  std::vector<PhyOffset> starts;
  for (const auto& file : parts_.commit_log.segments().all())
    if (file->base < log_end()) starts.push_back(file->base);
  return starts;
}

std::vector<PhyOffset> LogReplica::record_starts(PhyOffset file) {
  std::vector<PhyOffset> starts;
  const auto segment = parts_.commit_log.segments().find(file);
  if (!segment) return starts;
  const PhyOffset limit = std::min(segment->limit(), log_end());
  for (PhyOffset at = file; at < limit && !is_blank(*segment, at);) {
    const auto record = decode_record(*segment, at, false);
    if (!record) break;
    starts.push_back(at);
    at += record->record_bytes;
  }
  return starts;
}

Result<void> LogReplica::set_master_flushed(PhyOffset offset) {
  parts_.checkpoint.set_master_flushed(offset.value);
  return parts_.checkpoint.flush();
}

std::optional<PhyOffset> LogReplica::last_record() {
  {
    const std::lock_guard lock(parts_.commit_log.append_lock());
    if (parts_.last_record.value >= 0 && parts_.last_record < log_end()) return parts_.last_record;
  }
  return last_record_before(log_end());
}

std::optional<PhyOffset> LogReplica::last_record_before(PhyOffset end) {
  const auto files = file_starts();
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    if (*file >= end) continue;
    const auto records = record_starts(*file);
    if (!records.empty()) return records.back();
  }
  return std::nullopt;
}

Result<std::string> LogReplica::keep_bytes(PhyOffset from, PhyOffset to) {
  const Path folder = parts_.options.root + "/diverged";
  COMET_TRY_VOID(parts_.files.make_folders(folder));
  const Path path = folder + "/" + MappedFile::name_of(from.value) + "-" + std::to_string(parts_.clock.now_ms());
  COMET_TRY(auto file, parts_.files.open(path, OpenMode::kCreate));
  for (PhyOffset at = from; at < to;) {
    const auto bytes = published(at, to - at);
    if (!bytes) break;
    COMET_TRY_VOID(file->write_at(at - from, bytes->bytes));
    at += static_cast<int64_t>(bytes->bytes.size());
  }
  COMET_TRY_VOID(file->sync());
  COMET_TRY_VOID(parts_.files.sync_folder(folder));
  return path;
}

Result<std::string> LogReplica::truncate_behind(PhyOffset last) {
  const std::lock_guard lock(mu_);
  if (stopped_) return fail(Errc::kClosed, "the store is shutting down");
  const auto record = record_at(last);
  if (!record) return fail_in("nothing can be cut behind the record at " + std::to_string(last.value), record.error());
  const PhyOffset to = last + static_cast<int64_t>(record->bytes.size());
  const auto decoded = decode_message(record->bytes, false);
  const int64_t store_ms = decoded ? decoded->message.store_timestamp_ms : 0;
  COMET_TRY(auto path, keep_bytes(to, log_end()));

  const auto keeper = parts_.keeper.pause();
  const auto indexer = parts_.indexer.pause();
  const auto flusher = parts_.flusher.pause();
  COMET_TRY_VOID(parts_.checkpoint.forget_queues_end());
  for (const auto& queue : parts_.queues.all()) {
    COMET_TRY_VOID(parts_.queues.ready(queue));  // also what is loaded later must not come back with more
    queue->cut_behind(to);
    COMET_TRY_VOID(queue->clear_behind_end());
    queue->told_end = std::min(queue->told_end, queue->end_offset().value);
  }
  COMET_TRY_VOID(parts_.commit_log.truncate(to, store_ms));
  parts_.indexer.rewind(to);
  parts_.keeper.rewind(to);
  const std::lock_guard append(parts_.commit_log.append_lock());
  parts_.last_record = last;
  return path;
}

}  // namespace comet::store
