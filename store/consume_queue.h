#pragma once

#include <atomic>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "common/log.h"
#include "store/adaptive_lock.h"
#include "store/file_cache.h"
#include "store/message_store.h"

namespace comet::store {

/// Reads of queue files that failed, counted; the first one's sentence. A place that can't be read is not an empty
/// one: who counts entries looks here afterwards. Thread-safe.
class ReadErrors {
 public:
  void add(Error error) {
    const std::lock_guard lock(mu_);
    if (count_++ == 0) first_ = std::move(error);
  }
  int64_t count() const { return count_.load(std::memory_order_relaxed); }
  Result<void> as_result() const {
    const std::lock_guard lock(mu_);
    return count_ == 0 ? Result<void>() : tl::unexpected(first_);
  }

 private:
  mutable std::mutex mu_;
  std::atomic<int64_t> count_{0};  // changes under mu_
  Error first_{Errc::kIo, ""};     // under mu_
};

/// What all queues of a store share.
struct QueueFiles {
  Files& files;
  Log& log;
  std::string root;      ///< the folder consumequeue
  int64_t file_entries;  ///< entries in one file
  FileCache cache;
  // What a queue must know that is loaded late.
  std::mutex loading{};                                           ///< held while one is
  std::atomic<int64_t> log_min{0};                                ///< where the log begins
  std::atomic<int64_t> cut{std::numeric_limits<int64_t>::max()};  ///< no record at or behind this is in its files
  ReadErrors read_errors{};
};

/// What a queue's files hold, in entries.
struct QueueExtent {
  int64_t first_file = -1;  ///< first entry of the first file; -1: no files
  int64_t last_file = -1;   ///< first entry of the last file
  int64_t min = 0;
  int64_t end = 0;
  int64_t max_phy = -1;
};

/// One entry as the file holds it: 20 bytes, big-endian. Source: ConsumeQueue; store.md 9.
struct QueueUnit {
  static constexpr int64_t kBytes = 20;
  static constexpr int32_t kHoleBytes = std::numeric_limits<int32_t>::max();  ///< size of a pre-blank unit

  static void write(std::byte* at, const QueueEntry& entry);
  static QueueEntry read(const std::byte* at);
  static bool is_hole(const QueueEntry& entry) { return entry.bytes == kHoleBytes; }
  /// An Apache broker with enableConsumeQueueExt has put a place in consumequeue_ext there instead of a tags code.
  static bool is_ext_address(int64_t tags_code) { return tags_code < std::numeric_limits<int32_t>::min(); }
};

/// Removes a queue's folder with its files, and its topic's if no other queue is in there.
void remove_queue_folder(Files& files, const Path& folder);

/// Where each message of one queue stands in the CommitLog: entry n is the queue's n-th message.
///
///     min ≤ saved ≤ end, in entries; entries in [saved, end) are in memory only and are rebuilt from the log after a
///     crash.
/// The newest entries stay in a ring and are read from there; files are written by save() with pwrite, never through a
/// map. An idle queue has no ring. Threads: append() from one at a time (the append lock); save() and load work from
/// the keeper or from recovery, one at a time; the rest from any.
class ConsumeQueue {
 public:
  ConsumeQueue(QueueFiles& shared, std::shared_ptr<const std::string> topic, QueueId id);
  /// One whose files are known already.
  ConsumeQueue(QueueFiles& shared, std::shared_ptr<const std::string> topic, QueueId id, const QueueExtent& extent);
  ~ConsumeQueue();

  const std::string& topic() const { return *topic_; }
  QueueId id() const { return id_; }

  /// Finds the files and where their entries end. kInvalid: a file of a size that the options don't say.
  Result<void> load();
  /// A queue that has files and isn't loaded may only be asked who it is. Any thread; load_late() loads it if nobody
  /// has.
  bool loaded() const { return loaded_.load(std::memory_order_acquire); }
  void leave_unloaded() { loaded_ = false; }
  Result<void> load_late();
  /// Nothing while entries are unsaved or not loaded.
  std::optional<QueueExtent> extent() const;

  /// Appends entry end() and returns the number of unsaved ones before it: 0 means that somebody must see to save().
  int64_t append(const QueueEntry& entry);

  /// Recovery: puts the entry of a record found in the log at its place. What the queue knows already is passed over; a
  /// gap is remembered and filled with holes; a record newer than what stands at its place replaces that and what
  /// follows. Whether it got an entry.
  bool restore(QueueOffset at, const QueueEntry& entry);
  /// Entries are missing behind the record that ends there; nothing if none are. Known after load() and restore(),
  /// until cut_behind().
  std::optional<PhyOffset> gap() const;
  /// Drops entries of records at or behind `phy`.
  void cut_behind(PhyOffset phy);
  /// Clears what the files hold behind the end, after recovery is through.
  Result<void> clear_behind_end();
  /// Moves the minimum to the first entry whose record is not before `log_min`. Source: correctMinOffset.
  void correct_min(PhyOffset log_min);

