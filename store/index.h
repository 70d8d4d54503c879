#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/log.h"
#include "store/index_file.h"
#include "store/options.h"

namespace comet::store {

/// A key to be indexed, with its record's place and time.
struct IndexKey {
  int32_t hash;  ///< IndexFile::hash_of
  PhyOffset at;
  int64_t store_ms;
};

/// The key index: UNIQ_KEY and each word of KEYS of every message, in files by age. Whatever a crash takes away is
/// built again from the log. Source: IndexService; store.md 13 and 21. Thread-safe.
class Index {
 public:
  Index(Files& files, const Clock& clock, Log& log, const StoreOptions& options, DiskFailures failures)
      : files_(files),
        clock_(clock),
        log_(log),
        options_(options),
        failures_(std::move(failures)),
        folder_(options.root + "/index") {}

  /// Opens the files; after a crash those that were not durable (newer than `durable_ms`, the checkpoint's index time)
  /// go.
  Result<void> load(bool crashed, int64_t durable_ms);
  /// Where indexing goes on: every record from here on may be missing. -1: nothing is indexed.
  PhyOffset resume_at() const;
  /// Whether files were damaged: what they held is missing from resume_at() on.
  bool lost_files() const { return lost_files_; }

  /// Indexes keys in the log's order; those of records before the newest that it holds are passed over. After an error
  /// the same keys may come again.
  Result<void> add(std::span<const IndexKey> keys);
  /// Places where the key may stand, newest first, at most `max`.
  std::vector<PhyOffset> find(std::string_view topic, std::string_view key, int64_t max, int64_t begin_ms,
                              int64_t end_ms) const;

  /// What the newest file ends with.
  int64_t last_update_ms() const;
  PhyOffset last_update_offset() const;
  /// The end time of the newest full file that is durable, for the checkpoint.
  int64_t durable_ms() const { return durable_ms_.load(std::memory_order_relaxed); }

  /// Takes out files whose records are all gone, never the newest; they are for the trash.
  std::vector<std::shared_ptr<IndexFile>> expire(PhyOffset log_min);
  Result<void> sync();

 private:
  Result<void> add_file();

  Files& files_;
  const Clock& clock_;
  Log& log_;
  const StoreOptions& options_;
  const DiskFailures failures_;
  const Path folder_;
  mutable std::mutex mu_;
  std::vector<std::shared_ptr<IndexFile>> index_files_;  // under mu_, oldest first
  std::atomic<int64_t> durable_ms_{0};
  bool lost_files_ = false;
};

}  // namespace comet::store
