#include "store/checkpoint.h"

#include <algorithm>

#include "common/crc32.h"

namespace comet::store {
namespace {

constexpr int64_t kCleanEndAt = 2048;
constexpr int64_t kCleanEndMagic = 0x434F4D4554454E44;  // "COMETEND"
constexpr int64_t kQueuesEndAt = 2560;
constexpr int64_t kQueuesEndMagic = 0x434F4D4551454E44;  // "COMEQEND"
constexpr size_t kQueuesEndBytes = 36;
constexpr int64_t kSlackMs = 3'000;
constexpr size_t kTimesBytes = 40, kCleanEndBytes = 52;

}  // namespace

int64_t CheckpointTimes::safe_ms() const { return std::max<int64_t>(0, std::min(log_ms, queues_ms) - kSlackMs); }

Result<std::unique_ptr<Checkpoint>> Checkpoint::open(Files& files, const Path& path) {
  COMET_TRY(auto file, files.open(path, OpenMode::kCreate));
  COMET_TRY(const int64_t size, file->size());
  std::byte raw[kBytes] = {};
  if (size < kBytes) {
    COMET_TRY_VOID(file->resize(kBytes));
    COMET_TRY_VOID(files.sync_folder(parent_folder(path)));
  }
  COMET_TRY(const size_t got, file->read_at(0, raw));
  (void)got;
  auto out = std::unique_ptr<Checkpoint>(new Checkpoint(std::move(file)));
  auto number = [&](int64_t at) { return load_be<int64_t>(raw + at); };
  out->times_ = out->written_ = {number(0), number(8), number(16), number(24), number(32)};
  const ByteView mark(raw + kCleanEndAt, kCleanEndBytes);
  if (number(kCleanEndAt) == kCleanEndMagic &&
      crc32_masked(mark.first(kCleanEndBytes - 4)) == load_be<int32_t>(mark.data() + kCleanEndBytes - 4))
    out->clean_end_ =
        CleanEnd{PhyOffset(number(kCleanEndAt + 8)), PhyOffset(number(kCleanEndAt + 16)),
                 PhyOffset(number(kCleanEndAt + 24)), number(kCleanEndAt + 32) != 0, number(kCleanEndAt + 40)};
  const ByteView queues(raw + kQueuesEndAt, kQueuesEndBytes);
  if (number(kQueuesEndAt) == kQueuesEndMagic && number(kQueuesEndAt + 16) == out->times_.log_ms &&
      number(kQueuesEndAt + 24) == out->times_.queues_ms &&
      crc32_masked(queues.first(kQueuesEndBytes - 4)) == load_be<int32_t>(queues.data() + kQueuesEndBytes - 4))
    out->read_queues_end_ = PhyOffset(number(kQueuesEndAt + 8));
  return out;
}

std::optional<PhyOffset> Checkpoint::queues_end() const { return read_queues_end_; }

void Checkpoint::set_queues_end(PhyOffset end, int64_t newest_ms) {
  const std::lock_guard lock(mu_);
  if (next_queues_end_.at.value < 0) next_queues_end_ = {end, newest_ms};
  if (next_queues_end_.newest_ms > times_.safe_ms()) return;
  queues_end_ = next_queues_end_;
  next_queues_end_ = {end, newest_ms};
}

Result<void> Checkpoint::forget_queues_end() {
  const std::lock_guard lock(mu_);
  queues_end_ = next_queues_end_ = QueuesEnd();
  const std::byte nothing[kQueuesEndBytes] = {};
  COMET_TRY_VOID(file_->write_at(kQueuesEndAt, nothing));
  return file_->sync();
}

/// With the times that it belongs to. Under mu_.
Result<void> Checkpoint::write_queues_end() {
  if (queues_end_.at.value < 0) return {};
  std::byte mark[kQueuesEndBytes];
  const int64_t numbers[] = {kQueuesEndMagic, queues_end_.at.value, times_.log_ms, times_.queues_ms};
  for (size_t i = 0; i < std::size(numbers); ++i) store_be<int64_t>(mark + 8 * i, numbers[i]);
  store_be<int32_t>(mark + kQueuesEndBytes - 4, crc32_masked(ByteView(mark).first(kQueuesEndBytes - 4)));
  return file_->write_at(kQueuesEndAt, mark);
}

CheckpointTimes Checkpoint::times() const {
  const std::lock_guard lock(mu_);
  return times_;
}

void Checkpoint::set(const CheckpointTimes& times) {
  const std::lock_guard lock(mu_);
  const int64_t master_flushed = times_.master_flushed;
  times_ = times;
  times_.master_flushed = master_flushed;
}

void Checkpoint::set_master_flushed(int64_t offset) {
  const std::lock_guard lock(mu_);
  times_.master_flushed = offset;
}

void Checkpoint::set_clean_end(std::optional<CleanEnd> end) {
  const std::lock_guard lock(mu_);
  clean_end_ = end;
  clean_end_changed_ = true;
}

Result<void> Checkpoint::flush() {
  const std::lock_guard lock(mu_);
  if (times_ == written_ && !clean_end_changed_) return {};
  std::byte raw[kTimesBytes];
  const int64_t numbers[] = {times_.log_ms, times_.queues_ms, times_.index_ms, times_.master_flushed,
                             times_.confirm_offset};
  for (size_t i = 0; i < std::size(numbers); ++i) store_be<int64_t>(raw + 8 * i, numbers[i]);
  COMET_TRY_VOID(file_->write_at(0, raw));
  COMET_TRY_VOID(write_queues_end());
  if (clean_end_changed_) {
    std::byte mark[kCleanEndBytes] = {};
    if (clean_end_) {
      store_be<int64_t>(mark, kCleanEndMagic);
      store_be<int64_t>(mark + 8, clean_end_->log_end.value);
      store_be<int64_t>(mark + 16, clean_end_->last_record.value);
      store_be<int64_t>(mark + 24, clean_end_->indexed_end.value);
      store_be<int64_t>(mark + 32, clean_end_->has_index ? 1 : 0);
      store_be<int64_t>(mark + 40, clean_end_->queues_sum);
      store_be<int32_t>(mark + 48, crc32_masked(ByteView(mark).first(48)));
    }
    COMET_TRY_VOID(file_->write_at(kCleanEndAt, mark));
  }
  COMET_TRY_VOID(file_->sync());
  written_ = times_;
  clean_end_changed_ = false;
  return {};
}

}  // namespace comet::store
