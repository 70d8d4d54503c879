#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "common/files.h"
#include "common/types.h"

namespace comet::store {

/// What the file `checkpoint` says: up to which record times the parts of the store are durable. Source:
/// StoreCheckpoint; store.md 14.
struct CheckpointTimes {
  int64_t log_ms = 0;          ///< physicMsgTimestamp
  int64_t queues_ms = 0;       ///< logicsMsgTimestamp
  int64_t index_ms = 0;        ///< indexMsgTimestamp
  int64_t master_flushed = 0;  ///< masterFlushedOffset: what a slave was told of its master; nothing here goes by it
  int64_t confirm_offset = 0;
  friend bool operator==(const CheckpointTimes&, const CheckpointTimes&) = default;

  /// Records at or before this time need not be looked at after a crash: 3 s less than what all parts hold.
  int64_t safe_ms() const;
};

/// Where a clean stop left the log, so that opening needs no scan. Ours, in the part of the file that Apache leaves
/// zero; whoever opens checks it against the log, since an Apache broker may have run in between.
struct CleanEnd {
  PhyOffset log_end;
  PhyOffset last_record;  ///< -1 for an empty log
  PhyOffset indexed_end;
  bool has_index = false;   ///< whether there were index files
  int64_t queues_sum = -1;  ///< ConsumeQueueTable::sum(); -1: not known
};

class Checkpoint {
 public:
  static constexpr int64_t kBytes = 4096;

  static Result<std::unique_ptr<Checkpoint>> open(Files& files, const Path& path);

  CheckpointTimes times() const;
  /// All but master_flushed.
  void set(const CheckpointTimes& times);
  void set_master_flushed(int64_t offset);
  std::optional<CleanEnd> clean_end() const { return clean_end_; }
  void set_clean_end(std::optional<CleanEnd> end);

  /// Up to where the queues hold an entry for every record, as of 3 s before the checkpoint's times: after a crash the
  /// log need not be read before. Ours too, and void once an Apache broker has written other times.
  std::optional<PhyOffset> queues_end() const;
  /// All queue entries of records before `end` are durable; the newest such record has the time `newest_ms`.
  void set_queues_end(PhyOffset end, int64_t newest_ms);
  /// The log was cut: what was said of the queues' end doesn't hold, on disk either.
  Result<void> forget_queues_end();

  /// Writes what changed and waits until it is durable.
  Result<void> flush();

 private:
  explicit Checkpoint(std::unique_ptr<File> file) : file_(std::move(file)) {}
  Result<void> write_queues_end();

  const std::unique_ptr<File> file_;
  mutable std::mutex mu_;
  CheckpointTimes times_;              // under mu_
  CheckpointTimes written_;            // under mu_
  std::optional<CleanEnd> clean_end_;  // under mu_
  bool clean_end_changed_ = false;     // under mu_
  struct QueuesEnd {
    PhyOffset at{-1};
    int64_t newest_ms = 0;
  };
  QueuesEnd queues_end_, next_queues_end_;  // under mu_; the next one waits until it is 3 s old
  std::optional<PhyOffset> read_queues_end_;
};

}  // namespace comet::store
