#include "store/index_file.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "common/bytes.h"
#include "common/java_hash.h"

namespace comet::store {
namespace {

constexpr int64_t kBeginMs = 0, kEndMs = 8, kBeginPhy = 16, kEndPhy = 24, kUsedSlots = 32, kCount = 36;
constexpr int64_t kEntryHash = 0, kEntryPhy = 4, kEntrySeconds = 12, kEntryBefore = 16;

}  // namespace

int32_t IndexFile::hash_of(std::string_view topic, std::string_view key) {
  char space[256];
  std::string long_text;
  std::string_view text(space, topic.size() + 1 + key.size());
  char* at = space;
  if (text.size() > sizeof space) {
    long_text.resize(text.size());
    at = long_text.data();
    text = long_text;
  }
  at = std::copy(topic.begin(), topic.end(), at);
  *at++ = '#';
  std::copy(key.begin(), key.end(), at);
  const int32_t hash = java_hash(text);
  return hash == std::numeric_limits<int32_t>::min() ? 0 : std::abs(hash);
}

Result<std::shared_ptr<IndexFile>> IndexFile::open(Files& files, const Path& path, int32_t slots, int32_t entries,
                                                   DiskFailures failures) {
  COMET_TRY(auto file, files.open(path, OpenMode::kReadWrite));
  COMET_TRY(const int64_t size, file->size());
  if (size != size_of(slots, entries))
    return fail(
        Errc::kInvalid,
        path + " has " + std::to_string(size) + " bytes, but maxHashSlotNum " + std::to_string(slots) +
            " and maxIndexNum " + std::to_string(entries) + " make " + std::to_string(size_of(slots, entries)) +
            ": set the properties to what the store was written with, or remove the folder index to have it rebuilt");
  COMET_TRY_VOID(file->allocate(size));
  COMET_TRY(auto mapping, file->map(size, MapFor::kUpdate));
  return std::shared_ptr<IndexFile>(new IndexFile(path, slots, entries, std::move(mapping), std::move(failures)));
}

Result<std::shared_ptr<IndexFile>> IndexFile::create(Files& files, const Path& path, int32_t slots, int32_t entries,
                                                     const IndexFile* before, DiskFailures failures) {
  const int64_t size = size_of(slots, entries);
  COMET_TRY(auto file, files.open(path, OpenMode::kCreate));
  auto mapping = [&]() -> Result<std::unique_ptr<Mapping>> {
    COMET_TRY_VOID(file->resize(0));
    COMET_TRY_VOID(file->allocate(size));
    COMET_TRY_VOID(file->sync());
    COMET_TRY_VOID(files.sync_folder(parent_folder(path)));
    return file->map(size, MapFor::kUpdate);
  }();
  if (!mapping) {
    (void)files.remove(path);
    return tl::unexpected(std::move(mapping).error());
  }
  auto out = std::shared_ptr<IndexFile>(new IndexFile(path, slots, entries, std::move(*mapping), std::move(failures)));
  if (before != nullptr) {
    store_be<int64_t>(out->data_ + kBeginMs, before->end_ms());
    store_be<int64_t>(out->data_ + kEndMs, before->end_ms());
    store_be<int64_t>(out->data_ + kBeginPhy, before->end_phy().value);
    store_be<int64_t>(out->data_ + kEndPhy, before->end_phy().value);
  }
  store_be<int32_t>(out->data_ + kCount, 1);
  return out;
}

int64_t IndexFile::number(int64_t at) const { return load_be<int64_t>(data_ + at); }

int32_t IndexFile::count() const { return std::max(load_be<int32_t>(data_ + kCount), 1); }

int32_t IndexFile::link(const std::byte* at) const {
  const int32_t index = load_be<int32_t>(at);
  return index <= 0 || index >= std::min(count(), entries_) ? 0 : index;
}

bool IndexFile::is_plausible() const {
  const int32_t next = load_be<int32_t>(data_ + kCount), used = load_be<int32_t>(data_ + kUsedSlots);
  if (next <= 1) return next == 1 && used == 0;
  if (next > entries_ || used < 1 || used >= next || used > slots_) return false;
  return begin_ms() <= end_ms() && load_be<int64_t>(entry(1) + kEntryPhy) == begin_phy().value &&
         load_be<int64_t>(entry(next - 1) + kEntryPhy) == end_phy().value;
}

void IndexFile::condemn() const { store_be<int32_t>(data_ + kUsedSlots, -1); }

bool IndexFile::overlaps(int64_t begin, int64_t end) const {
  return begin <= end_ms() && end >= begin_ms() && count() > 1;
}

bool IndexFile::put(int32_t hash, PhyOffset phy, int64_t store_ms) {
  if (full()) return false;
  const int32_t index = count();
  const int32_t before = link(slot(hash));
  const int64_t since = begin_ms() > 0 ? std::max<int64_t>((store_ms - begin_ms()) / 1000, 0) : 0;
  std::byte* at = entry(index);
  store_be<int32_t>(at + kEntryHash, hash);
  store_be<int64_t>(at + kEntryPhy, phy.value);
  store_be<int32_t>(at + kEntrySeconds,
                    static_cast<int32_t>(std::min<int64_t>(since, std::numeric_limits<int32_t>::max())));
  store_be<int32_t>(at + kEntryBefore, before);
  store_be<int32_t>(slot(hash), index);
  if (index == 1) {
    store_be<int64_t>(data_ + kBeginPhy, phy.value);
    store_be<int64_t>(data_ + kBeginMs, store_ms);
  }
  if (before == 0) store_be<int32_t>(data_ + kUsedSlots, load_be<int32_t>(data_ + kUsedSlots) + 1);
  store_be<int32_t>(data_ + kCount, index + 1);
  store_be<int64_t>(data_ + kEndPhy, phy.value);
  store_be<int64_t>(data_ + kEndMs, store_ms);
  return true;
}

bool IndexFile::find(int32_t hash, int64_t begin, int64_t end, const std::function<bool(PhyOffset)>& visit) const {
  int32_t index = link(slot(hash));
  while (index > 0) {
    const std::byte* at = entry(index);
    if (slot(load_be<int32_t>(at + kEntryHash) & std::numeric_limits<int32_t>::max()) != slot(hash)) return false;
    const int32_t seconds = load_be<int32_t>(at + kEntrySeconds);
    if (seconds < 0) return false;
    // Seconds are rounded down: an entry counts if any of its second lies in the range.
    const int64_t time = begin_ms() + int64_t{seconds} * 1000;
    if (time + 999 < begin) break;
    if (load_be<int32_t>(at + kEntryHash) == hash && time <= end && !visit(PhyOffset(load_be<int64_t>(at + kEntryPhy))))
      break;
    const int32_t before = link(at + kEntryBefore);
    if (before >= index) return false;
    index = before;
  }
  return true;
}

void IndexFile::each(const std::function<void(int32_t, int32_t, PhyOffset)>& visit) const {
  const int32_t end = std::min(count(), entries_);
  for (int32_t index = 1; index < end; ++index) {
    const std::byte* at = entry(index);
    visit(index, load_be<int32_t>(at + kEntryHash), PhyOffset(load_be<int64_t>(at + kEntryPhy)));
  }
}

}  // namespace comet::store
