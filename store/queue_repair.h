#pragma once

#include <optional>

#include "store/commit_log.h"
#include "store/consume_queue.h"
#include "store/dispatcher.h"

namespace comet::store {

/// Finds an entry again in the log where the queue's file lies about it: between the records of its neighbours stands
/// its own, if it is whole. Reads the log: for threads that may wait for the disk.
class QueueRepair {
 public:
  QueueRepair(const CommitLog& commit_log, const Dispatcher& dispatcher)
      : commit_log_(commit_log), dispatcher_(dispatcher) {}

  std::optional<QueueEntry> find(const ConsumeQueue& queue, QueueOffset at) const;
  /// Whether the entry leads to the whole record of this very message.
  bool is_right(const ConsumeQueue& queue, QueueOffset at, const QueueEntry& entry) const;

 private:
  const CommitLog& commit_log_;
  const Dispatcher& dispatcher_;
};

}  // namespace comet::store
