#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/checkpoint.h"
#include "store/commit_log.h"
#include "store/consume_queue_table.h"
#include "store/dispatcher.h"
#include "store/flusher.h"
#include "store/index.h"
#include "store/indexer.h"
#include "store/keeper.h"
#include "store/live_settings.h"
#include "store/log_replica.h"
#include "store/message_store.h"
#include "store/once_a_second.h"
#include "store/recovery.h"
#include "store/retention.h"

namespace comet::store {

/// The MessageStore: puts the parts of this room together. Opening and stopping are in engine.cc, appending in
/// engine_put.cc, reading in engine_get.cc and engine_queries.cc.
class Engine final : public MessageStore {
 public:
  Engine(Files& files, const Clock& clock, Log& log, StoreOptions options);

  /// Locks, loads and recovers; once, before anything else.
  Result<void> start();

  void run_flusher() override { flusher_.run(); }
  void run_keeper() override;
  void run_indexer() override { indexer_.run(); }
  /// One turn of all three lives on the caller's thread, as if it were `now`: for who runs none of them.
  Result<void> turn(Keeper::Time now);
  Result<void> stop() override;

  PutResult put(const PutRequest& request) override;
  PutResult put_batch(std::span<const PutRequest> requests, std::vector<PhyOffset>& places) override;

  PhyOffset durable_end() const override { return commit_log_.durable_end(); }
  void on_durable(std::function<void(PhyOffset, bool)> wake) override { flusher_.on_durable(std::move(wake)); }
  void on_arrival(ArrivalListener* listener) override { listener_ = listener; }
  void watch(QueueKeyView queue, int32_t delta) override;

  GetResult get(const GetRequest& request) override;
  QueueOffset min_offset(QueueKeyView queue) override;
  QueueOffset max_offset(QueueKeyView queue, bool committed) override;
  bool first_entry_in_memory(QueueKeyView queue) override;
  QueueOffset offset_by_time(QueueKeyView queue, int64_t timestamp_ms, TimeBoundary boundary) override;
  int64_t earliest_store_time_ms(QueueKeyView queue) override;
  int64_t store_time_ms(QueueKeyView queue, QueueOffset offset) override;
  Result<std::optional<QueueEntry>> entry(QueueKeyView queue, QueueOffset offset) override;
  bool queue_exists(QueueKeyView queue) override;
  Result<void> queue_readable(QueueKeyView queue) override;
  Result<PinnedBytes> record_at(PhyOffset at) override;
  KeyQueryResult query(const KeyQuery& query) override;
  std::vector<std::pair<std::string, std::vector<QueueId>>> queues() override { return queues_.names(); }
  void delete_topic(std::string_view topic) override;
  void clean_expired_queues() override;
  void delete_expired_log() override;
  void change_options(const StoreOptions& options) override {
    retention_.set_rules(options);
    live_.take(options);
  }
  ReplicatedLog* replicated_log() override { return replica_.get(); }
  StoreFigures figures() override;
  const StoreOptions& options() const override { return options_; }
  bool writable() const override { return why_not_writable() == nullptr; }
  bool opened_after_crash() const override { return crashed_; }

 private:
  /// One message on its way into the log: what is known before the append lock.
  struct Prepared {
    int32_t bytes = 0;
    int32_t crc = 0;
    bool add_separator = false;
    bool own_crc = false;  ///< gets a property with a CRC over all of the record
  };
  struct Counters {  // under the append lock
    int64_t puts = 0, bytes = 0, failed = 0;
    int64_t longest_lock_ms = 0, longest_put_ms = 0;
    int64_t latency[13] = {};
  };
  struct Scan;

  Result<void> take_lock();
  Result<void> refuse_batch_queues() const;
  Result<void> recover();
  QueueManifest::Stamp stamp(PhyOffset log_end, int64_t lock_ms) const;
  std::optional<QueueManifest> find_manifest(int64_t lock_ms);
  Result<void> write_manifest();
  PhyOffset index_from(const Recovered& found, const std::optional<CleanEnd>& mark) const;
  Path path(std::string_view name) const { return options_.root + "/" + std::string(name); }

