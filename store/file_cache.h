#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "common/files.h"

namespace comet::store {

/// Open files, least recently used ones closed, so that a million queues need a thousand descriptors. Thread-safe.
class FileCache {
 public:
  struct Key {
    uint64_t owner;
    int64_t base;
    friend bool operator==(const Key&, const Key&) = default;
  };

  FileCache(Files& files, size_t capacity) : files_(files), capacity_(capacity) {}

  /// The file of `key`, opened with the path that `path()` gives where it isn't open yet.
  template <class PathOf>
  Result<std::shared_ptr<File>> get(Key key, PathOf path) {
    const std::lock_guard lock(mu_);
    if (auto found = index_.find(key); found != index_.end()) {
      order_.splice(order_.begin(), order_, found->second);
      return found->second->second;
    }
    COMET_TRY(auto opened, files_.open(path(), OpenMode::kReadWrite));
    std::shared_ptr<File> file = std::move(opened);
    order_.emplace_front(key, file);
    index_[key] = order_.begin();
    if (order_.size() > capacity_) {
      index_.erase(order_.back().first);
      order_.pop_back();
    }
    return file;
  }

  void forget(Key key) {
    const std::lock_guard lock(mu_);
    if (auto found = index_.find(key); found != index_.end()) {
      order_.erase(found->second);
      index_.erase(found);
    }
  }

 private:
  struct Hash {
    size_t operator()(const Key& key) const {
      return std::hash<uint64_t>()(key.owner * 0x9E3779B97F4A7C15ull ^ static_cast<uint64_t>(key.base));
    }
  };
  using Order = std::list<std::pair<Key, std::shared_ptr<File>>>;

  Files& files_;
  const size_t capacity_;
  std::mutex mu_;
  Order order_;  // under mu_, newest first
  std::unordered_map<Key, Order::iterator, Hash> index_;
};

}  // namespace comet::store
