#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "common/files.h"
#include "common/log.h"
#include "common/result.h"
#include "common/types.h"
#include "remoting/protocol/bodies/offsets.h"

namespace comet::broker {

/// Commits that a slave has taken in its master's place, until the master has them: slaveCommits.json, so that they
/// survive a restart of the slave while the master is away. Entries are named topic@group, as in the table that
/// masters answer.
///
/// Bounded by kMost queues of groups; beyond it new ones are refused. Threads: any.
class OwnCommits {
 public:
  static constexpr size_t kMost = 1'000'000;

  /// `file` is <store root>/config/slaveCommits.json.
  OwnCommits(Files& files, Log& log, Path file) : files_(files), log_(log), file_(std::move(file)) {}

  static std::string key_of(std::string_view topic, std::string_view group);

  Result<void> load();
  /// Writes the file if something changed since it was written last.
  Result<void> persist();

  /// False: there is no room.
  bool note(const std::string& key, QueueId queue, QueueOffset offset);
  std::optional<QueueOffset> find(const std::string& key, QueueId queue) const;
  remoting::ConsumerOffsetTable all() const;
  /// The master has it, or won't ever; unless a newer one has come since.
  void settled(const std::string& key, QueueId queue, QueueOffset offset);
  void clear();

 private:
  Files& files_;
  Log& log_;
  const Path file_;
  mutable std::mutex mu_;  // guards what follows
  remoting::ConsumerOffsetTable table_;
  size_t count_ = 0;
  int64_t changes_ = 0;
  std::mutex persist_mu_;  // one writer of the file at a time; guards what follows
  int64_t persisted_changes_ = 0;
};

}  // namespace comet::broker
