#include "broker/delay_offsets.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "broker/state_file.h"
#include "remoting/protocol/fastjson.h"

namespace comet::broker {

DelayOffsets::DelayOffsets(Files& files, const Clock& clock, Log& log, const LiveConfig& config, Path file)
    : files_(files), clock_(clock), log_(log), config_(config), file_(std::move(file)) {}

Result<void> DelayOffsets::load() {
  COMET_TRY(const nlohmann::json state, load_state(files_, log_, file_));
  const std::lock_guard lock(mu_);
  assign(state.is_null() ? nlohmann::json::object() : state);
  return {};
}

Result<void> DelayOffsets::adopt(std::string_view text) {
  COMET_TRY(const nlohmann::json state, remoting::parse_fastjson(text));
  if (!state.is_object()) return fail(Errc::kInvalid, "a master's delay offsets are no JSON object");
  std::string content;
  {
    const std::lock_guard lock(mu_);
    assign(state);
    content = text_locked(true);
  }
  COMET_TRY_VOID(make_durable_folders(files_, parent_folder(file_)));
  return replace_file(files_, file_, content);
}

void DelayOffsets::assign(const nlohmann::json& state) {
  next_.clear();
  snapshot_.reset();
  changes_ = persisted_changes_ = 0;
  version_.copy(version_in(state));
  is_copy_ = config_.now().is_slave();
  const auto table = state.find("offsetTable");
  if (table == state.end() || !table->is_object()) return;
  for (const auto& [key, offset] : table->items()) {
    int32_t level = 0;
    const auto [stop, error] = std::from_chars(key.data(), key.data() + key.size(), level);
    if (error == std::errc() && stop == key.data() + key.size()) next_[level] = QueueOffset(number_in(*table, key, 0));
  }
}

QueueOffset DelayOffsets::next(int32_t level) const {
  const std::lock_guard lock(mu_);
  const auto found = next_.find(level);
  return found == next_.end() ? QueueOffset(0) : found->second;
}

void DelayOffsets::advance(int32_t level, QueueOffset next, PhyOffset delivered_end) {
  const std::lock_guard lock(mu_);
  next_[level] = next;
  delivered_end_ = std::max(delivered_end_, delivered_end);
  const bool steps = ++changes_ % config_.now().delay_offset_version_step == 0;
  if (std::exchange(is_copy_, false) || steps) version_.next(clock_.now_ms());
}

Result<void> DelayOffsets::persist(PhyOffset durable_end) {
  Snapshot now;
  {
    const std::lock_guard lock(mu_);
    const bool changed = changes_ != persisted_changes_;
    if (delivered_end_ <= durable_end) {
      snapshot_.reset();
      if (!changed) return {};
      now = {text_locked(true), delivered_end_, changes_};
    } else if (snapshot_ && snapshot_->delivered_end <= durable_end) {
      now = std::move(*snapshot_);
      snapshot_.reset();
    } else {
      if (changed && !snapshot_) snapshot_ = {text_locked(true), delivered_end_, changes_};
      return {};
    }
  }
  COMET_TRY_VOID(make_durable_folders(files_, parent_folder(file_)));
  COMET_TRY_VOID(replace_file(files_, file_, now.text));
  const std::lock_guard lock(mu_);
  persisted_changes_ = now.changes;
  return {};
}

bool DelayOffsets::waiting() const {
  const std::lock_guard lock(mu_);
  return snapshot_.has_value();
}

std::string DelayOffsets::text() const {
  const std::lock_guard lock(mu_);
  return text_locked(false);
}

std::map<int32_t, QueueOffset> DelayOffsets::all() const {
  const std::lock_guard lock(mu_);
  return next_;
}

std::string DelayOffsets::text_locked(bool pretty) const {
  std::string table;
  for (const auto& [level, next] : next_) {
    if (!table.empty()) table += ',';
    table += std::to_string(level) + ":" + std::to_string(next.value);
  }
  const std::string version = to_json(version_);
  if (!pretty) return "{\"dataVersion\":" + version + ",\"offsetTable\":{" + table + "}}";
  const char* end = table.empty() ? "}\n}" : "\n\t}\n}";
  return "{\n\t\"dataVersion\":" + version + ",\n\t\"offsetTable\":{" + table + end;
}

}  // namespace comet::broker
