#include "store/keeper.h"

#include <algorithm>

namespace comet::store {
namespace {

constexpr int64_t kMiB = 1024 * 1024;
/// Filled, populated and written back as a whole.
constexpr int64_t kRun = 256 * 1024;
constexpr int64_t kLeastAhead = 8 * kMiB, kMostAhead = 64 * kMiB;
constexpr int64_t kWriteBackStep = 4 * kMiB;
constexpr auto kBusyWake = std::chrono::milliseconds(50);
constexpr auto kQuietWake = std::chrono::seconds(1);
constexpr auto kSyncEvery = std::chrono::seconds(10), kRestEvery = std::chrono::seconds(5);
constexpr auto kLeastSyncPause = std::chrono::seconds(1);
constexpr auto kRetryEvery = std::chrono::seconds(1);
/// From this many queues on one syncfs is cheaper than a sync of each file.
constexpr size_t kQueuesForFileSystemSync = 64;

}  // namespace

Keeper::Keeper(Files& files, CommitLog& commit_log, ConsumeQueueTable& queues, Checkpoint& checkpoint, Log& log,
               const StoreOptions& options)
    : files_(files),
      commit_log_(commit_log),
      queues_(queues),
      checkpoint_(checkpoint),
      log_(log),
      options_(options),
      seen_end_(-1),
      ahead_bytes_(kLeastAhead) {
  queues_durable_to_ = written_back_to_ = populated_to_ = commit_log.end();
}

void Keeper::run() {
  while (!stopping_) {
    const auto [next, mark] = pass(std::chrono::steady_clock::now());
    if (stopping_) break;
    sleeper_.sleep(commit_log_.end_atomic(), mark, next);
  }
}

void Keeper::stop() {
  stopping_ = true;
  sleeper_.wake();
}

int64_t Keeper::wake_mark() const {
  // At rest any append wakes; on the way the next one that needs pages or write-back soon.
  if (seen_end_ == commit_log_.durable_end() && !unsaved_) return seen_end_.value;
  return std::min(populated_to_.value - ahead_bytes_ / 2, written_back_to_.value + 2 * kWriteBackStep);
}

Keeper::Wake Keeper::pass(Time now) {
  const std::lock_guard lock(mu_);
  const bool moved = commit_log_.end() != seen_end_;
  seen_end_ = commit_log_.end();
  prepare_files();
  populate();
  start_write_back();
  if (moved && moved_) moved_();
  Time next = save_if_due(now);
  for (Duty& duty : duties_) {
    if (now >= duty.next) duty.next = duty.run(now);
    next = std::min(next, duty.next);
  }
  return {next, wake_mark()};
}

Keeper::Time Keeper::make_queues_durable_soon(Time now) {
  if (commit_log_.failed()) return Time::max();
  unsynced_ = true;
  return sync_at_ = std::min(sync_at_, std::max(now, synced_at_ + kLeastSyncPause));
}

void Keeper::prepare_files() {
  if (!commit_log_.wants_next_file() || commit_log_.failed()) return;
  if (auto made = commit_log_.prepare_next_file(); !made && !commit_log_.failed())
    log_.warn("the next CommitLog file can't be made yet: {}", made.error().what);
}

void Keeper::populate() {
  if (commit_log_.failed()) return;  // nothing will be stored, and the last file may be mapped anew, for reading
  const auto now = std::chrono::steady_clock::now();
  if (const auto prepared = commit_log_.prepared_file(); prepared && prepared != greeted_.lock()) {
    greeted_ = prepared;
    bring_in(*prepared, 0, std::min(kLeastAhead, prepared->size_bytes()));
  }
  const auto segment = commit_log_.segments().last();
  if (!segment || !segment->contains(seen_end_)) return;
  if (populated_to_ < seen_end_ || populated_to_ < segment->base())
    populated_to_ = std::max(seen_end_, segment->base());
  if (populated_to_ - seen_end_ >= ahead_bytes_ / 2 + kRun) return;
  if (now - populated_at_ < kBusyWake) ahead_bytes_ = std::min(ahead_bytes_ * 4, kMostAhead);
  if (now - populated_at_ > kQuietWake) ahead_bytes_ = kLeastAhead;
  populated_at_ = now;
  const PhyOffset target = std::min(seen_end_ + ahead_bytes_, segment->limit());
  if (populated_to_ < target) {
    const int64_t from = (populated_to_ - segment->base()) / kRun * kRun;
    const int64_t bytes =
        std::min((target - segment->base() - from + kRun - 1) / kRun * kRun, segment->size_bytes() - from);
    bring_in(*segment, from, bytes);
    populated_to_ = segment->base() + from + bytes;
  }
  if (populated_to_ == segment->limit()) populated_to_ = seen_end_ + kMostAhead;  // the next file has its turn
}

/// With large folios each flush writes again what lies around its stores: nothing for a stream that fills a folio
/// between two flushes, twenty times the bytes under SYNC_FLUSH.
bool Keeper::streams() const { return options_.flush == FlushMode::kAsync && ahead_bytes_ > kLeastAhead; }

/// Where nothing comes of it a store faults later; that the disk fails, fill() tells the log.
void Keeper::bring_in(MappedFile& segment, int64_t from, int64_t bytes) {
  for (const int64_t end = from + bytes; from < end; from += kRun) {
    const int64_t run = std::min(kRun, end - from);
    if (streams()) (void)commit_log_.fill(segment, segment.base() + from, run);
    (void)segment.mapping().populate(from, run);
  }
}

void Keeper::start_write_back() {
  while (seen_end_ - written_back_to_ >= kWriteBackStep) {
    const auto segment = commit_log_.segments().find(written_back_to_);
    if (!segment) {
      written_back_to_ = seen_end_;
      return;
    }
    const PhyOffset to = std::min(segment->limit(), PhyOffset(seen_end_.value / kRun * kRun));
    if (to <= written_back_to_) return;
    segment->mapping().start_write_back(written_back_to_ - segment->base(), to - written_back_to_);
    written_back_to_ = to;
  }
}

void Keeper::collect_fresh() {
  const std::lock_guard lock(commit_log_.append_lock());
  active_.insert(active_.end(), fresh_.begin(), fresh_.end());
  fresh_.clear();
}

Keeper::Time Keeper::save_if_due(Time now) {
  if (commit_log_.failed()) return Time::max();
  collect_fresh();
  if (!active_.empty()) {
    const auto save_every = std::chrono::milliseconds(options_.flush_consume_queue_interval_ms);
    if (!unsaved_ &&
        std::any_of(active_.begin(), active_.end(), [](const auto& queue) { return queue->has_unsaved(); }))
      unsaved_ = true;
    if (unsaved_ && save_at_ == Time::max()) save_at_ = now + save_every;
    if (rest_at_ == Time::max()) rest_at_ = now + kRestEvery;
  }
  if (now >= sync_at_) synced_at_ = now;
  if (unsaved_ && now >= save_at_) {
    const bool durably = now >= sync_at_;
    save_at_ = now + kRetryEvery;
    if (auto saved = save_queues(durably); !saved && !commit_log_.failed())
      log_.error("queue entries can't be saved and stay in memory: {}", saved.error().what);
    if (durably) sync_at_ = Time::max();
    if (!unsaved_) save_at_ = Time::max();
  } else if (unsynced_ && now >= sync_at_) {
    sync_at_ = Time::max();
    if (auto saved = save_queues(true); !saved && !commit_log_.failed())
      log_.error("queue entries can't be made durable: {}", saved.error().what);
  }
  if (unsynced_ && sync_at_ == Time::max()) sync_at_ = now + kSyncEvery;
  if (now >= rest_at_) {
    rest_queues();
    rest_at_ = active_.empty() ? Time::max() : now + kRestEvery;
  }
  return std::min({save_at_, sync_at_, rest_at_});
}

Result<void> Keeper::save_all() {
  const std::lock_guard lock(mu_);
  unsynced_ = true;
  return save_queues(true);
}

Result<void> Keeper::save_queues(bool durably) {
  if (commit_log_.failed()) return fail(Errc::kIo, "the disk of the store failed before");
  auto saved = try_save_queues(durably);
  // Entries that find no room or no descriptor can be written later. What a failed write or sync left nobody knows.
  if (!saved && saved.error().code == Errc::kIo) commit_log_.distrust(saved.error());
  return saved;
}

Result<void> Keeper::try_save_queues(bool durably) {
  // Read before the queues are collected: none that has an entry under the durable end may be missing.
  const int64_t safe_ms = commit_log_.durable_store_ms();
  const PhyOffset durable = commit_log_.durable_end();
  collect_fresh();
  unsaved_ = false;
  queues_failed_ = true;
  for (const auto& queue : active_) {
    if (queue->removed) continue;
    COMET_TRY_VOID(queue->save(durable));
    if (queue->has_unsaved()) unsaved_ = true;
    unsynced_ = true;
  }
  CheckpointTimes times = checkpoint_.times();
  times.log_ms = std::max(times.log_ms, safe_ms);
  if (durably && unsynced_) {
    if (active_.size() >= kQueuesForFileSystemSync) COMET_TRY_VOID(files_.sync_file_system(queues_.root()));
    for (const auto& queue : active_)
      if (!queue->removed) COMET_TRY_VOID(queue->sync(active_.size() >= kQueuesForFileSystemSync));
    times.queues_ms = std::max(times.queues_ms, safe_ms);
    unsynced_ = unsaved_;
  }
  checkpoint_.set(times);
  if (durably) {
    queues_durable_to_ = durable;
    checkpoint_.set_queues_end(durable, safe_ms);
  }
  COMET_TRY_VOID(checkpoint_.flush());
  queues_failed_ = false;
  return {};
}

void Keeper::rest_queues() {
  for (const auto& queue : active_) queue->rest();
  const std::lock_guard lock(commit_log_.append_lock());
  std::erase_if(active_, [](const auto& queue) {
    if (queue->has_ring() && !queue->removed) return false;
    queue->save_pending = false;
    return true;
  });
}

}  // namespace comet::store
