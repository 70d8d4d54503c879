#include "store/timer_log.h"

#include <algorithm>

#include "common/message_codec.h"

namespace comet::store {
namespace {

constexpr int32_t kBlankUnitBytes = 16;  ///< what closes a file: the bytes left, 0, the blank magic
constexpr int32_t kMagicBits = 0xF;

bool is_number_name(const std::string& name) {
  return name.size() == 20 && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

void TimerUnit::write(std::byte* to) const {
  store_be<int32_t>(to, kBytes);
  store_be<int64_t>(to + 4, previous);
  store_be<int32_t>(to + 12, magic);
  store_be<int64_t>(to + 16, written_ms);
  store_be<int32_t>(to + 24, delay_ms);
  store_be<int64_t>(to + 28, at.value);
  store_be<int32_t>(to + 36, record_bytes);
  store_be<int32_t>(to + 40, topic_hash);
  store_be<int64_t>(to + 44, 0);
}

std::optional<TimerUnit> TimerUnit::read(const std::byte* from) {
  TimerUnit unit;
  unit.magic = load_be<int32_t>(from + 12);
  unit.record_bytes = load_be<int32_t>(from + 36);
  if (load_be<int32_t>(from) != kBytes || (unit.magic | kMagicBits) != kMagicBits || unit.record_bytes <= 0)
    return std::nullopt;
  unit.previous = load_be<int64_t>(from + 4);
  unit.written_ms = load_be<int64_t>(from + 16);
  unit.delay_ms = load_be<int32_t>(from + 24);
  unit.at = PhyOffset(load_be<int64_t>(from + 28));
  unit.topic_hash = load_be<int32_t>(from + 40);
  return unit;
}

LogFilePtr TimerLog::log_file(int64_t base) const {
  return std::make_shared<const LogFile>(
      LogFile{PhyOffset(base), file_bytes_, folder_ + "/" + MappedFile::name_of(base)});
}

/// Removes files that are no part of the log, for good: with other units before them they must not come back.
Result<void> TimerLog::remove(const std::vector<Path>& paths) {
  if (paths.empty()) return {};
  for (const Path& path : paths) {
    log_.warn("{} is removed: what should stand before it in the timer log never reached the disk", path);
    COMET_TRY_VOID(files_.remove(path));
  }
  return files_.sync_folder(folder_);
}

Result<void> TimerLog::load(int64_t durable_end) {
  COMET_TRY_VOID(make_durable_folders(files_, folder_));
  COMET_TRY_VOID(files_.sync_folder(folder_));  // a killed process may have made files without waiting for their names
  COMET_TRY(const auto entries, files_.list(folder_));
  std::vector<Path> behind_the_end;
  const std::lock_guard lock(mu_);
  for (const FileInfo& entry : entries) {
    const Path path = folder_ + "/" + entry.name;
    if (entry.is_directory || !is_number_name(entry.name)) {
      log_.warn("{} is not a file of the timer log and is passed over", path);
      continue;
    }
    const int64_t base = std::stoll(entry.name);
    const bool follows = segments_.empty() ? base <= durable_end : base == segments_.back()->limit().value;
    if (!behind_the_end.empty() || !follows || entry.size_bytes == 0) {
      behind_the_end.push_back(path);
      continue;
    }
    if (entry.size_bytes != file_bytes_)
      return fail(Errc::kInvalid, path + " has " + std::to_string(entry.size_bytes) +
                                      " bytes, but mappedFileSizeTimerLog is " + std::to_string(file_bytes_) +
                                      ": set the property to the size that the store was written with");
    COMET_TRY(auto segment, MappedFile::open(files_, log_file(base), true, failures_));
    segments_.push_back(std::move(segment));
  }
  COMET_TRY_VOID(remove(behind_the_end));
  if (!segments_.empty()) end_ = flushed_ = segments_.back()->limit().value;
  return {};
}

/// Visits the units of one file that start before `until`; `end` is behind the last one. False: nothing may follow.
bool TimerLog::visit_file(const Segment& segment, int64_t until,
                          const std::function<bool(int64_t, const TimerUnit&)>& visit, int64_t& end) const {
  const int64_t limit = std::min(until, segment->limit().value);
  for (end = segment->base().value; end + TimerUnit::kBytes <= limit; end += TimerUnit::kBytes) {
    const std::byte* from = segment->at(PhyOffset(end));
    if (load_be<int32_t>(from + 12) == kBlankMagic) {
      end = segment->limit().value;
      return true;
    }
    const auto unit = TimerUnit::read(from);
    if (!unit || !visit(end, *unit)) return false;
  }
  return end + TimerUnit::kBytes > segment->limit().value;
}

Result<void> TimerLog::recover(int64_t from, const std::function<bool(const TimerUnit&)>& holds) {
  std::vector<Segment> segments;
  {
    const std::lock_guard lock(mu_);
    segments = segments_;
  }
  if (segments.empty()) return {};
  size_t index = segments.size() - 1;
  while (index > 0 && segments[index]->base().value > from) --index;
  int64_t end = segments[index]->base().value, last = -1;
  if (index > 0) last = segments[index - 1]->base().value + last_unit_of_full_file();
  const auto note = [&](int64_t position, const TimerUnit& unit) {
    if (!holds(unit)) return false;
    last = position;
    return true;
  };
  const size_t first = index;
  while (visit_file(segments[index], segments[index]->limit().value, note, end) && index + 1 < segments.size()) ++index;
  COMET_TRY_VOID(healthy());  // zeros that stand in for a page look like the end, and what follows that is cleared
  std::vector<Path> behind;
  for (size_t n = index + 1; n < segments.size(); ++n) behind.push_back(segments[n]->path());
  COMET_TRY_VOID(remove(behind));
  for (size_t n = first; n <= index; ++n) {
    COMET_TRY(auto file, files_.open(segments[n]->path(), OpenMode::kReadWrite));
    const int64_t base = segments[n]->base().value, used = std::clamp<int64_t>(end - base, 0, file_bytes_);
    if (used < file_bytes_) COMET_TRY_VOID(file->zero(used, file_bytes_ - used));
    COMET_TRY_VOID(file->sync());
  }
  const std::lock_guard lock(mu_);
  segments_.resize(index + 1);
  end_ = flushed_ = end;
  last_unit_ = last;
  return {};
}

Result<void> TimerLog::each(int64_t from, const std::function<void(int64_t, const TimerUnit&)>& visit) const {
  std::vector<Segment> segments;
  int64_t until = 0;
  {
    const std::lock_guard lock(mu_);
    segments = segments_;
    until = end_;
  }
  for (const Segment& segment : segments) {
    if (segment->limit().value <= from) continue;
    int64_t end = 0;
    const auto always = [&](int64_t position, const TimerUnit& unit) {
      visit(position, unit);
      return true;
    };
    if (!visit_file(segment, until, always, end)) break;
  }
  return healthy();
}

/// Where the last unit of a file that is full begins, from the file's start.
int64_t TimerLog::last_unit_of_full_file() const {
  return (file_bytes_ - kBlankUnitBytes) / TimerUnit::kBytes * TimerUnit::kBytes - TimerUnit::kBytes;
}

/// The file with room for a unit and a blank behind it; called under mu_.
Result<TimerLog::Segment> TimerLog::segment_for_append() {
  if (!segments_.empty()) {
    const Segment& last = segments_.back();
    const int64_t left = last->limit().value - end_;
    if (left >= TimerUnit::kBytes + kBlankUnitBytes) return last;
    if (left >= kBlankUnitBytes) {
      std::byte* at = last->at(PhyOffset(end_));
      store_be<int32_t>(at, static_cast<int32_t>(left));
      store_be<int64_t>(at + 4, 0);
      store_be<int32_t>(at + 12, kBlankMagic);
    }
  }
  const PhyOffset base = segments_.empty() ? PhyOffset(end_) : segments_.back()->limit();
  COMET_TRY(auto made, MappedFile::create(files_, log_file(base.value), failures_));
  segments_.push_back(made);
  end_ = base.value;
  return made;
}

Result<int64_t> TimerLog::append(const TimerUnit& unit) {
  const std::lock_guard lock(mu_);
  COMET_TRY(const Segment segment, segment_for_append());
  unit.write(segment->at(PhyOffset(end_)));
  COMET_TRY_VOID(healthy());
  last_unit_ = end_;
  end_ += TimerUnit::kBytes;
  return last_unit_;
}

TimerLog::Segment TimerLog::find(int64_t position) const {
  const std::lock_guard lock(mu_);
  if (segments_.empty() || position < segments_.front()->base().value || position >= end_) return nullptr;
  const auto index = static_cast<size_t>((position - segments_.front()->base().value) / file_bytes_);
  return index < segments_.size() && segments_[index]->contains(PhyOffset(position)) ? segments_[index] : nullptr;
}

Result<std::optional<TimerUnit>> TimerLog::read(int64_t position) const {
  const Segment segment = find(position);
  if (segment == nullptr || segment->limit().value - position < TimerUnit::kBytes) return std::nullopt;
  const auto unit = TimerUnit::read(segment->at(PhyOffset(position)));
  COMET_TRY_VOID(healthy());
  return unit;
}

/// kIo: a page of it couldn't be brought in, so that what was read or written there is worth nothing.
Result<void> TimerLog::healthy() const {
  if (*failures_ == 0) return {};
  return fail(Errc::kIo, folder_ + " has a page that its disk doesn't give: restart after checking it");
}

int64_t TimerLog::begin() const {
  const std::lock_guard lock(mu_);
  return segments_.empty() ? end_ : segments_.front()->base().value;
}

int64_t TimerLog::end() const {
  const std::lock_guard lock(mu_);
  return end_;
}

int64_t TimerLog::last_unit() const {
  const std::lock_guard lock(mu_);
  return last_unit_;
}

Result<void> TimerLog::flush() {
  std::vector<Segment> dirty;
  int64_t from = 0, to = 0;
  {
    const std::lock_guard lock(mu_);
    from = flushed_;
    to = end_;
    for (const Segment& segment : segments_)
      if (segment->limit().value > from && segment->base().value < to) dirty.push_back(segment);
  }
  for (const Segment& segment : dirty) {
    COMET_TRY_VOID(segment->make_durable(files_));
    COMET_TRY_VOID(
        segment->flush(std::max(segment->base(), PhyOffset(from)), std::min(segment->limit(), PhyOffset(to))));
  }
  COMET_TRY_VOID(healthy());
  const std::lock_guard lock(mu_);
  flushed_ = std::max(flushed_, to);
  return {};
}

Result<void> TimerLog::expire(PhyOffset log_min) {
  for (;;) {
    Segment first;
    {
      const std::lock_guard lock(mu_);
      if (segments_.size() < 2) return {};
      first = segments_.front();
      const auto newest = TimerUnit::read(first->data() + last_unit_of_full_file());
      if (!newest || newest->at >= log_min) return {};
      segments_.erase(segments_.begin());
    }
    log_.info("{} is deleted: the messages that it points to are gone", first->path());
    COMET_TRY_VOID(files_.remove(first->path()));
    COMET_TRY_VOID(files_.sync_folder(folder_));  // one that came back would leave a gap behind it
  }
}

}  // namespace comet::store