  PutResult append(std::span<const PutRequest> requests, std::span<Prepared> prepared, PhyOffset* places);
  PutResult check(const PutRequest& request, Prepared& prepared) const;
  void write_record(const Message& message, const Prepared& prepared, std::byte* at, bool last) const;
  void count_put(size_t messages, int64_t bytes, int64_t began_ms);
  void tell_arrival(ConsumeQueue& queue, int64_t before, int64_t end, std::optional<int64_t> tags_code);
  void tell_visible_arrivals();
  /// Under the append lock: the queue has got an entry.
  void note_entry(const ConsumeQueueTable::Queue& queue, bool held_back);
  /// Publishes a record that came from a master, with its place in its queue. kIo: the queue's files can't be read.
  Result<void> take_received(const DecodedMessage& record);
  void publish_received(const DecodedMessage& record);  // under the append lock
  enum Refusal : uint32_t { kStopping = 1, kDiskFull = 2, kReplica = 4 };
  /// Static text; nullptr: puts are welcome.
  const char* why_not_writable() const;
  /// Whether what was copied from or to the log's mapping since can't be trusted. Tells the first time.
  bool failed_since(int64_t failures_before);
  bool is_hit(const PinnedBytes& record, const KeyQuery& query) const;

  /// Up to where readers see: the durable end under SYNC_FLUSH, else everything.
  PhyOffset visible_limit() const;
  /// Whether what stands at `at` is old: further behind the log's end than the share of memory that pulls count on.
  bool is_old(PhyOffset at, PhyOffset log_end) const {
    return log_end - at > memory_bytes_ / 100 * live_.access_in_memory_max_ratio;
  }
  bool in_memory(const MappedFile& segment, PhyOffset at, int64_t ahead, bool may_block) const;
  std::optional<PinnedBytes> record_of(const QueueEntry& entry) const;
  std::optional<ByteView> record_of(Scan& scan, const QueueEntry& entry) const;
  void fetch_ahead(Scan& scan, const QueueEntry& unit) const;
  void tell_unreadable(const ConsumeQueue& queue, const Error& why);
  int64_t store_time_of(const QueueEntry& entry) const;
  /// The tags code of an entry that has only the address of it: what it was made from stands in the record.
  QueueEntry with_tags_code(const QueueEntry& entry) const;
  bool scan_unit(Scan& scan, int64_t index, const QueueEntry& unit);
  bool scan_mended(Scan& scan, int64_t index, const QueueEntry& unit, PhyOffset skip_until);
  bool is_whole(const Scan& scan, int64_t index, const QueueEntry& unit, ByteView record) const;
  void remove_queue(const ConsumeQueueTable::Queue& queue);

  Files& files_;
  const Clock& clock_;
  Log& log_;
  const StoreOptions options_;
  LiveSettings live_;
  const int64_t memory_bytes_;
  std::unique_ptr<FileLock> lock_;
  bool crashed_ = false;

  CommitLog commit_log_;
  ConsumeQueueTable queues_;
  Dispatcher dispatcher_;
  Flusher flusher_;
  Index index_;
  Indexer indexer_;
  Retention retention_;
  std::unique_ptr<Checkpoint> checkpoint_;
  std::unique_ptr<Keeper> keeper_;
  std::unique_ptr<LogReplica> replica_;

  std::atomic<uint32_t> refusals_{0};  ///< bits of Refusal
  ArrivalListener* listener_ = nullptr;
  PhyOffset opened_at_, last_record_;              // last_record_: under the append lock
  std::vector<ConsumeQueueTable::Queue> arrived_;  // under the append lock: SYNC_FLUSH, not yet told
  std::vector<ConsumeQueueTable::Queue> telling_;  // the flusher's
  Counters counters_;
  std::atomic<bool> stopped_{false}, failure_told_{false};
  OnceASecond may_tell_unreadable_;
};

}  // namespace comet::store
