#pragma once

#include <functional>
#include <optional>

#include "store/checkpoint.h"
#include "store/commit_log.h"
#include "store/dispatcher.h"

namespace comet::store {

/// Where the log ends, found when a store is opened.
struct Recovered {
  PhyOffset end;
  PhyOffset last_record{-1};
  int64_t last_store_ms = 0;
  bool from_clean_end = false;  ///< a clean stop of ours said it; nothing was scanned
  int64_t records_scanned = 0;
};

/// Finds the log's end and brings the queues to it. Source: CommitLog.recoverNormally, recoverAbnormally; store.md 15.
///
/// A record counts if its size, magic, lengths, body CRC and own offset are right. A bad one at or before the
/// checkpoint (or in a cleanly stopped store) with good ones behind it is damage: it is named and passed over. Else it
/// is the end. Queues that turn out to lack entries are built again from further back.
class Recovery {
 public:
  Recovery(Files& files, CommitLog& commit_log, ConsumeQueueTable& queues, Dispatcher& dispatcher,
           const Checkpoint& checkpoint, Log& log, const StoreOptions& options)
      : files_(files),
        commit_log_(commit_log),
        queues_(queues),
        dispatcher_(dispatcher),
        checkpoint_(checkpoint),
        log_(log),
        options_(options) {}

  /// Both were loaded before. `crashed`: the file abort was there. Afterwards the log can be appended to.
  Result<Recovered> run(bool crashed);

 private:
  using Segment = MappedFileQueue::Segment;
  /// Where a scan begins.
  struct Start {
    size_t file = 0;
    PhyOffset at;
  };

  std::optional<Recovered> try_clean_end() const;
  bool queues_changed() const;
  Start start_after_crash(const std::vector<LogFilePtr>& files) const;
  Start start_after_stop(const std::vector<LogFilePtr>& files, PhyOffset queues_end) const;
  /// The newest file that begins with a record.
  PhyOffset newest_begun(const std::vector<LogFilePtr>& files) const;
  Result<Recovered> scan(const std::vector<LogFilePtr>& files, Start start, PhyOffset dispatch_from);
  /// Scans one file from `at` on; false: the log ends in it.
  Result<bool> scan_file(const Segment& segment, PhyOffset at, const LogFilePtr& next, PhyOffset dispatch_from,
                         Recovered& found);
  bool lacks_own_crc(MappedFile& file, PhyOffset at, const DecodedMessage& record, PhyOffset before) const;
  bool first_record_is_safe(const LogFile& file) const;
  bool can_start_at(PhyOffset mark) const;
  Result<void> settle_queues(PhyOffset end, bool crashed);

  Files& files_;
  CommitLog& commit_log_;
  ConsumeQueueTable& queues_;
  Dispatcher& dispatcher_;
  const Checkpoint& checkpoint_;
  Log& log_;
  const StoreOptions& options_;
  int64_t safe_ms_ = 0;
};

}  // namespace comet::store
