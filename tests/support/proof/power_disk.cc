#include "tests/support/proof/power_disk.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace comet::test {
namespace {

constexpr size_t kPage = 4096, kSector = 512;

std::string content_of(const Path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string page_of(const std::string& content, size_t page, size_t bytes) {
  std::string out = page * kPage < content.size() ? content.substr(page * kPage, bytes) : std::string();
  out.resize(bytes, '\0');
  return out;
}

}  // namespace

std::string FileStates::cut(Rng& rng) const {
  std::string out = rng.below(2) == 0 ? durable : live;
  if (live.size() != durable.size()) out.resize(rng.below(2) == 0 ? durable.size() : live.size(), '\0');
  const uint64_t mood = rng.below(4);  // all old, all new, or page by page
  for (size_t page = 0; page * kPage < out.size(); ++page) {
    const size_t bytes = std::min(kPage, out.size() - page * kPage);
    const std::string before = page_of(durable, page, bytes), after = page_of(live, page, bytes);
    if (before == after) {
      out.replace(page * kPage, bytes, after);
      continue;
    }
    std::vector<std::string> states{before, after};
    if (const auto found = middle.find(static_cast<int64_t>(page)); found != middle.end())
      states.push_back(page_of(found->second, 0, bytes));
    const size_t whole = mood < 2 ? mood : rng.below(states.size());
    std::string chosen = states[whole];
    if (mood >= 2 && rng.below(2) == 0) {
      for (size_t sector = 0; sector < bytes; sector += kSector) {
        const size_t part = std::min(kSector, bytes - sector);
        chosen.replace(sector, part, states[rng.below(states.size())], sector, part);
      }
    }
    out.replace(page * kPage, bytes, chosen);
  }
  return out;
}

NamesAfterCut::NamesAfterCut(const std::vector<NameChange>& changes, Rng& rng) {
  const uint64_t mood = rng.below(4);
  const uint64_t first_lost = rng.below(changes.size() + 1);
  for (size_t i = 0; i < changes.size(); ++i) {
    if (changes[i].kind == NameChange::kFolder) made_.insert(changes[i].path);
    const bool lucky = mood == 0 ? false : mood == 1 ? true : mood == 2 ? i < first_lost : rng.below(2) == 0;
    if (changes[i].durable || lucky) apply(changes[i]);
  }
}

void NamesAfterCut::apply(const NameChange& change) {
  switch (change.kind) {
    case NameChange::kFolder:
      folders_.insert(change.path);
      return;
    case NameChange::kFile:
      files_[change.path] = change.file;
      return;
    case NameChange::kRemove:
      files_.erase(change.path);
      folders_.erase(change.path);
      return;
    case NameChange::kRename:
      if (const auto found = files_.find(change.path); found != files_.end() && found->second == change.file)
        files_.erase(found);
      files_[change.to] = change.file;
      return;
  }
}

std::map<Path, uint64_t> NamesAfterCut::files() const {
  std::map<Path, uint64_t> out;
  for (const auto& [path, file] : files_) {
    bool there = true;
    for (Path folder = parent_folder(path); folder.size() > 1; folder = parent_folder(folder))
      there = there && (folders_.contains(folder) || !made_.contains(folder));
    if (there) out[path] = file;
  }
  return out;
}

void PowerDisk::find() {
  found_.clear();
  if (!std::filesystem::is_directory(root_)) return;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_))
    if (entry.is_regular_file()) found_[entry.path().string()] = content_of(entry.path().string());
}

/// A file that was there at first gets its number.
void PowerDisk::meet(const Path& path, uint64_t file) {
  const auto found = found_.find(path);
  if (found == found_.end()) return;
  files_[file] = {found->second, {}, found->second};
  names_[path] = file;
  changes_.push_back({NameChange::kFile, path, "", file, true});
  found_.erase(found);
}

Result<void> PowerDisk::before(const DiskStep& step) {
  const std::lock_guard lock(mu_);
  if (!ours(step.path)) return {};
  if (step.file != 0) meet(step.path, step.file);
  write_back_a_little();
  if (step.kind == DiskStep::kRemove) lose(step.path);
  if (step.kind == DiskStep::kRename) lose(step.to);
  if (step.kind == DiskStep::kMap && step.from != 0) mapped_.insert(step.path);
  return {};
}

