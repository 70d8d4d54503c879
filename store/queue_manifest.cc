#include "store/queue_manifest.h"

#include <algorithm>
#include <vector>

#include "common/crc32.h"

namespace comet::store {
namespace {

constexpr int64_t kMagic = 0x434F4D4554515545;  // "COMETQUE"
constexpr size_t kQueuesAt = 48, kHeaderBytes = 56, kQueueBytes = 44, kChecksumBytes = 4;
constexpr size_t kWriteBytes = 1024 * 1024;
constexpr int64_t kUnknown = -2;  ///< as the first file: look at the files

template <class T>
void put(std::string& to, T number) {
  std::byte raw[sizeof(T)];
  store_be<T>(raw, number);
  to.append(as_text(raw));
}

template <class T>
T number_at(std::string_view text, size_t at) {
  return load_be<T>(as_bytes(text).data() + at);
}

std::string header(const QueueManifest::Stamp& stamp) {
  std::string out;
  for (const int64_t number :
       {kMagic, stamp.log_begin.value, stamp.log_end.value, stamp.lock_ms, stamp.file_entries, stamp.folders})
    put(out, number);
  return out;
}

}  // namespace

QueueManifest::QueueManifest() : content_(kHeaderBytes, '\0') {}

std::optional<QueueManifest> QueueManifest::read(Files& files, const Path& path, const Stamp& stamp) {
  auto content = read_file(files, path);
  if (!content || content->size() < kHeaderBytes + kChecksumBytes) return std::nullopt;
  const size_t end = content->size() - kChecksumBytes;
  if (crc32_masked(as_bytes(std::string_view(*content).substr(0, end))) != number_at<int32_t>(*content, end) ||
      !content->starts_with(header(stamp)))
    return std::nullopt;
  content->resize(end);
  QueueManifest out;
  out.content_ = std::move(*content);
  return out;
}

int64_t QueueManifest::queues() const { return number_at<int64_t>(content_, kQueuesAt); }

void QueueManifest::add(std::string_view topic, std::span<const Queue> queues) {
  std::string count;
  put(count, this->queues() + static_cast<int64_t>(queues.size()));
  content_.replace(kQueuesAt, count.size(), count);
  put(content_, static_cast<int16_t>(topic.size()));
  content_.append(topic);
  put(content_, static_cast<int32_t>(queues.size()));
  for (const Queue& queue : queues) {
    const QueueExtent extent = queue.extent.value_or(QueueExtent{.first_file = kUnknown});
    put(content_, queue.id.value);
    for (const int64_t number : {extent.first_file, extent.last_file, extent.min, extent.end, extent.max_phy})
      put(content_, number);
  }
}

Result<void> QueueManifest::write(Files& files, const Path& path, const Stamp& stamp) {
  const std::string head = header(stamp);
  content_.replace(0, head.size(), head);
  put(content_, crc32_masked(as_bytes(content_)));
  const ByteView bytes = as_bytes(content_);
  const Path temporary = path + ".tmp";
  COMET_TRY(auto file, files.open(temporary, OpenMode::kCreate));
  COMET_TRY_VOID(file->resize(0));
  for (size_t at = 0; at < bytes.size(); at += kWriteBytes)
    COMET_TRY_VOID(
        file->write_at(static_cast<int64_t>(at), bytes.subspan(at, std::min(kWriteBytes, bytes.size() - at))));
  COMET_TRY_VOID(file->sync());
  COMET_TRY_VOID(files.rename(temporary, path));
  return files.sync_folder(parent_folder(path));
}

void QueueManifest::each_topic(const std::function<void(std::string_view, std::span<const Queue>)>& visit) const {
  const std::string_view all = content_;
  std::vector<Queue> queues;
  for (size_t at = kHeaderBytes; at < all.size();) {
    const auto length = static_cast<size_t>(number_at<int16_t>(all, at));
    const std::string_view topic = all.substr(at + 2, length);
    at += 2 + length;
    queues.resize(static_cast<size_t>(number_at<int32_t>(all, at)));
    at += 4;
    for (Queue& queue : queues) {
      queue.id = QueueId(number_at<int32_t>(all, at));
      auto number = [&](size_t which) { return number_at<int64_t>(all, at + 4 + 8 * which); };
      queue.extent = QueueExtent{number(0), number(1), number(2), number(3), number(4)};
      if (queue.extent->first_file == kUnknown) queue.extent.reset();
      at += kQueueBytes;
    }
    visit(topic, queues);
  }
}

}  // namespace comet::store
