#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "store/commit_log.h"
#include "store/index.h"
#include "store/sleeper.h"

namespace comet::store {

/// Follows the log and puts every record's keys into the index, from wherever it was left. Nothing waits for it except
/// look-ups.
class Indexer {
 public:
  Indexer(CommitLog& commit_log, Index& index, Log& log, std::function<PhyOffset()> limit)
      : commit_log_(commit_log), index_(index), log_(log), limit_(std::move(limit)) {}

  /// Where to begin; once, before run().
  void start_at(PhyOffset at) { position_ = at.value; }
  PhyOffset position() const { return PhyOffset(position_.load(std::memory_order_acquire)); }

  void run();
  void stop();
  /// Keeps it from indexing while the lock is held, e.g. to take records out of the log.
  std::unique_lock<std::mutex> pause() { return std::unique_lock(mu_); }
  /// While paused: what follows `end` is to be indexed again.
  void rewind(PhyOffset end) { position_ = std::min(position_.load(), end.value); }
  /// The log has moved.
  void nudge() { sleeper_.wake(); }
  /// Indexes up to the end on the caller's thread, for at most `most`.
  void catch_up(std::chrono::milliseconds most);

 private:
  class FetchAhead;

  /// Indexes some records; false: there is none, or it failed.
  bool step();
  bool index_file(MappedFile& segment, PhyOffset at, PhyOffset limit);
  /// Takes the keys of some records from `at` on; returns where the next ones begin.
  PhyOffset gather(MappedFile& segment, PhyOffset at, PhyOffset limit, FetchAhead& ahead);

  CommitLog& commit_log_;
  Index& index_;
  Log& log_;
  const std::function<PhyOffset()> limit_;
  Sleeper sleeper_;
  std::mutex mu_;  ///< one step at a time
  std::vector<IndexKey> keys_;
  std::atomic<int64_t> position_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> failing_{false};
};

}  // namespace comet::store