/// A name goes: what its file held last is still what a cut may bring back.
void PowerDisk::lose(const Path& path) {
  if (const auto found = names_.find(path); found != names_.end()) {
    files_[found->second].live = content_of(path);
    names_.erase(found);
  }
}

std::string PowerDisk::live(uint64_t file) const {
  for (const auto& [path, number] : names_)
    if (number == file) return content_of(path);
  return files_.at(file).live;
}

void PowerDisk::write_back_a_little() {
  if (names_.empty() || rng_.below(3) != 0) return;
  const auto chosen = std::next(names_.begin(), static_cast<ptrdiff_t>(rng_.below(names_.size())));
  const std::string content = content_of(chosen->first);
  if (content.empty()) return;
  const size_t page = rng_.below((content.size() + kPage - 1) / kPage);
  files_[chosen->second].middle[static_cast<int64_t>(page)] = page_of(content, page, kPage);
}

void PowerDisk::after(const DiskStep& step) {
  const std::lock_guard lock(mu_);
  if (step.kind == DiskStep::kSyncFileSystem) {
    for (auto& [number, file] : files_) file = {live(number), {}, live(number)};
    for (NameChange& change : changes_) change.durable = true;
    return;
  }
  if (!ours(step.path) && !(step.kind == DiskStep::kSyncFolder && root_.starts_with(step.path))) return;
  FileStates& file = files_[step.file];
  switch (step.kind) {
    case DiskStep::kMakeFolder:
      changes_.push_back({NameChange::kFolder, step.path, "", 0, false});
      return;
    case DiskStep::kCreate:
      names_[step.path] = step.file;
      changes_.push_back({NameChange::kFile, step.path, "", step.file, false});
      return;
    case DiskStep::kRemove:
      changes_.push_back({NameChange::kRemove, step.path, "", step.file, false});
      return;
    case DiskStep::kRename:
      names_.erase(step.path);
      names_[step.to] = step.file;
      changes_.push_back({NameChange::kRename, step.path, step.to, step.file, false});
      return;
    case DiskStep::kSync:
      file.durable = live(step.file);
      file.middle.clear();
      return;
    case DiskStep::kSyncRange: {
      const std::string now = live(step.file);
      file.durable.resize(now.size(), '\0');
      const auto from = static_cast<size_t>(step.from) / kPage * kPage;
      const size_t to = std::min(now.size(), (static_cast<size_t>(step.from + step.bytes) + kPage - 1) / kPage * kPage);
      if (from < to) file.durable.replace(from, to - from, now, from, to - from);
      for (size_t page = from / kPage; page * kPage < to; ++page) file.middle.erase(static_cast<int64_t>(page));
      return;
    }
    case DiskStep::kSyncFolder:
      for (NameChange& change : changes_)
        if (parent_folder(change.path) == step.path || (!change.to.empty() && parent_folder(change.to) == step.path))
          change.durable = true;
      return;
    default:
      return;
  }
}

void PowerDisk::restart(Rng& rng) {
  const Path image = root_ + ".image";
  cut(image, rng);
  const std::lock_guard lock(mu_);
  std::filesystem::remove_all(root_);
  std::filesystem::rename(image, root_);
  files_.clear();
  names_.clear();
  changes_.clear();
  find();
}

void PowerDisk::cut(const std::string& to, Rng& rng) {
  const std::lock_guard lock(mu_);
  std::filesystem::create_directories(to);
  for (const auto& [path, content] : found_) {
    const std::filesystem::path target = to + path.substr(root_.size());
    std::filesystem::create_directories(target.parent_path());
    std::ofstream(target, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
  }
  for (const auto& [path, number] : NamesAfterCut(changes_, rng).files()) {
    FileStates states = files_[number];
    states.live = live(number);
    const std::filesystem::path target = to + path.substr(root_.size());
    std::filesystem::create_directories(target.parent_path());
    const std::string content = states.cut(rng);
    std::ofstream(target, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
  }
}

}  // namespace comet::test
