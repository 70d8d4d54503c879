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

namespace comet::store {

/// All ConsumeQueues of the store by topic and queue id. Look-ups neither allocate nor wait for long. Thread-safe.
/// Source: ConsumeQueueStore.
class ConsumeQueueTable {
 public:
  using Queue = std::shared_ptr<ConsumeQueue>;

  ConsumeQueueTable(Files& files, Log& log, const StoreOptions& options);

  /// Makes and loads a queue for each folder under consumequeue/.
  Result<void> load();

  Queue find(std::string_view topic, QueueId id) const;
  Queue find_or_make(std::string_view topic, QueueId id);
  std::vector<Queue> all() const;
  std::vector<Queue> of_topic(std::string_view topic) const;
  std::vector<std::pair<std::string, std::vector<QueueId>>> names() const;
  /// Takes a queue out; its files stay for the caller to remove.
  void take_out(const Queue& queue);

  /// The end of the newest record that any queue knows; -1 without entries.
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

  QueueFiles shared_;
  std::array<Shard, kShards> shards_;
};

}  // namespace comet::store
