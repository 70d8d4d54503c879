#include <fmt/format.h>

#include <set>

#include "common/system_topics.h"
#include "remoting/protocol/command.h"
#include "tools/command.h"
#include "tools/message_text.h"
#include "tools/targets.h"

/// Where groups stand, and moving them.
namespace comet::tools {
namespace {

/// The offsets of a group on the brokers of its retry topic (or of `route_topic`); on all brokers if nobody has
/// consumed with it yet and so it has none, but an order or a tool gave it offsets. kNotFound: no broker has any.
Result<client::ConsumeStats> stats_of(Session& session, const std::string& group, const std::string& topic,
                                      const std::string& route_topic) {
  auto route = session.admin.route(route_topic.empty() ? retry_topic(group) : route_topic);
  std::vector<client::Broker> brokers;
  if (route) {
    brokers = route->brokers;
  } else if (route.error().code == Errc::kNotFound) {
    COMET_TRY(const client::ClusterInfo info, session.admin.clusters());
    for (const auto& [name, broker] : info.brokers) brokers.push_back(broker);
  } else {
    return tl::unexpected<Error>(std::move(route).error());
  }
  client::ConsumeStats all;
  for (const client::Broker& broker : brokers) {
    COMET_TRY(const auto stats, session.admin.consume_stats(broker.address(), group, topic));
    all.offsets.insert(stats.offsets.begin(), stats.offsets.end());
    all.tps += stats.tps;
  }
  if (!route && all.offsets.empty()) {
    return fail(Errc::kNotFound,
                fmt::format("no broker knows the group {}; it appears once a consumer of it has connected", group));
  }
  return all;
}

/// Its clients, from the first broker of the retry topic's route; kNotFound: nobody online.
Result<client::GroupClients> clients_of(Session& session, const std::string& group) {
  COMET_TRY(const client::Route route, session.admin.route(retry_topic(group)));
  if (route.brokers.empty()) return fail(Errc::kNotFound, fmt::format("no broker has the group {}", group));
  return session.admin.consumers(route.brokers.front().address(), group);
}

// consumerProgress
// -----------------------------------------------------------------------------------------------------

constexpr OptionRow kProgressOptions[] = {
    {"c", "cluster", "another topic whose route to use, for light queues"},
    {"g", "groupName", "the group (default: all groups)"},
    {"s", "showClientIP", "which client has each queue: true or false (the default)"},
    {"t", "topicName", "only this topic"},
};

constexpr Column kGroupColumns[] = {
    {"#Group", "group", 64},     {"#Count", "count", 6},         {"#Version", "version", 24, false, " "},
    {"#Type", "consumeType", 5}, {"#Model", "messageModel", 14}, {"#TPS", "consumeTps", 7},
    {"#Diff Total", "diffTotal"}};

std::vector<Cell> group_row(const std::string& group, const Result<client::GroupClients>& clients,
                            const Result<client::ConsumeStats>& stats) {
  std::string version = "OFFLINE", type, model;
  size_t count = 0;
  if (clients) {
    count = clients->connections.size();
    int32_t oldest = INT32_MAX;
    for (const auto& one : clients->connections) oldest = std::min(oldest, one.version);
    if (count > 0) version = remoting::version_name(oldest);
    type = clients->consume_type == "CONSUME_ACTIVELY" ? "PULL" : "PUSH";
    model = clients->message_model;
  }
  const double tps = stats ? stats->tps : 0;
  return {group, count, version, type, model, {fmt::format("{:.0f}", tps), Json::of(tps)}, stats ? stats->lag() : 0};
}

Result<void> all_groups(Session& session) {
  COMET_TRY(const auto topics, session.admin.topics());
  Table table(kGroupColumns);
  for (const std::string& topic : topics) {
    if (!is_retry_topic(topic)) continue;
    const std::string group = topic.substr(kRetryTopicPrefix.size());
    table.add(group_row(group, clients_of(session, group), stats_of(session, group, {}, {})));
  }
  session.out.table("groups", table);
  return {};
}

constexpr Column kQueueColumns[] = {{"#Topic", "topic", 64},
                                    {"#Broker Name", "brokerName", 32},
                                    {"#QID", "queueId", 4},
                                    {"#Broker Offset", "brokerOffset", 20},
                                    {"#Consumer Offset", "consumerOffset", 20},
                                    {"#Diff", "diff", 20, false, " "},
                                    {"#Inflight", "inflight", 20, false, " "},
                                    {"#LastTime", "lastTimestamp"}};
constexpr Column kQueueColumnsWithClient[] = {{"#Topic", "topic", 64},
                                              {"#Broker Name", "brokerName", 32},
                                              {"#QID", "queueId", 4},
                                              {"#Broker Offset", "brokerOffset", 20},
                                              {"#Consumer Offset", "consumerOffset", 20},
                                              {"#Client IP", "clientIP", 20, false, " "},
                                              {"#Diff", "diff", 20, false, " "},
                                              {"#Inflight", "inflight", 20, false, " "},
                                              {"#LastTime", "lastTimestamp"}};

/// Which client works on each queue: asked of every client through its broker.
Result<std::map<client::Queue, std::string>> owners_of(Session& session, const std::string& group) {
  std::map<client::Queue, std::string> owners;
  COMET_TRY(const auto clients, clients_of(session, group));
  COMET_TRY(const client::Route route, session.admin.route(retry_topic(group)));
  for (const auto& one : clients.connections) {
    COMET_TRY(const auto queues, session.admin.queues_of_client(route.brokers.front().address(), group, one.client_id));
    for (const client::Queue& queue : queues) owners[queue] = one.client_id.substr(0, one.client_id.find('@'));
  }
  return owners;
}

Result<void> one_group(Session& session, const std::string& group) {
  COMET_TRY(const bool show_clients, session.args.truth("showClientIP", false));
  COMET_TRY(const auto stats, stats_of(session, group, session.args.text("topicName"), session.args.text("cluster")));
  std::map<client::Queue, std::string> owners;
  if (show_clients) {
    if (auto found = owners_of(session, group))
      owners = std::move(*found);
    else
      session.err << found.error().what << '\n';
  }
  Table table(show_clients ? std::span<const Column>(kQueueColumnsWithClient) : std::span<const Column>(kQueueColumns));
  for (const auto& [queue, offset] : stats.offsets) {
    const Cell last{offset.last_ms > 0 ? time_text(offset.last_ms) : "N/A", Json::of(offset.last_ms)};
    std::vector<Cell> row = {queue.topic,
                             queue.broker_name,
                             queue.queue_id,
                             offset.broker_offset,
                             offset.consumer_offset,
                             offset.lag(),
                             offset.inflight(),
                             last};
    if (show_clients) {
      const auto owner = owners.find(queue);
      row.insert(row.begin() + 5, owner == owners.end() ? Cell{"N/A", Json()} : Cell(owner->second));
    }
    table.add(std::move(row));
  }
  session.out.table("queues", table);
  session.out.line();
  session.out.line(fmt::format("Consume TPS: {:.2f}", stats.tps));
  session.out.line(fmt::format("Consume Diff Total: {}", stats.lag()));
  session.out.line(fmt::format("Consume Inflight Total: {}", stats.inflight()));
  session.out.set("consumeTps", stats.tps);
  session.out.set("diffTotal", stats.lag());
  session.out.set("inflightTotal", stats.inflight());
  return {};
}

Result<void> consumer_progress(Session& session) {
  const std::string group = session.args.text("groupName");
  return group.empty() ? all_groups(session) : one_group(session, group);
}

// statsAll
// -------------------------------------------------------------------------------------------------------------

constexpr OptionRow kStatsOptions[] = {
    {"a", "activeTopic", "only topics with traffic", Need::kOptional, false},
    {"t", "topic", "only this topic"},
};

constexpr Column kStatsColumns[] = {{"#Topic", "topic", 64},
                                    {"#Consumer Group", "consumerGroup", 64, false, " "},
                                    {"#Accumulation", "accumulation", 12, true, " "},
                                    {"#InTPS", "inTps", 11, true, " "},
                                    {"#OutTPS", "outTps", 11, true, " "},
                                    {"#InMsg24Hour", "inMsg24Hour", 14, true, " "},
                                    {"#OutMsg24Hour", "outMsg24Hour", 14, true}};

/// A figure summed over the masters of a route; brokers without it count as zero.
client::StatsItem figure(Session& session, const client::Route& route, const std::string& name,
                         const std::string& key) {
  client::StatsItem sum;
  for (const client::Broker& broker : route.brokers) {
    const auto stats = session.admin.stats(broker.address(), name, key);
    if (!stats) continue;
    sum.tps += stats->minute.tps;
    sum.sum += stats->day_sum();
  }
  return sum;
}

void add_stats(Session& session, const std::string& topic, bool active_only, Table& table) {
  const auto route = session.admin.route(topic);
  if (!route || route->brokers.empty()) return;
  const auto in = figure(session, *route, "TOPIC_PUT_NUMS", topic);
  const auto two = [](double value) { return Cell{fmt::format("{:.2f}", value), Json::of(value)}; };
  const auto groups = session.admin.groups_of_topic(route->brokers.front().address(), topic);
  if (!groups || groups->empty()) {
    if (!active_only || in.sum > 0)
      table.add({topic, "", 0, two(in.tps), {"", Json()}, in.sum, {"NO_CONSUMER", Json()}});
    return;
  }
  for (const std::string& group : *groups) {
    const auto out = figure(session, *route, "GROUP_GET_NUMS", topic + "@" + group);
    int64_t lag = 0;
    for (const client::Broker& broker : route->brokers) {
      if (const auto stats = session.admin.consume_stats(broker.address(), group, topic)) lag += stats->lag();
    }
    if (!active_only || in.sum > 0 || out.sum > 0)
      table.add({topic, group, lag, two(in.tps), two(out.tps), in.sum, out.sum});
  }
}

Result<void> stats_all(Session& session) {
  COMET_TRY(const auto topics, session.admin.topics());
  const auto only = session.args.find("topic");
  Table table(kStatsColumns);
  for (const std::string& topic : topics) {
    if (is_retry_topic(topic) || is_dlq_topic(topic) || (only && *only != topic)) continue;
    add_stats(session, topic, session.args.has("activeTopic"), table);
  }
  session.out.table("topics", table);
  return {};
}

// resetOffsetByTime, skipAccumulatedMessage
// ----------------------------------------------------------------------------

constexpr OptionRow kResetOptions[] = {
    {"b", "broker", "with -q: the broker, as host:port"},
    {"c", "cluster", "another topic whose route to use, for light queues"},
    {"f", "force", "also where the group is already behind: true (the default) or false"},
    {"g", "group", "the group", Need::kRequired},
    {"o", "offset", "with -b and -q: the offset to go to"},
    {"q", "queue", "with -b: only this queue"},
    {"s", "timestamp", "the time to go to: now, ms (-1: the end), or yyyy-MM-dd#HH:mm:ss:SSS", Need::kRequired},
    {"t", "topic", "the topic", Need::kRequired},
};

constexpr OptionRow kSkipOptions[] = {
    {"c", "cluster", "another topic whose route to use, for light queues"},
    {"f", "force", "also where the group is already behind: true (the default) or false"},
    {"g", "group", "the group", Need::kRequired},
    {"t", "topic", "the topic", Need::kRequired},
};

constexpr Column kResetColumns[] = {
    {"#brokerName", "brokerName", 40}, {"#queueId", "queueId", 40}, {"#offset", "offset", 40}};

/// Brokers that don't reset on their side, and groups without a member: the offset is looked up and committed from
/// here.
Result<std::map<client::Queue, int64_t>> reset_from_here(Session& session, const client::Broker& broker,
                                                         const client::OffsetReset& reset) {
  COMET_TRY(const auto stats, session.admin.consume_stats(broker.address(), reset.group, reset.topic));
  std::map<client::Queue, int64_t> done;
  for (const auto& [queue, offset] : stats.offsets) {
    int64_t target = offset.broker_offset;
    if (reset.time_ms >= 0) {
      COMET_TRY(target, session.admin.offset_at(broker.address(), queue, reset.time_ms));
    }
    if (!reset.force) target = std::min(target, offset.consumer_offset);
    COMET_TRY_VOID(session.admin.update_offset(broker.address(), reset.group, queue, target));
    done[queue] = target;
  }
  return done;
}

Result<void> reset_all_queues(Session& session, const client::OffsetReset& reset) {
  COMET_TRY(const client::Route route, session.admin.route(session.args.text("cluster", reset.topic)));
  Table table(kResetColumns);
  for (const client::Broker& broker : route.brokers) {
    auto offsets = session.admin.reset_offsets(broker.address(), reset);
    if (!offsets && offsets.error().code == Errc::kNotFound) offsets = reset_from_here(session, broker, reset);
    if (!offsets) return tl::unexpected<Error>(std::move(offsets).error());
    for (const auto& [queue, offset] : *offsets)
      table.add({queue.broker_name.empty() ? broker.name : queue.broker_name, queue.queue_id, offset});
  }
  session.out.table("queues", table);
  return {};
}

Result<void> reset_one_queue(Session& session, client::OffsetReset reset) {
  const std::string address = session.args.text("broker");
  int64_t offset = reset.offset.value_or(0);
  if (!reset.offset) {
    COMET_TRY(offset, session.admin.offset_at(address, {reset.topic, "", reset.queue_id}, reset.time_ms));
    reset.offset = offset;
  }
  COMET_TRY_VOID(session.admin.update_offset(address, reset.group, {reset.topic, "", reset.queue_id}, offset));
  COMET_TRY_VOID(session.admin.reset_offsets(address, reset));
  session.out.line(fmt::format("reset consumer offset to {}", offset));
  session.out.set("offset", offset);
  return {};
}

Result<void> reset_offset(Session& session) {
  const Arguments& args = session.args;
  client::OffsetReset reset;
  reset.topic = args.text("topic");
  reset.group = args.text("group");
  COMET_TRY(reset.force, args.truth("force", true));
  COMET_TRY(reset.time_ms, parse_time(args.text("timestamp"), session.clock.now_ms()));
  COMET_TRY(const int64_t queue_id, args.number("queue", -1, 0, INT32_MAX));
  reset.queue_id = static_cast<int32_t>(queue_id);
  const bool one_queue = args.has("broker") && args.has("queue");
  if (args.has("offset")) {
    if (!one_queue) return fail(Errc::kInvalid, "--offset needs --broker and --queue");
    COMET_TRY(reset.offset, args.number("offset", 0, 0));
  }
  if (one_queue) {
    session.out.line(fmt::format(
        "start reset consumer offset by specified, group[{}], topic[{}], queueId[{}], broker[{}], "
        "timestamp(string)[{}], timestamp(long)[{}]",
        reset.group, reset.topic, reset.queue_id, args.text("broker"), args.text("timestamp"), reset.time_ms));
    return reset_one_queue(session, reset);
  }
  session.out.line(
      fmt::format("start reset consumer offset by specified, group[{}], topic[{}], force[{}], timestamp(string)[{}], "
                  "timestamp(long)[{}]",
                  reset.group, reset.topic, reset.force, args.text("timestamp"), reset.time_ms));
  return reset_all_queues(session, reset);
}

Result<void> skip_accumulated(Session& session) {
  client::OffsetReset reset;
  reset.topic = session.args.text("topic");
  reset.group = session.args.text("group");
  reset.time_ms = -1;
  COMET_TRY(reset.force, session.args.truth("force", true));
  return reset_all_queues(session, reset);
}

// cloneGroupOffset
// -----------------------------------------------------------------------------------------------------

constexpr OptionRow kCloneOptions[] = {
    {"d", "destGroup", "the group to move", Need::kRequired},
    {"o", "offline", "accepted, without effect"},
    {"s", "srcGroup", "the group whose offsets to take", Need::kRequired},
    {"t", "topic", "the topic", Need::kRequired},
};

Result<void> clone_offsets(Session& session) {
  const std::string from = session.args.text("srcGroup"), to = session.args.text("destGroup"),
                    topic = session.args.text("topic");
  COMET_TRY(const auto stats, stats_of(session, from, topic, {}));
  COMET_TRY(const client::Route route, session.admin.route(topic));
  int64_t queues = 0;
  for (const auto& [queue, offset] : stats.offsets) {
    const client::Broker* broker = route.broker(queue.broker_name);
    if (queue.topic != topic || broker == nullptr) continue;
    COMET_TRY_VOID(session.admin.update_offset(broker->address(), to, queue, offset.consumer_offset));
    ++queues;
  }
  if (queues == 0) return fail(Errc::kNotFound, fmt::format("group {} has no offset in topic {}", from, topic));
  session.out.line(fmt::format("clone group offset success. srcGroup[{}], destGroup=[{}], topic[{}]", from, to, topic));
  session.out.set("queues", queues);
  return {};
}

constexpr Command kCommands[] = {
    {"consumerProgress", "How far groups are, and what they lag behind", kProgressOptions, &consumer_progress},
    {"statsAll", "Traffic of the last 24 hours by topic and group", kStatsOptions, &stats_all},
    {"resetOffsetByTime", "Move a group back or forward to a time", kResetOptions, &reset_offset},
    {"skipAccumulatedMessage", "Move a group to the end of its topic", kSkipOptions, &skip_accumulated},
    {"cloneGroupOffset", "Give a group the offsets of another", kCloneOptions, &clone_offsets},
};

}  // namespace

std::span<const Command> offset_commands() { return kCommands; }

}  // namespace comet::tools
