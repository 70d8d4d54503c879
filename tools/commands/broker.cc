#include <fmt/format.h>

#include "tools/command.h"
#include "tools/message_text.h"
#include "tools/targets.h"

/// One broker: settings, clean-ups, what its groups have consumed.
namespace comet::tools {
namespace {

// getBrokerConfig, updateBrokerConfig
// ----------------------------------------------------------------------------------

constexpr OptionRow kGetConfigOptions[] = {
    {"b", "brokerAddr", "the broker, as host:port"},
    {"c", "clusterName", "every broker of this cluster"},
};

std::string config_heading(const Target& target, const std::string& master, bool whole_cluster) {
  if (!whole_cluster) return fmt::format("============{}============", target.address);
  if (target.is_master()) return fmt::format("============Master: {}============", target.address);
  return fmt::format("============My Master: {}=====Slave: {}============", master, target.address);
}

Result<void> get_config(Session& session) {
  COMET_TRY(const auto targets, targets_of(session, Which::kAll));
  JsonObject brokers;
  std::string master;
  for (const Target& target : targets) {
    if (target.is_master()) master = target.address;
    COMET_TRY(const Properties config, session.admin.broker_config(target.address));
    session.out.line(config_heading(target, master, session.args.has("clusterName")));
    JsonObject values;
    for (const auto& [key, value] : config.pairs()) {
      session.out.line(fmt::format("{:<50}=  {}", key, value));
      values.add(key, value);
    }
    session.out.line();
    brokers.add(target.address, values.done());
  }
  session.out.set("brokers", brokers.done());
  return {};
}

constexpr OptionRow kUpdateConfigOptions[] = {
    {"a", "updateAllBroker", "with -c and any value: the slaves too"},
    {"b", "brokerAddr", "the broker, as host:port"},
    {"c", "clusterName", "the masters of this cluster"},
    {"k", "key", "the setting", Need::kRequired},
    {"v", "value", "its new value", Need::kRequired},
};

Result<void> update_config(Session& session) {
  const std::string key = session.args.text("key"), value = session.args.text("value");
  COMET_TRY(const auto targets,
            targets_of(session, session.args.has("updateAllBroker") ? Which::kAll : Which::kMasters));
  Failures failures(session);
  JsonArray changed;
  for (const Target& target : targets) {
    // RocketMQ's broker says success for a key that it doesn't know: ask first.
    const auto config = session.admin.broker_config(target.address);
    if (!failures.good(config)) continue;
    if (!config->get(key)) {
      failures.good(Result<void>(
          fail(Errc::kInvalid, fmt::format("{} has no setting {}; see mqadmin getBrokerConfig", target.address, key))));
      continue;
    }
    if (!failures.good(session.admin.update_broker_config(target.address, key, value))) continue;
    session.out.line(fmt::format("update broker config success, {}", target.address));
    changed.add(Json::of(target.address));
  }
  session.out.set("brokers", changed.done());
  return failures.outcome();
}

// clean-ups
// ------------------------------------------------------------------------------------------------------------

constexpr OptionRow kCleanOptions[] = {
    {"b", "brokerAddr", "the broker, as host:port (default: all)"},
    {"c", "cluster", "every broker of this cluster"},
};

Result<void> clean(Session& session, Result<void> (client::Admin::*order)(const std::string&)) {
  const bool chosen = session.args.has("brokerAddr") || session.args.has("cluster");
  COMET_TRY(const auto targets,
            chosen ? targets_of(session, Which::kAll, "brokerAddr", "cluster") : all_targets(session));
  Failures failures(session);
  for (const Target& target : targets) failures.good((session.admin.*order)(target.address));
  const Result<void> outcome = failures.outcome();
  session.out.line(outcome ? "success" : "false");
  session.out.set("success", outcome.has_value());
  return outcome;
}

Result<void> clean_expired_queues(Session& session) { return clean(session, &client::Admin::clean_expired_queues); }
Result<void> clean_unused_topics(Session& session) { return clean(session, &client::Admin::clean_unused_topics); }
Result<void> delete_expired_commit_log(Session& session) {
  return clean(session, &client::Admin::delete_expired_commit_log);
}

// brokerConsumeStats
// ---------------------------------------------------------------------------------------------------

constexpr OptionRow kConsumeStatsOptions[] = {
    {"b", "brokerAddr", "the broker, as host:port", Need::kRequired},
    {"l", "level", "leave out queues that lag less (default 0)"},
    {"o", "order", "only groups that consume in order: true or false"},
    {"t", "timeoutMillis", "how long to wait (default 50000)"},
};

constexpr Column kConsumeStatsColumns[] = {{"#Topic", "topic", 64},
                                           {"#Group", "group", 64},
                                           {"#Broker Name", "brokerName", 32},
                                           {"#QID", "queueId", 4},
                                           {"#Broker Offset", "brokerOffset", 20},
                                           {"#Consumer Offset", "consumerOffset", 20},
                                           {"#Diff", "diff", 20},
                                           {"#LastTime", "lastTimestamp"}};

Result<void> consume_stats(Session& session) {
  COMET_TRY(const int64_t level, session.args.number("level", 0));
  COMET_TRY(const int64_t timeout_ms, session.args.number("timeoutMillis", 50'000, 1));
  COMET_TRY(const bool order, session.args.truth("order", false));
  COMET_TRY(const auto all, session.admin.broker_consume_stats(session.args.text("brokerAddr"), order, timeout_ms));
  Table table(kConsumeStatsColumns);
  for (const auto& [group, stats] : all.groups) {
    for (const auto& [queue, offset] : stats.offsets) {
      if (offset.last_ms <= 0 || offset.lag() < level) continue;
      table.add({queue.topic,
                 group,
                 queue.broker_name,
                 queue.queue_id,
                 offset.broker_offset,
                 offset.consumer_offset,
                 offset.lag(),
                 {time_text(offset.last_ms), Json::of(offset.last_ms)}});
    }
  }
  session.out.table("queues", table);
  session.out.line();
  session.out.line(fmt::format("Diff Total: {}", all.total_lag));
  session.out.set("diffTotal", all.total_lag);
  return {};
}

constexpr Command kCommands[] = {
    {"getBrokerConfig", "Settings of a broker", kGetConfigOptions, &get_config},
    {"updateBrokerConfig", "Change a setting of a running broker", kUpdateConfigOptions, &update_config},
    {"brokerConsumeStats", "How far every group of a broker is, by queue", kConsumeStatsOptions, &consume_stats},
    {"cleanExpiredCQ", "Drop queue files whose messages are gone", kCleanOptions, &clean_expired_queues},
    {"cleanUnusedTopic", "Drop queues of topics that are deleted", kCleanOptions, &clean_unused_topics},
    {"deleteExpiredCommitLog", "Delete expired CommitLog files now", kCleanOptions, &delete_expired_commit_log},
};

}  // namespace

std::span<const Command> broker_commands() { return kCommands; }

}  // namespace comet::tools
