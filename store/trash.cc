#include "store/trash.h"

namespace comet::store {
namespace {

constexpr int64_t kSliceBytes = 64 * 1024 * 1024;

Path trash_of(const std::string& folder) { return folder + ".trash"; }

}  // namespace

void Trash::take_left_over(const std::string& folder) {
  const auto left = files_.list(trash_of(folder));
  if (!left) return;
  const std::lock_guard lock(mu_);
  for (const FileInfo& file : *left) items_.push_back({trash_of(folder) + "/" + file.name, {}});
  if (left->empty()) (void)files_.remove(trash_of(folder));
}

void Trash::add(const Path& path, std::weak_ptr<const void> reader) {
  const Path folder = trash_of(parent_folder(path));
  const Path to = folder + path.substr(path.rfind('/'));
  if (files_.make_folders(folder) && files_.rename(path, to)) {
    (void)files_.sync_folder(parent_folder(path));
    const std::lock_guard lock(mu_);
    items_.push_back({to, std::move(reader)});
    return;
  }
  (void)files_.remove(folder);  // if it was made for this one
  // The folder may be a file system of its own; then there is no beside.
  if (auto removed = files_.remove(path); !removed) log_.error("{} can't be deleted: {}", path, removed.error().what);
}

bool Trash::step() {
  const std::lock_guard lock(mu_);
  for (size_t i = 0; i < items_.size(); ++i) {
    if (!items_[i].reader.expired()) continue;
    const auto info = files_.stat(items_[i].path);
    if (info && info->size_bytes > kSliceBytes) {
      if (auto file = files_.open(items_[i].path, OpenMode::kReadWrite);
          file && (*file)->resize(info->size_bytes - kSliceBytes))
        return true;
    }
    (void)files_.remove(items_[i].path);
    (void)files_.remove(parent_folder(items_[i].path));  // stays while others are in it
    items_.erase(items_.begin() + static_cast<ptrdiff_t>(i));
    return true;
  }
  return false;
}

bool Trash::empty() const {
  const std::lock_guard lock(mu_);
  return items_.empty();
}

void Trash::finish() {
  const std::lock_guard lock(mu_);
  for (const Item& item : items_) {
    (void)files_.remove(item.path);
    (void)files_.remove(parent_folder(item.path));
  }
  items_.clear();
}

}  // namespace comet::store
