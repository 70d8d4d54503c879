#include "broker/topic_counts.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "broker/state_file.h"

namespace comet::broker {

void TopicCounts::assign(const nlohmann::json& state) {
  topics_.clear();
  version_ = version_in(state);
  const auto table = state.find(std::string(table_));
  if (table == state.end() || !table->is_object()) return;
  for (const auto& [topic, figure] : table->items()) {
    if (figure.is_object()) topics_[topic] = {number_in(figure, "count", 0), number_in(figure, "timeStamp", 0)};
  }
}

void TopicCounts::add(std::string_view topic, int64_t count, int64_t now_ms) {
  auto found = topics_.find(topic);
  if (found == topics_.end()) found = topics_.emplace(topic, Figure{}).first;
  found->second.count += count;
  found->second.changed_ms = now_ms;
  version_.next(now_ms);
}

int64_t TopicCounts::of(std::string_view topic) const {
  const auto found = topics_.find(topic);
  return found == topics_.end() ? 0 : found->second.count;
}

bool TopicCounts::forget(std::string_view topic) {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return false;
  topics_.erase(found);
  return true;
}

std::string TopicCounts::text() const {
  std::string out = fmt::format("{{\"dataVersion\":{},\"{}\":{{", to_json(version_), table_);
  std::string_view comma;
  for (const auto& [topic, figure] : topics_) {
    out += fmt::format("{}{}:{{\"count\":{},\"timeStamp\":{}}}", comma, json_quoted(topic), figure.count,
                       figure.changed_ms);
    comma = ",";
  }
  return out += "}}";
}

}  // namespace comet::broker