  /// Writes unsaved entries whose records end at or under `limit`.
  Result<void> save(PhyOffset limit);
  /// Makes what is saved durable; `is_durable`: the caller has done so with the whole file system.
  Result<void> sync(bool is_durable = false);
  /// Frees the ring of a queue that has had no append since the last call and whose entries are all durable.
  void rest();
  /// The same at once, for a queue that was restored.
  void drop_ring();

  /// Whether there is something to save, made durable or put to rest.
  bool has_unsaved() const;
  bool has_ring() const;

  QueueOffset min_offset() const;
  QueueOffset end_offset() const;
  /// One past the newest entry whose record ends at or under `limit`.
  QueueOffset visible_end(PhyOffset limit) const;
  /// The end of the newest entry's record; -1 for an empty queue.
  PhyOffset max_phy() const;

  /// Copies entries from `at` on, at most `max` and not beyond this file, into `into` (20 bytes each). 0: none there.
  /// Nothing: reading needs a disk and `may_block` is false. An error: they can't be read now.
  Result<std::optional<int64_t>> read(QueueOffset at, int64_t max, bool may_block, std::byte* into) const;
  /// Nothing: none stands there, or a hole.
  Result<std::optional<QueueEntry>> entry(QueueOffset at) const;
  /// Puts the right entry where a wrong one was read.
  Result<void> mend(QueueOffset at, const QueueEntry& entry);

  /// Entries up to the end of the file that holds `at`.
  int64_t left_in_file(QueueOffset at) const { return shared_.file_entries - at.value % shared_.file_entries; }

  /// Takes files out whose records all lie before `log_min`, never the last; their paths are for the trash.
  std::vector<Path> expire(PhyOffset log_min);
  Path folder() const;
  /// Where an Apache broker with enableConsumeQueueExt kept what its entries point to. Never written here: an entry
  /// that is needed again is read from the log.
  Path ext_folder() const;
  /// Whether the oldest entry does: the newer ones are ours in the end.
  bool points_to_ext() const;

  std::atomic<int32_t> watchers{0};
  std::atomic<bool> removed{false};  ///< set under the append lock: look the queue up again
  bool arrival_pending = false;      ///< under the append lock
  bool save_pending = false;         ///< under the append lock: the keeper knows of it
  int64_t told_end = 0;              ///< the flusher's: what its last arrival said

 private:
  /// Recovery: the record before, which didn't follow its predecessor, and the place where it may belong.
  struct Doubtful {
    int64_t place;
    QueueEntry entry;
  };

  std::byte* unit(int64_t index) const { return ring_.get() + (index & (ring_entries_ - 1)) * QueueUnit::kBytes; }
  void append_locked(const QueueEntry& entry);
  void grow();
  void drop_ring_locked();
  Result<std::shared_ptr<File>> file_for(int64_t index, bool make) const;
  Path path_of(int64_t base_index) const;
  std::optional<QueueEntry> entry_in_file(int64_t index) const;
  std::optional<QueueEntry> peek(int64_t index) const;  ///< from the ring or the file; takes mu_
  int64_t next_real(int64_t from, int64_t to) const;    ///< the first entry from `from` on that is no hole
  int64_t find_end(int64_t first, int64_t limit) const;
  /// Whether entries stand in order up to `end` and nothing behind it, as far as its neighbours tell.
  bool is_plausible_end(int64_t first, int64_t end, int64_t limit) const;
  /// The end of the entries that stand in order from `first` on; for a file whose end is not plausible.
  int64_t walk_to_end(int64_t first, int64_t limit) const;
  int64_t first_at_or_behind(PhyOffset phy, int64_t from, int64_t to) const;
  void shrink_to(int64_t end);

  QueueFiles& shared_;
  const std::shared_ptr<const std::string> topic_;
  const uint64_t number_;
  const QueueId id_;
  mutable AdaptiveLock mu_;
  // All below under mu_.
  int32_t ring_entries_ = 0;  ///< a power of two
  bool folder_synced_ = true;
  std::atomic<bool> loaded_{true};
  std::unique_ptr<std::byte[]> ring_;
  int64_t ring_first_ = 0;  ///< oldest entry in the ring
  int64_t end_ = 0;
  int64_t saved_ = 0;
  int64_t synced_ = 0;
  int64_t min_ = 0;
  int64_t max_phy_ = -1;
  int64_t first_file_ = -1;  ///< first entry of the first file; -1: no files
  int64_t last_file_ = -1;   ///< first entry of the last file
  int64_t on_disk_ = 0;      ///< files may hold bytes up to this entry
  int64_t end_at_rest_ = -1;
  int64_t gap_ = -1;                    ///< gap(); -1: none
  std::unique_ptr<Doubtful> doubtful_;  ///< apart: an idle queue stays small
};

}  // namespace comet::store
