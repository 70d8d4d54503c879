#include <fmt/format.h>

#include <charconv>

#include "tools/command.h"
#include "tools/message_text.h"
#include "tools/targets.h"

/// Clusters and their brokers at a glance.
namespace comet::tools {
namespace {

using RuntimeTable = std::map<std::string, std::string>;

std::string value_of(const RuntimeTable& table, const std::string& key) {
  const auto found = table.find(key);
  return found == table.end() ? std::string() : found->second;
}

/// The first number of "10s 1min 10min".
double first_number(std::string_view text) {
  text.remove_prefix(std::min(
      text.size(), text.find_first_not_of(' ') == std::string_view::npos ? text.size() : text.find_first_not_of(' ')));
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

int64_t whole(std::string_view text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string or_zero(std::string text) { return text.empty() ? "0" : text; }

// clusterList
// ----------------------------------------------------------------------------------------------------------

constexpr OptionRow kClusterListOptions[] = {
    {"c", "clusterName", "only this cluster"},
    {"i", "interval", "again every so many seconds, until interrupted"},
    {"m", "moreStats", "messages in and out, yesterday and today", Need::kOptional, false},
};

constexpr Column kClusterColumns[] = {
    {"#Cluster Name", "clusterName", 22},
    {"#Broker Name", "brokerName", 22},
    {"#BID", "brokerId", 4},
    {"#Addr", "addr", 22, false, " "},
    {"#Version", "version", 16},
    {"#InTPS(LOAD)", "inTps", 16, true},
    {"#OutTPS(LOAD)", "outTps", 30, true},
    {"#Timer(Progress)", "timer", 22},
    {"#PCWait(ms)", "pageCacheLockTimeMills", 11, true},
    {"#Hour", "hour", 12},
    {"#SPACE", "commitLogDiskRatio", 8},
    {"#ACTIVATED", "activated", 10, true},
};

/// Hours since the first message that is still there.
double hours_kept(const RuntimeTable& table, int64_t now_ms) {
  const int64_t earliest = whole(value_of(table, "earliestMessageTimeStamp"));
  return earliest > 0 ? static_cast<double>(now_ms - earliest) / 3'600'000.0 : 0.0;
}

std::vector<Cell> unreachable_row(const Target& target) {
  const Cell blank{"", Json()};
  return {target.cluster,
          target.broker_name,
          target.broker_id,
          target.address,
          blank,
          blank,
          blank,
          blank,
          blank,
          blank,
          blank,
          false};
}

std::vector<Cell> broker_row(const Target& target, const RuntimeTable& table, int64_t now_ms) {
  const auto value = [&](const char* key) { return or_zero(value_of(table, key)); };
  const double in = first_number(value_of(table, "putTps")), out = first_number(value_of(table, "getTransferredTps"));
  const std::string ack_size = value("ackThreadPoolQueueSize"), ack_wait = value("ackThreadPoolQueueHeadWaitTimeMills");
  const double congested = first_number(value_of(table, "timerCongestNum")) / 10000.0;
  const double enqueued = first_number(value_of(table, "timerEnqueueTps")),
               dequeued = first_number(value_of(table, "timerDequeueTps"));
  const double hours = hours_kept(table, now_ms), ratio = first_number(value_of(table, "commitLogDiskRatio"));
  return {
      target.cluster,
      target.broker_name,
      target.broker_id,
      target.address,
      value_of(table, "brokerVersionDesc"),
      {fmt::format("{:9.2f}({},{}ms)", in, value("sendThreadPoolQueueSize"),
                   value("sendThreadPoolQueueHeadWaitTimeMills")),
       Json::of(in)},
      {fmt::format("{:9.2f}({},{}ms|{},{}ms)", out, value("pullThreadPoolQueueSize"),
                   value("pullThreadPoolQueueHeadWaitTimeMills"), ack_size, ack_wait),
       Json::of(out)},
      {fmt::format("{}-{}({:.1f}w, {:.1f}, {:.1f})", value("timerReadBehind"), value("timerOffsetBehind"), congested,
                   enqueued, dequeued),
       JsonObject()
           .add("readBehind", whole(value("timerReadBehind")))
           .add("offsetBehind", whole(value("timerOffsetBehind")))
           .add("congestNum", whole(value("timerCongestNum")))
           .add("enqueueTps", enqueued)
           .add("dequeueTps", dequeued)
           .done()},
      {value("pageCacheLockTimeMills"), Json::of(whole(value("pageCacheLockTimeMills")))},
      {fmt::format("{:.2f}", hours), Json::of(hours)},
      {fmt::format("{:.4f}", ratio), Json::of(ratio)},
      value_of(table, "brokerActive") == "true",
  };
}

constexpr Column kMoreColumns[] = {{"#Cluster Name", "clusterName", 16},
                                   {"#Broker Name", "brokerName", 32, false, " "},
                                   {"#InTotalYest", "inTotalYesterday", 14, true, " "},
                                   {"#OutTotalYest", "outTotalYesterday", 14, true, " "},
                                   {"#InTotalToday", "inTotalToday", 14, true, " "},
                                   {"#OutTotalToday", "outTotalToday", 14, true}};

std::vector<Cell> totals_row(const Target& target, const RuntimeTable& table) {
  const auto total = [&](const char* key) { return whole(value_of(table, key)); };
  const auto between = [&](const std::string& kind, const char* from, const char* to) {
    return total((kind + to).c_str()) - total((kind + from).c_str());
  };
  return {target.cluster,
          target.broker_name,
          between("msgPutTotal", "YesterdayMorning", "TodayMorning"),
          between("msgGetTotal", "YesterdayMorning", "TodayMorning"),
          between("msgPutTotal", "TodayMorning", "TodayNow"),
          between("msgGetTotal", "TodayMorning", "TodayNow")};
}

Result<void> list_once(Session& session) {
  COMET_TRY(const client::ClusterInfo info, session.admin.clusters());
  const auto only = session.args.find("clusterName");
  if (only) COMET_TRY_VOID(info.of(*only));
  const bool more = session.args.has("moreStats");
  Table table(more ? std::span<const Column>(kMoreColumns) : std::span<const Column>(kClusterColumns));
  Failures failures(session);
  for (const auto& [cluster, names] : info.clusters) {
    if (only && *only != cluster) continue;
    COMET_TRY(const auto brokers, info.of(cluster));
    for (const client::Broker& broker : brokers) {
      for (const auto& [id, address] : broker.addresses) {
        const Target target{broker.name, address, cluster, id};
        const auto runtime = session.admin.runtime(address);
        const bool good = failures.good(runtime);
        if (more && good) table.add(totals_row(target, *runtime));
        if (!more) table.add(good ? broker_row(target, *runtime, session.clock.now_ms()) : unreachable_row(target));
      }
    }
  }
  session.out.table("brokers", table);
  return failures.outcome();
}

Result<void> cluster_list(Session& session) {
  COMET_TRY(const int64_t interval_s, session.args.number("interval", 0, 0, 86'400));
  while (true) {
    COMET_TRY_VOID(list_once(session));
    if (interval_s == 0) return {};
    session.out.line();
    session.out.pause(interval_s);
  }
}

// brokerStatus
// ---------------------------------------------------------------------------------------------------------

constexpr OptionRow kBrokerStatusOptions[] = {
    {"b", "brokerAddr", "the broker, as host:port", Need::kOneOf},
    {"c", "clusterName", "every broker of this cluster", Need::kOneOf},
};

Result<void> broker_status(Session& session) {
  COMET_TRY(const auto targets, targets_of(session, Which::kAll));
  const bool whole_cluster = session.args.has("clusterName");
  Failures failures(session);
  JsonObject brokers;
  for (const Target& target : targets) {
    const auto table = session.admin.runtime(target.address);
    if (!failures.good(table)) continue;
    JsonObject values;
    for (const auto& [key, value] : *table) {
      session.out.line(whole_cluster ? fmt::format("{:<24} {:<32}: {}", target.address, key, value)
                                     : fmt::format("{:<32}: {}", key, value));
      values.add(key, value);
    }
    brokers.add(target.address, values.done());
  }
  session.out.set("brokers", brokers.done());
  return failures.outcome();
}

constexpr Command kCommands[] = {
    {"clusterList", "All brokers of all clusters with their load", kClusterListOptions, &cluster_list},
    {"brokerStatus", "Run-time figures of a broker", kBrokerStatusOptions, &broker_status},
};

}  // namespace

std::span<const Command> cluster_commands() { return kCommands; }

}  // namespace comet::tools
