#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/files.h"
#include "common/log.h"

namespace comet::store {

/// Where deleted files go: a folder beside theirs, so that a crash never leaves a short file in a folder that Apache
/// reads. They are shrunk step by step once nobody reads them, and unlinked: freeing a gigabyte at once would stall the
/// disk.
class Trash {
 public:
  Trash(Files& files, Log& log) : files_(files), log_(log) {}

  /// Finds what a crash left in the trash folder of `folder`.
  void take_left_over(const std::string& folder);
  /// Moves `path` out of its folder at once; its bytes go when `reader` has.
  void add(const Path& path, std::weak_ptr<const void> reader);
  /// Does one step; false: there is nothing to do now.
  bool step();
  bool empty() const;
  /// Unlinks everything, for a stop.
  void finish();

 private:
  struct Item {
    Path path;
    std::weak_ptr<const void> reader;
  };
  Files& files_;
  Log& log_;
  mutable std::mutex mu_;
  std::vector<Item> items_;  // under mu_
};

}  // namespace comet::store
