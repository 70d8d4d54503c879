#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "broker/config.h"
#include "broker/consumers.h"
#include "broker/day_totals.h"
#include "broker/delay_offsets.h"
#include "broker/statistics.h"
#include "broker/timers.h"
#include "common/clock.h"
#include "common/files.h"
#include "store/message_store.h"

namespace comet::broker {

/// The table of GET_BROKER_RUNTIME_INFO: every key of Apache's, as its tools and dashboards read them.
/// Source: AdminBrokerProcessor.prepareRuntimeInfo, StoreStatsService; behaviour.md 11.2, remoting.md 10.5.
class RuntimeInfo {
 public:
  /// `timers` is null where timerWheelEnable is false.
  RuntimeInfo(const LiveConfig& config, const Consumers& consumers, Statistics& statistics, DayTotals& days,
              const DelayOffsets& delays, Timers* timers, store::MessageStore& store, Files& files, const Clock& clock)
      : config_(config),
        consumers_(consumers),
        statistics_(statistics),
        days_(days),
        delays_(delays),
        timers_(timers),
        store_(store),
        files_(files),
        clock_(clock),
        boot_ms_(clock.now_ms()) {}

  using Table = std::map<std::string, std::string, std::less<>>;

  Table table();
  /// `add` contributes keys of a part of the broker that Apache's table doesn't know. Set before serving.
  void also(std::function<void(Table&)> add) { also_.push_back(std::move(add)); }

 private:
  void add_store_figures(Table& table, const store::StoreFigures& figures);
  void add_put_times(Table& table, const store::StoreFigures& figures);
  void add_throughput(Table& table, const store::StoreFigures& figures);
  void add_disk(Table& table, const store::StoreFigures& figures);
  void add_schedule(Table& table);
  void add_timers(Table& table);
  void add_pools(Table& table);

  const LiveConfig& config_;
  const Consumers& consumers_;
  Statistics& statistics_;
  DayTotals& days_;
  const DelayOffsets& delays_;
  Timers* timers_;
  store::MessageStore& store_;
  Files& files_;
  const Clock& clock_;
  const int64_t boot_ms_;
  std::vector<std::function<void(Table&)>> also_;
};

}  // namespace comet::broker
