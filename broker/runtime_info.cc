#include "broker/runtime_info.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "common/system_topics.h"
#include "remoting/protocol/command.h"

namespace comet::broker {
namespace {

constexpr std::array<std::string_view, 13> kPutTimeRanges = {
    "<=0ms", "0~10ms", "10~50ms", "50~100ms", "100~200ms", "200~500ms", "500ms~1s",
    "1~2s",  "2~3s",   "3~4s",    "4~5s",     "5~10s",     "10s~"};
/// The upper end of each range, ms.
constexpr std::array<double, 13> kPutTimeEnds = {0,     10,    50,    100,   200,    500,   1'000,
                                                 2'000, 3'000, 4'000, 5'000, 10'000, 10'000};

/// As Java prints a double: always with a decimal point.
std::string java_double(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string rates_text(const Rates& rates) {
  return java_double(rates[0]) + " " + java_double(rates[1]) + " " + java_double(rates[2]);
}

std::string run_time_text(int64_t ms) {
  const int64_t seconds = ms / 1000;
  return fmt::format("[ {} days, {} hours, {} minutes, {} seconds ]", seconds / 86'400, seconds / 3'600 % 24,
                     seconds / 60 % 60, seconds % 60);
}

std::string size_text(int64_t bytes) {
  constexpr std::array<std::string_view, 6> units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

/// The end of the range under which `share` of all puts took their time.
double latency_at(const int64_t (&buckets)[13], double share) {
  int64_t total = 0;
  for (const int64_t count : buckets) total += count;
  const double wanted = static_cast<double>(total) * share;
  double seen = 0;
  for (size_t i = 0; i < std::size(buckets); ++i) {
    seen += static_cast<double>(buckets[i]);
    if (total > 0 && seen >= wanted) return kPutTimeEnds[i];
  }
  return 0;
}

}  // namespace

void RuntimeInfo::add_put_times(Table& table, const store::StoreFigures& figures) {
  const int64_t times = std::max<int64_t>(1, figures.put_total);
  table["putMessageTimesTotal"] = std::to_string(times);
  table["putMessageFailedTimes"] = std::to_string(figures.put_failed);
  table["putMessageSizeTotal"] = std::to_string(figures.put_bytes_total);
  table["putMessageAverageSize"] =
      java_double(static_cast<double>(figures.put_bytes_total) / static_cast<double>(times));
  table["putMessageEntireTimeMax"] = std::to_string(figures.put_entire_time_max_ms);
  std::string& distribution = table["putMessageDistributeTime"];
  for (size_t i = 0; i < kPutTimeRanges.size(); ++i)
    distribution += fmt::format("[{}]:{} ", kPutTimeRanges[i], figures.put_latency_buckets_ms[i]);
  table["putLatency99"] = fmt::format("{:.2f}", latency_at(figures.put_latency_buckets_ms, 0.99));
  table["putLatency999"] = fmt::format("{:.2f}", latency_at(figures.put_latency_buckets_ms, 0.999));
}

void RuntimeInfo::add_throughput(Table& table, const store::StoreFigures& figures) {
  const ThroughputFigures rates = statistics_.throughput(clock_.now_ms(), figures.put_total);
  table["putTps"] = rates_text(rates.put);
  table["getFoundTps"] = rates_text(rates.get_found);
  table["getMissTps"] = rates_text(rates.get_missed);
  table["getTotalTps"] = rates_text(rates.get_total);
  table["getTransferredTps"] = rates_text(rates.get_transferred);
  const int64_t puts = statistics_.puts_without_system(), gets = statistics_.gets_without_system();
  days_.tick(clock_.now_ms(), puts, gets);
  table["msgPutTotalYesterdayMorning"] = std::to_string(days_.puts().yesterday_morning);
  table["msgPutTotalTodayMorning"] = std::to_string(days_.puts().today_morning);
  table["msgPutTotalTodayNow"] = std::to_string(puts);
  table["msgGetTotalYesterdayMorning"] = std::to_string(days_.gets().yesterday_morning);
  table["msgGetTotalTodayMorning"] = std::to_string(days_.gets().today_morning);
  table["msgGetTotalTodayNow"] = std::to_string(gets);
}

void RuntimeInfo::add_disk(Table& table, const store::StoreFigures& figures) {
  table["commitLogDiskRatio"] = java_double(figures.commit_log_disk_ratio);
  for (const auto& [path, ratio] : figures.commit_log_disk_ratios)
    table["commitLogDiskRatio_" + path] = java_double(ratio);
  table["consumeQueueDiskRatio"] = java_double(figures.consume_queue_disk_ratio);
  const std::string& root = config_.now().store_root;
  if (const auto space = files_.space(root)) {
    table["commitLogDirCapacity"] =
        fmt::format("Total : {}, Free : {}.", size_text(space->total_bytes), size_text(space->free_bytes));
  } else {
    table["commitLogDirCapacity"] = fmt::format("{}: {}", root, space.error().what);
  }
}

void RuntimeInfo::add_store_figures(Table& table, const store::StoreFigures& figures) {
  table["commitLogMinOffset"] = std::to_string(figures.min_offset.value);
  table["commitLogMaxOffset"] = std::to_string(figures.max_offset.value);
  table["dispatchBehindBytes"] = std::to_string(std::max<int64_t>(0, figures.max_offset - figures.dispatched_end));
  table["dispatchMaxBuffer"] = "0";
  table["pageCacheLockTimeMills"] = std::to_string(figures.put_lock_ms);
  table["earliestMessageTimeStamp"] = std::to_string(figures.earliest_message_ms);
  table["remainHowManyDataToFlush"] = size_text(figures.bytes_not_flushed);
  table["dataAtRiskMillis"] = std::to_string(figures.oldest_not_flushed_ms);
  table["dataAtRiskMillisMax"] = std::to_string(figures.at_risk_ms);
  table["deletedBeforeTimeFiles"] = std::to_string(figures.deleted_before_time_files);
  table["deletedBeforeTimeBytes"] = std::to_string(figures.deleted_before_time_bytes);
  table["remainTransientStoreBufferNumbs"] = "2147483647";  // what Apache says without its buffer pool
  table["storeWritable"] = figures.writable ? "true" : "false: " + figures.not_writable_reason;
}

void RuntimeInfo::add_schedule(Table& table) {
  for (const auto& [level, next] : delays_.all()) {
    const QueueOffset max = store_.max_offset({kScheduleTopic, QueueId(level - 1)}, true);
    table[fmt::format("scheduleMessageOffset_{}", level)] = fmt::format("{},{}", next.value, max.value);
  }
}

void RuntimeInfo::add_timers(Table& table) {
  const TimerFigures figures = timers_ == nullptr ? TimerFigures{} : timers_->figures();
  table["timerReadBehind"] = std::to_string(figures.read_behind_ms / 1'000);
  table["timerOffsetBehind"] = std::to_string(figures.offset_behind);
  table["timerCongestNum"] = std::to_string(figures.congestion);
  table["timerEnqueueTps"] = java_double(figures.taken_in_per_second);
  table["timerDequeueTps"] = java_double(figures.delivered_per_second);
}

/// Requests run on the loops, so the pools that Apache's tools ask for have no queues: sizes and waits are 0.
void RuntimeInfo::add_pools(Table& table) {
  for (const std::string_view pool : {"send", "pull", "query", "litePull", "ack"}) {
    table[fmt::format("{}ThreadPoolQueueSize", pool)] = "0";
    table[fmt::format("{}ThreadPoolQueueCapacity", pool)] = "0";
    table[fmt::format("{}ThreadPoolQueueHeadWaitTimeMills", pool)] = "0";
  }
  table["EndTransactionQueueSize"] = "0";
  table["EndTransactionThreadPoolQueueCapacity"] = "0";
}

std::map<std::string, std::string, std::less<>> RuntimeInfo::table() {
  const store::StoreFigures figures = store_.figures();
  Table table;
  add_store_figures(table, figures);
  add_put_times(table, figures);
  add_throughput(table, figures);
  add_disk(table, figures);
  add_schedule(table);
  add_timers(table);
  add_pools(table);
  table["subscriptionConflicts"] = consumers_.conflicts_text();
  table["duplicateClientIds"] = consumers_.duplicates_text();
  for (const auto& add : also_) add(table);
  table["brokerActive"] = "true";
  table["brokerVersionDesc"] = remoting::version_name(remoting::kOurVersion);
  table["brokerVersion"] = std::to_string(remoting::kOurVersion);
  table["bootTimestamp"] = std::to_string(boot_ms_);
  table["runtime"] = run_time_text(clock_.now_ms() - boot_ms_);
  table["startAcceptSendRequestTimeStamp"] = std::to_string(config_.now().start_accept_send_ms);
  return table;
}

}  // namespace comet::broker
