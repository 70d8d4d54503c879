#pragma once

#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "common/bytes.h"
#include "common/clock.h"
#include "common/log.h"
#include "store/adaptive_lock.h"
#include "store/mapped_file_queue.h"
#include "store/options.h"

namespace comet::store {

/// All records one after the other, in files of one size. Source: CommitLog; store.md 2, 3, 5.
///
///     first file's base ≤ durable_end ≤ end; neither of the ends ever moves back.
/// Bytes under `end` never change, so readers take no lock. The four bytes at `end` are zero, and so is all behind them
/// in that file: a record exists from the moment that its size is stored, which is last. Threads: reserve(),
/// next_store_time() and publish() under append_lock(); flush() from any, one at a time inside; the rest from any.
class CommitLog {
 public:
  static constexpr int64_t kEndBlankBytes = 8;

  CommitLog(Files& files, const Clock& clock, Log& log, const StoreOptions& options);

  /// Notes the files; start_at() then says where writing goes on. `safe_ms`: records up to that time are durable.
  Result<void> load(int64_t safe_ms) { return segments_.load(safe_ms); }
  /// Recovery: syncs all files from the one that holds `from` on. What a killed process stored may be in memory only.
  Result<void> make_durable(PhyOffset from);
  /// Ends recovery: cuts the log at `end`, removes files behind, prepares the last one for stores. `zero_tail`: clear
  /// what lies behind `end`, so that no stale record comes back to life.
  Result<void> start_at(PhyOffset end, int64_t last_store_ms, bool zero_tail);

  // The writer's side, in this order, under append_lock().
  AdaptiveLock& append_lock() { return append_lock_; }
  struct Place {
    PhyOffset at;
    std::byte* data;
  };
  /// Room for `bytes` in one file, starting the next file where this one is too full. kNoSpace, kIo: no file to be had.
  Result<Place> reserve(int64_t bytes);
  /// Now, or the last record's time if the clock was set back.
  int64_t next_store_time();
  void publish(PhyOffset end) { end_.store(end.value, std::memory_order_seq_cst); }

  // A replica's side, from one thread; published as records become whole.
  PhyOffset received_end() const { return PhyOffset(received_.load(std::memory_order_acquire)); }
  /// An empty log will begin at `base`. kInvalid: there is something already, or it is no file's start.
  Result<void> begin_at(PhyOffset base);
  /// Some room behind what was received, within a file; makes the next file where there is none.
  Result<std::span<std::byte>> receive_room();
  void received(int64_t bytes) { received_ += bytes; }
  /// What was received behind end() is forgotten and cleared.
  void drop_incomplete();
  /// The file that holds the incomplete record at end(); none at the end of the last file.
  MappedFileQueue::Segment receiving() const { return current_; }
  void publish_received(PhyOffset end, int64_t store_ms);
  /// Cuts the log at `end`. Nobody appends or flushes meanwhile.
  Result<void> truncate(PhyOffset end, int64_t last_store_ms);

  PhyOffset end() const { return PhyOffset(end_.load(std::memory_order_acquire)); }
  const std::atomic<int64_t>& end_atomic() const { return end_; }
  PhyOffset durable_end() const { return PhyOffset(durable_.load(std::memory_order_acquire)); }
  /// The first byte that still exists; 0 for an empty log.
  PhyOffset min_offset() const { return segments_.min_offset(); }
  int64_t last_store_ms() const { return last_store_ms_.load(std::memory_order_relaxed); }
  /// The newest time at or under which every record is durable.
  int64_t durable_store_ms() const { return durable_store_ms_.load(std::memory_order_relaxed); }

  /// Makes everything published at the call durable. After the first error always fails: what the kernel dropped can't
  /// be made durable by asking again.
  Result<PhyOffset> flush();
  /// Something that should be on the disk is not: from now on nothing is accepted and nothing becomes durable. The
  /// first call writes the one log line.
  void distrust(const Error& why);
  /// Told after the first distrust().
  void on_distrust(std::function<void()> tell) { tell_distrust_ = std::move(tell); }
  bool failed() const { return segments_.failures() != 0; }

  /// `bytes` bytes at `at`, if they are published and in one file.
  std::optional<PinnedBytes> slice(PhyOffset at, int64_t bytes) const;

  /// Zeros where nobody stores yet, for whole folios (Mapping::fill); who gets there meanwhile waits. false: a writer
  /// is there already, or the disk refused. The keeper calls it.
  bool fill(MappedFile& segment, PhyOffset from, int64_t bytes);
  /// The next file, made before it is needed. The keeper calls these.
  bool wants_next_file();
  Result<void> prepare_next_file();
  MappedFileQueue::Segment prepared_file();
  /// At stop: unlinks a prepared file that was never used.
  Result<void> drop_prepared_file();

  MappedFileQueue& segments() { return segments_; }
  const MappedFileQueue& segments() const { return segments_; }
  int64_t file_bytes() const { return options_.commit_log_file_bytes; }

 private:
  static constexpr int64_t kNoFill = std::numeric_limits<int64_t>::max();

  Result<void> roll();
  void await_fill(int64_t stores_end);
  void use(MappedFileQueue::Segment segment);

  Files& files_;
  const Clock& clock_;
  Log& log_;
  const StoreOptions& options_;
  MappedFileQueue segments_;

  AdaptiveLock append_lock_;
  MappedFileQueue::Segment current_;       // under append_lock_
  int64_t position_ = 0;                   // under append_lock_: where the next record goes
  int64_t room_end_ = 0;                   // under append_lock_: a replica may store up to there
  std::atomic<int64_t> filling_{kNoFill};  // from where fill() writes; set under append_lock_
  alignas(64) std::atomic<int64_t> end_{0};
  std::atomic<int64_t> received_{0};
  std::atomic<int64_t> last_store_ms_{0};
  alignas(64) std::atomic<int64_t> durable_{0};
  std::atomic<int64_t> durable_store_ms_{0};
  std::atomic<bool> distrusted_{false};
  std::function<void()> tell_distrust_;
  std::mutex flush_mu_;
  std::mutex prepare_mu_;              // taken after append_lock_ where both are
  MappedFileQueue::Segment prepared_;  // under prepare_mu_
  bool closed_ = false;                // under prepare_mu_: no more files are made ahead
  std::atomic<int64_t> next_base_{0};  // changes under both locks
};

}  // namespace comet::store
