#include "store/mapped_file_queue.h"

#include <algorithm>
#include <mutex>

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

Result<void> MappedFileQueue::load_folder(const std::string& folder, std::vector<std::pair<int64_t, Path>>& found,
                                          std::vector<Path>& empty) {
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
      empty.push_back(path);
      continue;
    }
    if (entry.size_bytes != options_.commit_log_file_bytes)
      return fail(Errc::kInvalid, path + " has " + std::to_string(entry.size_bytes) +
                                      " bytes, but mappedFileSizeCommitLog is " +
                                      std::to_string(options_.commit_log_file_bytes) +
                                      ": set the property to the size that the store was written with");
    found.emplace_back(std::stoll(entry.name), path);
  }
  return {};
}

Result<void> MappedFileQueue::load() {
  std::vector<std::pair<int64_t, Path>> found;
  std::vector<Path> empty;
  for (const std::string& folder : folders_) COMET_TRY_VOID(load_folder(folder, found, empty));
  for (const std::string& folder : options_.read_only_commit_log_paths)
    if (std::find(folders_.begin(), folders_.end(), folder) == folders_.end())
      COMET_TRY_VOID(load_folder(folder, found, empty));
  std::sort(found.begin(), found.end());
  for (const Path& path : empty) {
    const int64_t base = std::stoll(path.substr(path.rfind('/') + 1));
    if (!found.empty() && found.back().first > base)
      return fail(Errc::kCorrupt,
                  path + " has no bytes, but later CommitLog files exist: restore it, or remove it and what follows");
    log_.warn("{} has no bytes and is removed", path);
    COMET_TRY_VOID(files_.remove(path));
  }
  for (size_t i = 0; i < found.size(); ++i) {
    if (i > 0 && found[i].first == found[i - 1].first)
      return fail(Errc::kInvalid,
                  found[i].second + " and " + found[i - 1].second + " are the same part of the CommitLog: remove one");
    if (i > 0 && found[i].first != found[i - 1].first + options_.commit_log_file_bytes)
      log_.error("the CommitLog has a hole between {} and {}", found[i - 1].second, found[i].second);
    COMET_TRY(auto segment, MappedFile::open(files_, found[i].second, PhyOffset(found[i].first),
                                             options_.commit_log_file_bytes, false));
    segments_.push_back(std::move(segment));
  }
  return {};
}

MappedFileQueue::Segment MappedFileQueue::find(PhyOffset offset) const {
  const std::lock_guard lock(mu_);
  if (segments_.empty() || offset < segments_.front()->base()) return nullptr;
  const auto index = static_cast<size_t>((offset - segments_.front()->base()) / options_.commit_log_file_bytes);
  if (index < segments_.size() && segments_[index]->contains(offset)) return segments_[index];
  for (const Segment& segment : segments_)
    if (segment->contains(offset)) return segment;
  return nullptr;
}

MappedFileQueue::Segment MappedFileQueue::first() const {
  const std::lock_guard lock(mu_);
  return segments_.empty() ? nullptr : segments_.front();
}

MappedFileQueue::Segment MappedFileQueue::last() const {
  const std::lock_guard lock(mu_);
  return segments_.empty() ? nullptr : segments_.back();
}

std::vector<MappedFileQueue::Segment> MappedFileQueue::all() const {
  const std::lock_guard lock(mu_);
  return segments_;
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
  return MappedFile::create(files_, folder + "/" + MappedFile::name_of(base.value), base,
                            options_.commit_log_file_bytes);
}

void MappedFileQueue::add(Segment segment) {
  const std::lock_guard lock(mu_);
  segments_.push_back(std::move(segment));
}

Result<void> MappedFileQueue::make_last_writable() {
  const Segment old = last();
  if (!old) return {};
  if (read_only(old->path()))
    return fail(
        Errc::kInvalid,
        old->path() + " is the end of the CommitLog and must be appended to, but lies in readOnlyCommitLogStorePaths");
  COMET_TRY(auto segment, MappedFile::open(files_, old->path(), old->base(), old->size_bytes(), true));
  const std::lock_guard lock(mu_);
  segments_.back() = std::move(segment);
  return {};
}

MappedFileQueue::Segment MappedFileQueue::remove_first() {
  const std::lock_guard lock(mu_);
  if (segments_.empty()) return nullptr;
  Segment out = std::move(segments_.front());
  segments_.erase(segments_.begin());
  return out;
}

Result<void> MappedFileQueue::remove_behind(PhyOffset offset) {
  while (Segment behind = last()) {
    if (behind->base() <= offset) break;
    {
      const std::lock_guard lock(mu_);
      segments_.pop_back();
    }
    COMET_TRY_VOID(files_.remove(behind->path()));
    COMET_TRY_VOID(files_.sync_folder(parent_folder(behind->path())));
  }
  return {};
}

bool MappedFileQueue::read_only(const Path& path) const {
  const auto& folders = options_.read_only_commit_log_paths;
  return std::find(folders.begin(), folders.end(), parent_folder(path)) != folders.end();
}

}  // namespace comet::store
