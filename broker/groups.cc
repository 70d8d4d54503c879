#include "broker/groups.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "broker/state_file.h"
#include "broker/to_body.h"
#include "common/system_topics.h"

namespace comet::broker {
namespace {

constexpr int32_t kForbiddenRead = 1 << 2;  // PermName.INDEX_PERM_READ

constexpr std::string_view kSystemGroups[] = {"TOOLS_CONSUMER",     "FILTERSRV_CONSUMER", "SELF_TEST_C_GROUP",
                                              "CID_ONS-HTTP-PROXY", "CID_ONSAPI_PULL",    "CID_ONSAPI_PERMISSION",
                                              "CID_ONSAPI_OWNER",   "CID_RMQ_SYS_TRANS"};

int32_t number32_in(const nlohmann::json& object, std::string_view key, int32_t otherwise) {
  return static_cast<int32_t>(number_in(object, key, otherwise));
}

GroupConfig group_of(const std::string& name, const nlohmann::json& object) {
  GroupConfig group;
  group.name = name;
  group.consume_enable = flag_in(object, "consumeEnable", true);
  group.consume_from_min_enable = flag_in(object, "consumeFromMinEnable", true);
  group.consume_broadcast_enable = flag_in(object, "consumeBroadcastEnable", true);
  group.consume_message_orderly = flag_in(object, "consumeMessageOrderly", false);
  group.retry_queues = number32_in(object, "retryQueueNums", 1);
  group.retry_max_times = number32_in(object, "retryMaxTimes", 16);
  group.broker_id = number_in(object, "brokerId", 0);
  group.broker_id_when_slow = number_in(object, "whichBrokerWhenConsumeSlowly", 1);
  group.notify_ids_changed = flag_in(object, "notifyConsumerIdsChangedEnable", true);
  group.sys_flag = number32_in(object, "groupSysFlag", 0);
  group.consume_timeout_minutes = number32_in(object, "consumeTimeoutMinute", 15);
  if (const auto policy = object.find("groupRetryPolicy"); policy != object.end() && policy->is_object()) {
    group.retry_policy_json = policy->dump();
  }
  if (const auto set = object.find("subscriptionDataSet"); set != object.end() && set->is_array())
    group.subscriptions_json = set->dump();
  if (const auto attributes = object.find("attributes"); attributes != object.end() && attributes->is_object()) {
    for (const auto& [key, value] : attributes->items())
      group.attributes[key] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return group;
}

std::string group_text(const GroupConfig& group) {
  std::string attributes;
  for (const auto& [key, value] : group.attributes) {
    attributes += (attributes.empty() ? "" : ",") + json_quoted(key) + ":" + json_quoted(value);
  }
  const std::string subscriptions =
      group.subscriptions_json.empty() ? "" : "\n\t\t\t\"subscriptionDataSet\":" + group.subscriptions_json + ",";
  return fmt::format(
      "\t\t{}:{{\n\t\t\t\"attributes\":{{{}}},\n\t\t\t\"brokerId\":{},\n\t\t\t\"consumeBroadcastEnable\":{},\n"
      "\t\t\t\"consumeEnable\":{},\n\t\t\t\"consumeFromMinEnable\":{},\n\t\t\t\"consumeMessageOrderly\":{},\n"
      "\t\t\t\"consumeTimeoutMinute\":{},\n\t\t\t\"groupName\":{},\n\t\t\t\"groupRetryPolicy\":{},"
      "\n\t\t\t\"groupSysFlag\":{},\n"
      "\t\t\t\"notifyConsumerIdsChangedEnable\":{},\n\t\t\t\"retryMaxTimes\":{},\n\t\t\t\"retryQueueNums\":{},{}\n"
      "\t\t\t\"whichBrokerWhenConsumeSlowly\":{}\n\t\t}}",
      json_quoted(group.name), attributes, group.broker_id, group.consume_broadcast_enable, group.consume_enable,
      group.consume_from_min_enable, group.consume_message_orderly, group.consume_timeout_minutes,
      json_quoted(group.name), group.retry_policy_json, group.sys_flag, group.notify_ids_changed, group.retry_max_times,
      group.retry_queues, subscriptions, group.broker_id_when_slow);
}

}  // namespace

Groups::Groups(Files& files, const Clock& clock, Log& log, const LiveConfig& config, Path file)
    : files_(files),
      clock_(clock),
      log_(log),
      config_(config),
      file_(std::move(file)),
      table_(clock),
      forbidden_(clock) {}

Result<void> Groups::load() {
  if (config_.now().create_sys_group) {
    for (const std::string_view name : kSystemGroups) {
      GroupConfig group;
      group.name = name;
      table_.put(name, group);
    }
  }
  COMET_TRY(const nlohmann::json state, load_state(files_, log_, file_));
  if (state.is_null()) return {};
  if (const auto groups = state.find("subscriptionGroupTable"); groups != state.end() && groups->is_object()) {
    for (const auto& [name, object] : groups->items()) {
      if (object.is_object() && !name.empty()) table_.put(name, group_of(name, object));
    }
  }
  if (const auto forbidden = state.find("forbiddenTable"); forbidden != state.end() && forbidden->is_object()) {
    for (const auto& [name, topics] : forbidden->items()) {
      Forbidden bits;
      for (const auto& [topic, value] : topics.items()) {
        if (value.is_number_integer()) bits[topic] = value.get<int32_t>();
      }
      if (!bits.empty()) forbidden_.put(name, std::move(bits));
    }
  }
  std::lock_guard lock(mu_);
  version_ = version_in(state);
  return {};
}

Result<void> Groups::persist() {
  std::lock_guard one_writer(persist_mu_);
  int64_t changes = 0;
  {
    std::lock_guard lock(mu_);
    if (changes_ == persisted_changes_) return {};
    changes = changes_;
  }
  COMET_TRY_VOID(make_durable_folders(files_, parent_folder(file_)));
  COMET_TRY_VOID(replace_file(files_, file_, text()));
  std::lock_guard lock(mu_);
  persisted_changes_ = changes;
  return {};
}

std::string Groups::text() const {
  std::map<std::string, Forbidden> forbidden;
  forbidden_.each([&](const std::string& name, const Forbidden& bits) { forbidden[name] = bits; });
  std::string out = "{\n\t\"dataVersion\":" + to_json(version()) + ",\n\t\"forbiddenTable\":{";
  bool first = true;
  for (const auto& [name, topics] : forbidden) {
    out += (first ? "\n\t\t" : ",\n\t\t") + json_quoted(name) + ":{";
    first = false;
    std::string rows;
    for (const auto& [topic, bits] : topics)
      rows += (rows.empty() ? "" : ",") + json_quoted(topic) + ":" + std::to_string(bits);
    out += rows + "}";
  }
  out += first ? "},\n\t\"subscriptionGroupTable\":{" : "\n\t},\n\t\"subscriptionGroupTable\":{";
  first = true;
  for (const GroupConfig& group : all()) {
    out += first ? "\n" : ",\n";
    first = false;
    out += group_text(group);
  }
  return out += "\n\t}\n}";
}

const GroupConfig* Groups::find_or_create(std::string_view group) {
  if (const GroupConfig* present = find(group)) return present;
  if (!config_.now().auto_create_subscription_group && !is_system_group(group)) return nullptr;
  if (!group_name_problem(group).empty()) return nullptr;
  bool created = false;
  const GroupConfig* stored = table_.update(group, [&](const GroupConfig* present) -> std::optional<GroupConfig> {
    if (present != nullptr) return std::nullopt;
    created = true;
    GroupConfig config;
    config.name = group;
    return config;
  });
  if (created) {
    log_.info("created consumer group {}", group);
    changed();
  }
  return stored;
}

bool Groups::put(const GroupConfig& group) {
  bool did_change = false;
  table_.update(group.name, [&](const GroupConfig* present) -> std::optional<GroupConfig> {
    did_change = present == nullptr || !(*present == group);
    return did_change ? std::optional<GroupConfig>(group) : std::nullopt;
  });
  if (did_change) changed();
  return did_change;
}

void Groups::disable(std::string_view group) {
  bool did_change = false;
  table_.update(group, [&](const GroupConfig* present) -> std::optional<GroupConfig> {
    did_change = present != nullptr && present->consume_enable;
    if (!did_change) return std::nullopt;
    GroupConfig next = *present;
    next.consume_enable = false;
    return next;
  });
  if (did_change) changed();
}

bool Groups::remove(std::string_view group) {
  const bool had_bits = forbidden_.remove(group);
  const bool was_there = table_.remove(group);
  if (had_bits || was_there) changed();
  return was_there;
}

void Groups::become(const remoting::SubscriptionGroupWrapper& masters) {
  {
    std::lock_guard lock(mu_);
    if (version_ == masters.data_version) return;
  }
  for (const auto& [name, wire] : masters.groups) {
    GroupConfig group = from_body(wire);
    group.name = name;
    table_.update(name, [&](const GroupConfig* present) -> std::optional<GroupConfig> {
      return present != nullptr && *present == group ? std::nullopt : std::optional<GroupConfig>(group);
    });
  }
  for (const GroupConfig& group : all())
    if (masters.groups.find(group.name) == masters.groups.end()) table_.remove(group.name);
  for (const auto& [group, topics] : masters.forbidden) forbidden_.put(group, Forbidden(topics.begin(), topics.end()));
  for (const auto& [group, topics] : forbidden_table())
    if (masters.forbidden.find(group) == masters.forbidden.end()) forbidden_.remove(group);
  {
    std::lock_guard lock(mu_);
    static_cast<remoting::DataVersion&>(version_) = masters.data_version;
    ++changes_;
  }
  if (on_change_) on_change_();
}

bool Groups::reading_forbidden(std::string_view group, std::string_view topic) const {
  const Forbidden* bits = forbidden_.find(group);
  if (bits == nullptr) return false;
  const auto found = bits->find(topic);
  return found != bits->end() && (found->second & kForbiddenRead) != 0;
}

void Groups::set_reading_forbidden(std::string_view group, std::string_view topic, bool is_forbidden) {
  if (reading_forbidden(group, topic) == is_forbidden) return;
  bool empty = false;
  forbidden_.update(group, [&](const Forbidden* present) -> std::optional<Forbidden> {
    Forbidden bits = present == nullptr ? Forbidden{} : *present;
    int32_t& value = bits[std::string(topic)];
    value = is_forbidden ? value | kForbiddenRead : value & ~kForbiddenRead;
    if (value == 0) bits.erase(std::string(topic));
    empty = bits.empty();
    return bits;
  });
  if (empty) forbidden_.remove(group);
  changed();
}

std::map<std::string, std::map<std::string, int32_t>> Groups::forbidden_table() const {
  std::map<std::string, std::map<std::string, int32_t>> table;
  forbidden_.each(
      [&](const std::string& group, const Forbidden& topics) { table[group].insert(topics.begin(), topics.end()); });
  return table;
}

std::vector<GroupConfig> Groups::all() const {
  std::vector<GroupConfig> groups;
  table_.each([&](const std::string&, const GroupConfig& group) { groups.push_back(group); });
  std::sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return groups;
}

DataVersion Groups::version() const {
  std::lock_guard lock(mu_);
  return version_;
}

void Groups::changed() {
  {
    std::lock_guard lock(mu_);
    version_.next(clock_.now_ms());
    ++changes_;
  }
  if (on_change_) on_change_();
}

}  // namespace comet::broker
