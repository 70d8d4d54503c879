#pragma once

#include <atomic>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "store/commit_log.h"
#include "store/consume_queue_table.h"
#include "store/flusher.h"
#include "store/indexer.h"
#include "store/keeper.h"
#include "store/replicated_log.h"

namespace comet::store {

/// The ReplicatedLog over the store's CommitLog, queues and index.
class LogReplica final : public ReplicatedLog {
 public:
  struct Parts {
    Files& files;
    const Clock& clock;
    Log& log;
    const StoreOptions& options;
    CommitLog& commit_log;
    ConsumeQueueTable& queues;
    Flusher& flusher;
    Indexer& indexer;
    Keeper& keeper;
    Checkpoint& checkpoint;
    PhyOffset& last_record;  ///< under the append lock
  };
  /// `take` publishes a whole record at the log's end and gives it its queue entry, or takes neither.
  using Take = std::function<Result<void>(const DecodedMessage&)>;
  LogReplica(const Parts& parts, Take take) : parts_(parts), take_(std::move(take)) {}

  PhyOffset log_min() const override { return parts_.commit_log.min_offset(); }
  PhyOffset log_end() const override { return parts_.commit_log.end(); }
  PhyOffset log_durable_end() const override { return parts_.commit_log.durable_end(); }
  int64_t log_file_bytes() const override { return parts_.commit_log.file_bytes(); }
  std::optional<PinnedBytes> published(PhyOffset at, int64_t most) override;
  void on_grown(std::function<void()> tell) override { grown_ = std::move(tell); }
  bool tell_beyond(PhyOffset mark) override;
  void on_new_queue(std::function<void()> tell) override { new_queue_ = std::move(tell); }
  PhyOffset received_end() const override { return parts_.commit_log.received_end(); }
  Result<void> append(PhyOffset at, ByteView bytes) override;
  void drop_incomplete() override;
  Result<std::string> truncate_behind(PhyOffset last) override;
  PhyOffset master_flushed() const override { return PhyOffset(parts_.checkpoint.times().master_flushed); }
  Result<void> set_master_flushed(PhyOffset offset) override;
  std::optional<PhyOffset> last_record() override;
  Result<PinnedBytes> record_at(PhyOffset at) override;
  std::vector<PhyOffset> file_starts() const override;
  std::vector<PhyOffset> record_starts(PhyOffset file) override;

  /// The writer's side, after publishing.
  void appended(int64_t end) {
    if (end > mark_.load(std::memory_order_seq_cst)) [[unlikely]]
      tell_grown();
  }
  /// Puts the entry of a received record that doesn't follow its queue's last one into its place: the log began in the
  /// middle of a queue, or the topic was made anew on the master. While the keeper is paused, under the append lock.
  void place_out_of_order(ConsumeQueue& queue, QueueOffset at, const QueueEntry& entry);
  void queue_began() {
    if (new_queue_) new_queue_();
  }
  /// Takes nothing any more.
  void stop();

 private:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  void tell_grown();
  Result<void> take_whole_records();
  /// Takes one record or blank at the log's end; false: it isn't complete.
  Result<bool> take_one();
  Result<std::string> keep_bytes(PhyOffset from, PhyOffset to);
  std::optional<PhyOffset> last_record_before(PhyOffset end);

  const Parts parts_;
  const Take take_;
  std::function<void()> grown_, new_queue_;
  std::atomic<int64_t> mark_{kNever};  ///< told once when the log's end passes it
  std::mutex mu_;                      ///< one change of the log at a time, and none after stop()
  bool stopped_ = false;               // under mu_
};

}  // namespace comet::store
