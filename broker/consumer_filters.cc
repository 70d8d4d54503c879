#include "broker/consumer_filters.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "broker/state_file.h"
#include "broker/subscription_filter.h"

namespace comet::broker {
namespace {

/// Of a loaded filter whose group was there when the broker stopped.
constexpr int64_t kDeadSinceMs = 30'000;

/// The key of a filter; valid until the thread's next one.
std::string_view key_of(std::string_view topic, std::string_view group) {
  thread_local std::string key;
  key.assign(topic).append(1, '\x01').append(group);
  return key;
}

/// One filter of the file.
struct Loaded {
  std::string topic, group;
  const nlohmann::json* data;
};

std::vector<Loaded> filters_in(const nlohmann::json& state) {
  std::vector<Loaded> loaded;
  const auto topics = state.find("filterDataByTopic");
  if (topics == state.end() || !topics->is_object()) return loaded;
  for (const auto& [topic, of_topic] : topics->items()) {
    if (!of_topic.is_object() || !of_topic.contains("groupFilterData")) continue;
    for (const auto& [group, data] : of_topic["groupFilterData"].items()) {
      if (data.is_object()) loaded.push_back({topic, group, &data});
    }
  }
  return loaded;
}

bool fits(const nlohmann::json& filter, const BloomBits& bloom) {
  const auto data = filter.find("bloomFilterData");
  if (data == filter.end() || !data->is_object()) return false;
  const auto positions = data->find("bitPos");
  return positions != data->end() && positions->is_array() &&
         positions->size() == static_cast<size_t>(bloom.bits_each()) &&
         number_in(*data, "bitNum", 0) == bloom.map_bits();
}

std::string numbers(const std::vector<int32_t>& values) {
  std::string out;
  for (const int32_t value : values) out += (out.empty() ? "" : ",") + std::to_string(value);
  return out;
}

/// A filter as fastjson prints it, `indent` deep.
std::string filter_text(std::string_view topic, std::string_view group, const ConsumerFilter& filter,
                        const BloomBits& bloom, std::string_view indent) {
  const std::string in = fmt::format("\n{}\t", indent);
  std::string out = fmt::format("{{{0}\"bloomFilterData\":{{{0}\t\"bitNum\":{1},{0}\t\"bitPos\":[{2}]{0}}},", in,
                                bloom.map_bits(), numbers(bloom.positions(group, topic)));
  out += fmt::format("{0}\"bornTime\":{1},{0}\"clientVersion\":{2},{0}\"consumerGroup\":{3},", in, filter.born_ms,
                     filter.version, json_quoted(group));
  out += fmt::format("{0}\"dead\":{1},{0}\"deadTime\":{2},{0}\"expression\":{3},", in, filter.dead(), filter.dead_ms,
                     json_quoted(filter.expression));
  return out += fmt::format("{0}\"expressionType\":{1},{0}\"topic\":{2}\n{3}}}", in, json_quoted(filter.type),
                            json_quoted(topic), indent);
}

}  // namespace

ConsumerFilters::ConsumerFilters(Files& files, const Clock& clock, Log& log, const LiveConfig& config, SqlCache& cache,
                                 Path file)
    : files_(files),
      clock_(clock),
      log_(log),
      config_(config),
      cache_(cache),
      file_(std::move(file)),
      bloom_(config.now().bloom_error_percent, config.now().filter_consumers),
      found_(clock) {}

const std::shared_ptr<const ConsumerFilter>* ConsumerFilters::find(std::string_view topic,
                                                                   std::string_view group) const {
  return found_.find(key_of(topic, group));
}

std::string ConsumerFilters::shown(std::string_view topic, std::string_view group) const {
  const auto* filter = find(topic, group);
  return filter == nullptr ? "null" : filter_text(topic, group, **filter, bloom_, "");
}

// --- Heartbeats ------------------------------------------------------------------------------------------------------

void ConsumerFilters::heard(const std::string& group, const std::vector<Subscription>& subscriptions) {
  std::lock_guard lock(mu_);
  for (const Subscription& subscription : subscriptions) {
    if (!is_tag_type(subscription.expression_type) && !subscription.expression.empty()) subscribe(group, subscription);
  }
  const auto filters = by_group_.find(group);
  if (filters == by_group_.end()) return;
  for (const auto& [topic, filter] : ByTopic(filters->second)) {
    const bool wanted = std::any_of(
        subscriptions.begin(), subscriptions.end(),
        [&wanted_topic = topic](const Subscription& subscription) { return subscription.topic == wanted_topic; });
    if (!wanted) let_die(group, topic, *filter);
  }
}

void ConsumerFilters::subscribe(const std::string& group, const Subscription& subscription) {
  const std::string& topic = subscription.topic;
  const auto* present = find(topic, group);
  ConsumerFilter filter = present == nullptr ? ConsumerFilter{} : **present;
  if (present != nullptr && subscription.version < filter.version) return;
  const bool same = filter.expression == subscription.expression && filter.type == subscription.expression_type;
  if (present != nullptr && (same || subscription.version == filter.version)) {
    if (subscription.version == filter.version && !filter.dead()) return;
    filter.version = subscription.version;
    if (filter.dead()) filter.dead_ms = 0;
    return put(group, topic, std::move(filter));
  }
  auto program = cache_.compile(subscription.expression_type, subscription.expression);
  if (!program) {
    if (present != nullptr) remove(group, topic);
    return;
  }
  log_.info("group {} filters topic {} by {}: {}", group, topic, subscription.expression_type, subscription.expression);
  put(group, topic,
      {subscription.expression, subscription.expression_type, subscription.version, clock_.now_ms(), 0,
       std::move(*program)});
}

void ConsumerFilters::group_gone(std::string_view group) {
  std::lock_guard lock(mu_);
  const auto filters = by_group_.find(group);
  if (filters == by_group_.end()) return;
  for (const auto& [topic, filter] : ByTopic(filters->second)) let_die(filters->first, topic, *filter);
}

void ConsumerFilters::let_die(const std::string& group, const std::string& topic, const ConsumerFilter& filter) {
  if (filter.dead()) return;
  ConsumerFilter dead = filter;
  dead.dead_ms = clock_.now_ms();
  put(group, topic, std::move(dead));
}

void ConsumerFilters::put(const std::string& group, const std::string& topic, ConsumerFilter filter) {
  const auto stored = std::make_shared<const ConsumerFilter>(std::move(filter));
  by_group_[group][topic] = stored;
  found_.put(key_of(topic, group), stored);
  changed_ = true;
}

void ConsumerFilters::remove(const std::string& group, const std::string& topic) {
  found_.remove(key_of(topic, group));
  const auto filters = by_group_.find(group);
  filters->second.erase(topic);
  if (filters->second.empty()) by_group_.erase(filters);
  changed_ = true;
}

// --- The file --------------------------------------------------------------------------------------------------------

Result<void> ConsumerFilters::load() {
  COMET_TRY(const nlohmann::json state, load_state(files_, log_, file_));
  if (state.is_null()) return {};
  const std::vector<Loaded> loaded = filters_in(state);
  const bool ours =
      std::all_of(loaded.begin(), loaded.end(), [this](const Loaded& one) { return fits(*one.data, bloom_); });
  if (!ours) {
    log_.warn("{}: written with other values of expectConsumerNumUseFilter or maxErrorRateOfBloomFilter: ignored",
              file_);
    return {};
  }
  const int64_t dead_since = clock_.now_ms() - kDeadSinceMs;
  std::lock_guard lock(mu_);
  for (const auto& [topic, group, data] : loaded) {
    ConsumerFilter filter{text_in(*data, "expression", ""),     text_in(*data, "expressionType", "TAG"),
                          number_in(*data, "clientVersion", 0), number_in(*data, "bornTime", 0),
                          number_in(*data, "deadTime", 0),      nullptr};
    auto program = cache_.compile(filter.type, filter.expression);
    if (!program) continue;  // the cache has told the log; the group's pulls are refused
    filter.program = std::move(*program);
    if (filter.dead_ms == 0) filter.dead_ms = std::max(filter.born_ms, dead_since);
    put(group, topic, std::move(filter));
  }
  changed_ = false;
  return {};
}

Result<void> ConsumerFilters::persist() {
  std::lock_guard one_writer(persist_mu_);
  std::string content;
  {
    std::lock_guard lock(mu_);
    drop_long_dead();
    if (!changed_) return {};
    content = text();
    changed_ = false;
  }
  auto written = make_durable_folders(files_, parent_folder(file_));
  if (written) written = replace_file(files_, file_, content);
  if (!written) {
    std::lock_guard lock(mu_);
    changed_ = true;
  }
  return written;
}

void ConsumerFilters::drop_long_dead() {
  const int64_t before = clock_.now_ms() - config_.now().filter_clean_ms;
  std::vector<std::pair<std::string, std::string>> doomed;
  for (const auto& [group, filters] : by_group_) {
    for (const auto& [topic, filter] : filters) {
      if (filter->dead() && filter->dead_ms <= before) doomed.emplace_back(group, topic);
    }
  }
  for (const auto& [group, topic] : doomed) {
    log_.info("the filter of group {} on topic {} is removed: its group went long ago", group, topic);
    remove(group, topic);
  }
}

std::string ConsumerFilters::text() const {
  std::map<std::string_view, std::vector<std::pair<const std::string*, const ConsumerFilter*>>> by_topic;
  for (const auto& [group, filters] : by_group_) {
    for (const auto& [topic, filter] : filters) by_topic[topic].emplace_back(&group, filter.get());
  }
  std::string out = "{\n\t\"filterDataByTopic\":{";
  bool first_topic = true;
  for (const auto& [topic, groups] : by_topic) {
    out += (first_topic ? "\n\t\t" : ",\n\t\t") + json_quoted(topic) + ":{\n\t\t\t\"groupFilterData\":{";
    first_topic = false;
    for (size_t n = 0; n < groups.size(); ++n)
      out += (n == 0 ? "\n\t\t\t\t" : ",\n\t\t\t\t") + json_quoted(*groups[n].first) + ":" +
             filter_text(topic, *groups[n].first, *groups[n].second, bloom_, "\t\t\t\t");
    out += "\n\t\t\t},\n\t\t\t\"topic\":" + json_quoted(topic) + "\n\t\t}";
  }
  return out += first_topic ? "}\n}" : "\n\t}\n}";
}

}  // namespace comet::broker
