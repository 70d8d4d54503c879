#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "broker/config.h"
#include "broker/data_version.h"
#include "common/clock.h"
#include "common/files.h"
#include "common/log.h"
#include "common/types.h"

namespace comet::broker {

/// Up to where each delay level was delivered: delayOffset.json, level → next entry of the level's queue.
///
/// What is written never runs ahead of what is durable: an offset goes to the file only when the messages delivered
/// before it are on disk, so that a power cut repeats deliveries instead of losing them.
/// Threads: any; persist() one at a time. Source: ScheduleMessageService; store.md 24.
class DelayOffsets {
 public:
  DelayOffsets(Files& files, const Clock& clock, Log& log, const LiveConfig& config, Path file);

  /// Reads the file anew, in place of what is held.
  Result<void> load();

  /// Takes over what a master answered to GET_ALL_DELAY_OFFSET, and writes it. kCorrupt, kInvalid: it is none.
  Result<void> adopt(std::string_view text);

  /// The next entry to deliver; 0 for a level that has delivered nothing.
  QueueOffset next(int32_t level) const;
  /// Entries before `next` are delivered; their messages end at or under `delivered_end` in the log. The first time
  /// that a slave does this after it copied its master's table, the version rises.
  void advance(int32_t level, QueueOffset next, PhyOffset delivered_end);

  /// Writes what changed, up to what is durable; what isn't yet is written by a later call.
  Result<void> persist(PhyOffset durable_end);
  /// Whether persist() has something that waits for durability.
  bool waiting() const;

  std::string text() const;  ///< compact JSON: the answer to GET_ALL_DELAY_OFFSET
  std::map<int32_t, QueueOffset> all() const;

 private:
  struct Snapshot {
    std::string text;
    PhyOffset delivered_end;
    int64_t changes = 0;
  };
  std::string text_locked(bool pretty) const;
  void assign(const nlohmann::json& state);

  Files& files_;
  const Clock& clock_;
  Log& log_;
  const LiveConfig& config_;
  const Path file_;
  mutable std::mutex mu_;  // guards all below
  std::map<int32_t, QueueOffset> next_;
  CopiedVersion version_;
  bool is_copy_ = false;  ///< a slave's: the table is its master's
  PhyOffset delivered_end_;
  int64_t changes_ = 0, persisted_changes_ = 0;
  std::optional<Snapshot> snapshot_;  ///< to be written once it is durable
};

}  // namespace comet::broker
