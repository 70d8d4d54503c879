#include "broker/transaction_metrics.h"

#include <nlohmann/json.hpp>

#include "broker/state_file.h"

namespace comet::broker {

TransactionMetrics::TransactionMetrics(Files& files, const Clock& clock, Log& log, Path file)
    : files_(files), clock_(clock), log_(log), file_(std::move(file)) {}

Result<void> TransactionMetrics::load() {
  COMET_TRY(const auto state, load_state(files_, log_, file_));
  if (!state.is_object()) return {};
  std::lock_guard lock(mu_);
  version_ = version_in(state);
  const auto counts = state.find("transactionCount");
  if (counts == state.end() || !counts->is_object()) return {};
  for (const auto& [topic, figure] : counts->items()) {
    if (!figure.is_object()) continue;
    figures_[topic] = {number_in(figure, "count", 0), number_in(figure, "timeStamp", 0)};
  }
  return {};
}

Result<void> TransactionMetrics::persist(const std::function<bool(std::string_view)>& exists) {
  std::lock_guard one_writer(persist_mu_);
  int64_t changes = 0;
  {
    std::lock_guard lock(mu_);
    if (changes_ == persisted_changes_) return {};
    changes = changes_;
    std::erase_if(figures_, [&](const auto& figure) { return !exists(figure.first); });
  }
  COMET_TRY_VOID(make_durable_folders(files_, parent_folder(file_)));
  COMET_TRY_VOID(replace_file(files_, file_, text()));
  std::lock_guard lock(mu_);
  persisted_changes_ = changes;
  return {};
}

void TransactionMetrics::add(std::string_view topic, int64_t transactions) {
  const int64_t now_ms = clock_.now_ms();
  std::lock_guard lock(mu_);
  auto figure = figures_.find(topic);
  if (figure == figures_.end()) figure = figures_.emplace(std::string(topic), Figure{}).first;
  figure->second.open += transactions;
  figure->second.changed_ms = now_ms;
  version_.next(now_ms);
  ++changes_;
}

int64_t TransactionMetrics::open(std::string_view topic) const {
  std::lock_guard lock(mu_);
  const auto figure = figures_.find(topic);
  return figure == figures_.end() ? 0 : figure->second.open;
}

std::string TransactionMetrics::text() const {
  std::lock_guard lock(mu_);
  std::string out = "{\"dataVersion\":" + to_json(version_) + ",\"transactionCount\":{";
  bool first = true;
  for (const auto& [topic, figure] : figures_) {
    out += (first ? "" : ",") + json_quoted(topic) + ":{\"count\":" + std::to_string(figure.open) +
           ",\"timeStamp\":" + std::to_string(figure.changed_ms) + "}";
    first = false;
  }
  return out += "}}";
}

}  // namespace comet::broker
