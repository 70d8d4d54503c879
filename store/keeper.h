#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <vector>

#include "store/checkpoint.h"
#include "store/commit_log.h"
#include "store/consume_queue_table.h"
#include "store/sleeper.h"

namespace comet::store {

/// Keeps what is ahead of and behind the log's tail: makes the next file, populates pages before they are stored to,
/// starts write-back, saves queue entries, writes the checkpoint. Sleeps until the log has moved or something is due.
class Keeper {
 public:
  using Time = Sleeper::Time;

  Keeper(Files& files, CommitLog& commit_log, ConsumeQueueTable& queues, Checkpoint& checkpoint, Log& log,
         const StoreOptions& options);

  /// Something else that is due from time to time: does it and returns when it wants to be called again.
  void add_duty(std::function<Time(Time now)> duty) { duties_.push_back({std::move(duty), Time::min()}); }
  /// Called when the log has moved.
  void on_moved(std::function<void()> tell) { moved_ = std::move(tell); }

  void run();
  void stop();
  void wake() { sleeper_.wake(); }
  /// The writer's side, after publishing.
  void appended(int64_t end) { sleeper_.passed(end); }
  /// Under the append lock: a queue has got a ring that wants to be saved.
  void add_queue(ConsumeQueueTable::Queue queue) { fresh_.push_back(std::move(queue)); }

  /// When to look again: at the time, or sooner if the log's end passes the mark.
  struct Wake {
    Time time;
    int64_t mark;
  };
  /// Does what is due.
  Wake pass(Time now);
  /// Saves all entries of durable records, waits for the disk and moves the checkpoint on.
  Result<void> save_all();
  /// Keeps the keeper from touching queue files while the lock is held, e.g. to remove some.
  std::unique_lock<std::mutex> pause() { return std::unique_lock(mu_); }
  /// Queue entries of records that end at or under this are durable. Under the lock, for duties and while it is paused.
  PhyOffset queues_durable_to() const { return queues_durable_to_; }
  /// For duties: somebody waits for that. Once a second at most, since each active queue's file is synced. Returns
  /// when.
  Time make_queues_durable_soon(Time now);
  /// While paused: the log ends at `end` now.
  void rewind(PhyOffset end) { queues_durable_to_ = std::min(queues_durable_to_, end); }
  /// Whether a queue file couldn't be written. Entries stay in memory and are tried again.
  bool queues_failed() const { return queues_failed_.load(std::memory_order_relaxed); }

 private:
  struct Duty {
    std::function<Time(Time)> run;
    Time next;
  };
  Result<void> save_queues(bool durably);
  Result<void> try_save_queues(bool durably);
  void prepare_files();
  void populate();
  void bring_in(MappedFile& segment, int64_t from, int64_t bytes);
  bool streams() const;
  void start_write_back();
  void collect_fresh();
  void rest_queues();
  Time save_if_due(Time now);
  int64_t wake_mark() const;

  Files& files_;
  CommitLog& commit_log_;
  ConsumeQueueTable& queues_;
  Checkpoint& checkpoint_;
  Log& log_;
  const StoreOptions& options_;
  Sleeper sleeper_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> queues_failed_{false};
  std::function<void()> moved_;
  std::vector<Duty> duties_;
  std::vector<ConsumeQueueTable::Queue> fresh_;  // under the append lock
  std::mutex mu_;                                // all below
  std::vector<ConsumeQueueTable::Queue> active_;
  bool unsaved_ = false;
  bool unsynced_ = false;
  Time save_at_ = Time::max(), sync_at_ = Time::max(), rest_at_ = Time::max(), synced_at_{};
  PhyOffset seen_end_, populated_to_, written_back_to_, queues_durable_to_;
  int64_t ahead_bytes_;
  Time populated_at_;
  std::weak_ptr<MappedFile> greeted_;  ///< the prepared file whose start is populated
};

}  // namespace comet::store
