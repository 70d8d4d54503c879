#include "broker/statistics.h"

#include <algorithm>

namespace comet::broker {
namespace {

constexpr size_t kMinuteSamples = 7, kHourSamples = 7, kDaySamples = 25;
constexpr int64_t kSamplesPerHourSample = 60, kSamplesPerDaySample = 360;
constexpr int64_t kTenMinutesMs = 600'000, kHourMs = 3'600'000;
constexpr size_t kHistorySamples = 62;  // a bit over 600 s
constexpr std::string_view kFound = "PULL_FOUND_TIMES", kMissed = "PULL_MISSED_TIMES";

std::string item_key(std::string_view name, std::string_view key) {
  std::string full;
  full.reserve(name.size() + 1 + key.size());
  return full.append(name).append(" ").append(key);
}

std::pair<std::string_view, std::string_view> split_key(std::string_view full) {
  const size_t split = full.find(' ');
  return {full.substr(0, split), full.substr(split + 1)};
}

/// Adds a sample, dropping the oldest beyond `capacity`. A window in which nothing moved is emptied: `base` then holds
/// the last sample, from which the next movement counts.
template <class Window, class Sample>
void push(Window& window, Sample& base, Sample now, int64_t interval_ms, size_t capacity) {
  if (window.empty()) {
    if (now.value == base.value && now.times == base.times) return;
    window.push_back({now.at_ms - interval_ms, base.value, base.times});
  }
  window.push_back(now);
  if (window.size() > capacity) window.erase(window.begin());
  base = now;
  const Sample& first = window.front();
  if (window.size() == capacity && first.value == now.value && first.times == now.times) Window().swap(window);
}

template <class Window>
StatsWindow summarize(const Window& window) {
  StatsWindow out;
  if (window.size() < 2) return out;
  const auto& first = window.front();
  const auto& last = window.back();
  out.sum = last.value - first.value;
  out.times = last.times - first.times;
  if (last.at_ms > first.at_ms)
    out.tps = static_cast<double>(out.sum) * 1000.0 / static_cast<double>(last.at_ms - first.at_ms);
  if (last.times > first.times)
    out.avgpt = static_cast<double>(out.sum) / static_cast<double>(last.times - first.times);
  return out;
}

/// Whether `part` is one of the '@'-separated pieces of `key`.
bool has_part(std::string_view key, std::string_view part) {
  for (size_t at = 0; at <= key.size();) {
    const size_t end = std::min(key.find('@', at), key.size());
    if (key.substr(at, end - at) == part) return true;
    at = end + 1;
  }
  return false;
}

}  // namespace

std::shared_ptr<PutTallies> Statistics::topic_puts(std::string_view topic) {
  auto tallies = std::make_shared<PutTallies>();
  const std::lock_guard lock(mu_);
  item("TOPIC_PUT_NUMS", topic).tallies.push_back({{tallies, &tallies->nums}, 2});
  item("TOPIC_PUT_SIZE", topic).tallies.push_back({{tallies, &tallies->size}, 2});
  return tallies;
}

std::shared_ptr<GetTallies> Statistics::group_gets(std::string_view topic, std::string_view group) {
  auto tallies = std::make_shared<GetTallies>();
  const std::string key = std::string(topic).append("@").append(group);
  const std::lock_guard lock(mu_);
  item("GROUP_GET_NUMS", key).tallies.push_back({{tallies, &tallies->nums}, 2});
  item("GROUP_GET_SIZE", key).tallies.push_back({{tallies, &tallies->size}, 2});
  return tallies;
}

std::shared_ptr<BrokerTallies> Statistics::broker_totals() {
  auto tallies = std::make_shared<BrokerTallies>();
  const std::lock_guard lock(mu_);
  item("BROKER_PUT_NUMS", cluster_).tallies.push_back({{tallies, &tallies->puts}, 6});
  item("BROKER_GET_NUMS", cluster_).tallies.push_back({{tallies, &tallies->gets}, 6});
  item("BROKER_PUT_NUMS_WITHOUT_SYSTEM_TOPIC", cluster_)
      .tallies.push_back({{tallies, &tallies->puts_without_system}, 6});
  item("BROKER_GET_NUMS_WITHOUT_SYSTEM_TOPIC", cluster_)
      .tallies.push_back({{tallies, &tallies->gets_without_system}, 6});
  item(kFound, cluster_).tallies.push_back({{tallies, &tallies->pulls_found}, 6});
  item(kMissed, cluster_).tallies.push_back({{tallies, &tallies->pulls_missed}, 6});
  return tallies;
}

std::shared_ptr<Tally> Statistics::tally(std::string_view name, std::string_view key) {
  auto tally = std::make_shared<Tally>();
  const std::lock_guard lock(mu_);
  item(name, key).tallies.push_back({tally, 1});
  return tally;
}

void Statistics::add(std::string_view name, std::string_view key, int64_t increment, int64_t count) {
  const std::lock_guard lock(mu_);
  Item& counted = item(name, key);
  counted.value += increment;
  counted.times += count;
}

void Statistics::sample(int64_t now_ms, int64_t store_puts) {
  const std::lock_guard lock(mu_);
  const bool hour_due = samples_ % kSamplesPerHourSample == 0;
  const bool day_due = samples_ % kSamplesPerDaySample == 0;
  ++samples_;
  for (auto& [key, counted] : items_) {
    fold_returned(counted);
    const Sample now = sum_of(counted, now_ms);
    const bool moved = now.value != counted.last_move.value || now.times != counted.last_move.times;
    if (moved || counted.last_move.at_ms == 0) counted.last_move = now;
    push(counted.minute, counted.minute_base, now, kSampleIntervalMs, kMinuteSamples);
    if (hour_due) push(counted.hour, counted.hour_base, now, kTenMinutesMs, kHourSamples);
    if (day_due) push(counted.day, counted.day_base, now, kHourMs, kDaySamples);
  }
  history_.push_back(totals(now_ms, store_puts));
  if (history_.size() > kHistorySamples) history_.pop_front();
}

std::optional<StatsView> Statistics::view(std::string_view name, std::string_view key) const {
  const std::lock_guard lock(mu_);
  const Item* counted = find(name, key);
  if (counted == nullptr) return std::nullopt;
  return StatsView{summarize(counted->minute), summarize(counted->hour), summarize(counted->day)};
}

std::vector<StatsItem> Statistics::moved(StatsSpan span) const {
  const std::lock_guard lock(mu_);
  std::vector<StatsItem> items;
  for (const auto& [full, counted] : items_) {
    const Window& samples = span == StatsSpan::kMinute ? counted.minute
                            : span == StatsSpan::kHour ? counted.hour
                                                       : counted.day;
    const StatsWindow window = summarize(samples);
    if (window.sum == 0 && window.times == 0) continue;
    const auto [name, key] = split_key(full);
    if (name != kFound && name != kMissed) items.push_back({std::string(name), std::string(key), window});
  }
  return items;
}

int64_t Statistics::total(std::string_view name, std::string_view key) const {
  const std::lock_guard lock(mu_);
  const Item* counted = find(name, key);
  return counted == nullptr ? 0 : sum_of(*counted, 0).value;
}

ThroughputFigures Statistics::throughput(int64_t now_ms, int64_t store_puts) const {
  const std::lock_guard lock(mu_);
  ThroughputFigures figures;
  const Totals now = totals(now_ms, store_puts);
  constexpr std::array<int64_t, 3> kSpansMs = {10'000, 60'000, 600'000};
  for (size_t n = 0; n < kSpansMs.size(); ++n) {
    // The youngest sample that is old enough; of a younger broker the oldest there is.
    const Totals* from = nullptr;
    for (const Totals& at : history_) {
      if (from == nullptr || now_ms - at.at_ms >= kSpansMs[n]) from = &at;
    }
    if (from == nullptr || from->at_ms >= now_ms) continue;
    const double seconds = static_cast<double>(now_ms - from->at_ms) / 1000.0;
    figures.put[n] = static_cast<double>(now.puts - from->puts) / seconds;
    figures.get_found[n] = static_cast<double>(now.found - from->found) / seconds;
    figures.get_missed[n] = static_cast<double>(now.missed - from->missed) / seconds;
    figures.get_total[n] = figures.get_found[n] + figures.get_missed[n];
    figures.get_transferred[n] = static_cast<double>(now.transferred - from->transferred) / seconds;
  }
  return figures;
}

void Statistics::delete_idle(int64_t now_ms, int64_t idle_ms) {
  const std::lock_guard lock(mu_);
  const size_t deleted = std::erase_if(items_, [&](const auto& entry) {
    const Sample& last_move = entry.second.last_move;
    return last_move.at_ms != 0 && now_ms - last_move.at_ms >= idle_ms;
  });
  if (deleted > 0) deletions_.fetch_add(1, std::memory_order_relaxed);
}

void Statistics::delete_topic(std::string_view topic) {
  erase_if_key([topic](std::string_view name, std::string_view key) {
    return name.substr(0, 7) != "BROKER_" && has_part(key, topic);
  });
}

void Statistics::delete_group(std::string_view group) {
  erase_if_key([group](std::string_view name, std::string_view key) {
    const bool of_groups =
        name.substr(0, 6) == "GROUP_" || name.substr(0, 10) == "QUEUE_GET_" || name == "SNDBCK_PUT_NUMS";
    const size_t last = key.rfind('@');
    return of_groups && last != std::string_view::npos && key.substr(last + 1) == group;
  });
}

template <class Matches>
void Statistics::erase_if_key(Matches matches) {
  const std::lock_guard lock(mu_);
  std::erase_if(items_, [&matches](const auto& entry) {
    const auto [name, key] = split_key(entry.first);
    return matches(name, key);
  });
  deletions_.fetch_add(1, std::memory_order_relaxed);
}

Statistics::Item& Statistics::item(std::string_view name, std::string_view key) { return items_[item_key(name, key)]; }

const Statistics::Item* Statistics::find(std::string_view name, std::string_view key) const {
  const auto found = items_.find(item_key(name, key));
  return found == items_.end() ? nullptr : &found->second;
}

Statistics::Sample Statistics::sum_of(const Item& item, int64_t now_ms) {
  Sample sum{now_ms, item.value, item.times};
  for (const auto& [tally, shares] : item.tallies) {
    sum.value += tally->value.load(std::memory_order_relaxed);
    sum.times += tally->times.load(std::memory_order_relaxed);
  }
  return sum;
}

void Statistics::fold_returned(Item& item) {
  std::erase_if(item.tallies, [&item](const Held& held) {
    if (held.tally.use_count() > held.shares) return false;  // its thread still counts
    item.value += held.tally->value.load(std::memory_order_acquire);
    item.times += held.tally->times.load(std::memory_order_acquire);
    return true;
  });
}

Statistics::Totals Statistics::totals(int64_t now_ms, int64_t store_puts) const {
  const auto value = [this](std::string_view name) {
    const Item* counted = find(name, cluster_);
    return counted == nullptr ? 0 : sum_of(*counted, 0).value;
  };
  return {now_ms, store_puts, value(kFound), value(kMissed), value("BROKER_GET_NUMS")};
}

}  // namespace comet::broker
