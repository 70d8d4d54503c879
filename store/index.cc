#include "store/index.h"

#include <algorithm>
#include <ctime>

namespace comet::store {
namespace {

bool is_index_name(const std::string& name) {
  return !name.empty() && name.size() < 19 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// yyyyMMddHHmmssSSS in local time.
std::string time_name(int64_t now_ms) {
  const std::time_t seconds = now_ms / 1000;
  std::tm local{};
  ::localtime_r(&seconds, &local);
  char text[32];
  const size_t length = std::strftime(text, sizeof text, "%Y%m%d%H%M%S", &local);
  std::string millis = std::to_string(1000 + now_ms % 1000);
  return std::string(text, length) + millis.substr(1);
}

}  // namespace

Result<void> Index::load(bool crashed, int64_t durable_ms) {
  if (!options_.message_index) return {};
  durable_ms_ = durable_ms;
  COMET_TRY_VOID(files_.make_folders(folder_));
  COMET_TRY(const auto found, files_.list(folder_));
  for (const FileInfo& info : found) {
    const Path path = folder_ + "/" + info.name;
    if (info.is_directory) continue;
    if (!is_index_name(info.name)) {
      log_.warn("{} is not an index file and is passed over", path);
      continue;
    }
    if (info.size_bytes == 0) {
      COMET_TRY_VOID(files_.remove(path));
      continue;
    }
    COMET_TRY(auto file, IndexFile::open(files_, path, options_.index_slots, options_.index_entries, failures_));
    if (crashed && file->end_ms() > durable_ms) {
      log_.info("{} was not durable at the crash: its part of the index is built again from the log", path);
      COMET_TRY_VOID(files_.remove(path));
      continue;
    }
    if (lost_files_ || !file->is_plausible()) {
      log_.error("{} is damaged, or behind one that is: it is built again from the log", path);
      lost_files_ = true;
      COMET_TRY_VOID(files_.remove(path));
      continue;
    }
    index_files_.push_back(std::move(file));
  }
  return {};
}

PhyOffset Index::resume_at() const {
  const std::lock_guard lock(mu_);
  return index_files_.empty() ? PhyOffset(-1) : index_files_.back()->end_phy();
}

Result<void> Index::add_file() {
  const IndexFile* before = index_files_.empty() ? nullptr : index_files_.back().get();
  std::string name = time_name(clock_.now_ms());
  if (before != nullptr) {
    const std::string last = before->path().substr(before->path().rfind('/') + 1);
    if (name <= last) name = std::to_string(std::stoll(last) + 1);  // a clock set back must not change the order
    COMET_TRY_VOID(index_files_.back()->sync());
    durable_ms_ = before->end_ms();
  }
  COMET_TRY(auto file, IndexFile::create(files_, folder_ + "/" + name, options_.index_slots, options_.index_entries,
                                         before, failures_));
  index_files_.push_back(std::move(file));
  return {};
}

Result<void> Index::add(std::span<const IndexKey> keys) {
  const std::lock_guard lock(mu_);
  if (!index_files_.empty())
    for (const IndexKey& key : keys) index_files_.back()->prefetch_slot(key.hash);
  for (const IndexKey& key : keys) {
    if (!index_files_.empty() && key.at < index_files_.back()->end_phy()) continue;
    if (index_files_.empty() || index_files_.back()->full()) COMET_TRY_VOID(add_file());
    index_files_.back()->put(key.hash, key.at, key.store_ms);
  }
  return {};
}

std::vector<PhyOffset> Index::find(std::string_view topic, std::string_view key, int64_t max, int64_t begin_ms,
                                   int64_t end_ms) const {
  std::vector<PhyOffset> out;
  const int32_t hash = IndexFile::hash_of(topic, key);
  const std::lock_guard lock(mu_);
  for (size_t i = index_files_.size(); i-- > 0 && static_cast<int64_t>(out.size()) < max;) {
    const IndexFile& file = *index_files_[i];
    if (file.overlaps(begin_ms, end_ms)) {
      const bool whole = file.find(hash, begin_ms, end_ms, [&](PhyOffset at) {
        if (std::find(out.begin(), out.end(), at) == out.end()) out.push_back(at);
        return static_cast<int64_t>(out.size()) < max;
      });
      if (!whole) {
        log_.error("{} is damaged: look-ups by key may miss messages until the next start builds it again",
                   file.path());
        file.condemn();
      }
    }
    if (file.begin_ms() < begin_ms) break;
  }
  return out;
}

int64_t Index::last_update_ms() const {
  const std::lock_guard lock(mu_);
  return index_files_.empty() ? 0 : index_files_.back()->end_ms();
}

PhyOffset Index::last_update_offset() const {
  const std::lock_guard lock(mu_);
  return index_files_.empty() ? PhyOffset(0) : index_files_.back()->end_phy();
}

std::vector<std::shared_ptr<IndexFile>> Index::expire(PhyOffset log_min) {
  std::vector<std::shared_ptr<IndexFile>> out;
  const std::lock_guard lock(mu_);
  while (index_files_.size() > 1 && index_files_.front()->end_phy() < log_min) {
    out.push_back(std::move(index_files_.front()));
    index_files_.erase(index_files_.begin());
  }
  return out;
}

Result<void> Index::sync() {
  const std::lock_guard lock(mu_);
  return index_files_.empty() ? Result<void>() : index_files_.back()->sync();
}

}  // namespace comet::store
