#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/consume_queue.h"
#include "store/queue_manifest.h"

namespace comet::store {

/// All ConsumeQueues of the store by topic and queue id. Look-ups neither allocate nor wait for long. Thread-safe.
/// Source: ConsumeQueueStore.
class ConsumeQueueTable {
 public:
  using Queue = std::shared_ptr<ConsumeQueue>;

  ConsumeQueueTable(Files& files, Log& log, const StoreOptions& options);

  /// Makes a queue for each folder under consumequeue/, or for each that `manifest` knows where it fits to the folders.
  /// Few queues are loaded at once, so that what was done to their files is found at the start; of many only those that
  /// the manifest doesn't know, each when it is needed.
  Result<void> load(std::optional<QueueManifest> manifest);
  /// Whether the manifest was used: no queue has changed since the store was stopped.
  bool as_they_were() const { return as_they_were_; }
  bool all_loaded() const { return !some_unloaded_; }
  /// Topics that have a folder.
  Result<int64_t> folders() const;
  int64_t file_entries() const { return shared_.file_entries; }
  /// What the files hold now.
  QueueManifest manifest() const;

  /// Loads the queue unless it is. kIo, kInvalid: its files can't be read, and nothing may be appended to it.
  Result<void> ready(const Queue& queue) const;
  /// Recovery: no record at or behind `phy` is in the files of any queue.
  void cut_behind(PhyOffset phy);
  /// Tells queues that are loaded later.
  void log_begins_at(PhyOffset log_min) { shared_.log_min = log_min.value; }

  /// Loaded unless that waits for a disk and mustn't, or can't be done, which is logged: ask loaded().
  Queue find(std::string_view topic, QueueId id, bool may_block = true) const;
  Queue find_or_make(std::string_view topic, QueueId id);
  std::vector<Queue> all() const;
  std::vector<Queue> loaded() const;
  std::vector<Queue> of_topic(std::string_view topic) const;
  std::vector<std::pair<std::string, std::vector<QueueId>>> names() const;
  /// Takes a queue out; its files stay for the caller to remove.
  void take_out(const Queue& queue);

  /// Over where all queues begin and end, to tell whether files were changed; -1 while some queues aren't loaded.
  int64_t sum() const;
  /// An error if any queue file could not be read: then nobody knows where the queues end.
  Result<void> all_readable() const { return shared_.read_errors.as_result(); }
  /// The end of the last record before which a queue lacks entries, of the queue with the earliest; nothing if none
  /// does.
  std::optional<PhyOffset> first_gap() const;
  /// The end of the newest record that any loaded queue knows; -1 without entries.
  PhyOffset max_phy() const;
  const std::string& root() const { return shared_.root; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct TopicQueues {
    std::shared_ptr<const std::string> name;
    std::vector<Queue> queues;  ///< by id
  };
  struct alignas(64) Shard {
    mutable AdaptiveLock mu;
    std::unordered_map<std::string, TopicQueues, Hash, std::equal_to<>> topics;  // under mu
  };
  static constexpr size_t kShards = 64;

  static std::vector<Queue>::const_iterator place(const std::vector<Queue>& queues, QueueId id);
  Shard& shard(std::string_view topic) { return shards_[Hash()(topic) % kShards]; }
  const Shard& shard(std::string_view topic) const { return shards_[Hash()(topic) % kShards]; }

  Result<void> find_folders();
  void adopt(const QueueManifest& manifest);
  Queue look_up(std::string_view topic, QueueId id) const;
  Queue make(std::string_view topic, QueueId id);
  void make_ready(const Queue& queue) const;

  mutable QueueFiles shared_;
  const int32_t load_at_once_;
  bool as_they_were_ = false, some_unloaded_ = false;
  std::array<Shard, kShards> shards_;
};

}  // namespace comet::store
