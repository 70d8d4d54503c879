#include "store/timer_checkpoint.h"

namespace comet::store {
namespace {

constexpr int64_t kFileBytes = 4096;
constexpr size_t kOldBytes = 32;

}  // namespace

std::array<std::byte, TimerCheckpoint::kBytes> TimerCheckpoint::bytes() const {
  std::array<std::byte, kBytes> out{};
  const int64_t numbers[] = {read_time_ms,  log_flushed, queue_offset.value, master_queue_offset.value,
                             state_version, version_ms,  version_counter};
  for (size_t n = 0; n < std::size(numbers); ++n) store_be<int64_t>(out.data() + 8 * n, numbers[n]);
  return out;
}

Result<TimerCheckpoint> TimerCheckpoint::parse(ByteView bytes) {
  if (bytes.size() < kOldBytes)
    return fail(Errc::kInvalid, "a timer checkpoint has 32 or 56 bytes, this one " + std::to_string(bytes.size()));
  const auto number = [&](size_t n) {
    return bytes.size() >= 8 * n + 8 ? load_be<int64_t>(bytes.data() + 8 * n) : int64_t{0};
  };
  return TimerCheckpoint{number(0), number(1), QueueOffset(number(2)), QueueOffset(number(3)), number(4),
                         number(5), number(6)};
}

Result<TimerCheckpoint> TimerCheckpoint::load(Files& files, const Path& path) {
  auto file = files.open(path, OpenMode::kRead);
  if (!file && file.error().code == Errc::kNotFound) return TimerCheckpoint{};
  if (!file) return tl::unexpected(std::move(file).error());
  std::array<std::byte, kBytes> raw{};
  COMET_TRY(const size_t got, (*file)->read_at(0, raw));
  (void)got;  // a short file reads as zeros
  return parse(raw);
}

Result<void> TimerCheckpoint::save(Files& files, const Path& path) const {
  COMET_TRY(auto file, files.open(path, OpenMode::kCreate));
  COMET_TRY(const int64_t size, file->size());
  if (size < kFileBytes) COMET_TRY_VOID(file->resize(kFileBytes));
  COMET_TRY_VOID(file->write_at(0, bytes()));
  COMET_TRY_VOID(file->sync());
  return size < kFileBytes ? files.sync_folder(parent_folder(path)) : Result<void>();
}

}  // namespace comet::store
