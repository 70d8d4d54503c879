#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/files.h"
#include "common/log.h"
#include "common/message_codec.h"
#include "store/options.h"
#include "store/replicated_log.h"

namespace comet::store {

/// Why a message was not stored, by the names of Apache's PutMessageStatus.
enum class PutStatus {
  kOk,
  kServiceNotAvailable,  ///< shutting down, disk full, or a write or flush failed before
  kMessageIllegal,       ///< topic or body too long, record too large
  kPropertiesTooLarge,
  kCreateFileFailed,
};

/// A message to append. Views live until put() returns. Offsets, CRC, store time and magic are the store's to fill.
struct PutRequest {
  Message message;
  int64_t tags_code = 0;        ///< what the ConsumeQueue entry holds
  int64_t due_after_ms = 0;     ///< over 0: the entry holds the store time plus this instead, when a delay is over
  bool kept = false;            ///< it was accepted before: maxMessageSize of today doesn't apply
  std::string_view keys;        ///< its property KEYS, blank-separated, for who made the request
  std::string_view unique_key;  ///< its property UNIQ_KEY, likewise: the index reads the stored properties
};

struct PutResult {
  PutStatus status = PutStatus::kOk;
  std::string_view problem;  ///< static text for a status other than kOk
  PhyOffset at;
  PhyOffset end;  ///< durable once durable_end() has reached it
  QueueOffset queue_offset;
  int64_t store_timestamp_ms = 0;
};

enum class GetStatus {
  kFound,
  kNoMatchedMessage,
  kMessageWasRemoving,
  kOffsetFoundNull,
  kOffsetOverflowBadly,
  kOffsetOverflowOne,
  kOffsetTooSmall,
  kNoMatchedLogicQueue,
  kNoMessageInQueue,
  kOffsetReset,
  kWouldBlock,  ///< not in memory: call again from a worker with may_block; from there: can't be read
};
std::string_view get_status_name(GetStatus status);  ///< Apache's: "FOUND", "OFFSET_OVERFLOW_ONE"…

/// Decides which messages a pull returns; both stages run for each entry on the way.
class MessageFilter {
 public:
  virtual ~MessageFilter() = default;
  virtual bool matches_tags_code(int64_t tags_code) const = 0;
  virtual bool needs_record() const { return false; }
  virtual bool matches_record(ByteView record) const { return record.data() != nullptr; }
  /// Whether it has had enough: the walk ends before the next entry. Never before the first one.
  virtual bool is_tired() const { return false; }
};

struct GetRequest {
  std::string_view topic;
  QueueId queue_id;
  QueueOffset offset;
  int32_t max_messages = 32;
  int64_t max_bytes = 128 * 1024 * 1024;
  const MessageFilter* filter = nullptr;  ///< none: all match
  bool may_block = false;                 ///< false on an event loop
};

struct GetResult {
  GetStatus status = GetStatus::kNoMatchedLogicQueue;
  QueueOffset next, min, max;
  std::vector<PinnedBytes> records;  ///< whole records in order; neighbours in the log are one range
  int32_t count = 0;
  int64_t bytes = 0;
  bool suggest_slave = false;  ///< further behind than 40 % of memory
};

/// One ConsumeQueue entry.
struct QueueEntry {
  PhyOffset at;
  int32_t bytes = 0;
  int64_t tags_code = 0;
};

struct QueueKeyView {
  std::string_view topic;
  QueueId queue_id;
};

/// New messages became visible in a queue that somebody watches.
struct Arrival {
  std::string_view topic;
  QueueId queue_id;
  QueueOffset max_offset;            ///< one past the newest visible entry
  std::optional<int64_t> tags_code;  ///< of the message, where exactly one arrived
};
/// Called on the thread that appended (SYNC_FLUSH: the flusher), outside all locks of the store. Must be quick.
class ArrivalListener {
 public:
  virtual ~ArrivalListener() = default;
  virtual void on_arrival(const Arrival& arrival) = 0;
};

enum class TimeBoundary { kLower, kUpper };

struct KeyQuery {
  std::string_view topic, key;
  int32_t max_messages = 32;
  int64_t begin_ms = 0, end_ms = 0;
};
struct KeyQueryResult {
  std::vector<PinnedBytes> records;  ///< one range per record, oldest first
  int64_t index_last_update_ms = 0;
  PhyOffset index_last_update_offset;
};

/// Figures of the runtime information (request 28), in RocketMQ's units.
struct StoreFigures {
  PhyOffset min_offset, max_offset, durable_end, dispatched_end;
  int64_t bytes_not_flushed = 0;
  int64_t oldest_not_flushed_ms = 0;  ///< how long the oldest of them has waited
  int64_t at_risk_ms = 0;             ///< a power cut can take what was accepted in so long a time; 0 under SYNC_FLUSH
  int64_t deleted_before_time_files = 0;  ///< log files that a nearly full disk took, and their bytes
  int64_t deleted_before_time_bytes = 0;
  int64_t put_total = 0, put_bytes_total = 0, put_failed = 0;
  int64_t put_lock_ms = 0;  ///< longest hold of the append lock since the last reading
  int64_t put_entire_time_max_ms = 0;
  int64_t earliest_message_ms = 0;
  double commit_log_disk_ratio = 0;  ///< 0…1
  double consume_queue_disk_ratio = 0;
  std::vector<std::pair<std::string, double>> commit_log_disk_ratios;  ///< by path
  bool writable = true;
  std::string not_writable_reason;          ///< true sentence for a remark
  int64_t put_latency_buckets_ms[13] = {};  ///< counts for putMessageDistributeTime's ranges
};

/// The CommitLog with its ConsumeQueues and key index, in Apache's files. Layout: docs/disk_format.md; store.md.
///
/// Invariants: a record is acknowledged only after it stands whole behind all earlier ones; its queue entry and its
/// bytes become visible together; what is at or under durable_end() survives a power cut. Threads: put, get and queries
/// from any thread; run_* each on a thread of the composition root's, until stop().
class MessageStore {
 public:
  /// Locks the folder (kExists: another process has it), loads and recovers. Errors are sentences naming file and
  /// remedy.
  static Result<std::unique_ptr<MessageStore>> open(Files& files, const Clock& clock, Log& log, StoreOptions options);
  virtual ~MessageStore() = default;

