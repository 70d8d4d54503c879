#include "store/consume_queue.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "store/mapped_file.h"

namespace comet::store {

// A million of them are held: with the counters of its shared_ptr, one fits a block of 192 bytes.
static_assert(sizeof(ConsumeQueue) <= 168);

namespace {

constexpr int32_t kFirstRing = 32;
constexpr int64_t kSaveEntries = 4096;  ///< most entries in one write call

/// A gap between a queue's end and a record's place that is bigger is damage, not history.
constexpr int64_t kMostHoles = 1'000'000;

constexpr int64_t kHolesAtATime = 512;

std::atomic<uint64_t> next_number{1};

bool is_unit(const QueueEntry& entry) { return entry.at.value >= 0 && entry.bytes > 0; }

}  // namespace

void remove_queue_folder(Files& files, const Path& folder) {
  const auto listed = files.list(folder);
  if (!listed) return;
  for (const FileInfo& file : *listed) (void)files.remove(folder + "/" + file.name);
  (void)files.remove(folder);
  (void)files.remove(parent_folder(folder));  // stays while the topic has other queues
}

void QueueUnit::write(std::byte* at, const QueueEntry& entry) {
  store_be<int64_t>(at, entry.at.value);
  store_be<int32_t>(at + 8, entry.bytes);
  store_be<int64_t>(at + 12, entry.tags_code);
}

QueueEntry QueueUnit::read(const std::byte* at) {
  return {PhyOffset(load_be<int64_t>(at)), load_be<int32_t>(at + 8), load_be<int64_t>(at + 12)};
}

ConsumeQueue::ConsumeQueue(QueueFiles& shared, std::shared_ptr<const std::string> topic, QueueId id)
    : shared_(shared), topic_(std::move(topic)), number_(next_number.fetch_add(1)), id_(id) {}

ConsumeQueue::ConsumeQueue(QueueFiles& shared, std::shared_ptr<const std::string> topic, QueueId id,
                           const QueueExtent& extent)
    : ConsumeQueue(shared, std::move(topic), id) {
  first_file_ = extent.first_file;
  last_file_ = extent.last_file;
  min_ = extent.min;
  max_phy_ = extent.max_phy;
  end_ = saved_ = synced_ = ring_first_ = on_disk_ = extent.end;
}

ConsumeQueue::~ConsumeQueue() {
  for (int64_t base = first_file_; base >= 0 && base <= last_file_; base += shared_.file_entries)
    shared_.cache.forget({number_, base});
}

Path ConsumeQueue::folder() const { return shared_.root + "/" + *topic_ + "/" + std::to_string(id_.value); }
Path ConsumeQueue::ext_folder() const { return shared_.root + "_ext/" + *topic_ + "/" + std::to_string(id_.value); }

bool ConsumeQueue::points_to_ext() const {
  const auto oldest = entry(min_offset());
  return oldest && *oldest && QueueUnit::is_ext_address((*oldest)->tags_code);
}

Path ConsumeQueue::path_of(int64_t base) const {
  return folder() + "/" + MappedFile::name_of(base * QueueUnit::kBytes);
}

Result<void> ConsumeQueue::load() {
  const int64_t errors_before = shared_.read_errors.count();
  auto listed = shared_.files.list(folder());
  if (!listed)
    return listed.error().code == Errc::kNotFound ? Result<void>() : tl::unexpected(std::move(listed).error());
  const int64_t file_bytes = shared_.file_entries * QueueUnit::kBytes;
  std::vector<int64_t> bases;
  for (size_t i = 0; i < listed->size(); ++i) {
    const FileInfo& info = (*listed)[i];
    const Path path = folder() + "/" + info.name;
    if (info.is_directory) continue;
    if (info.name.size() != 20 || info.name.find_first_not_of("0123456789") != std::string::npos) {
      shared_.log.warn("{} is not a ConsumeQueue file and is passed over", path);
      continue;
    }
    if (info.size_bytes == 0) {
      shared_.log.warn("{} has no bytes and is removed", path);
      COMET_TRY_VOID(shared_.files.remove(path));
      continue;
    }
    if (info.size_bytes != file_bytes)
      return fail(Errc::kInvalid, path + " has " + std::to_string(info.size_bytes) +
                                      " bytes, but mappedFileSizeConsumeQueue is " + std::to_string(file_bytes) +
                                      ": set the property to the size that the store was written with");
    bases.push_back(std::stoll(info.name) / QueueUnit::kBytes);
  }
  if (bases.empty()) return {};
  size_t last = 0;
  while (last + 1 < bases.size() && bases[last + 1] - bases[last] == shared_.file_entries) ++last;
  const bool has_hole = last + 1 < bases.size();
  if (has_hole)
    shared_.log.error("{} has a hole before file {}: entries behind it are built again from the log", folder(),
                      bases[last + 1] * QueueUnit::kBytes);
  const std::lock_guard lock(mu_);
  first_file_ = bases.front();
  last_file_ = bases[last];
  int64_t base = last_file_;
  end_ = find_end(base, base + shared_.file_entries);
  while (end_ == base && base > first_file_) {
    base -= shared_.file_entries;
    end_ = find_end(base, base + shared_.file_entries);
  }
  const bool is_damaged = !is_plausible_end(first_file_, end_, last_file_ + shared_.file_entries);
  if (is_damaged) {
    end_ = walk_to_end(base, base + shared_.file_entries);
    shared_.log.error("{} is damaged behind entry {}: what follows is built again from the log", path_of(base), end_);
  }
  saved_ = synced_ = ring_first_ = end_;
  on_disk_ = is_damaged || has_hole ? bases.back() + shared_.file_entries : end_;
  min_ = first_file_;
  if (end_ > min_) {
    const auto newest = entry_in_file(end_ - 1);
    max_phy_ = newest && !QueueUnit::is_hole(*newest) ? newest->at.value + newest->bytes : -1;
  }
  // Whole files stand before the last one: an end before that is damage, too.
  // What an earlier try, on a disk that gave nothing, took for damage is none.
  gap_ = has_hole || is_damaged || end_ < last_file_ ? std::max<int64_t>(max_phy_, 0) : -1;
  // An entry that can't be read is not an empty one.
  return shared_.read_errors.count() == errors_before ? Result<void>() : shared_.read_errors.as_result();
}

Result<void> ConsumeQueue::load_late() {
  const std::lock_guard one_at_a_time(shared_.loading);
  if (loaded()) return {};
  COMET_TRY_VOID(load());
  cut_behind(PhyOffset(shared_.cut));
  COMET_TRY_VOID(clear_behind_end());
  correct_min(PhyOffset(shared_.log_min));
  loaded_.store(true, std::memory_order_release);
  return {};
}

std::optional<QueueExtent> ConsumeQueue::extent() const {
  if (!loaded()) return std::nullopt;
  const std::lock_guard lock(mu_);
  if (saved_ < end_) return std::nullopt;
  return QueueExtent{first_file_, last_file_, min_, end_, max_phy_};
}

int64_t ConsumeQueue::find_end(int64_t first, int64_t limit) const {
  while (first < limit) {
    const int64_t middle = first + (limit - first) / 2;
    const auto found = entry_in_file(middle);
    if (found && is_unit(*found)) {
      first = middle + 1;
    } else {
      limit = middle;
    }
  }
  return first;
}

bool ConsumeQueue::is_plausible_end(int64_t first, int64_t end, int64_t limit) const {
  const auto is_blank = [](const QueueEntry& entry) {
    return entry.at.value == 0 && entry.bytes == 0 && entry.tags_code == 0;
  };
  for (int64_t behind = end; behind < std::min(end + 2, limit); ++behind)
    if (const auto found = entry_in_file(behind); found && !is_blank(*found)) return false;
  int64_t later = std::numeric_limits<int64_t>::max();
  for (int64_t before = end - 1; before >= std::max(end - 3, first); --before) {
    const auto found = entry_in_file(before);
    if (!found || !is_unit(*found) || (!QueueUnit::is_hole(*found) && found->at.value + found->bytes > later))
      return false;
    later = found->at.value;
  }
  return true;
}

int64_t ConsumeQueue::walk_to_end(int64_t first, int64_t limit) const {
  int64_t end = 0;  // of the last record
  for (int64_t at = first; at < limit; ++at) {
    const auto found = entry_in_file(at);
    if (!found || !is_unit(*found)) return at;
    if (QueueUnit::is_hole(*found)) continue;
    if (found->at.value < end) return at;
    end = found->at.value + found->bytes;
  }
  return limit;
}

std::optional<QueueEntry> ConsumeQueue::entry_in_file(int64_t index) const {
  std::byte raw[QueueUnit::kBytes];
  const auto file = file_for(index, false);
  if (!file) {
    if (file.error().code != Errc::kNotFound) shared_.read_errors.add(file.error());
    return std::nullopt;
  }
  const auto got = (*file)->read_at(index % shared_.file_entries * QueueUnit::kBytes, raw);
  if (!got) shared_.read_errors.add(got.error());
  if (!got || *got != sizeof raw) return std::nullopt;
  return QueueUnit::read(raw);
}

Result<std::shared_ptr<File>> ConsumeQueue::file_for(int64_t index, bool make) const {
  const int64_t base = index / shared_.file_entries * shared_.file_entries;
  auto file = shared_.cache.get({number_, base}, [&] { return path_of(base); });
  if (file || !make || file.error().code != Errc::kNotFound) return file;
  COMET_TRY_VOID(shared_.files.make_folders(folder()));
  COMET_TRY(auto created, shared_.files.open(path_of(base), OpenMode::kCreate));
  if (auto sized = created->resize(shared_.file_entries * QueueUnit::kBytes); !sized) {
    (void)shared_.files.remove(path_of(base));
    return tl::unexpected(std::move(sized).error());
  }
  return shared_.cache.get({number_, base}, [&] { return path_of(base); });
}

void ConsumeQueue::grow() {
  const int32_t entries = ring_entries_ == 0 ? kFirstRing : ring_entries_ * 2;
  auto ring = std::make_unique<std::byte[]>(static_cast<size_t>(entries * QueueUnit::kBytes));
  for (int64_t i = ring_first_; i < end_; ++i)
    std::memcpy(ring.get() + (i & (entries - 1)) * QueueUnit::kBytes, unit(i), QueueUnit::kBytes);
  ring_ = std::move(ring);
  ring_entries_ = entries;
}

void ConsumeQueue::append_locked(const QueueEntry& entry) {
  if (end_ - ring_first_ == ring_entries_) {
    if (ring_entries_ > 0 && ring_first_ < saved_) {
      ++ring_first_;
    } else {
      grow();
    }
  }
  QueueUnit::write(unit(end_), entry);
  ++end_;
  if (!QueueUnit::is_hole(entry)) max_phy_ = entry.at.value + entry.bytes;
}

int64_t ConsumeQueue::append(const QueueEntry& entry) {
  const std::lock_guard lock(mu_);
  const int64_t unsaved = end_ - saved_;
  append_locked(entry);
  return unsaved;
}

bool ConsumeQueue::restore(QueueOffset at, const QueueEntry& entry) {
  const std::lock_guard lock(mu_);
  if (entry.at.value + entry.bytes <= max_phy_) return false;
  if (at.value < 0 || (end_ > 0 && at.value - end_ > kMostHoles)) {
    shared_.log.error("the record at {} claims place {} in queue {} of {}, which ends at {}: it gets no entry",
                      entry.at.value, at.value, id_.value, *topic_, end_);
    return false;
  }
  if (at.value < end_) {
    // A topic that was made anew counts from 0. Any other step back must go on, else that one record's head is damaged;
    // so is the head of one that jumped ahead, if its successor didn't.
    const bool goes_on = doubtful_ && doubtful_->place + 1 == at.value;
    if (at.value > 0 && end_ > min_ && !goes_on) {
      shared_.log.error("the record at {} claims place {} in queue {} of {}, where another one is: it is passed over",
                        entry.at.value, at.value, id_.value, *topic_);
      doubtful_ = std::make_unique<Doubtful>(Doubtful{at.value, entry});
      return false;
    }
    const int64_t place = goes_on ? doubtful_->place : at.value;
    if (place < min_) min_ = place;
    if (place < first_file_) first_file_ = last_file_ = place / shared_.file_entries * shared_.file_entries;
    shrink_to(place);
    if (goes_on) append_locked(doubtful_->entry);
    doubtful_.reset();
  } else if (at.value == end_) {
    doubtful_.reset();
  } else {
    if (end_ == min_ && first_file_ < 0) {
      const int64_t base = at.value / shared_.file_entries * shared_.file_entries;
      end_ = saved_ = synced_ = ring_first_ = base;
      on_disk_ = std::max(on_disk_, base);
      first_file_ = last_file_ = base;
    }
    const bool empty = end_ <= min_ || max_phy_ < 0;
    // An empty queue must go on with its first message, unless that is gone from the log.
    if (gap_ < 0) gap_ = empty ? 0 : max_phy_;
    if (!empty)
      shared_.log.error("places {} to {} of queue {} of {} have no record: they are passed over", end_, at.value - 1,
                        id_.value, *topic_);
    doubtful_ = empty ? nullptr : std::make_unique<Doubtful>(Doubtful{end_, entry});
    while (end_ < at.value) append_locked({PhyOffset(0), QueueUnit::kHoleBytes, 0});
    if (empty) min_ = at.value;
  }
  append_locked(entry);
  return true;
}

void ConsumeQueue::shrink_to(int64_t end) {
  end_ = end;
  saved_ = std::min(saved_, end);
  synced_ = std::min(synced_, end);
  if (ring_first_ > end_) ring_first_ = end_;
  min_ = std::min(min_, end_);
  max_phy_ = -1;
  for (int64_t i = end_ - 1; i >= min_; --i) {
    const auto found =
        i >= ring_first_ && ring_entries_ > 0 ? std::optional(QueueUnit::read(unit(i))) : entry_in_file(i);
    if (!found) break;
    if (QueueUnit::is_hole(*found)) continue;
    max_phy_ = found->at.value + found->bytes;
    break;
  }
}

std::optional<PhyOffset> ConsumeQueue::gap() const {
  const std::lock_guard lock(mu_);
  return gap_ < 0 ? std::nullopt : std::optional(PhyOffset(gap_));
}

void ConsumeQueue::cut_behind(PhyOffset phy) {
  int64_t from = 0, to = 0;
  {
    const std::lock_guard lock(mu_);
    gap_ = -1;
    doubtful_.reset();
    if (max_phy_ <= phy.value) return;
    from = min_;
    to = end_;
  }
  const int64_t end = first_at_or_behind(phy, from, to);
  const std::lock_guard lock(mu_);
  shrink_to(end);
  max_phy_ = std::min(max_phy_, phy.value);  // a damaged entry may say more
}

std::optional<QueueEntry> ConsumeQueue::peek(int64_t index) const {
  {
    const std::lock_guard lock(mu_);
    if (ring_entries_ > 0 && index >= ring_first_ && index < end_) return QueueUnit::read(unit(index));
  }
  return entry_in_file(index);
}

int64_t ConsumeQueue::next_real(int64_t from, int64_t to) const {
  std::byte units[kHolesAtATime * QueueUnit::kBytes];
  while (from < to) {
    int64_t first_in_memory = to;
    {
      const std::lock_guard lock(mu_);
      if (ring_entries_ > 0) first_in_memory = ring_first_;
    }
    int64_t count = 1;
    if (from < first_in_memory) {
      count = std::min({kHolesAtATime, to - from, first_in_memory - from, left_in_file(QueueOffset(from))});
      const auto file = file_for(from, false);
      const auto got = file ? (*file)->read_at(from % shared_.file_entries * QueueUnit::kBytes,
                                               {units, static_cast<size_t>(count * QueueUnit::kBytes)})
                            : tl::unexpected(file.error());
      if (!got) {
        shared_.read_errors.add(got.error());
        return to;
      }
    } else {
      const auto found = peek(from);
      if (!found) return to;
      QueueUnit::write(units, *found);
    }
    for (int64_t i = 0; i < count; ++i, ++from)
      if (!QueueUnit::is_hole(QueueUnit::read(units + i * QueueUnit::kBytes))) return from;
  }
  return to;
}

/// The first entry at or behind `phy` among those that are no holes.
int64_t ConsumeQueue::first_at_or_behind(PhyOffset phy, int64_t from, int64_t to) const {
  while (from < to) {
    const int64_t middle = from + (to - from) / 2;
    const int64_t real = next_real(middle, to);
    const auto found = real < to ? peek(real) : std::nullopt;
    if (found && is_unit(*found) && found->at < phy) {
      from = real + 1;
    } else {
      to = middle;
    }
  }
  return from;
}

Result<void> ConsumeQueue::clear_behind_end() {
  if (first_file_ < 0 || on_disk_ <= end_) return {};
  for (int64_t base = end_ / shared_.file_entries * shared_.file_entries; base < on_disk_;
       base += shared_.file_entries) {
    const auto info = shared_.files.stat(path_of(base));
    if (!info) continue;
    if (base >= end_ && base > first_file_) {
      shared_.cache.forget({number_, base});
      COMET_TRY_VOID(shared_.files.remove(path_of(base)));
      last_file_ = std::min(last_file_, base - shared_.file_entries);
      continue;
    }
    COMET_TRY(auto file, file_for(base, false));
    const int64_t from = std::max<int64_t>(end_ - base, 0) * QueueUnit::kBytes;
    COMET_TRY_VOID(file->zero(from, shared_.file_entries * QueueUnit::kBytes - from));
  }
  on_disk_ = end_;
  return {};
}

void ConsumeQueue::correct_min(PhyOffset log_min) {
  const int64_t errors_before = shared_.read_errors.count();
  int64_t from = 0, end = 0;
  {
    const std::lock_guard lock(mu_);
    if (end_ == 0) return;
    end = end_;
    from = std::max(min_, first_file_);
    if (max_phy_ <= log_min.value) from = end;
  }
  if (const auto first = from < end ? peek(from) : std::nullopt;
      first && !QueueUnit::is_hole(*first) && first->at >= log_min) {
    const std::lock_guard lock(mu_);
    min_ = std::max(min_, from);
    return;
  }
  // Holes before the first entry read as position 0: they are passed over also where nothing was deleted.
  from = next_real(first_at_or_behind(log_min, from, end), end);
  if (shared_.read_errors.count() != errors_before) return;
  const std::lock_guard lock(mu_);
  min_ = std::max(min_, from);
}

Result<void> ConsumeQueue::save(PhyOffset limit) {
  std::byte staged[kSaveEntries / 16 * QueueUnit::kBytes];
  constexpr int64_t kStaged = kSaveEntries / 16;
  for (;;) {
    int64_t from = 0, count = 0;
    bool new_file = false;
    {
      const std::lock_guard lock(mu_);
      from = saved_;
      const int64_t most = std::min({end_ - saved_, kStaged, left_in_file(QueueOffset(saved_))});
      while (count < most) {
        const std::byte* at = unit(from + count);
        const QueueEntry next = QueueUnit::read(at);
        if (!QueueUnit::is_hole(next) && next.at.value + next.bytes > limit.value) break;
        std::memcpy(staged + count * QueueUnit::kBytes, at, QueueUnit::kBytes);
        ++count;
      }
      new_file = first_file_ < 0 || from / shared_.file_entries * shared_.file_entries > last_file_;
    }
    if (count == 0) return {};
    COMET_TRY(auto file, file_for(from, true));
    COMET_TRY_VOID(file->write_at(from % shared_.file_entries * QueueUnit::kBytes,
                                  ByteView(staged, static_cast<size_t>(count * QueueUnit::kBytes))));
    const std::lock_guard lock(mu_);
    const int64_t base = from / shared_.file_entries * shared_.file_entries;
    if (first_file_ < 0) first_file_ = base;
    last_file_ = std::max(last_file_, base);
    if (new_file || from == base) folder_synced_ = false;
    saved_ = from + count;
    on_disk_ = std::max(on_disk_, saved_);
  }
}

Result<void> ConsumeQueue::sync(bool is_durable) {
  int64_t from = 0, to = 0;
  bool folder_too = false;
  {
    const std::lock_guard lock(mu_);
    from = synced_;
    to = saved_;
    folder_too = !folder_synced_;
  }
  for (int64_t at = from; at < to && !is_durable; at += left_in_file(QueueOffset(at))) {
    COMET_TRY(auto file, file_for(at, false));
    COMET_TRY_VOID(file->sync());
  }
  if (folder_too && !is_durable) {
    COMET_TRY_VOID(shared_.files.sync_folder(folder()));
    COMET_TRY_VOID(shared_.files.sync_folder(parent_folder(folder())));
    COMET_TRY_VOID(shared_.files.sync_folder(shared_.root));
  }
  const std::lock_guard lock(mu_);
  synced_ = std::max(synced_, to);
  if (folder_too) folder_synced_ = true;
  return {};
}

void ConsumeQueue::rest() {
  const std::lock_guard lock(mu_);
  if (end_at_rest_ == end_ && synced_ == end_ && ring_entries_ > 0) drop_ring_locked();
  end_at_rest_ = end_;
}

void ConsumeQueue::drop_ring() {
  const std::lock_guard lock(mu_);
  drop_ring_locked();
}

void ConsumeQueue::drop_ring_locked() {
  if (saved_ != end_) return;
  ring_.reset();
  ring_entries_ = 0;
  ring_first_ = end_;
}

bool ConsumeQueue::has_unsaved() const {
  const std::lock_guard lock(mu_);
  return saved_ < end_;
}

bool ConsumeQueue::has_ring() const {
  const std::lock_guard lock(mu_);
  return ring_entries_ > 0;
}

QueueOffset ConsumeQueue::min_offset() const {
  const std::lock_guard lock(mu_);
  return QueueOffset(std::min(min_, end_));
}

QueueOffset ConsumeQueue::end_offset() const {
  const std::lock_guard lock(mu_);
  return QueueOffset(end_);
}

QueueOffset ConsumeQueue::visible_end(PhyOffset limit) const {
  const std::lock_guard lock(mu_);
  int64_t end = end_;
  while (end > saved_) {
    const QueueEntry last = QueueUnit::read(unit(end - 1));
    if (QueueUnit::is_hole(last) || last.at.value + last.bytes <= limit.value) break;
    --end;
  }
  return QueueOffset(end);
}

PhyOffset ConsumeQueue::max_phy() const {
  const std::lock_guard lock(mu_);
  return PhyOffset(max_phy_);
}

Result<std::optional<int64_t>> ConsumeQueue::read(QueueOffset at, int64_t max, bool may_block, std::byte* into) const {
  int64_t count = 0;
  {
    const std::lock_guard lock(mu_);
    count = std::min({max, end_ - at.value, left_in_file(at)});
    if (count <= 0 || at.value < min_) return 0;
    if (ring_entries_ > 0 && at.value >= ring_first_) {
      for (int64_t i = 0; i < count; ++i)
        std::memcpy(into + i * QueueUnit::kBytes, unit(at.value + i), QueueUnit::kBytes);
      return count;
    }
    count = std::min(count, saved_ - at.value);
  }
  const auto file = file_for(at.value, false);
  if (!file && file.error().code == Errc::kNotFound) return 0;  // deleted meanwhile
  if (!file) return tl::unexpected(file.error());
  const int64_t position = at.value % shared_.file_entries * QueueUnit::kBytes;
  const std::span<std::byte> room(into, static_cast<size_t>(count * QueueUnit::kBytes));
  if ((*file)->read_resident(position, room)) return count;
  if (!may_block) return std::nullopt;
  COMET_TRY(const size_t got, (*file)->read_at(position, room));
  return static_cast<int64_t>(got) / QueueUnit::kBytes;
}

Result<std::optional<QueueEntry>> ConsumeQueue::entry(QueueOffset at) const {
  std::byte raw[QueueUnit::kBytes];
  COMET_TRY(const auto got, read(at, 1, true, raw));
  if (got != 1) return std::nullopt;
  const QueueEntry found = QueueUnit::read(raw);
  if (!is_unit(found) || QueueUnit::is_hole(found)) return std::nullopt;
  return found;
}

Result<void> ConsumeQueue::mend(QueueOffset at, const QueueEntry& entry) {
  std::byte raw[QueueUnit::kBytes];
  QueueUnit::write(raw, entry);
  {
    const std::lock_guard lock(mu_);
    if (ring_entries_ > 0 && at.value >= ring_first_ && at.value < end_)
      std::memcpy(unit(at.value), raw, QueueUnit::kBytes);
    if (at.value >= saved_) return {};
  }
  COMET_TRY(auto file, file_for(at.value, false));
  return file->write_at(at.value % shared_.file_entries * QueueUnit::kBytes, raw);
}

std::vector<Path> ConsumeQueue::expire(PhyOffset log_min) {
  std::vector<Path> out;
  for (;;) {
    int64_t base = 0;
    {
      const std::lock_guard lock(mu_);
      if (first_file_ < 0 || first_file_ >= last_file_) break;
      base = first_file_;
    }
    const auto last = entry_in_file(base + shared_.file_entries - 1);
    if (!last || (!QueueUnit::is_hole(*last) && last->at >= log_min)) break;
    out.push_back(path_of(base));
    shared_.cache.forget({number_, base});
    const std::lock_guard lock(mu_);
    first_file_ = base + shared_.file_entries;
    min_ = std::max(min_, first_file_);
    synced_ = std::max(synced_, first_file_);
  }
  correct_min(log_min);
  return out;
}

}  // namespace comet::store
