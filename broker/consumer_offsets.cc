#include "broker/consumer_offsets.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "broker/state_file.h"

namespace comet::broker {

ConsumerOffsets::Queue* ConsumerOffsets::Row::find(int32_t id) {
  const auto found =
      std::lower_bound(queues.begin(), queues.end(), id, [](const Queue& queue, int32_t n) { return queue.id < n; });
  return found != queues.end() && found->id == id ? &*found : nullptr;
}

const ConsumerOffsets::Queue* ConsumerOffsets::Row::find(int32_t id) const { return const_cast<Row*>(this)->find(id); }

ConsumerOffsets::Queue& ConsumerOffsets::Row::at(int32_t id) {
  const auto place =
      std::lower_bound(queues.begin(), queues.end(), id, [](const Queue& queue, int32_t n) { return queue.id < n; });
  if (place != queues.end() && place->id == id) return *place;
  Queue queue;
  queue.id = id;
  return *queues.insert(place, queue);
}

const ConsumerOffsets::Row* ConsumerOffsets::Shard::find(size_t hash, std::string_view topic,
                                                         std::string_view group) const {
  for (auto [row, end] = rows.equal_range(hash); row != end; ++row) {
    if (row->second.topic == topic && row->second.group == group) return &row->second;
  }
  return nullptr;
}

ConsumerOffsets::Row& ConsumerOffsets::Shard::at(size_t hash, std::string_view topic, std::string_view group) {
  if (const Row* present = find(hash, topic, group)) return *const_cast<Row*>(present);
  Row row;
  row.topic = topic;
  row.group = group;
  return rows.emplace(hash, std::move(row))->second;
}

size_t ConsumerOffsets::hash_of(std::string_view topic, std::string_view group) {
  const size_t first = std::hash<std::string_view>()(topic), second = std::hash<std::string_view>()(group);
  return (first ^ (second + 0x9E3779B97F4A7C15ull + (first << 6) + (first >> 2))) * 0xBF58476D1CE4E5B9ull;
}

ConsumerOffsets::ConsumerOffsets(Files& files, const Clock& clock, Log& log, const LiveConfig& config, Path file)
    : files_(files),
      clock_(clock),
      log_(log),
      config_(config),
      file_(std::move(file)),
      own_(files, log, parent_folder(file_) + "/slaveCommits.json") {}

Result<void> ConsumerOffsets::load() {
  COMET_TRY_VOID(load_committed());
  is_copy_ = config_.now().is_slave();
  COMET_TRY_VOID(own_.load());
  for (const auto& [key, queues] : own_.all().offsets) {
    const size_t at = key.find('@');
    for (const auto& [queue, offset] : queues)
      commit(key.substr(at + 1), key.substr(0, at), QueueId(queue), QueueOffset(offset));
  }
  if (!config_.now().is_slave()) own_.clear();  // a slave that has become a master has nobody to tell
  return {};
}

Result<void> ConsumerOffsets::load_committed() {
  COMET_TRY(const nlohmann::json state, load_state(files_, log_, file_));
  if (state.is_null()) return {};
  version_.copy(version_in(state));
  const auto table = state.find("offsetTable");
  if (table == state.end() || !table->is_object()) return {};
  for (const auto& [key, queues] : table->items()) {
    const size_t at = key.find('@');
    if (at == std::string::npos || !queues.is_object()) {
      log_.warn("{}: entry {} is no topic@group and is ignored", file_, key);
      continue;
    }
    const std::string topic = key.substr(0, at), group = key.substr(at + 1);
    const size_t hash = hash_of(topic, group);
    Row& row = shard(hash).at(hash, topic, group);
    for (const auto& [queue, offset] : queues.items()) {
      int32_t id = 0;
      const auto [stop, error] = std::from_chars(queue.data(), queue.data() + queue.size(), id);
      if (error == std::errc() && stop == queue.data() + queue.size())
        row.at(id).committed = number_in(queues, queue, kNone);
    }
  }
  return {};
}

Result<void> ConsumerOffsets::persist() {
  COMET_TRY_VOID(own_.persist());
  std::lock_guard one_writer(persist_mu_);
  const int64_t changes = changes_.load();
  if (changes == persisted_changes_) return {};
  COMET_TRY_VOID(make_durable_folders(files_, parent_folder(file_)));
  COMET_TRY_VOID(replace_file(files_, file_, text()));
  persisted_changes_ = changes;
  return {};
}

std::string ConsumerOffsets::text() const {
  const std::vector<Entry> entries = all();
  std::map<std::string_view, std::vector<std::string_view>> topics_by_group;
  for (const Entry& entry : entries) topics_by_group[entry.group].push_back(entry.topic);

  std::string out = "{\n\t\"dataVersion\":" + to_json(version()) + ",\n\t\"groupTopicMap\":{";
  bool first = true;
  for (const auto& [group, topics] : topics_by_group) {
    out += (first ? "\n\t\t" : ",\n\t\t") + json_quoted(group) + ":[";
    first = false;
    for (size_t i = 0; i < topics.size(); ++i) out += (i == 0 ? "" : ",") + json_quoted(topics[i]);
    out += ']';
  }
  out += first ? "},\n\t\"offsetTable\":{" : "\n\t},\n\t\"offsetTable\":{";
  first = true;
  for (const Entry& entry : entries) {
    out += (first ? "\n\t\t" : ",\n\t\t") + json_quoted(entry.topic + "@" + entry.group) + ":{";
    first = false;
    bool first_queue = true;
    for (const auto& [queue, offset] : entry.offsets) {
      if (!first_queue) out += ',';
      first_queue = false;
      out += std::to_string(queue.value) + ":" + std::to_string(offset.value);
    }
    out += "\n\t\t}";
  }
  return out += first ? "}\n}" : "\n\t}\n}";
}

std::optional<QueueOffset> ConsumerOffsets::committed(std::string_view group, std::string_view topic,
                                                      QueueId queue) const {
  const size_t hash = hash_of(topic, group);
  const Shard& part = shard(hash);
  std::lock_guard lock(part.mu);
  const Row* row = part.find(hash, topic, group);
  const Queue* found = row == nullptr ? nullptr : row->find(queue.value);
  if (found == nullptr || found->committed == kNone) return std::nullopt;
  return QueueOffset(found->committed);
}

void ConsumerOffsets::commit(std::string_view group, std::string_view topic, QueueId queue, QueueOffset offset) {
  const size_t hash = hash_of(topic, group);
  Shard& part = shard(hash);
  {
    std::lock_guard lock(part.mu);
    Queue& entry = part.at(hash, topic, group).at(queue.value);
    if (entry.committed == offset.value) return;
    entry.committed = offset.value;
  }
  count_commit();
}

bool ConsumerOffsets::commit_here(std::string_view group, std::string_view topic, QueueId queue, QueueOffset offset) {
  if (!own_.note(OwnCommits::key_of(topic, group), queue, offset)) return false;
  commit(group, topic, queue, offset);
  return true;
}

void ConsumerOffsets::become(const remoting::ConsumerOffsetTable& masters) {
  for (const auto& [key, queues] : masters.offsets) {
    const size_t at = key.find('@');
    if (at == std::string::npos) continue;
    const std::string topic = key.substr(0, at), group = key.substr(at + 1);
    for (const auto& [queue, offset] : queues) {
      if (!own_.find(key, QueueId(queue))) commit(group, topic, QueueId(queue), QueueOffset(offset));
    }
  }
  if (!masters.data_version) return;
  std::lock_guard lock(version_mu_);
  version_.copy(*masters.data_version);
  is_copy_ = true;
}

void ConsumerOffsets::count_commit() {
  changes_.fetch_add(1, std::memory_order_relaxed);
  const int64_t commits = commits_.fetch_add(1, std::memory_order_relaxed) + 1;
  const bool steps = commits % config_.now().offset_version_step == 0;
  if (!steps && !is_copy_.load(std::memory_order_relaxed)) return;
  std::lock_guard lock(version_mu_);
  is_copy_ = false;
  version_.next(clock_.now_ms());
}

QueueOffset ConsumerOffsets::pulled(std::string_view group, std::string_view topic, QueueId queue) const {
  const size_t hash = hash_of(topic, group);
  const Shard& part = shard(hash);
  std::lock_guard lock(part.mu);
  const Row* row = part.find(hash, topic, group);
  const Queue* found = row == nullptr ? nullptr : row->find(queue.value);
  return QueueOffset(found == nullptr ? kNone : found->pulled);
}

void ConsumerOffsets::on_pull(std::string_view group, std::string_view topic, QueueId queue,
                              std::optional<QueueOffset> commit, QueueOffset next) {
  const size_t hash = hash_of(topic, group);
  Shard& part = shard(hash);
  bool committed = false;
  {
    std::lock_guard lock(part.mu);
    Queue& entry = part.at(hash, topic, group).at(queue.value);
    entry.pulled = next.value;
    committed = commit && entry.committed != commit->value;
    if (committed) entry.committed = commit->value;
  }
  if (committed) count_commit();
}

void ConsumerOffsets::set_reset(std::string_view group, std::string_view topic, QueueId queue, QueueOffset offset) {
  const size_t hash = hash_of(topic, group);
  Shard& part = shard(hash);
  {
    std::lock_guard lock(part.mu);
    Queue& entry = part.at(hash, topic, group).at(queue.value);
    if (entry.reset == kNone) resets_.fetch_add(1);
    entry.reset = entry.committed = offset.value;
  }
  count_commit();
}

std::optional<QueueOffset> ConsumerOffsets::pending_reset(std::string_view group, std::string_view topic,
                                                          QueueId queue) const {
  if (resets_.load() == 0) return std::nullopt;
  const size_t hash = hash_of(topic, group);
  const Shard& part = shard(hash);
  std::lock_guard lock(part.mu);
  const Row* row = part.find(hash, topic, group);
  const Queue* found = row == nullptr ? nullptr : row->find(queue.value);
  if (found == nullptr || found->reset == kNone) return std::nullopt;
  return QueueOffset(found->reset);
}

std::optional<QueueOffset> ConsumerOffsets::take_reset(std::string_view group, std::string_view topic, QueueId queue) {
  if (resets_.load() == 0) return std::nullopt;
  const size_t hash = hash_of(topic, group);
  Shard& part = shard(hash);
  std::lock_guard lock(part.mu);
  const Row* row = part.find(hash, topic, group);
  Queue* found = row == nullptr ? nullptr : const_cast<Row*>(row)->find(queue.value);
  if (found == nullptr || found->reset == kNone) return std::nullopt;
  resets_.fetch_sub(1);
  return QueueOffset(std::exchange(found->reset, kNone));
}

std::vector<ConsumerOffsets::Entry> ConsumerOffsets::all() const {
  std::vector<Entry> entries;
  for (const Shard& part : shards_) {
    std::lock_guard lock(part.mu);
    for (const auto& [hash, row] : part.rows) {
      Entry entry{row.topic, row.group, {}};
      for (const Queue& queue : row.queues) {
        if (queue.committed != kNone) entry.offsets.emplace_back(QueueId(queue.id), QueueOffset(queue.committed));
      }
      if (!entry.offsets.empty()) entries.push_back(std::move(entry));
    }
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::tie(a.topic, a.group) < std::tie(b.topic, b.group); });
  return entries;
}