  /// The flusher's, the keeper's and the indexer's lives: block until stop().
  virtual void run_flusher() = 0;
  virtual void run_keeper() = 0;
  virtual void run_indexer() = 0;
  /// Refuses further puts, makes everything durable, writes the checkpoint, removes `abort`; then the run_* calls
  /// return. After an error the abort file stays and the error is returned.
  virtual Result<void> stop() = 0;

  /// Appends; ASYNC_FLUSH: visible on return. SYNC_FLUSH: the caller parks its answer until durable_end() ≥ end.
  virtual PutResult put(const PutRequest& request) = 0;
  /// Appends all or none, side by side with consecutive queue offsets; all of one topic and queue.
  virtual PutResult put_batch(std::span<const PutRequest> requests, std::vector<PhyOffset>& places) = 0;

  virtual PhyOffset durable_end() const = 0;
  /// `wake` runs on the flusher after each flush (also a failed one: `failed` true from then on). Set before
  /// run_flusher().
  virtual void on_durable(std::function<void(PhyOffset durable_end, bool failed)> wake) = 0;
  virtual void on_arrival(ArrivalListener* listener) = 0;  ///< set before the first put
  /// Counts a watcher in or out (±1); arrivals are told only while a queue has one. Watch first, then look again.
  virtual void watch(QueueKeyView queue, int32_t delta) = 0;

  virtual GetResult get(const GetRequest& request) = 0;
  virtual QueueOffset min_offset(QueueKeyView queue) = 0;  ///< 0 for an unknown queue
  virtual QueueOffset max_offset(QueueKeyView queue,
                                 bool committed) = 0;  ///< one past the newest (visible, if `committed`) entry
  /// Whether the queue's first entry is still in memory-near bytes: the rule for new groups (behaviour.md, query
  /// offset).
  virtual bool first_entry_in_memory(QueueKeyView queue) = 0;
  virtual QueueOffset offset_by_time(QueueKeyView queue, int64_t timestamp_ms, TimeBoundary boundary) = 0;
  virtual int64_t earliest_store_time_ms(QueueKeyView queue) = 0;             ///< -1 if none
  virtual int64_t store_time_ms(QueueKeyView queue, QueueOffset offset) = 0;  ///< of the entry's record; -1 if none
  /// Nothing: none stands there, or a hole. An error: it can't be read now, and must not be taken for none.
  virtual Result<std::optional<QueueEntry>> entry(QueueKeyView queue, QueueOffset offset) = 0;
  virtual bool queue_exists(QueueKeyView queue) = 0;
  /// kIo: the queue's files can't be read now, so that the numbers above say nothing. An unknown queue is readable.
  virtual Result<void> queue_readable(QueueKeyView queue) = 0;

  /// The whole record that starts at `at`. kNotFound: none does. kIo: it can't be read now, and must not be taken for
  /// none.
  virtual Result<PinnedBytes> record_at(PhyOffset at) = 0;
  virtual KeyQueryResult query(const KeyQuery& query) = 0;

  /// Topics that have queues, with their queue ids.
  virtual std::vector<std::pair<std::string, std::vector<QueueId>>> queues() = 0;
  virtual void delete_topic(std::string_view topic) = 0;
  virtual void clean_expired_queues() = 0;  ///< request 306
  virtual void delete_expired_log() = 0;    ///< request 329: arms the next passes
  /// The rules of deletion, and what LiveSettings names, as `options` has them from now on; the rest isn't looked at.
  virtual void change_options(const StoreOptions& options) = 0;

  /// For replication; null where there is no log of bytes.
  virtual ReplicatedLog* replicated_log() { return nullptr; }

  virtual StoreFigures figures() = 0;
  virtual const StoreOptions& options() const = 0;
  /// false: puts are refused; the reason is in figures().
  virtual bool writable() const = 0;
  /// Whether the loaded store ended with a kill (`abort` was there).
  virtual bool opened_after_crash() const = 0;
};

}  // namespace comet::store
