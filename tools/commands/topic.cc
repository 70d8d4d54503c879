#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "common/system_topics.h"
#include "tools/command.h"
#include "tools/message_text.h"
#include "tools/targets.h"

/// Topics: create, change, delete, list, look at.
namespace comet::tools {
namespace {

constexpr OptionRow kTopic{"t", "topic", "the topic", Need::kRequired};

std::string perm_text(int32_t bits) {
  return fmt::format("{}{}{}", (bits & perm::kRead) != 0 ? "R" : "-", (bits & perm::kWrite) != 0 ? "W" : "-",
                     (bits & perm::kInherit) != 0 ? "X" : "-");
}

std::string attributes_text(const std::map<std::string, std::string>& attributes) {
  std::string text;
  for (const auto& [name, value] : attributes) text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, value);
  return "{" + text + "}";
}

std::string config_text(const client::TopicConfig& config) {
  return fmt::format(
      "TopicConfig [topicName={}, readQueueNums={}, writeQueueNums={}, perm={}, topicFilterType={}, topicSysFlag={}, "
      "order={}, "
      "attributes={}]",
      config.name, config.read_queues, config.write_queues, perm_text(config.perm), config.filter_type, config.sys_flag,
      config.order, attributes_text(config.attributes));
}

Json config_json(const client::TopicConfig& config) {
  JsonObject attributes;
  for (const auto& [name, value] : config.attributes) attributes.add(name, value);
  return JsonObject()
      .add("topicName", config.name)
      .add("readQueueNums", config.read_queues)
      .add("writeQueueNums", config.write_queues)
      .add("perm", config.perm)
      .add("topicFilterType", config.filter_type)
      .add("topicSysFlag", config.sys_flag)
      .add("order", config.order)
      .add("attributes", attributes.done())
      .done();
}

Json addresses_json(const std::vector<Target>& targets) {
  JsonArray addresses;
  for (const Target& target : targets) addresses.add(Json::of(target.address));
  return addresses.done();
}

// updateTopic
// ----------------------------------------------------------------------------------------------------------

constexpr OptionRow kUpdateTopicOptions[] = {
    {"a", "attributes", "attributes to set and remove: +key=value,-key"},
    {"b", "brokerAddr", "the broker to make it on, as host:port", Need::kOneOf},
    {"c", "clusterName", "the cluster to make it on, on every master", Need::kOneOf},
    {"o", "order", "whether its route names a fixed order of queues: true or false"},
    {"p", "perm", "2: write, 4: read, 6: both (default 6)"},
    {"r", "readQueueNums", "queues to read (default 8)"},
    {"s", "hasUnitSub", "whether it has unit subscriptions: true or false"},
    kTopic,
    {"u", "unit", "whether it is a unit topic: true or false"},
    {"w", "writeQueueNums", "queues to write (default 8)"},
};

Result<client::TopicConfig> topic_from_options(const Arguments& args) {
  client::TopicConfig config;
  config.name = args.text("topic");
  if (const std::string problem = topic_name_problem(config.name); !problem.empty())
    return fail(Errc::kInvalid, problem);
  constexpr int64_t kMostQueues = 65536;
  COMET_TRY(const int64_t read, args.number("readQueueNums", 8, 0, kMostQueues));
  COMET_TRY(const int64_t write, args.number("writeQueueNums", 8, 0, kMostQueues));
  COMET_TRY(const int64_t permission, args.number("perm", perm::kRead | perm::kWrite, 0, 7));
  COMET_TRY(const bool unit, args.truth("unit", false));
  COMET_TRY(const bool unit_sub, args.truth("hasUnitSub", false));
  COMET_TRY(config.order, args.truth("order", false));
  COMET_TRY(config.attributes, client::parse_attributes(args.text("attributes")));
  config.read_queues = static_cast<int32_t>(read);
  config.write_queues = static_cast<int32_t>(write);
  config.perm = static_cast<int32_t>(permission);
  config.sys_flag = (unit ? 1 : 0) | (unit_sub ? 2 : 0);
  return config;
}

/// "broker-a:4;broker-b:4", kept at the name servers for clients of ordered topics. With one broker its entry is merged
/// into what is there.
Result<void> put_order(Session& session, const client::TopicConfig& config, const std::vector<Target>& targets) {
  const bool whole_cluster = session.args.has("clusterName");
  std::map<std::string, std::string> entries;
  COMET_TRY(const client::ClusterInfo info, session.admin.clusters());
  if (!whole_cluster) {
    COMET_TRY(const auto before, session.admin.kv(std::string(kOrderTopicNamespace), config.name));
    std::string_view rest = before ? std::string_view(*before) : std::string_view();
    while (!rest.empty()) {
      const std::string_view entry = rest.substr(0, rest.find(';'));
      rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
      entries[std::string(entry.substr(0, entry.find(':')))] = entry;
    }
  }
  std::string added;
  for (const Target& target : targets) {
    std::string name = target.broker_name;
    for (const auto& [broker_name, broker] : info.brokers) {
      if (name.empty() && broker.master() == target.address) name = broker_name;
    }
    if (name.empty())
      return fail(Errc::kNotFound, fmt::format("{} is no master that the name server knows", target.address));
    entries[name] = fmt::format("{}:{}", name, config.write_queues);
    added += (added.empty() ? "" : ";") + entries[name];
  }
  std::string value;
  for (const auto& [name, entry] : entries) value += (value.empty() ? "" : ";") + entry;
  COMET_TRY_VOID(session.admin.put_kv(std::string(kOrderTopicNamespace), config.name, value));
  session.out.line(
      fmt::format("set {} orderConf. isOrder=true, orderConf=[{}]", whole_cluster ? "cluster" : "broker", added));
  return {};
}

Result<void> update_topic(Session& session) {
  COMET_TRY(const client::TopicConfig config, topic_from_options(session.args));
  COMET_TRY(const auto targets, targets_of(session, Which::kMasters));
  for (const Target& target : targets) {
    COMET_TRY_VOID(session.admin.update_topic(target.address, config));
    session.out.line(fmt::format("create topic to {} success.", target.address));
  }
  if (config.order) COMET_TRY_VOID(put_order(session, config, targets));
  session.out.line(config_text(config));
  session.out.set("brokers", addresses_json(targets));
  session.out.set("topicConfig", config_json(config));
  return {};
}

// deleteTopic
// ----------------------------------------------------------------------------------------------------------

constexpr OptionRow kDeleteTopicOptions[] = {
    {"c", "clusterName", "the cluster to delete it from", Need::kRequired},
    kTopic,
};

Result<void> delete_topic(Session& session) {
  const std::string topic = session.args.text("topic"), cluster = session.args.text("clusterName");
  COMET_TRY(const auto targets, targets_of_cluster(session, cluster, Which::kMasters));
  for (const Target& target : targets) COMET_TRY_VOID(session.admin.delete_topic(target.address, topic));
  session.out.line(fmt::format("delete topic [{}] from cluster [{}] success.", topic, cluster));
  COMET_TRY_VOID(session.admin.delete_topic_in_name_servers(topic, cluster));
  session.out.line(fmt::format("delete topic [{}] from NameServer success.", topic));
  session.out.set("topic", topic);
  session.out.set("brokers", addresses_json(targets));
  return {};
}

// updateTopicPerm
// ------------------------------------------------------------------------------------------------------

constexpr OptionRow kUpdateTopicPermOptions[] = {
    {"b", "brokerAddr", "the broker to change it on, as host:port"},
    {"c", "clusterName", "the cluster to change it on"},
    {"p", "perm", "2: write, 4: read, 6: both", Need::kRequired},
    kTopic,
};

Result<void> update_topic_perm(Session& session) {
  COMET_TRY(const int64_t permission, session.args.number("perm", 0, 0, 7));
  COMET_TRY(const auto targets, targets_of(session, Which::kMasters));
  for (const Target& target : targets) {
    COMET_TRY(client::TopicConfig config, session.admin.topic_config(target.address, session.args.text("topic")));
    const int32_t before = config.perm;
    if (before == permission) {
      session.out.line("new perm equals to the old one!");
      continue;
    }
    config.perm = static_cast<int32_t>(permission);
    std::map<std::string, std::string> keep;
    for (const auto& [name, value] : config.attributes) keep["+" + name] = value;
    config.attributes = keep;
    COMET_TRY_VOID(session.admin.update_topic(target.address, config));
    session.out.line(fmt::format("update topic perm from {} to {} in {} success.", before, permission, target.address));
    if (session.args.has("brokerAddr")) session.out.line(config_text(config) + ".");
  }
  session.out.set("brokers", addresses_json(targets));
  session.out.set("perm", permission);
  return {};
}

// topicList
// ------------------------------------------------------------------------------------------------------------

constexpr OptionRow kTopicListOptions[] = {
    {"c", "clusterModel", "with the cluster and the consumer groups of each topic", Need::kOptional, false},
};

constexpr Column kTopicListColumns[] = {
    {"#Cluster Name", "clusterName", 20}, {"#Topic", "topic", 48}, {"#Consumer Group", "consumerGroup", 48}};

Result<void> list_with_groups(Session& session, const std::vector<std::string>& topics) {
  Table table(kTopicListColumns);
  for (const std::string& topic : topics) {
    if (is_retry_topic(topic) || is_dlq_topic(topic)) continue;
    const auto route = session.admin.route(topic);
    if (!route) continue;  // deleted meanwhile
    std::set<std::string> clusters, groups;
    for (const client::Broker& broker : route->brokers) {
      clusters.insert(broker.cluster);
      const auto found = session.admin.groups_of_topic(broker.address(), topic);
      if (found) groups.insert(found->begin(), found->end());
    }
    if (groups.empty()) groups.insert("");
    for (const std::string& cluster : clusters) {
      for (const std::string& group : groups) table.add({cluster, topic, group});
    }
  }
  session.out.table("topics", table);
  return {};
}

Result<void> list_topics(Session& session) {
  COMET_TRY(const auto topics, session.admin.topics());
  if (session.args.has("clusterModel")) return list_with_groups(session, topics);
  JsonArray names;
  for (const std::string& topic : topics) {
    session.out.line(topic);
    names.add(Json::of(topic));
  }
  session.out.set("topics", names.done());
  return {};
}

// topicRoute
// -----------------------------------------------------------------------------------------------------------

constexpr OptionRow kTopicRouteOptions[] = {
    {"l", "list", "as a table", Need::kOptional, false},
    kTopic,
};

constexpr Column kRouteColumns[] = {
    {"#ClusterName", "cluster", 45, false, " "},       {"#BrokerName", "brokerName", 32, false, " "},
    {"#BrokerAddrs", "brokerAddrs", 50, false, " "},   {"#ReadQueue", "readQueueNums", 10, false, " "},
    {"#WriteQueue", "writeQueueNums", 11, false, " "}, {"#Perm", "perm", 5}};

Result<void> route_as_table(Session& session, const client::Route& route) {
  Table table(kRouteColumns);
  int32_t read = 0, write = 0;
  for (const client::BrokerQueues& queues : route.queues) {
    const client::Broker* broker = route.broker(queues.broker_name);
    if (broker == nullptr) continue;
    std::string addresses;
    for (const auto& [id, address] : broker->addresses)
      addresses += fmt::format("{}{}={}", addresses.empty() ? "" : ", ", id, address);
    table.add(
        {broker->cluster, broker->name, "{" + addresses + "}", queues.read_queues, queues.write_queues, queues.perm});
    read += queues.read_queues;
    write += queues.write_queues;
  }
  session.out.table("queues", table);
  session.out.line(std::string(158, '-'));
  session.out.line(
      fmt::format("{:<45} {:<32} {:<50} {:<10} {:<11} {:<5}", "Total:", route.queues.size(), "", read, write, ""));
  return {};
}

Json route_json(const client::Route& route) {
  JsonArray brokers, queues;
  for (const client::Broker& broker : route.brokers) {
    JsonObject addresses;
    for (const auto& [id, address] : broker.addresses) addresses.add(std::to_string(id), address);
    brokers.add(JsonObject()
                    .add("brokerAddrs", addresses.done())
                    .add("brokerName", broker.name)
                    .add("cluster", broker.cluster)
                    .add("enableActingMaster", broker.enable_acting_master)
                    .done());
  }
  for (const client::BrokerQueues& entry : route.queues) {
    queues.add(JsonObject()
                   .add("brokerName", entry.broker_name)
                   .add("perm", entry.perm)
                   .add("readQueueNums", entry.read_queues)
                   .add("topicSysFlag", entry.topic_sys_flag)
                   .add("writeQueueNums", entry.write_queues)
                   .done());
  }
  return JsonObject().add("brokerDatas", brokers.done()).add("queueDatas", queues.done()).done();
}

/// The layout that scripts know, fastjson's: tabs, broker ids without quotes. `--json` gives strict JSON.
std::string route_text(const client::Route& route) {
  std::string text = "{\n\t\"brokerDatas\":[";
  for (const client::Broker& broker : route.brokers) {
    std::string addresses;
    for (const auto& [id, address] : broker.addresses) {
      addresses += fmt::format("{}{}:{}", addresses.empty() ? "" : ",", id, Json::of(address).text);
    }
    text += fmt::format(
        "{}\n\t\t{{\n\t\t\t\"brokerAddrs\":{{{}\n\t\t\t}},\n\t\t\t\"brokerName\":{},\n\t\t\t\"cluster\":{},"
        "\n\t\t\t\"enableActingMaster\":{}"
        "\n\t\t}}",
        &broker == &route.brokers.front() ? "" : ",", addresses, Json::of(broker.name).text,
        Json::of(broker.cluster).text, broker.enable_acting_master);
  }
  text += "\n\t],\n\t\"filterServerTable\":{},\n";
  if (!route.order_topic_conf.empty())
    text += fmt::format("\t\"orderTopicConf\":{},\n", Json::of(route.order_topic_conf).text);
  text += "\t\"queueDatas\":[";
  for (const client::BrokerQueues& queues : route.queues) {
    text += fmt::format(
        "{}\n\t\t{{\n\t\t\t\"brokerName\":{},\n\t\t\t\"perm\":{},\n\t\t\t\"readQueueNums\":{},\n\t\t\t\"topicSysFlag\":"
        "{},\n\t\t\t"
        "\"writeQueueNums\":{}\n\t\t}}",
        &queues == &route.queues.front() ? "" : ",", Json::of(queues.broker_name).text, queues.perm, queues.read_queues,
        queues.topic_sys_flag, queues.write_queues);
  }
  return text + "\n\t]\n}\n";
}

Result<void> show_route(Session& session) {
  COMET_TRY(const client::Route route, session.admin.route(session.args.text("topic")));
  if (session.args.has("list")) return route_as_table(session, route);
  session.out.text(session.out.json() ? std::string() : route_text(route));
  session.out.set("route", route_json(route));
  return {};
}

// topicStatus, topicClusterList
// ----------------------------------------------------------------------------------------

constexpr OptionRow kTopicStatusOptions[] = {
    {"c", "cluster", "another topic whose route to use, for light queues"},
    kTopic,
};

constexpr Column kTopicStatusColumns[] = {{"#Broker Name", "brokerName", 32},
                                          {"#QID", "queueId", 4},
                                          {"#Min Offset", "minOffset", 20},
                                          {"#Max Offset", "maxOffset", 20, false, "    "},
                                          {"#Last Updated", "lastUpdateTimestamp"}};

Result<void> topic_status(Session& session) {
  const std::string topic = session.args.text("topic");
  COMET_TRY(const client::Route route, session.admin.route(session.args.text("cluster", topic)));
  client::TopicStats all;
  for (const client::BrokerQueues& queues : route.queues) {
    const client::Broker* broker = route.broker(queues.broker_name);
    if (broker == nullptr) continue;
    COMET_TRY(const client::TopicStats stats, session.admin.topic_stats(broker->address(), topic));
    all.insert(stats.begin(), stats.end());
  }
  if (all.empty()) return fail(Errc::kNotFound, fmt::format("topic {} has no queue on its brokers", topic));
  Table table(kTopicStatusColumns);
  for (const auto& [queue, offset] : all) {
    const std::string updated = offset.last_update_ms > 0 ? time_text_ms(offset.last_update_ms) : "";
    table.add({queue.broker_name,
               queue.queue_id,
               offset.min_offset,
               offset.max_offset,
               {updated, Json::of(offset.last_update_ms)}});
  }
  session.out.table("queues", table);
  session.out.line();
  session.out.line("Topic Put TPS: 0.0");  // RocketMQ's tool never gets another figure
  return {};
}

constexpr OptionRow kTopicOnly[] = {kTopic};

Result<void> topic_clusters(Session& session) {
  COMET_TRY(const client::Route route, session.admin.route(session.args.text("topic")));
  std::set<std::string> clusters;
  for (const client::Broker& broker : route.brokers) clusters.insert(broker.cluster);
  JsonArray names;
  for (const std::string& cluster : clusters) {
    session.out.line(cluster);
    names.add(Json::of(cluster));
  }
  session.out.set("clusters", names.done());
  return {};
}

// updateOrderConf
// ------------------------------------------------------------------------------------------------------

constexpr OptionRow kUpdateOrderConfOptions[] = {
    {"m", "method", "get, put or delete", Need::kRequired},
    kTopic,
    {"v", "orderConf", "with put: broker:queues;broker:queues"},
};

Result<void> update_order_conf(Session& session) {
  const std::string topic = session.args.text("topic"), method = session.args.text("method");
  const std::string name_space(kOrderTopicNamespace);
  std::string conf = session.args.text("orderConf");
  if (method == "get") {
    COMET_TRY(const auto found, session.admin.kv(name_space, topic));
    if (!found) return fail(Errc::kNotFound, fmt::format("topic {} has no order configuration", topic));
    conf = *found;
    session.out.line(fmt::format("get orderConf success. topic=[{}], orderConf=[{}] ", topic, conf));
  } else if (method == "put") {
    if (conf.empty()) return fail(Errc::kInvalid, "put needs the configuration: -v broker-a:4;broker-b:4");
    COMET_TRY_VOID(session.admin.put_kv(name_space, topic, conf));
    session.out.line(fmt::format("update orderConf success. topic=[{}], orderConf=[{}]", topic, conf));
  } else if (method == "delete") {
    COMET_TRY_VOID(session.admin.delete_kv(name_space, topic));
    session.out.line(fmt::format("delete orderConf success. topic=[{}]", topic));
  } else {
    return fail(Errc::kInvalid, fmt::format("--method {}: must be get, put or delete", method));
  }
  session.out.set("topic", topic);
  session.out.set("orderConf", conf);
  return {};
}

// allocateMQ
// -----------------------------------------------------------------------------------------------------------

constexpr OptionRow kAllocateOptions[] = {
    {"i", "ipList", "the consumers' addresses, separated by commas", Need::kRequired},
    kTopic,
};

Result<void> allocate_queues(Session& session) {
  const std::string topic = session.args.text("topic");
  COMET_TRY(const client::Route route, session.admin.route(topic));
  const std::vector<client::Queue> queues = route.readable(topic);
  std::vector<std::string> consumers;
  std::string rest = session.args.text("ipList");
  for (size_t comma = 0; comma != std::string::npos; rest.erase(0, comma + 1)) {
    comma = rest.find(',');
    consumers.push_back(rest.substr(0, comma));
    if (comma == std::string::npos) break;
  }
  // Consecutive shares, the first ones larger by one, as AllocateMessageQueueAveragely gives them.
  JsonObject shares;
  size_t next = 0;
  for (size_t at = 0; at < consumers.size(); ++at) {
    const size_t share = queues.size() / consumers.size() + (at < queues.size() % consumers.size() ? 1 : 0);
    JsonArray mine;
    for (size_t n = 0; n < share; ++n, ++next) {
      mine.add(JsonObject()
                   .add("brokerName", queues[next].broker_name)
                   .add("queueId", queues[next].queue_id)
                   .add("topic", topic)
                   .done());
    }
    shares.add(consumers[at], mine.done());
  }
  session.out.line(JsonObject().add("result", shares.done()).done().text);
  session.out.set("result", shares.done());
  return {};
}

constexpr Command kCommands[] = {
    {"updateTopic", "Create a topic, or overwrite its configuration", kUpdateTopicOptions, &update_topic},
    {"deleteTopic", "Delete a topic from brokers and name servers", kDeleteTopicOptions, &delete_topic},
    {"updateTopicPerm", "Change a topic's permission", kUpdateTopicPermOptions, &update_topic_perm},
    {"topicList", "All topics", kTopicListOptions, &list_topics},
    {"topicRoute", "Where a topic's queues are", kTopicRouteOptions, &show_route},
    {"topicStatus", "Offsets of a topic's queues", kTopicStatusOptions, &topic_status},
    {"topicClusterList", "Clusters that have a topic", kTopicOnly, &topic_clusters},
    {"updateOrderConf", "Get, put or delete the fixed order of a topic's queues", kUpdateOrderConfOptions,
     &update_order_conf},
    {"allocateMQ", "How a topic's queues would be shared among consumers", kAllocateOptions, &allocate_queues},
};

}  // namespace

std::span<const Command> topic_commands() { return kCommands; }

}  // namespace comet::tools
