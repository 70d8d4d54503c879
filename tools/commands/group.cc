#include <fmt/format.h>

#include <set>

#include "common/system_topics.h"
#include "remoting/protocol/command.h"
#include "tools/command.h"
#include "tools/targets.h"

/// Subscription groups, their clients, and producers.
namespace comet::tools {
namespace {

// updateSubGroup, deleteSubGroup, getConsumerConfig
// --------------------------------------------------------------------

constexpr OptionRow kUpdateOptions[] = {
    {"a", "notifyConsumerIdsChanged", "tell members when others come and go: true (the default) or false"},
    {"", "attributes", "attributes to set and remove: +key=value,-key"},
    {"b", "brokerAddr", "the broker to make it on, as host:port"},
    {"c", "clusterName", "the cluster to make it on, on every master"},
    {"d", "consumeBroadcastEnable", "allow broadcasting: true or false (the default)"},
    {"g", "groupName", "the group", Need::kRequired},
    {"i", "brokerId", "the broker id to read from (default 0)"},
    {"m", "consumeFromMinEnable", "start at the minimum offset: true or false (the default)"},
    {"o", "consumeMessageOrderly", "consume in order: true or false (the default)"},
    {"p", "groupRetryPolicy", "the retry policy as JSON"},
    {"q", "retryQueueNums", "queues of its retry topic (default 1)"},
    {"r", "retryMaxTimes", "attempts before a message goes to the dead letter queue (default 16)"},
    {"s", "consumeEnable", "may consume: true (the default) or false"},
    {"w", "whichBrokerWhenConsumeSlowly", "the broker id to read from when it lags far behind (default 1)"},
};

Result<client::GroupConfig> group_from_options(const Arguments& args) {
  client::GroupConfig config;
  config.name = args.text("groupName");
  if (const std::string problem = group_name_problem(config.name); !problem.empty())
    return fail(Errc::kInvalid, problem);
  COMET_TRY(config.consume_enable, args.truth("consumeEnable", true));
  COMET_TRY(config.consume_from_min_enable, args.truth("consumeFromMinEnable", false));
  COMET_TRY(config.consume_broadcast_enable, args.truth("consumeBroadcastEnable", false));
  COMET_TRY(config.consume_message_orderly, args.truth("consumeMessageOrderly", false));
  COMET_TRY(config.notify_ids_changed, args.truth("notifyConsumerIdsChanged", true));
  COMET_TRY(const int64_t retry_queues, args.number("retryQueueNums", 1, 0, 65536));
  COMET_TRY(const int64_t retry_times, args.number("retryMaxTimes", 16, -1, INT32_MAX));
  COMET_TRY(config.broker_id, args.number("brokerId", 0, 0));
  COMET_TRY(config.which_broker_when_slow, args.number("whichBrokerWhenConsumeSlowly", 1, 0));
  config.retry_queues = static_cast<int32_t>(retry_queues);
  config.retry_max_times = static_cast<int32_t>(retry_times);
  config.retry_policy_json = args.text("groupRetryPolicy");
  COMET_TRY(config.attributes, client::parse_attributes(args.text("attributes")));
  return config;
}

std::string attributes_text(const std::map<std::string, std::string>& attributes) {
  std::string text;
  for (const auto& [name, value] : attributes) text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, value);
  return "{" + text + "}";
}

std::string config_text(const client::GroupConfig& config) {
  return fmt::format(
      "SubscriptionGroupConfig{{groupName={}, consumeEnable={}, consumeFromMinEnable={}, consumeBroadcastEnable={}, "
      "consumeMessageOrderly={}, retryQueueNums={}, retryMaxTimes={}, groupRetryPolicy={}, brokerId={}, "
      "whichBrokerWhenConsumeSlowly={}, notifyConsumerIdsChangedEnable={}, groupSysFlag=0, consumeTimeoutMinute=15, "
      "subscriptionDataSet=null, attributes={}}}",
      config.name, config.consume_enable, config.consume_from_min_enable, config.consume_broadcast_enable,
      config.consume_message_orderly, config.retry_queues, config.retry_max_times,
      config.retry_policy_json.empty()
          ? "GroupRetryPolicy{type=CUSTOMIZED, exponentialRetryPolicy=null, customizedRetryPolicy=null}"
          : config.retry_policy_json,
      config.broker_id, config.which_broker_when_slow, config.notify_ids_changed, attributes_text(config.attributes));
}

Result<void> update_group(Session& session) {
  COMET_TRY(const client::GroupConfig config, group_from_options(session.args));
  COMET_TRY(const auto targets, targets_of(session, Which::kMasters));
  Failures failures(session);
  JsonArray brokers;
  for (const Target& target : targets) {
    if (!failures.good(session.admin.update_group(target.address, config))) continue;
    session.out.line(fmt::format("create subscription group to {} success.", target.address));
    brokers.add(Json::of(target.address));
  }
  session.out.line(config_text(config));
  session.out.set("groupName", config.name);
  session.out.set("brokers", brokers.done());
  return failures.outcome();
}

constexpr OptionRow kDeleteOptions[] = {
    {"b", "brokerAddr", "the broker to delete it from, as host:port"},
    {"c", "clusterName", "the cluster to delete it from"},
    {"g", "groupName", "the group", Need::kRequired},
    {"r", "removeOffset", "its offsets too: true or false (the default)"},
};

/// A group's own topics go with it when it leaves a whole cluster.
Result<void> delete_topics_of(Session& session, const std::string& group, const std::vector<Target>& brokers) {
  for (const std::string& topic : {retry_topic(group), dlq_topic(group)}) {
    for (const Target& target : brokers) COMET_TRY_VOID(session.admin.delete_topic(target.address, topic));
    COMET_TRY_VOID(session.admin.delete_topic_in_name_servers(topic, {}));
  }
  return {};
}

Result<void> delete_group(Session& session) {
  const std::string group = session.args.text("groupName");
  COMET_TRY(const bool clean_offset, session.args.truth("removeOffset", false));
  COMET_TRY(const auto targets, targets_of(session, Which::kMasters));
  const bool whole_cluster = !session.args.has("brokerAddr");
  JsonArray brokers;
  for (const Target& target : targets) {
    COMET_TRY_VOID(session.admin.delete_group(target.address, group, clean_offset));
    const std::string in_cluster =
        whole_cluster ? fmt::format(" in cluster [{}]", session.args.text("clusterName")) : "";
    session.out.line(
        fmt::format("delete subscription group [{}] from broker [{}]{} success.", group, target.address, in_cluster));
    brokers.add(Json::of(target.address));
  }
  if (whole_cluster) COMET_TRY_VOID(delete_topics_of(session, group, targets));
  session.out.set("groupName", group);
  session.out.set("brokers", brokers.done());
  return {};
}

constexpr OptionRow kGetOptions[] = {
    {"g", "groupName", "the group", Need::kRequired},
};

Result<void> get_group(Session& session) {
  const std::string group = session.args.text("groupName");
  COMET_TRY(const client::ClusterInfo info, session.admin.clusters());
  JsonArray found;
  bool any = false;
  for (const auto& [name, broker] : info.brokers) {
    COMET_TRY(const auto groups, session.admin.groups(broker.address()));
    const auto config = groups.find(group);
    if (config == groups.end()) continue;
    any = true;
    constexpr std::string_view kRule = "=============================";
    session.out.line(fmt::format("{}{}:{}{}", kRule, broker.cluster, name, kRule));
    JsonObject fields;
    fields.add("brokerName", name);
    for (const auto& [field, value] : config->second) {
      session.out.line(fmt::format("{:<40}=  {}", field, value));
      fields.add(field, value);
    }
    found.add(fields.done());
  }
  session.out.set("brokers", found.done());
  if (!any) return fail(Errc::kNotFound, fmt::format("no broker has a group {}; see mqadmin consumerProgress", group));
  return {};
}

// consumerConnection, producerConnection, producer
// ---------------------------------------------------------------------

constexpr OptionRow kConsumerConnectionOptions[] = {
    {"b", "brokerAddr", "the broker to ask, as host:port"},
    {"g", "consumerGroup", "the group", Need::kRequired},
};

constexpr Column kClientColumns[] = {{"#ClientId", "clientId", 36, false, " "},
                                     {"#ClientAddr", "clientAddr", 22, false, " "},
                                     {"#Language", "language", 10, false, " "},
                                     {"#Version", "version"}};
constexpr Column kSubscriptionColumns[] = {{"#Topic", "topic", 20, false, " "}, {"#SubExpression", "subExpression"}};

/// A broker that has the topic: clients are connected to all of them.
Result<std::string> broker_with(Session& session, const std::string& topic) {
  COMET_TRY(const client::Route route, session.admin.route(topic));
  for (const client::Broker& broker : route.brokers) {
    if (!broker.address().empty()) return broker.address();
  }
  return fail(Errc::kNotFound, fmt::format("topic {} has no broker now", topic));
}

Table clients_table(const client::GroupClients& clients) {
  Table table(kClientColumns);
  for (const client::Connection& one : clients.connections) {
    table.add({one.client_id, one.client_addr, one.language, remoting::version_name(one.version)});
  }
  return table;
}

Result<void> consumer_connection(Session& session) {
  const std::string group = session.args.text("consumerGroup");
  std::string address = session.args.text("brokerAddr");
  if (address.empty()) {
    auto found = broker_with(session, retry_topic(group));
    if (!found && found.error().code == Errc::kNotFound) {
      return fail(Errc::kNotFound, fmt::format("group {} is not online: no consumer of it has ever connected", group));
    }
    COMET_TRY(address, std::move(found));
  }
  COMET_TRY(const client::GroupClients clients, session.admin.consumers(address, group));
  session.out.table("connections", clients_table(clients));
  session.out.line();
  session.out.line("Below is subscription:");
  Table subscriptions(kSubscriptionColumns);
  for (const auto& [topic, expression] : clients.subscriptions) subscriptions.add({topic, expression});
  session.out.table("subscriptions", subscriptions);
  session.out.line();
  session.out.line("ConsumeType: " + clients.consume_type);
  session.out.line("MessageModel: " + clients.message_model);
  session.out.line("ConsumeFromWhere: " + clients.consume_from_where);
  session.out.set("consumeType", clients.consume_type);
  session.out.set("messageModel", clients.message_model);
  session.out.set("consumeFromWhere", clients.consume_from_where);
  if (!clients.conflict.empty()) session.out.line("SubscriptionConflict: " + clients.conflict);
  if (!clients.duplicate_id.empty()) session.out.line("DuplicateClientId: " + clients.duplicate_id);
  session.out.set("subscriptionConflict", clients.conflict);
  session.out.set("duplicateClientId", clients.duplicate_id);
  return {};
}

constexpr OptionRow kProducerConnectionOptions[] = {
    {"g", "producerGroup", "the group", Need::kRequired},
    {"t", "topic", "a topic that it sends to", Need::kRequired},
};

Result<void> producer_connection(Session& session) {
  COMET_TRY(const std::string address, broker_with(session, session.args.text("topic")));
  COMET_TRY(const client::GroupClients clients, session.admin.producers(address, session.args.text("producerGroup")));
  int32_t number = 0;
  for (const client::Connection& one : clients.connections) {
    session.out.line(fmt::format("{:04}  {:<32} {:<22} {:<8} {}", ++number, one.client_id, one.client_addr,
                                 one.language, remoting::version_name(one.version)));
  }
  session.out.set("connections", clients_table(clients).json());
  return {};
}

constexpr OptionRow kProducerOptions[] = {
    {"b", "broker", "the broker, as host:port", Need::kRequired},
};

Result<void> all_producers(Session& session) {
  COMET_TRY(const auto producers, session.admin.all_producers(session.args.text("broker")));
  JsonArray all;
  for (const client::ProducerInfo& one : producers) {
    session.out.line(fmt::format(
        "producer group ({}) instance : clientId={},remoteIP={}, language={}, version={}, lastUpdateTimestamp={}",
        one.group, one.client_id, one.remote_ip, one.language, one.version, one.last_update_ms));
    all.add(JsonObject()
                .add("group", one.group)
                .add("clientId", one.client_id)
                .add("remoteIP", one.remote_ip)
                .add("language", one.language)
                .add("version", one.version)
                .add("lastUpdateTimestamp", one.last_update_ms)
                .done());
  }
  session.out.set("producers", all.done());
  return {};
}

constexpr Command kCommands[] = {
    {"updateSubGroup", "Create a subscription group, or overwrite its configuration", kUpdateOptions, &update_group},
    {"deleteSubGroup", "Delete a subscription group", kDeleteOptions, &delete_group},
    {"getConsumerConfig", "A group's configuration on each broker", kGetOptions, &get_group},
    {"consumerConnection", "Clients and subscriptions of a group", kConsumerConnectionOptions, &consumer_connection},
    {"producerConnection", "Producers of a group", kProducerConnectionOptions, &producer_connection},
    {"producer", "All producers of a broker", kProducerOptions, &all_producers},
};

}  // namespace

std::span<const Command> group_commands() { return kCommands; }

}  // namespace comet::tools
