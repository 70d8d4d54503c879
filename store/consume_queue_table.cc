#include "store/consume_queue_table.h"

#include <algorithm>
#include <charconv>
#include <mutex>

namespace comet::store {
namespace {

constexpr size_t kOpenFiles = 1024;

int64_t entries_per_file(int64_t bytes) {
  return std::max<int64_t>((bytes + QueueUnit::kBytes - 1) / QueueUnit::kBytes, 1);
}

}  // namespace

ConsumeQueueTable::ConsumeQueueTable(Files& files, Log& log, const StoreOptions& options)
    : shared_{files, log, options.root + "/consumequeue", entries_per_file(options.consume_queue_file_bytes),
              FileCache(files, kOpenFiles)} {}

Result<void> ConsumeQueueTable::load() {
  auto topics = shared_.files.list(shared_.root);
  if (!topics)
    return topics.error().code == Errc::kNotFound ? Result<void>() : tl::unexpected(std::move(topics).error());
  for (const FileInfo& topic : *topics) {
    if (!topic.is_directory) continue;
    COMET_TRY(const auto ids, shared_.files.list(shared_.root + "/" + topic.name));
    for (const FileInfo& folder : ids) {
      int32_t id = 0;
      const char* end = folder.name.data() + folder.name.size();
      const auto [stop, problem] = std::from_chars(folder.name.data(), end, id);
      if (!folder.is_directory || problem != std::errc() || stop != end || id < 0) continue;
      COMET_TRY_VOID(find_or_make(topic.name, QueueId(id))->load());
    }
  }
  return {};
}

std::vector<ConsumeQueueTable::Queue>::const_iterator ConsumeQueueTable::place(const std::vector<Queue>& queues,
                                                                               QueueId id) {
  return std::lower_bound(queues.begin(), queues.end(), id,
                          [](const Queue& queue, QueueId wanted) { return queue->id() < wanted; });
}

ConsumeQueueTable::Queue ConsumeQueueTable::find(std::string_view topic, QueueId id) const {
  const Shard& in = shard(topic);
  const std::lock_guard lock(in.mu);
  const auto found = in.topics.find(topic);
  if (found == in.topics.end()) return nullptr;
  const auto at = place(found->second.queues, id);
  return at != found->second.queues.end() && (*at)->id() == id ? *at : nullptr;
}

ConsumeQueueTable::Queue ConsumeQueueTable::find_or_make(std::string_view topic, QueueId id) {
  if (Queue known = find(topic, id)) return known;
  Shard& in = shard(topic);
  const std::lock_guard lock(in.mu);
  auto found = in.topics.find(topic);
  if (found == in.topics.end()) {
    found = in.topics.emplace(std::string(topic), TopicQueues{std::make_shared<const std::string>(topic), {}}).first;
  }
  auto& queues = found->second.queues;
  const auto at = place(queues, id);
  if (at != queues.end() && (*at)->id() == id) return *at;
  return *queues.insert(at, std::make_shared<ConsumeQueue>(shared_, found->second.name, id));
}

std::vector<ConsumeQueueTable::Queue> ConsumeQueueTable::all() const {
  std::vector<Queue> out;
  for (const Shard& in : shards_) {
    const std::lock_guard lock(in.mu);
    for (const auto& [name, topic] : in.topics) out.insert(out.end(), topic.queues.begin(), topic.queues.end());
  }
  return out;
}

std::vector<ConsumeQueueTable::Queue> ConsumeQueueTable::of_topic(std::string_view topic) const {
  const Shard& in = shard(topic);
  const std::lock_guard lock(in.mu);
  const auto found = in.topics.find(topic);
  return found == in.topics.end() ? std::vector<Queue>() : found->second.queues;
}

std::vector<std::pair<std::string, std::vector<QueueId>>> ConsumeQueueTable::names() const {
  std::vector<std::pair<std::string, std::vector<QueueId>>> out;
  for (const Shard& in : shards_) {
    const std::lock_guard lock(in.mu);
    for (const auto& [name, topic] : in.topics) {
      auto& ids = out.emplace_back(name, std::vector<QueueId>()).second;
      for (const Queue& queue : topic.queues) ids.push_back(queue->id());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

void ConsumeQueueTable::take_out(const Queue& queue) {
  Shard& in = shard(queue->topic());
  const std::lock_guard lock(in.mu);
  const auto found = in.topics.find(std::string_view(queue->topic()));
  if (found == in.topics.end()) return;
  auto& queues = found->second.queues;
  const auto at = place(queues, queue->id());
  if (at != queues.end() && *at == queue) queues.erase(at);
  if (queues.empty()) in.topics.erase(found);
}

PhyOffset ConsumeQueueTable::max_phy() const {
  PhyOffset most(-1);
  for (const Queue& queue : all()) most = std::max(most, queue->max_phy());
  return most;
}

}  // namespace comet::store
