#include "broker/own_commits.h"

#include <nlohmann/json.hpp>

#include "broker/state_file.h"

namespace comet::broker {

std::string OwnCommits::key_of(std::string_view topic, std::string_view group) {
  std::string key;
  key.reserve(topic.size() + 1 + group.size());
  return key.append(topic).append("@").append(group);
}

Result<void> OwnCommits::load() {
  COMET_TRY(const nlohmann::json state, load_state(files_, log_, file_));
  if (state.is_null()) return {};
  COMET_TRY(auto table, remoting::parse_consumer_offset_table(state.dump()));
  const std::lock_guard lock(mu_);
  table_ = std::move(table);
  count_ = 0;
  for (const auto& [key, queues] : table_.offsets) count_ += queues.size();
  return {};
}

Result<void> OwnCommits::persist() {
  const std::lock_guard one_writer(persist_mu_);
  std::string text;
  int64_t changes = 0;
  {
    const std::lock_guard lock(mu_);
    if (changes_ == persisted_changes_) return {};
    changes = changes_;
    text = to_json(table_);
  }
  COMET_TRY_VOID(make_durable_folders(files_, parent_folder(file_)));
  COMET_TRY_VOID(replace_file(files_, file_, text));
  persisted_changes_ = changes;
  return {};
}

bool OwnCommits::note(const std::string& key, QueueId queue, QueueOffset offset) {
  const std::lock_guard lock(mu_);
  const auto row = table_.offsets.find(key);
  const bool known = row != table_.offsets.end() && row->second.contains(queue.value);
  if (!known && count_ >= kMost) return false;
  if (!known) ++count_;
  table_.offsets[key][queue.value] = offset.value;
  ++changes_;
  return true;
}

std::optional<QueueOffset> OwnCommits::find(const std::string& key, QueueId queue) const {
  const std::lock_guard lock(mu_);
  const auto row = table_.offsets.find(key);
  if (row == table_.offsets.end()) return std::nullopt;
  const auto found = row->second.find(queue.value);
  return found == row->second.end() ? std::nullopt : std::optional(QueueOffset(found->second));
}

remoting::ConsumerOffsetTable OwnCommits::all() const {
  const std::lock_guard lock(mu_);
  return table_;
}

void OwnCommits::settled(const std::string& key, QueueId queue, QueueOffset offset) {
  const std::lock_guard lock(mu_);
  const auto row = table_.offsets.find(key);
  if (row == table_.offsets.end()) return;
  const auto found = row->second.find(queue.value);
  if (found == row->second.end() || found->second != offset.value) return;
  row->second.erase(found);
  if (row->second.empty()) table_.offsets.erase(row);
  --count_;
  ++changes_;
}

void OwnCommits::clear() {
  const std::lock_guard lock(mu_);
  if (count_ == 0) return;
  table_.offsets.clear();
  count_ = 0;
  ++changes_;
}

}  // namespace comet::broker
