#include "broker/transaction_metrics.h"

#include <nlohmann/json.hpp>

#include "broker/state_file.h"

namespace comet::broker {

TransactionMetrics::TransactionMetrics(Files& files, const Clock& clock, Log& log, Path file)
    : files_(files), clock_(clock), log_(log), file_(std::move(file)) {}

Result<void> TransactionMetrics::load() {
  COMET_TRY(const auto state, load_state(files_, log_, file_));
  std::lock_guard lock(mu_);
  if (state.is_object()) counts_.assign(state);
  return {};
}

Result<void> TransactionMetrics::persist(const std::function<bool(std::string_view)>& exists) {
  std::lock_guard one_writer(persist_mu_);
  int64_t changes = 0;
  {
    std::lock_guard lock(mu_);
    if (changes_ == persisted_changes_) return {};
    changes = changes_;
    counts_.keep_if(exists);
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
  counts_.add(topic, transactions, now_ms);
  ++changes_;
}

int64_t TransactionMetrics::open(std::string_view topic) const {
  std::lock_guard lock(mu_);
  return counts_.of(topic);
}

std::string TransactionMetrics::text() const {
  std::lock_guard lock(mu_);
  return counts_.text();
}

}  // namespace comet::broker
