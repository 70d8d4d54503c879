#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/config.h"
#include "broker/readers_behind.h"
#include "broker/statistics.h"
#include "common/log.h"
#include "remoting/net/event_loop.h"
#include "remoting/net/router.h"

namespace comet::broker {

/// RocketMQ's stats.log, in its words: after each full minute, hour and day (local time) a line for every item that
/// moved in it, and every five minutes two for every reader that moved, with how far behind the log's end it is.
///
/// Items that stood still have no lines, so that an idle broker writes none. What there is to say is gathered by a
/// worker and goes to the log kLinesATurn lines at a time, so that neither a loop nor the log's queue is filled by
/// 100,000 topics. Threads: the loop's; gather() on a worker. Source: StatsItem, RTStatsItem, MomentStatsItem.
class StatsLog {
 public:
  static constexpr size_t kLinesATurn = 500;
  static constexpr int64_t kTurnMs = 50;
  static constexpr size_t kMostLines = 500'000;  ///< of one minute; they take 50 s

  StatsLog(remoting::EventLoop& loop, remoting::WorkerPool& workers, const LiveConfig& config,
           const Statistics& statistics, const ConsumerOffsets& offsets, store::MessageStore& store, Log& log);

  /// After each sample of the statistics.
  void tick(int64_t now_ms);

 private:
  /// Numbers that change when such a time begins.
  struct Times {
    int64_t minute = 0, five_minutes = 0, hour = 0, day = 0;
  };
  using Lines = std::vector<std::string>;

  static Times times_of(int64_t now_ms);
  void gather(const Times& before, const Times& now, int64_t now_ms);
  void add_items(StatsSpan span, Lines& lines) const;
  void add_readers(int64_t now_ms, Lines& lines);
  void take(Lines lines);
  void write_some();

  remoting::EventLoop& loop_;
  remoting::WorkerPool& workers_;
  const LiveConfig& config_;
  const Statistics& statistics_;
  std::atomic<bool> gathering_{false};
  ReadersBehind behind_;  // whoever gathers: one at a time
  Log& log_;
  Times last_;
  Lines lines_;
  size_t written_ = 0;  // of lines_
};

}  // namespace comet::broker