std::vector<std::pair<QueueId, QueueOffset>> ConsumerOffsets::offsets(std::string_view group,
                                                                      std::string_view topic) const {
  std::vector<std::pair<QueueId, QueueOffset>> offsets;
  const size_t hash = hash_of(topic, group);
  const Shard& part = shard(hash);
  std::lock_guard lock(part.mu);
  const Row* row = part.find(hash, topic, group);
  if (row == nullptr) return offsets;
  for (const Queue& queue : row->queues) {
    if (queue.committed != kNone) offsets.emplace_back(QueueId(queue.id), QueueOffset(queue.committed));
  }
  return offsets;
}

bool ConsumerOffsets::Row::has_commit() const {
  return std::any_of(queues.begin(), queues.end(), [](const Queue& queue) { return queue.committed != kNone; });
}

std::vector<std::string> ConsumerOffsets::topics_of(std::string_view group) const {
  std::vector<std::string> topics;
  for (const Shard& part : shards_) {
    std::lock_guard lock(part.mu);
    for (const auto& [hash, row] : part.rows) {
      if (row.group == group && row.has_commit()) topics.push_back(row.topic);
    }
  }
  std::sort(topics.begin(), topics.end());
  return topics;
}

std::vector<std::string> ConsumerOffsets::groups_of(std::string_view topic) const {
  std::vector<std::string> groups;
  for (const Shard& part : shards_) {
    std::lock_guard lock(part.mu);
    for (const auto& [hash, row] : part.rows) {
      if (row.topic == topic && row.has_commit()) groups.push_back(row.group);
    }
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

std::vector<ConsumerOffsets::PulledPlace> ConsumerOffsets::pulled_places() const {
  std::vector<PulledPlace> places;
  for (const Shard& part : shards_) {
    std::lock_guard lock(part.mu);
    for (const auto& [hash, row] : part.rows) {
      for (const Queue& queue : row.queues) {
        if (queue.pulled != kNone)
          places.push_back({row.topic, row.group, QueueId(queue.id), QueueOffset(queue.pulled)});
      }
    }
  }
  return places;
}

template <class F>
void ConsumerOffsets::remove_if(F doomed) {
  bool removed = false;
  for (Shard& part : shards_) {
    std::lock_guard lock(part.mu);
    std::erase_if(part.rows, [&](const auto& entry) {
      if (!doomed(entry.second)) return false;
      for (const Queue& queue : entry.second.queues) {
        if (queue.reset != kNone) resets_.fetch_sub(1);
      }
      return removed = true;
    });
  }
  if (removed) count_commit();
}

void ConsumerOffsets::remove_topic(std::string_view topic) {
  remove_if([&](const Row& row) { return row.topic == topic; });
}

void ConsumerOffsets::remove_group(std::string_view group) {
  remove_if([&](const Row& row) { return row.group == group; });
}

void ConsumerOffsets::remove(std::string_view group, std::string_view topic) {
  remove_if([&](const Row& row) { return row.topic == topic && row.group == group; });
}

void ConsumerOffsets::copy(std::string_view from, std::string_view to, std::string_view topic) {
  for (const auto& [queue, offset] : offsets(from, topic)) commit(to, topic, queue, offset);
}

DataVersion ConsumerOffsets::version() const {
  std::lock_guard lock(version_mu_);
  return version_;
}

}  // namespace comet::broker
