#include <algorithm>
#include <cstring>

#include "store/commit_log.h"

/// The replica's side of the CommitLog: slices of another log's bytes, in its order and at its offsets.
namespace comet::store {
namespace {

/// What is given out at once can't be filled with zeros ahead.
constexpr int64_t kMostRoomBytes = 1024 * 1024;

}  // namespace

Result<void> CommitLog::begin_at(PhyOffset base) {
  if (!segments_.empty() || end().value != 0)
    return fail(Errc::kInvalid, "the log is not empty and can't begin at " + std::to_string(base.value));
  if (base.value % file_bytes() != 0)
    return fail(Errc::kInvalid, "the first bytes stand at " + std::to_string(base.value) +
                                    ", which is no file's start where mappedFileSizeCommitLog is " +
                                    std::to_string(file_bytes()) + ": set it to the master's");
  // A file made ahead for an empty log would start at 0.
  const std::lock_guard lock(prepare_mu_);
  if (prepared_) {
    COMET_TRY_VOID(files_.remove(prepared_->path()));
    prepared_.reset();
  }
  next_base_ = position_ = base.value;
  received_ = base.value;
  durable_ = base.value;
  end_.store(base.value, std::memory_order_seq_cst);
  return {};
}

Result<std::span<std::byte>> CommitLog::receive_room() {
  const PhyOffset at = received_end();
  const std::lock_guard lock(append_lock_);
  if (!current_ || at == current_->limit()) {
    position_ = at.value;  // the file is full: no blank is written into it
    COMET_TRY_VOID(roll());
  }
  room_end_ = std::min(at.value + kMostRoomBytes, current_->limit().value);
  await_fill(room_end_);
  return std::span(current_->at(at), static_cast<size_t>(room_end_ - at.value));
}

void CommitLog::drop_incomplete() {
  const PhyOffset from = end();
  if (received_end() <= from) return;
  if (current_ && current_->contains(from))
    std::memset(current_->at(from), 0, static_cast<size_t>(std::min(received_end(), current_->limit()) - from));
  received_ = from.value;
}

void CommitLog::publish_received(PhyOffset end, int64_t store_ms) {
  position_ = end.value;
  last_store_ms_.store(std::max(store_ms, last_store_ms()), std::memory_order_relaxed);
  publish(end);
}

Result<void> CommitLog::truncate(PhyOffset end, int64_t last_store_ms) {
  const std::scoped_lock locks(flush_mu_, prepare_mu_);
  if (prepared_) {
    COMET_TRY_VOID(files_.remove(prepared_->path()));
    prepared_.reset();
  }
  current_.reset();
  return start_at(end, last_store_ms, true);
}

}  // namespace comet::store
