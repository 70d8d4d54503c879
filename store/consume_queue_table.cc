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
              FileCache(files, kOpenFiles)},
      load_at_once_(options.queues_loaded_at_open) {}

Result<void> ConsumeQueueTable::load(std::optional<QueueManifest> manifest) {
  if (manifest && manifest->queues() > load_at_once_) {
    adopt(*manifest);
    as_they_were_ = true;
    return {};
  }
  COMET_TRY_VOID(find_folders());
  const auto queues = all();
  if (queues.size() > static_cast<size_t>(load_at_once_)) {
    for (const Queue& queue : queues) queue->leave_unloaded();
    some_unloaded_ = true;
    return {};
  }
  for (const Queue& queue : queues) COMET_TRY_VOID(queue->load());
  return {};
}

Result<void> ConsumeQueueTable::find_folders() {
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
      if (folder.is_directory && problem == std::errc() && stop == end && id >= 0) make(topic.name, QueueId(id));
    }
  }
  return {};
}

void ConsumeQueueTable::adopt(const QueueManifest& manifest) {
  manifest.each_topic([this](std::string_view name, std::span<const QueueManifest::Queue> queues) {
    auto& topic = shard(name).topics.emplace(std::string(name), TopicQueues{}).first->second;
    topic.name = std::make_shared<const std::string>(name);
    topic.queues.reserve(queues.size());
    for (const auto& known : queues) {
      topic.queues.push_back(
          std::make_shared<ConsumeQueue>(shared_, topic.name, known.id, known.extent.value_or(QueueExtent())));
      if (known.extent) continue;
      topic.queues.back()->leave_unloaded();
      some_unloaded_ = true;
    }
  });
}

Result<int64_t> ConsumeQueueTable::folders() const {
  auto topics = shared_.files.list(shared_.root);
  if (!topics) return tl::unexpected(std::move(topics).error());
  return static_cast<int64_t>(topics->size());
}

QueueManifest ConsumeQueueTable::manifest() const {
  QueueManifest out;
  std::vector<QueueManifest::Queue> queues;
  for (const Shard& in : shards_) {
    const std::lock_guard lock(in.mu);
    for (const auto& [name, topic] : in.topics) {
      queues.clear();
      for (const Queue& queue : topic.queues) {
        const auto extent = queue->extent();
        if (!extent || extent->first_file >= 0) queues.push_back({queue->id(), extent});
      }
      if (!queues.empty()) out.add(name, queues);
    }
  }
  return out;
}

Result<void> ConsumeQueueTable::ready(const Queue& queue) const {
  return queue->loaded() ? Result<void>() : queue->load_late();
}

void ConsumeQueueTable::make_ready(const Queue& queue) const {
  if (auto done = ready(queue); !done)
    shared_.log.error("queue {} of {} can't be used now: {}", queue->id().value, queue->topic(), done.error().what);
}

void ConsumeQueueTable::cut_behind(PhyOffset phy) {
  shared_.cut = std::min(shared_.cut.load(), phy.value);
  for (const Queue& queue : loaded()) queue->cut_behind(phy);
}

std::vector<ConsumeQueueTable::Queue>::const_iterator ConsumeQueueTable::place(const std::vector<Queue>& queues,
                                                                               QueueId id) {
  return std::lower_bound(queues.begin(), queues.end(), id,
                          [](const Queue& queue, QueueId wanted) { return queue->id() < wanted; });
}

ConsumeQueueTable::Queue ConsumeQueueTable::look_up(std::string_view topic, QueueId id) const {
  const Shard& in = shard(topic);
  const std::lock_guard lock(in.mu);
  const auto found = in.topics.find(topic);
  if (found == in.topics.end()) return nullptr;
  const auto at = place(found->second.queues, id);
  return at != found->second.queues.end() && (*at)->id() == id ? *at : nullptr;
}

ConsumeQueueTable::Queue ConsumeQueueTable::find(std::string_view topic, QueueId id, bool may_block) const {
  Queue queue = look_up(topic, id);
  if (queue && !queue->loaded() && may_block) [[unlikely]]
    make_ready(queue);
  return queue;
}

ConsumeQueueTable::Queue ConsumeQueueTable::find_or_make(std::string_view topic, QueueId id) {
  Queue queue = find(topic, id);
  return queue ? queue : make(topic, id);
}

ConsumeQueueTable::Queue ConsumeQueueTable::make(std::string_view topic, QueueId id) {
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

std::vector<ConsumeQueueTable::Queue> ConsumeQueueTable::loaded() const {
  std::vector<Queue> out = all();
  std::erase_if(out, [](const Queue& queue) { return !queue->loaded(); });
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

int64_t ConsumeQueueTable::sum() const {
  int64_t sum = 0;
  for (const Queue& queue : all()) {
    const auto extent = queue->extent();
    if (!extent) return -1;
    sum += extent->end + 31 * (extent->first_file + 1);
  }
  return sum;
}

std::optional<PhyOffset> ConsumeQueueTable::first_gap() const {
  std::optional<PhyOffset> first;
  for (const Queue& queue : loaded())
    if (const auto gap = queue->gap(); gap && (!first || *gap < *first)) first = gap;
  return first;
}

PhyOffset ConsumeQueueTable::max_phy() const {
  PhyOffset most(-1);
  for (const Queue& queue : loaded()) most = std::max(most, queue->max_phy());
  return most;
}

}  // namespace comet::store
