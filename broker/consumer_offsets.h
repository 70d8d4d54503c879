#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/config.h"
#include "broker/data_version.h"
#include "broker/own_commits.h"
#include "common/clock.h"
#include "common/files.h"
#include "common/log.h"
#include "common/types.h"
#include "remoting/protocol/bodies/offsets.h"

namespace comet::broker {

/// Where each group stands in each queue: committed offsets (consumerOffset.json), the places pulls have reached, and
/// resets that wait for the group's next pull (both in memory only).
///
/// Threads: any. Entries are spread over 32 locks by (topic, group); a lookup allocates nothing.
/// Source: ConsumerOffsetManager; behaviour.md 6.2, 6.3; store.md 24.
class ConsumerOffsets {
 public:
  /// `file` is <store root>/config/consumerOffset.json.
  ConsumerOffsets(Files& files, const Clock& clock, Log& log, const LiveConfig& config, Path file);

  Result<void> load();
  /// Writes the file if a committed offset changed since it was written last.
  Result<void> persist();

  std::optional<QueueOffset> committed(std::string_view group, std::string_view topic, QueueId queue) const;
  void commit(std::string_view group, std::string_view topic, QueueId queue, QueueOffset offset);

  /// How far pulls got; -1 if none did.
  QueueOffset pulled(std::string_view group, std::string_view topic, QueueId queue) const;
  /// What one pull leaves: its commit, if it carries one, and the next offset.
  void on_pull(std::string_view group, std::string_view topic, QueueId queue, std::optional<QueueOffset> commit,
               QueueOffset next);

  /// A reset set by an administrator; also commits it. Queries see it, commits of clients are ignored, until a pull
  /// takes it.
  void set_reset(std::string_view group, std::string_view topic, QueueId queue, QueueOffset offset);
  std::optional<QueueOffset> pending_reset(std::string_view group, std::string_view topic, QueueId queue) const;
  std::optional<QueueOffset> take_reset(std::string_view group, std::string_view topic, QueueId queue);

  /// A slave's: as commit(), and kept until the master has it. False, nothing committed: too many wait for the master.
  bool commit_here(std::string_view group, std::string_view topic, QueueId queue, QueueOffset offset);
  /// What waits for the master.
  OwnCommits& own() { return own_; }
  /// Takes over a master's committed offsets and version; own commits stay. What changes here first raises the version.
  void become(const remoting::ConsumerOffsetTable& masters);

  struct Entry {
    std::string topic, group;
    std::vector<std::pair<QueueId, QueueOffset>> offsets;  ///< committed, by queue
  };
  std::vector<Entry> all() const;  ///< with at least one committed offset; sorted by topic@group
  std::vector<std::pair<QueueId, QueueOffset>> offsets(std::string_view group, std::string_view topic) const;
  std::vector<std::string> topics_of(std::string_view group) const;  ///< with committed offsets, sorted
  std::vector<std::string> groups_of(std::string_view topic) const;

  /// Where a group's next pull of a queue begins.
  struct PulledPlace {
    std::string topic, group;
    QueueId queue;
    QueueOffset offset;
  };
  std::vector<PulledPlace> pulled_places() const;  ///< in no order

  void remove_topic(std::string_view topic);
  void remove_group(std::string_view group);
  void remove(std::string_view group, std::string_view topic);
  /// Copies the committed offsets of (from, topic) to (to, topic).
  void copy(std::string_view from, std::string_view to, std::string_view topic);

  DataVersion version() const;
  std::string text() const;  ///< consumerOffset.json's text

 private:
  struct Queue {
    int32_t id = 0;
    int64_t committed = kNone, pulled = kNone, reset = kNone;
  };
  struct Row {
    std::string topic, group;
    std::vector<Queue> queues;  // sorted by id
    Queue* find(int32_t id);
    const Queue* find(int32_t id) const;
    Queue& at(int32_t id);
    bool has_commit() const;
  };
  struct Shard {
    mutable std::mutex mu;
    std::unordered_multimap<size_t, Row> rows;  // by hash of topic and group
    const Row* find(size_t hash, std::string_view topic, std::string_view group) const;
    Row& at(size_t hash, std::string_view topic, std::string_view group);
  };
  static constexpr int64_t kNone = -1;
  static constexpr size_t kShards = 32;

  Result<void> load_committed();
  static size_t hash_of(std::string_view topic, std::string_view group);
  Shard& shard(size_t hash) const { return shards_[hash >> 59]; }
  void count_commit();
  template <class F>
  void remove_if(F doomed);

  Files& files_;
  const Clock& clock_;
  Log& log_;
  const LiveConfig& config_;
  const Path file_;
  mutable std::array<Shard, kShards> shards_;
  std::atomic<int64_t> changes_{0}, commits_{0}, resets_{0};
  mutable std::mutex version_mu_;  // guards version_
  CopiedVersion version_;
  std::atomic<bool> is_copy_{false};  ///< a slave's: nothing has changed here since the table was the master's
  OwnCommits own_;
  std::mutex persist_mu_;  // one writer of the file at a time
  int64_t persisted_changes_ = 0;
};

}  // namespace comet::broker
