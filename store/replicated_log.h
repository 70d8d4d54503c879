#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "common/bytes.h"
#include "common/result.h"
#include "common/types.h"

namespace comet::store {

/// The CommitLog as replication sees it: bytes, not messages. A master's is read, a replica's (StoreOptions::replica)
/// is appended to, and only from here.
///
/// Bytes arrive in slices that end anywhere. What they complete becomes a record, with its queue entry, at once;
///
///     end ≤ received_end, and end is where a record ends, so that nothing half-received is ever seen or kept.
/// Threads: append() and truncate() from one thread, the replica's; the rest from any. Source: replication.md 3.
class ReplicatedLog {
 public:
  virtual ~ReplicatedLog() = default;

  virtual PhyOffset log_min() const = 0;
  virtual PhyOffset log_end() const = 0;
  virtual PhyOffset log_durable_end() const = 0;
  virtual int64_t log_file_bytes() const = 0;
  /// Bytes of one file from `at` on, at most `most`; nothing where none are published.
  virtual std::optional<PinnedBytes> published(PhyOffset at, int64_t most) = 0;

  /// `tell` runs when the log grows beyond what tell_beyond() last asked for, once per asking, on the thread that
  /// appended. Must be quick. Set before the first append.
  virtual void on_grown(std::function<void()> tell) = 0;
  /// False: the log is longer already, look again.
  virtual bool tell_beyond(PhyOffset mark) = 0;

  /// `tell` runs when a received record is the first of its queue, on the thread that appended. Set before the first.
  virtual void on_new_queue(std::function<void()> tell) = 0;

  /// Where the next slice goes; behind end() while a record is incomplete.
  virtual PhyOffset received_end() const = 0;
  /// Appends a slice. An empty log begins wherever its first slice does, at a file's start. kInvalid: it doesn't follow
  /// what was received; kCorrupt: it makes no record; kNoSpace, kIo. After an error received_end() is where to go on.
  virtual Result<void> append(PhyOffset at, ByteView bytes) = 0;
  /// Forgets what was received of an incomplete record.
  virtual void drop_incomplete() = 0;
  /// Takes everything behind the record that starts at `last` out of the log and its queues. The bytes are kept in a
  /// file of the folder `diverged` under the root, whose path is returned.
  virtual Result<std::string> truncate_behind(PhyOffset last) = 0;

  /// Where the master's log ended when it started, as a slave was told; kept in the checkpoint, 0 until then.
  virtual PhyOffset master_flushed() const = 0;
  virtual Result<void> set_master_flushed(PhyOffset offset) = 0;

  /// Where the newest record starts; nothing in an empty log.
  virtual std::optional<PhyOffset> last_record() = 0;
  /// The whole record that starts at `at`. kNotFound: none does. kIo: it can't be read now.
  virtual Result<PinnedBytes> record_at(PhyOffset at) = 0;
  /// Where each file of the log starts.
  virtual std::vector<PhyOffset> file_starts() const = 0;
  /// Where each record of the file that starts at `file` does. Reads the whole file.
  virtual std::vector<PhyOffset> record_starts(PhyOffset file) = 0;
};

}  // namespace comet::store
