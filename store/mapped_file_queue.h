#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/log.h"
#include "store/adaptive_lock.h"
#include "store/mapped_file.h"
#include "store/options.h"

namespace comet::store {

/// The CommitLog's files in order, gathered from all its folders. Thread-safe. Source: MappedFileQueue,
/// MultiPathMappedFileQueue; store.md 1 and 2.
class MappedFileQueue {
 public:
  using Segment = std::shared_ptr<MappedFile>;

  MappedFileQueue(Files& files, Log& log, const StoreOptions& options);

  /// Maps what the folders hold. A last file of no bytes is removed; a file of another size than
  /// `mappedFileSizeCommitLog` is an error that names it; other names and folders are passed over.
  Result<void> load();

  Segment find(PhyOffset offset) const;  ///< nothing if no file holds it
  Segment first() const;
  Segment last() const;
  std::vector<Segment> all() const;
  bool empty() const { return first() == nullptr; }

  /// Makes the file that starts at `base`, in the folder that its number picks; it is not in the queue yet.
  Result<Segment> create(PhyOffset base);
  void add(Segment segment);
  /// Maps the last file again for stores.
  Result<void> make_last_writable();
  Segment remove_first();
  /// Takes out and unlinks files that start after `offset`.
  Result<void> remove_behind(PhyOffset offset);

  const std::vector<std::string>& folders() const { return folders_; }
  /// A file under a read-only path is never written, moved or removed.
  bool read_only(const Path& path) const;

 private:
  Result<void> load_folder(const std::string& folder, std::vector<std::pair<int64_t, Path>>& found,
                           std::vector<Path>& empty);

  Files& files_;
  Log& log_;
  const StoreOptions& options_;
  const std::vector<std::string> folders_;
  mutable AdaptiveLock mu_;
  std::vector<Segment> segments_;  // under mu_
};

/// The folders that the log is written to: storePathCommitLog, or commitlog under the root.
std::vector<std::string> commit_log_folders(const StoreOptions& options);

}  // namespace comet::store
