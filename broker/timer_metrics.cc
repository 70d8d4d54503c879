#include "broker/timer_metrics.h"

#include <nlohmann/json.hpp>

#include "broker/state_file.h"
#include "remoting/protocol/fastjson.h"

namespace comet::broker {
namespace {

constexpr int64_t kBytesPerMs = 1'000;

}  // namespace

Result<void> TimerMetrics::load() {
  COMET_TRY(const nlohmann::json state, load_state(files_, log_, file_));
  const std::lock_guard lock(mu_);
  if (!state.is_null()) counts_.assign(state);
  return {};
}

Result<void> TimerMetrics::adopt(std::string_view text) {
  COMET_TRY(const nlohmann::json state, remoting::parse_fastjson(text));
  if (!state.is_object()) return fail(Errc::kInvalid, "a master's timer metrics are no JSON object");
  const std::lock_guard lock(mu_);
  counts_.assign(state);
  changed_ = true;
  return {};
}

bool TimerMetrics::changed() const {
  const std::lock_guard lock(mu_);
  return changed_;
}

void TimerMetrics::add(std::string_view topic, int64_t count) {
  const int64_t now_ms = clock_.now_ms();
  const std::lock_guard lock(mu_);
  counts_.add(topic, count, now_ms);
  changed_ = true;
}

void TimerMetrics::forget_topic(std::string_view topic) {
  const std::lock_guard lock(mu_);
  if (counts_.forget(topic)) changed_ = true;
}

int64_t TimerMetrics::count(std::string_view topic) const {
  const std::lock_guard lock(mu_);
  return counts_.of(topic);
}

std::string TimerMetrics::text() const {
  const std::lock_guard lock(mu_);
  return counts_.text();
}

Result<void> TimerMetrics::persist(bool now) {
  {
    const std::lock_guard lock(mu_);
    if (!changed_ || (!now && clock_.now_ms() < persist_from_ms_)) return {};
    changed_ = false;
  }
  const std::string content = text();
  auto written = make_durable_folders(files_, parent_folder(file_));
  if (written) written = replace_file(files_, file_, content);
  const std::lock_guard lock(mu_);
  persist_from_ms_ = clock_.now_ms() + static_cast<int64_t>(content.size()) / kBytesPerMs;
  if (!written) changed_ = true;
  return written;
}

}  // namespace comet::broker
