#include "store/mapped_file_queue.h"

#include <algorithm>
#include <mutex>

#include "store/record_scan.h"

namespace comet::store {
namespace {

bool is_log_file_name(const std::string& name) {
  return name.size() == 20 && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::vector<std::string> commit_log_folders(const StoreOptions& options) {
  if (options.commit_log_paths.empty()) return {options.root + "/commitlog"};
  return options.commit_log_paths;
}

MappedFileQueue::MappedFileQueue(Files& files, Log& log, const StoreOptions& options)
    : files_(files), log_(log), options_(options), folders_(commit_log_folders(options)) {}

Result<void> MappedFileQueue::load_folder(const std::string& folder, Found& found) {
  auto entries = files_.list(folder);
  if (!entries)
    return entries.error().code == Errc::kNotFound ? Result<void>() : tl::unexpected(std::move(entries).error());
  for (const FileInfo& entry : *entries) {
    const Path path = folder + "/" + entry.name;
    if (entry.is_directory) continue;
    if (!is_log_file_name(entry.name)) {
      log_.warn("{} is not a CommitLog file and is passed over", path);
      continue;
    }
    if (entry.size_bytes == 0) {
      found.empty.push_back(path);
      continue;
    }
    if (entry.size_bytes != options_.commit_log_file_bytes)
      return fail(Errc::kInvalid, path + " has " + std::to_string(entry.size_bytes) +
                                      " bytes, but mappedFileSizeCommitLog is " +
                                      std::to_string(options_.commit_log_file_bytes) +
                                      ": set the property to the size that the store was written with");
    found.files.emplace_back(std::stoll(entry.name), path);
  }
  return {};
}

/// A crash leaves a file of no bytes where its size was not on the disk yet. Nothing behind it is durable then.
Result<void> MappedFileQueue::remove_empty(const Path& path, int64_t safe_ms, NumberedFiles& found) {
  const int64_t base = std::stoll(path.substr(path.rfind('/') + 1));
  for (const auto& [behind, other] : found) {
    if (behind < base) continue;
    COMET_TRY(auto file, MappedFile::open(files_,
                                          std::make_shared<const LogFile>(
                                              LogFile{PhyOffset(behind), options_.commit_log_file_bytes, other}),
                                          false, failures_));
    const auto record = decode_record(*file, PhyOffset(behind), true);
    if (record && record->message.store_timestamp_ms <= safe_ms)
      return fail(Errc::kCorrupt,
                  path + " has no bytes, but later CommitLog files exist: restore it, or remove it and what follows");
  }
  log_.warn("{} has no bytes and is removed", path);
  COMET_TRY_VOID(files_.remove(path));
  while (!found.empty() && found.back().first > base) {
    log_.warn("{} is removed: the log ends before it", found.back().second);
    COMET_TRY_VOID(files_.remove(found.back().second));
    found.pop_back();
  }
  return {};
}

Result<void> MappedFileQueue::load(int64_t safe_ms) {
  COMET_TRY(Found found, find_files());
  for (const Path& path : found.empty) COMET_TRY_VOID(remove_empty(path, safe_ms, found.files));
  return enter(std::move(found.files));
}

Result<void> MappedFileQueue::load_unchanged() {
  COMET_TRY(Found found, find_files());
  for (const Path& path : found.empty) log_.warn("{} has no bytes and is passed over", path);
  return enter(std::move(found.files));
}

Result<MappedFileQueue::Found> MappedFileQueue::find_files() {
  Found found;
  for (const std::string& folder : folders_) COMET_TRY_VOID(load_folder(folder, found));
  for (const std::string& folder : options_.read_only_commit_log_paths)
    if (std::find(folders_.begin(), folders_.end(), folder) == folders_.end())
      COMET_TRY_VOID(load_folder(folder, found));
  std::sort(found.files.begin(), found.files.end());
  return found;
}

Result<void> MappedFileQueue::enter(NumberedFiles found) {
  for (size_t i = 0; i < found.size(); ++i) {
    if (i > 0 && found[i].first == found[i - 1].first)
      return fail(Errc::kInvalid, found[i].second + " and " + entries_.back().file->path +
                                      " are the same part of the CommitLog: remove one");
    if (i > 0 && found[i].first != found[i - 1].first + options_.commit_log_file_bytes)
      log_.error("the CommitLog has a hole between {} and {}", entries_.back().file->path, found[i].second);
    entries_.push_back({std::make_shared<const LogFile>(
        LogFile{PhyOffset(found[i].first), options_.commit_log_file_bytes, std::move(found[i].second)})});
  }
  note_min();
  return {};
}

MappedFileQueue::Entry* MappedFileQueue::entry_of(PhyOffset offset) const {
  if (entries_.empty() || offset < entries_.front().file->base) return nullptr;
  const auto index = static_cast<size_t>((offset - entries_.front().file->base) / options_.commit_log_file_bytes);
  if (index < entries_.size() && entries_[index].file->contains(offset)) return &entries_[index];
  for (Entry& entry : entries_)  // the log has a hole
    if (entry.file->contains(offset)) return &entry;
  return nullptr;
}

MappedFileQueue::Segment MappedFileQueue::take_least_used(size_t most) const {
  size_t mapped = 0;
  Entry* least = nullptr;
  for (Entry& entry : entries_) {
    if (!entry.segment || entry.held) continue;
    ++mapped;
    if (least == nullptr || entry.used < least->used) least = &entry;
  }
  return mapped > most ? std::move(least->segment) : nullptr;
}

Result<MappedFileQueue::Segment> MappedFileQueue::map_file(const LogFilePtr& file) const {
  auto mapped = MappedFile::open(files_, file, false, failures_);
  for (;;) {
    if (mapped) return mapped;
    Segment idle;
    {
      const std::lock_guard lock(mu_);
      idle = take_least_used(0);
    }
    if (!idle) return mapped;
    idle.reset();  // out of descriptors or address space, perhaps: with fewer it may go
    mapped = MappedFile::open(files_, file, false, failures_);
  }
}

Result<MappedFileQueue::Segment> MappedFileQueue::map(PhyOffset offset) const {
  LogFilePtr file;
  {
    const std::lock_guard lock(mu_);
    Entry* entry = entry_of(offset);
    if (entry == nullptr)
      return fail(Errc::kNotFound, "no CommitLog file holds offset " + std::to_string(offset.value));
    if (entry->segment && entry->segment->intact()) {
      entry->used = ++uses_;
      return entry->segment;
    }
    file = entry->file;
  }
  auto mapped = map_file(file);
  Segment idle;  // unmapped outside the lock
  const std::lock_guard lock(mu_);
  Entry* entry = entry_of(offset);
  if (entry == nullptr || entry->file != file) {
    if (mapped) return mapped;  // deleted since; who asked may still read it
    return fail(Errc::kNotFound, file->path + " was deleted");
  }
  if (entry->segment && entry->segment->intact()) return entry->segment;
  if (!mapped) return mapped;
  if (entry->segment) {  // where zeros stand in for what can't be read, each reader must find out anew
    idle = std::move(entry->segment);
    entry->held = false;
  }
  entry->segment = *mapped;
  entry->used = ++uses_;
  if (!idle) idle = take_least_used(kMostMapped);
  return mapped;
}

void MappedFileQueue::warn_unmappable(const Error& error) const {
  if (may_warn_()) log_.error("a CommitLog file can't be read now: {}", error.what);
}

MappedFileQueue::Segment MappedFileQueue::find(PhyOffset offset) const {
  auto mapped = map(offset);
  if (mapped) return std::move(*mapped);
  if (holds(offset)) warn_unmappable(mapped.error());
  return nullptr;
}

bool MappedFileQueue::holds(PhyOffset offset) const {
  const std::lock_guard lock(mu_);
  return entry_of(offset) != nullptr;
}

MappedFileQueue::Segment MappedFileQueue::last() const {
  const LogFilePtr file = last_file();
  return file ? find(file->base) : nullptr;
}

LogFilePtr MappedFileQueue::first_file() const {
  const std::lock_guard lock(mu_);
  return entries_.empty() ? nullptr : entries_.front().file;
}

LogFilePtr MappedFileQueue::last_file() const {
  const std::lock_guard lock(mu_);
  return entries_.empty() ? nullptr : entries_.back().file;
}

std::vector<LogFilePtr> MappedFileQueue::all() const {
  const std::lock_guard lock(mu_);
  std::vector<LogFilePtr> out;
  out.reserve(entries_.size());
  for (const Entry& entry : entries_) out.push_back(entry.file);
  return out;
}

size_t MappedFileQueue::mapped() const {
  const std::lock_guard lock(mu_);
  return static_cast<size_t>(
      std::count_if(entries_.begin(), entries_.end(), [](const Entry& entry) { return entry.segment != nullptr; }));
}

void MappedFileQueue::note_min() {
  min_.store(entries_.empty() ? 0 : entries_.front().file->base.value, std::memory_order_release);
}

Result<MappedFileQueue::Segment> MappedFileQueue::create(PhyOffset base) {
  std::vector<std::string> open, writable;
  for (const std::string& folder : folders_) {
    const auto& read_only = options_.read_only_commit_log_paths;
    if (std::find(read_only.begin(), read_only.end(), folder) != read_only.end()) continue;
    writable.push_back(folder);
    const auto space = folders_.size() > 1 ? files_.space(folder) : fail(Errc::kNotFound, "");
    const bool full =
        space && space->total_bytes > 0 &&
        (space->total_bytes - space->free_bytes) * 100 > space->total_bytes * options_.disk_clean_forcibly_ratio;
    if (!full) open.push_back(folder);
  }
  auto& choice = open.empty() ? writable : open;
  if (choice.empty())
    return fail(Errc::kInvalid,
                "every path of storePathCommitLog is in readOnlyCommitLogStorePaths: leave one to write to");
  std::sort(choice.begin(), choice.end());
  const std::string& folder = choice[static_cast<size_t>(base.value / options_.commit_log_file_bytes) % choice.size()];
  const LogFile file{base, options_.commit_log_file_bytes, folder + "/" + MappedFile::name_of(base.value)};
  return MappedFile::create(files_, std::make_shared<const LogFile>(file), failures_);
}

void MappedFileQueue::add(Segment segment) {
  const std::lock_guard lock(mu_);
  LogFilePtr file = segment->file();
  entries_.push_back({std::move(file), std::move(segment), true, ++uses_});
  note_min();
}

Result<void> MappedFileQueue::make_last_writable() {
  const LogFilePtr file = last_file();
  if (!file) return {};
  if (read_only(file->path))
    return fail(
        Errc::kInvalid,
        file->path + " is the end of the CommitLog and must be appended to, but lies in readOnlyCommitLogStorePaths");
  COMET_TRY(auto segment, MappedFile::open(files_, file, true, failures_));
  const std::lock_guard lock(mu_);
  entries_.back().segment = std::move(segment);
  entries_.back().held = true;
  return {};
}

void MappedFileQueue::settle(const LogFile& file) {
  Segment idle;  // unmapped outside the lock
  const std::lock_guard lock(mu_);
  Entry* entry = entry_of(file.base);
  if (entry == nullptr || !entry->held) return;
  entry->held = false;
  entry->used = ++uses_;
  idle = take_least_used(kMostMapped);
}

void MappedFileQueue::remove_first() {
  Segment idle;  // unmapped outside the lock
  const std::lock_guard lock(mu_);
  if (entries_.empty()) return;
  idle = std::move(entries_.front().segment);
  entries_.erase(entries_.begin());
  note_min();
}

Result<void> MappedFileQueue::remove_behind(PhyOffset offset) {
  for (;;) {
    LogFilePtr behind;
    {
      const std::lock_guard lock(mu_);
      if (entries_.empty() || entries_.back().file->base <= offset) return {};
      behind = entries_.back().file;
      entries_.pop_back();
      note_min();
    }
    COMET_TRY_VOID(files_.remove(behind->path));
    COMET_TRY_VOID(files_.sync_folder(parent_folder(behind->path)));
  }
}

bool MappedFileQueue::read_only(const Path& path) const {
  const auto& folders = options_.read_only_commit_log_paths;
  return std::find(folders.begin(), folders.end(), parent_folder(path)) != folders.end();
}

}  // namespace comet::store
