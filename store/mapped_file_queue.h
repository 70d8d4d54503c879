#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "common/log.h"
#include "store/adaptive_lock.h"
#include "store/mapped_file.h"
#include "store/once_a_second.h"
#include "store/options.h"

namespace comet::store {

/// The CommitLog's files in order, gathered from all its folders. Those that are written to or not yet durable stay
/// mapped; of the others only the ones read last do, so that a log of any length costs a few page tables and
/// descriptors. Thread-safe. Source: MappedFileQueue, MultiPathMappedFileQueue; store.md 1 and 2.
class MappedFileQueue {
 public:
  using Segment = std::shared_ptr<MappedFile>;

  /// Most files that stay mapped for readers alone.
  static constexpr size_t kMostMapped = 32;

  MappedFileQueue(Files& files, Log& log, const StoreOptions& options);

  /// Notes what the folders hold. A file of no bytes is where the log ends: it goes, with what follows it, unless that
  /// holds records of `safe_ms` or before; a file of another size than
  /// `mappedFileSizeCommitLog` is an error that names it; other names and folders are passed over.
  Result<void> load(int64_t safe_ms);
  /// The same for who only looks: files of no bytes are passed over, and nothing is changed.
  Result<void> load_unchanged();

  /// The file that holds `offset`, mapped now if it wasn't. kNotFound: none holds it.
  Result<Segment> map(PhyOffset offset) const;
  /// The same; nothing where map() fails. A file that is there and can't be mapped is logged, at most once a second.
  Segment find(PhyOffset offset) const;
  /// Whether a file holds it, mapped or not.
  bool holds(PhyOffset offset) const;
  Segment last() const;  ///< nothing if there is none, or if it can't be mapped
  LogFilePtr first_file() const;
  LogFilePtr last_file() const;
  std::vector<LogFilePtr> all() const;
  const DiskFailures& shared_failures() const { return failures_; }
  bool empty() const { return first_file() == nullptr; }
  /// Where the first file begins; 0 without one.
  PhyOffset min_offset() const { return PhyOffset(min_.load(std::memory_order_acquire)); }
  /// How many are mapped now.
  size_t mapped() const;

  /// Makes the file that starts at `base`, in the folder that its number picks; it is not in the queue yet.
  Result<Segment> create(PhyOffset base);
  /// Puts a created file behind the others; it stays mapped until settle().
  void add(Segment segment);
  /// Maps the last file again for stores; it stays mapped until settle().
  Result<void> make_last_writable();
  /// The file is full and durable: from now on it is mapped only while it is read.
  void settle(const LogFile& file);
  void remove_first();
  /// Takes out and unlinks files that start after `offset`.
  Result<void> remove_behind(PhyOffset offset);

  /// Not 0: a flush failed or a page couldn't be brought in; see GuardedRange.
  int64_t failures() const { return failures_->load(std::memory_order_acquire); }
  void count_failure() { failures_->fetch_add(1, std::memory_order_release); }

  const std::vector<std::string>& folders() const { return folders_; }
  /// A file under a read-only path is never written, moved or removed.
  bool read_only(const Path& path) const;

 private:
  struct Entry {
    LogFilePtr file;
    Segment segment{};  ///< nothing: not mapped
    bool held = false;  ///< stays mapped
    uint64_t used = 0;  ///< uses_ when it was asked for last
  };

  using NumberedFiles = std::vector<std::pair<int64_t, Path>>;
  /// What lies in the folders.
  struct Found {
    NumberedFiles files;      ///< by the offset that they begin with
    std::vector<Path> empty;  ///< of no bytes
  };

  Result<Found> find_files();
  Result<void> load_folder(const std::string& folder, Found& found);
  Result<void> remove_empty(const Path& path, int64_t safe_ms, NumberedFiles& found);
  Result<void> enter(NumberedFiles found);
  Entry* entry_of(PhyOffset offset) const;     // under mu_
  Segment take_least_used(size_t most) const;  // under mu_; nothing if no more than `most` are mapped for readers
  Result<Segment> map_file(const LogFilePtr& file) const;
  void note_min();  // under mu_
  void warn_unmappable(const Error& error) const;

  Files& files_;
  Log& log_;
  const StoreOptions& options_;
  const std::vector<std::string> folders_;
  const DiskFailures failures_ = std::make_shared<std::atomic<int64_t>>(0);
  mutable AdaptiveLock mu_;
  mutable std::vector<Entry> entries_;  // under mu_
  mutable uint64_t uses_ = 0;           // under mu_
  std::atomic<int64_t> min_{0};
  mutable OnceASecond may_warn_;
};

/// The folders that the log is written to: storePathCommitLog, or commitlog under the root.
std::vector<std::string> commit_log_folders(const StoreOptions& options);

}  // namespace comet::store
