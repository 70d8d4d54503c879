#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>

#include "common/clock.h"
#include "store/commit_log.h"
#include "store/consume_queue_table.h"
#include "store/index.h"
#include "store/trash.h"

namespace comet::store {

/// How full the disks are, and what follows from it. Source: CleanCommitLogService.isSpaceToDelete; store.md 18.
struct DiskState {
  bool too_full_to_write = false;  ///< over diskSpaceWarningLevelRatio, or under the floor
  bool delete_now = false;         ///< over diskSpaceCleanForciblyRatio: also what has not expired
  bool delete_expired = false;     ///< over diskMaxUsedSpaceRatio
};

/// Deletes what the rules let go: log files by age, hour and space, then the queue and index files that pointed to
/// them.
class Retention {
 public:
  using Time = std::chrono::steady_clock::time_point;

  Retention(Files& files, const Clock& clock, Log& log, const StoreOptions& options, CommitLog& commit_log,
            ConsumeQueueTable& queues, Index& index)
      : files_(files),
        clock_(clock),
        log_(log),
        options_(options),
        commit_log_(commit_log),
        queues_(queues),
        index_(index),
        trash_(files, log) {
    set_rules(options);
  }

  /// Other ages, hours, ratios and paces from now on; the rest of `options` is not looked at. Any thread.
  void set_rules(const StoreOptions& options);

  /// Told when writing must stop for lack of space, and when it may go on.
  void on_full(std::function<void(bool full)> tell) { tell_full_ = std::move(tell); }
  /// Clears what deletions before a crash left.
  void start();
  /// One small piece of work; returns when the next one is due. The keeper's duty. Only files go whose records' queue
  /// entries are durable (`queues_end`): out of the log nobody could build them again, and a queue that ended sooner
  /// after a crash would give offsets a second time.
  Time run(Time now, PhyOffset queues_end);
  /// Whether run() would have deleted a file if it weren't for that.
  bool waits_for_queues() const { return waits_for_queues_; }
  /// Request 329: deletes what has expired in the next passes, whatever the hour.
  void arm() { armed_passes_ = 20; }
  /// Request 306: queues whose every message is gone from the log.
  void clean_expired_queues(const std::function<void(const ConsumeQueueTable::Queue&)>& remove);
  /// Looks at the disks now.
  DiskState look_at_disks();
  void stop() { trash_.finish(); }

  /// Log files that went although they weren't old enough, because the disk was nearly full. Any thread.
  struct BeforeTime {
    std::atomic<int64_t> files{0}, bytes{0};
  };
  const BeforeTime& deleted_before_time() const { return before_time_; }

 private:
  std::shared_ptr<const StoreOptions> rules() const;
  bool right_hour() const;
  bool delete_first_log_file(bool forcibly, PhyOffset queues_end);
  void follow_log();
  void follow_some_queues();

  Files& files_;
  const Clock& clock_;
  Log& log_;
  const StoreOptions& options_;  ///< where things are
  mutable std::mutex rules_mu_;
  std::shared_ptr<const StoreOptions> rules_;  ///< what to delete when; under rules_mu_
  CommitLog& commit_log_;
  ConsumeQueueTable& queues_;
  Index& index_;
  Trash trash_;
  std::function<void(bool)> tell_full_;
  std::atomic<int32_t> armed_passes_{0};
  bool full_ = false;
  int32_t deleted_in_pass_ = 0;
  bool in_pass_ = false, forcibly_ = false;
  bool waits_for_queues_ = false;
  bool has_ext_ = false;  ///< an Apache broker left consumequeue_ext
  BeforeTime before_time_;
  Time next_pass_{};
  PhyOffset followed_{0};
  std::vector<ConsumeQueueTable::Queue> to_follow_;  ///< not yet cleaned up to followed_
};

}  // namespace comet::store
