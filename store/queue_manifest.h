#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/files.h"
#include "store/consume_queue.h"

namespace comet::store {

/// What the files of every queue held when the store was stopped cleanly, so that the next start need not look into a
/// million folders. A file of ours beside the store; Apache's broker doesn't know it.
///
/// It is good for one start, and only of the very store that was stopped: every broker writes the file `lock` when it
/// starts, Apache's too, so another time on that file means that somebody else has been there. Layout:
/// docs/disk_format.md, "Queue manifest".
class QueueManifest {
 public:
  /// Which store it describes, and in which state.
  struct Stamp {
    PhyOffset log_begin, log_end;
    int64_t lock_ms = 0;       ///< when the file `lock` was written
    int64_t file_entries = 0;  ///< entries in one queue file
    int64_t folders = 0;       ///< topics under consumequeue/
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  struct Queue {
    QueueId id;
    std::optional<QueueExtent> extent;  ///< nothing: its files must be looked at
  };

  /// Nothing where there is none, where it is damaged, or where its stamp is another.
  static std::optional<QueueManifest> read(Files& files, const Path& path, const Stamp& stamp);

  QueueManifest();
  void add(std::string_view topic, std::span<const Queue> queues);
  /// Writes what was added, durably, under its name at once.
  Result<void> write(Files& files, const Path& path, const Stamp& stamp);

  int64_t queues() const;
  void each_topic(const std::function<void(std::string_view topic, std::span<const Queue>)>& visit) const;

 private:
  std::string content_;  ///< as the file has it, but for the checksum at its end
};

}  // namespace comet::store
