#include "tools/mqstore/queue_entries.h"

#include <fmt/core.h>

#include <algorithm>

#include "store/mapped_file.h"

namespace comet::tools {
namespace {

using store::QueueUnit;

bool is_queue_file_name(const std::string& name) {
  return name.size() == 20 && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Result<QueueEntries> QueueEntries::open(Files& files, const Path& folder, int64_t file_bytes) {
  QueueEntries queue(files, folder, file_bytes / QueueUnit::kBytes);
  const auto entries = files.list(folder);
  if (!entries && entries.error().code != Errc::kNotFound) return tl::unexpected<Error>(entries.error());
  if (!entries) return queue;
  for (const FileInfo& entry : *entries) {
    if (entry.is_directory || !is_queue_file_name(entry.name)) continue;
    if (entry.size_bytes != file_bytes)
      return fail(Errc::kInvalid,
                  fmt::format("{}/{} has {} bytes, not {}", folder, entry.name, entry.size_bytes, file_bytes));
    queue.bases_.push_back(std::stoll(entry.name) / QueueUnit::kBytes);
  }
  std::sort(queue.bases_.begin(), queue.bases_.end());
  if (queue.bases_.empty()) return queue;
  queue.begin_ = queue.bases_.front();
  queue.find_end();
  return queue;
}

Path QueueEntries::path_of(int64_t index) const {
  return folder_ + "/" + store::MappedFile::name_of(index / file_entries_ * file_entries_ * QueueUnit::kBytes);
}

std::string QueueEntries::place(int64_t index) const {
  return fmt::format("{} byte {}", path_of(index), index % file_entries_ * QueueUnit::kBytes);
}

/// Brings the block that holds the entry into the buffer.
bool QueueEntries::load(int64_t index) {
  const int64_t base = index / file_entries_ * file_entries_;
  if (!std::binary_search(bases_.begin(), bases_.end(), base)) return false;
  const int64_t first = base + (index - base) / kBuffered * kBuffered;
  if (first == buffer_first_) return true;
  auto file = files_->open(path_of(index), OpenMode::kRead);
  if (!file) return false;
  buffer_.assign(static_cast<size_t>(std::min(kBuffered, base + file_entries_ - first) * QueueUnit::kBytes),
                 std::byte{0});
  const auto got = (*file)->read_at((first - base) * QueueUnit::kBytes, buffer_);
  buffer_first_ = got ? first : -1;
  return got.has_value();
}

std::optional<store::QueueEntry> QueueEntries::entry(int64_t index) {
  if (index < 0 || !load(index)) return std::nullopt;
  const store::QueueEntry entry = QueueUnit::read(buffer_.data() + (index - buffer_first_) * QueueUnit::kBytes);
  if (entry.bytes == 0) return std::nullopt;
  return entry;
}

/// The newest file has at least one entry, unless it was made ahead.
void QueueEntries::find_end() {
  end_ = begin_;
  for (auto base = bases_.rbegin(); base != bases_.rend(); ++base) {
    for (int64_t index = *base + file_entries_ - 1; index >= *base; --index) {
      if (!entry(index)) continue;
      end_ = index + 1;
      return;
    }
  }
}

}  // namespace comet::tools
