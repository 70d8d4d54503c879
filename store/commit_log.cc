#include "store/commit_log.h"

#include <algorithm>

#include "common/assert.h"
#include "common/message_codec.h"

namespace comet::store {

CommitLog::CommitLog(Files& files, const Clock& clock, Log& log, const StoreOptions& options)
    : files_(files), clock_(clock), log_(log), options_(options), segments_(files, log, options) {}

Result<void> CommitLog::make_durable(PhyOffset from) {
  for (const LogFilePtr& log_file : segments_.all()) {
    if (log_file->limit() <= from) continue;
    COMET_TRY(auto file, files_.open(log_file->path, OpenMode::kRead));
    COMET_TRY_VOID(file->sync());
    COMET_TRY_VOID(files_.sync_folder(parent_folder(log_file->path)));
  }
  return {};
}

Result<void> CommitLog::start_at(PhyOffset end, int64_t last_store_ms, bool zero_tail) {
  COMET_TRY_VOID(segments_.remove_behind(end));
  const auto last = segments_.last_file();
  if (last && last->contains(end)) {
    if (zero_tail && end < last->limit()) {
      COMET_TRY(auto file, files_.open(last->path, OpenMode::kReadWrite));
      COMET_TRY_VOID(file->zero(end - last->base, last->limit() - end));
      COMET_TRY_VOID(file->sync());
    }
    COMET_TRY_VOID(segments_.make_last_writable());
    current_ = segments_.last();
  }
  position_ = end.value;
  next_base_ = current_ ? current_->limit().value : (end.value + file_bytes() - 1) / file_bytes() * file_bytes();
  last_store_ms_ = last_store_ms;
  durable_store_ms_ = last_store_ms;
  received_ = end_ = end.value;
  durable_ = end.value;
  return {};
}

void CommitLog::use(MappedFileQueue::Segment segment) {
  segments_.add(segment);
  current_ = std::move(segment);
  position_ = current_->base().value;
  next_base_.store(current_->limit().value, std::memory_order_relaxed);
}

Result<void> CommitLog::roll() {
  // Waits while the keeper is making this very file.
  const std::lock_guard lock(prepare_mu_);
  MappedFileQueue::Segment next = std::move(prepared_);
  if (!next) {
    COMET_TRY(next, segments_.create(PhyOffset(next_base_.load(std::memory_order_relaxed))));
  }
  if (current_ && PhyOffset(position_) < current_->limit()) {
    std::byte* blank = current_->at(PhyOffset(position_));
    store_be<int32_t>(blank + 4, kBlankMagic);
    std::atomic_signal_fence(std::memory_order_release);
    store_be<int32_t>(blank, static_cast<int32_t>(current_->limit().value - position_));
  }
  use(std::move(next));
  return {};
}

Result<CommitLog::Place> CommitLog::reserve(int64_t bytes) {
  if (!current_ || position_ + bytes + kEndBlankBytes > current_->limit().value) [[unlikely]]
    COMET_TRY_VOID(roll());
  // With room for the blank, which is written without asking.
  if (position_ + bytes + kEndBlankBytes > filling_.load(std::memory_order_acquire)) [[unlikely]]
    await_fill(position_ + bytes + kEndBlankBytes);
  const Place place{PhyOffset(position_), current_->at(PhyOffset(position_))};
  position_ += bytes;
  return place;
}

void CommitLog::await_fill(int64_t stores_end) {
  for (int64_t from; (from = filling_.load(std::memory_order_acquire)) < stores_end;)
    filling_.wait(from, std::memory_order_acquire);
}

bool CommitLog::fill(MappedFile& segment, PhyOffset from, int64_t bytes) {
  {
    const std::lock_guard lock(append_lock_);
    if (from.value < std::max(position_ + kEndBlankBytes, room_end_)) return false;
    filling_.store(from.value, std::memory_order_relaxed);
  }
  const auto done = segment.mapping().fill(from - segment.base(), bytes);
  filling_.store(kNoFill, std::memory_order_release);
  filling_.notify_all();
  if (!done && done.error().code == Errc::kIo) distrust(done.error());
  return done.has_value();
}

int64_t CommitLog::next_store_time() {
  const int64_t now = std::max(clock_.now_ms(), last_store_ms_.load(std::memory_order_relaxed));
  last_store_ms_.store(now, std::memory_order_relaxed);
  return now;
}

Result<PhyOffset> CommitLog::flush() {
  const std::lock_guard lock(flush_mu_);
  if (failed())
    return fail(Errc::kIo,
                "an earlier flush of the CommitLog failed, or a page of it couldn't be brought in: its disk can't be "
                "trusted, restart after checking it");
  // Under the lock, so that the time isn't that of a record which the end doesn't cover yet.
  append_lock_.lock();
  const int64_t store_ms = last_store_ms();
  const PhyOffset target = end();
  append_lock_.unlock();
  PhyOffset at = durable_end();
  while (at < target) {
    const auto segment = segments_.find(at);
    COMET_ASSERT(segment != nullptr);
    const PhyOffset to = std::min(target, segment->limit());
    Result<void> done = segment->make_durable(files_);
    if (done) done = segment->flush(at, to);
    if (!done) {
      distrust(done.error());
      return tl::unexpected(std::move(done).error());
    }
    at = to;
    if (to == segment->limit()) segments_.settle(*segment->file());
  }
  // A page of what was just flushed may have been lost while it was written (GuardedRange).
  if (failed()) return fail(Errc::kIo, "a page of the CommitLog couldn't be brought in: its disk can't be trusted");
  durable_store_ms_.store(store_ms, std::memory_order_relaxed);
  durable_.store(target.value, std::memory_order_seq_cst);
  return target;
}

void CommitLog::distrust(const Error& why) {
  segments_.count_failure();
  if (distrusted_.exchange(true)) return;
  log_.error("no message is accepted from now on, since the disk of the store failed: {}; check it, then restart",
             why.what);
  if (tell_distrust_) tell_distrust_();
}

std::optional<PinnedBytes> CommitLog::slice(PhyOffset at, int64_t bytes) const {
  if (at.value < 0 || bytes < 0 || bytes > file_bytes() || at + bytes > end()) return std::nullopt;
  auto segment = segments_.find(at);
  if (!segment || at + bytes > segment->limit()) return std::nullopt;
  const std::byte* from = segment->at(at);
  return PinnedBytes{ByteView(from, static_cast<size_t>(bytes)), std::move(segment)};
}

bool CommitLog::wants_next_file() {
  const std::lock_guard lock(prepare_mu_);
  return !closed_ && !prepared_ && next_base_.load(std::memory_order_relaxed) - end().value <= file_bytes() / 2;
}

Result<void> CommitLog::prepare_next_file() {
  const std::lock_guard lock(prepare_mu_);
  if (prepared_ || closed_) return {};
  COMET_TRY(auto segment, segments_.create(PhyOffset(next_base_.load(std::memory_order_relaxed))));
  if (auto done = segment->make_durable(files_); !done) {
    distrust(done.error());
    (void)files_.remove(segment->path());
    return done;
  }
  prepared_ = std::move(segment);
  return {};
}

MappedFileQueue::Segment CommitLog::prepared_file() {
  const std::lock_guard lock(prepare_mu_);
  return prepared_;
}

Result<void> CommitLog::drop_prepared_file() {
  MappedFileQueue::Segment unused;
  {
    const std::lock_guard lock(prepare_mu_);
    closed_ = true;
    unused = std::move(prepared_);
  }
  if (!unused) return {};
  COMET_TRY_VOID(files_.remove(unused->path()));
  return files_.sync_folder(parent_folder(unused->path()));
}

}  // namespace comet::store
