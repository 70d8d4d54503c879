#include "broker/topics.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "broker/state_file.h"

namespace comet::broker {
namespace {

constexpr int32_t kRwx = perm::kRead | perm::kWrite | perm::kInherit, kRw = perm::kRead | perm::kWrite;

TopicConfig topic_of(const std::string& name, const nlohmann::json& object) {
  TopicConfig topic;
  topic.name = name;
  topic.read_queues = static_cast<int32_t>(number_in(object, "readQueueNums", topic.read_queues));
  topic.write_queues = static_cast<int32_t>(number_in(object, "writeQueueNums", topic.write_queues));
  topic.perm = static_cast<int32_t>(number_in(object, "perm", topic.perm));
  topic.multi_tag = text_in(object, "topicFilterType", "SINGLE_TAG") == "MULTI_TAG";
  topic.sys_flag = static_cast<int32_t>(number_in(object, "topicSysFlag", 0));
  topic.order = flag_in(object, "order", false);
  if (const auto attributes = object.find("attributes"); attributes != object.end() && attributes->is_object()) {
    for (const auto& [key, value] : attributes->items())
      topic.attributes[key] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return topic;
}

nlohmann::json json_of(const TopicConfig& topic) {
  return {{"topicName", topic.name},
          {"readQueueNums", topic.read_queues},
          {"writeQueueNums", topic.write_queues},
          {"perm", topic.perm},
          {"topicFilterType", topic.multi_tag ? "MULTI_TAG" : "SINGLE_TAG"},
          {"topicSysFlag", topic.sys_flag},
          {"order", topic.order},
          {"attributes", topic.attributes}};
}

std::string topic_text(const TopicConfig& topic) {
  std::string attributes;
  for (const auto& [key, value] : topic.attributes) {
    attributes += (attributes.empty() ? "" : ",") + json_quoted(key) + ":" + json_quoted(value);
  }
  return fmt::format(
      "\t\t{}:{{\n\t\t\t\"attributes\":{{{}}},\n\t\t\t\"order\":{},\n\t\t\t\"perm\":{},\n\t\t\t\"readQueueNums\":{},\n"
      "\t\t\t\"topicFilterType\":\"{}\",\n\t\t\t\"topicName\":{},\n\t\t\t\"topicSysFlag\":{},"
      "\n\t\t\t\"writeQueueNums\":{}\n\t\t}}",
      json_quoted(topic.name), attributes, topic.order, topic.perm, topic.read_queues,
      topic.multi_tag ? "MULTI_TAG" : "SINGLE_TAG", json_quoted(topic.name), topic.sys_flag, topic.write_queues);
}

}  // namespace

Topics::Topics(Files& files, const Clock& clock, Log& log, const LiveConfig& config, Path file)
    : files_(files),
      clock_(clock),
      log_(log),
      config_(config),
      file_(std::move(file)),
      journal_(files, file_ + ".changes"),
      table_(clock),
      own_system_topics_(clock) {}

void Topics::add_system_topic(std::string name, int32_t queues, int32_t perm) {
  TopicConfig topic;
  topic.name = std::move(name);
  topic.read_queues = topic.write_queues = queues;
  topic.perm = perm;
  own_system_topics_.put(topic.name, true);
  table_.put(topic.name, topic);
}

void Topics::add_system_topics() {
  const BrokerConfig& config = config_.now();
  const auto named = [](std::string_view before, std::string_view name, std::string_view after = "") {
    return std::string(before) + std::string(name) + std::string(after);
  };
  add_system_topic(std::string(kSelfTestTopic), 1, kRw);
  if (config.auto_create_topic) add_system_topic(std::string(kAutoCreateTopic), config.default_topic_queue_nums, kRwx);
  add_system_topic(std::string(kBenchmarkTopic), 1024, kRw);
  add_system_topic(config.cluster_name, 16, config.cluster_topic ? kRwx : perm::kInherit);
  add_system_topic(config.broker_name, 1, config.broker_topic ? kRwx : perm::kInherit);
  add_system_topic(std::string(kOffsetMovedEventTopic), 1, kRw);
  add_system_topic(std::string(kScheduleTopic), 18, kRw);
  if (config.trace_topic) add_system_topic(config.trace_topic_name, 1, kRw);
  add_system_topic(named("", config.cluster_name, kReplyTopicSuffix), 1, kRw);
  add_system_topic(named(kReviveLogPrefix, config.cluster_name), config.revive_queue_num, kRw);
  add_system_topic(named(kSyncBrokerMemberPrefix, config.broker_name), 1, perm::kInherit);
  add_system_topic(std::string(kHalfTopic), 1, kRw);
  add_system_topic(std::string(kOpHalfTopic), 1, kRw);
  if (config.timer_wheel) add_system_topic(std::string(kTimerTopic), 1, kRw);
}

Result<void> Topics::load() {
  add_system_topics();
  COMET_TRY(const nlohmann::json state, load_state(files_, log_, file_));
  const DataVersion read = state.is_null() ? DataVersion() : version_in(state);
  const auto topics = state.find("topicConfigTable");
  if (topics != state.end() && topics->is_object()) {
    for (const auto& [name, object] : topics->items()) {
      if (object.is_object() && !name.empty()) table_.put(name, topic_of(name, object));
    }
  }
  journal_.load(read, [this](const nlohmann::json& change) { apply_journal(change); });
  std::lock_guard lock(mu_);
  version_ = read;
  // System topics that this release or configuration added must reach name servers that know the former table, and the
  // first registration must already carry a version of its own.
  version_.next(clock_.now_ms());
  ++changes_;
  return {};
}

void Topics::apply_journal(const nlohmann::json& change) {
  const std::string removed = text_in(change, "removed", ""), name = text_in(change, "topicName", "");
  if (!removed.empty()) table_.remove(removed);
  if (!name.empty()) table_.put(name, topic_of(name, change));
}

void Topics::journal(const nlohmann::json& change) {
  if (auto added = journal_.add(change); !added)
    log_.error("a change of topics waits for topics.json to be written, a kill before that takes it: {}",
               added.error().what);
}

const TopicConfig& Topics::journalled(const TopicConfig& topic) {
  journal(json_of(topic));
  return topic;
}

Result<void> Topics::persist() {
  std::lock_guard one_writer(persist_mu_);
  int64_t changes = 0;
  DataVersion now;
  size_t journalled = 0;
  {
    std::lock_guard lock(mu_);
    if (changes_ == persisted_changes_) return {};
    changes = changes_;
    now = version_;
    journalled = journal_.mark();
  }
  COMET_TRY_VOID(make_durable_folders(files_, parent_folder(file_)));
  COMET_TRY_VOID(replace_file(files_, file_, text(now)));
  COMET_TRY_VOID(journal_.written(journalled, now));
  std::lock_guard lock(mu_);
  persisted_changes_ = changes;
  return {};
}

std::string Topics::text() const { return text(version()); }

std::string Topics::text(const DataVersion& version) const {
  std::string out = "{\n\t\"dataVersion\":" + to_json(version) + ",\n\t\"topicConfigTable\":{";
  bool first = true;
  for (const TopicConfig& topic : all()) {
    out += first ? "\n" : ",\n";
    first = false;
    out += topic_text(topic);
  }
  return out += "\n\t}\n}";
}

const TopicConfig* Topics::create_on_send(std::string_view topic, std::string_view default_topic, int32_t wanted_queues,
                                          int32_t sys_flag) {
  const TopicConfig* pattern = find(default_topic);
  if (pattern == nullptr) return find(topic);
  const bool auto_create_off = default_topic == kAutoCreateTopic && !config_.now().auto_create_topic;
  if (auto_create_off || (pattern->perm & perm::kInherit) == 0) return find(topic);
  bool created = false;
  const TopicConfig* stored = table_.update(topic, [&](const TopicConfig* present) -> std::optional<TopicConfig> {
    if (present != nullptr) return std::nullopt;
    created = true;
    TopicConfig config;
    config.name = topic;
    config.read_queues = config.write_queues = std::max(0, std::min(wanted_queues, pattern->write_queues));
    config.perm = pattern->perm & ~perm::kInherit;
    config.multi_tag = pattern->multi_tag;
    config.sys_flag = sys_flag;
    return journalled(config);
  });
  if (created) {
    log_.info("created topic {} with {} queues, as {} allows", topic, stored->write_queues, default_topic);
    changed({std::string(topic)});
  }
  return stored;
}

const TopicConfig* Topics::create_for_group(std::string_view topic, int32_t queues, int32_t permission, bool order,
                                            int32_t sys_flag) {
  if (const TopicConfig* present = find(topic); present != nullptr && present->order == order) return present;
  bool did_change = false;
  const TopicConfig* stored = table_.update(topic, [&](const TopicConfig* present) -> std::optional<TopicConfig> {
    if (present != nullptr && present->order == order) return std::nullopt;
    did_change = true;
    TopicConfig config;
    if (present != nullptr) {
      config = *present;
    } else {
      config.name = topic;
      config.read_queues = config.write_queues = queues;
      config.perm = permission;
      config.sys_flag = sys_flag;
    }
    config.order = order;
    return journalled(config);
  });
  if (did_change) changed({std::string(topic)});
  return stored;
}

bool Topics::put(const TopicConfig& topic) {
  bool did_change = false;
  table_.update(topic.name, [&](const TopicConfig* present) -> std::optional<TopicConfig> {
    did_change = present == nullptr || !(*present == topic);
    return did_change ? std::optional<TopicConfig>(journalled(topic)) : std::nullopt;
  });
  if (did_change) changed({topic.name});
  return did_change;
}

bool Topics::remove(std::string_view topic) {
  if (find(topic) != nullptr) journal({{"removed", topic}});
  if (!table_.remove(topic)) return false;
  changed({});
  return true;
}

void Topics::become(const remoting::TopicConfigWrapper& masters) {
  {
    std::lock_guard lock(mu_);
    if (version_ == masters.data_version) return;
  }
  std::vector<std::string> set;
  for (const auto& [name, wire] : masters.topics) {
    TopicConfig topic = from_wire(wire);
    topic.name = name;
    table_.update(name, [&](const TopicConfig* present) -> std::optional<TopicConfig> {
      if (present != nullptr && *present == topic) return std::nullopt;
      set.push_back(topic.name);
      return topic;
    });
  }
  for (const TopicConfig& topic : all())
    if (masters.topics.find(topic.name) == masters.topics.end()) table_.remove(topic.name);
  std::lock_guard lock(mu_);
  static_cast<remoting::DataVersion&>(version_) = masters.data_version;
  ++changes_;
  if (on_change_) on_change_(set, version_);
}

void Topics::mark_ordered(const std::vector<std::string>& names) {
  std::vector<std::string> marked;
  for (const std::string& name : names) {
    table_.update(name, [&](const TopicConfig* present) -> std::optional<TopicConfig> {
      if (present == nullptr || present->order) return std::nullopt;
      marked.push_back(name);
      TopicConfig config = *present;
      config.order = true;
      return journalled(config);
    });
  }
  if (!marked.empty()) changed(marked);
}

bool Topics::is_system(std::string_view topic) const {
  return is_system_topic(topic) || own_system_topics_.find(topic) != nullptr;
}

std::vector<std::string> Topics::system_topics() const {
  std::vector<std::string> names;
  own_system_topics_.each([&](const std::string& name, bool) { names.push_back(name); });
  for (const std::string_view fixed :
       {kAutoCreateTopic, kScheduleTopic, kBenchmarkTopic, kHalfTopic, kTraceTopic, kOpHalfTopic,
        kTransCheckMaxTimeTopic, kSelfTestTopic, kOffsetMovedEventTopic, kCheckpointTopic}) {
    names.emplace_back(fixed);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<TopicConfig> Topics::all() const {
  std::vector<TopicConfig> topics;
  table_.each([&](const std::string&, const TopicConfig& topic) { topics.push_back(topic); });
  std::sort(topics.begin(), topics.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return topics;
}

DataVersion Topics::version() const {
  std::lock_guard lock(mu_);
  return version_;
}

void Topics::touch() { changed({}); }

remoting::TopicConfigWrapper Topics::wire() const {
  remoting::TopicConfigWrapper wrapper;
  wrapper.data_version = version();  // before the topics: what changes meanwhile comes with a later version
  table_.each([&](const std::string& name, const TopicConfig& topic) { wrapper.topics.emplace(name, to_wire(topic)); });
  return wrapper;
}

void Topics::changed(const std::vector<std::string>& names) {
  std::lock_guard lock(mu_);
  version_.next(clock_.now_ms());
  ++changes_;
  if (on_change_) on_change_(names, version_);
}

remoting::TopicConfig to_wire(const TopicConfig& topic) {
  remoting::TopicConfig wire;
  wire.attributes = topic.attributes;
  wire.order = topic.order;
  wire.perm = topic.perm;
  wire.read_queue_nums = topic.read_queues;
  wire.filter_type = topic.multi_tag ? remoting::TopicFilterType::kMultiTag : remoting::TopicFilterType::kSingleTag;
  wire.name = topic.name;
  wire.sys_flag = topic.sys_flag;
  wire.write_queue_nums = topic.write_queues;
  return wire;
}

TopicConfig from_wire(const remoting::TopicConfig& wire) {
  TopicConfig topic;
  topic.name = wire.name;
  topic.read_queues = wire.read_queue_nums;
  topic.write_queues = wire.write_queue_nums;
  topic.perm = wire.perm;
  topic.multi_tag = wire.filter_type == remoting::TopicFilterType::kMultiTag;
  topic.sys_flag = wire.sys_flag;
  topic.order = wire.order;
  topic.attributes = wire.attributes;
  return topic;
}

}  // namespace comet::broker
