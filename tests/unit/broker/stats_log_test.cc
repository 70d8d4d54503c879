#include "broker/stats_log.h"

#include <catch2/catch.hpp>

#include "tests/support/list_log.h"
#include "tests/unit/broker/hot_fixture.h"
#include "tests/unit/remoting/net/net_fixture.h"

namespace comet::broker {
namespace {

using remoting::test::eventually;
using remoting::test::LoopThread;
using test::HotBroker;
using test::order;
using test::pull_orders;

constexpr int64_t kMinuteMs = 60'000, kHourMs = 60 * kMinuteMs;

/// A broker whose statistics are sampled, and told, by a clock of the test's; the log's own loop runs.
struct Told {
  explicit Told(const std::function<void(BrokerConfig&)>& adjust = {}) : broker(adjust) { thread.start(); }
  ~Told() { thread.stop(); }

  /// `ms` go by, with a sample every ten seconds.
  void pass(int64_t ms) {
    for (int64_t n = 0; n < ms / Statistics::kSampleIntervalMs; ++n) {
      now_ms += Statistics::kSampleIntervalMs;
      broker.statistics.sample(now_ms, 0);
      thread.on([&] { stats_log.tick(now_ms); });
      workers.run_all();
    }
    thread.on([] {});
  }
  void pull_as(std::string_view group, int64_t offset) {
    auto fields = pull_orders("*", offset);
    fields.consumer_group = group;
    fields.max_msg_nums = 1;
    broker.pull(fields);
  }

  int64_t now_ms = 1'700'000'000'000 / (24 * kHourMs) * (24 * kHourMs) +
                   12 * kHourMs;  // a full hour anywhere but in half-hour zones
  HotBroker broker;
  test::QueuedWorkers workers;
  test::ListLog log;
  LoopThread thread;
  StatsLog stats_log{thread.loop, workers, broker.config, broker.statistics, broker.offsets, broker.store, log};
};

TEST_CASE("each item that moved has its line after the minute, in RocketMQ's words", "[broker][statistics]") {
  Told told;
  told.pass(kMinuteMs);
  told.broker.statistics.add("TOPIC_PUT_NUMS", "orders", 300, 100);
  told.broker.statistics.add("GROUP_GET_LATENCY", "1@orders@readers", 7, 2);
  told.broker.statistics.add("PULL_FOUND_TIMES", "DefaultCluster", 5);  // a figure of our own
  told.pass(kMinuteMs);
  CHECK(told.log.count("[TOPIC_PUT_NUMS] [orders] Stats In One Minute, SUM: 300 TPS: 5.00 AVGPT: 3.00") == 1);
  CHECK(told.log.count("[GROUP_GET_LATENCY] [1@orders@readers] Stats In One Minute, TIMES: 2 AVGRT: 3.50") == 1);
  CHECK(told.log.count("PULL_FOUND_TIMES") == 0);
  told.pass(2 * kMinuteMs);
  CHECK(told.log.count("[orders] Stats In One Minute") == 1);  // it stands still
}

TEST_CASE("hours and days have their lines, too", "[broker][statistics]") {
  Told told;
  told.pass(kMinuteMs);
  for (int n = 0; n < 25; ++n) {
    told.broker.statistics.add("TOPIC_PUT_NUMS", "orders", 60);
    told.pass(kHourMs);
  }
  CHECK(told.log.count("[TOPIC_PUT_NUMS] [orders] Stats In One Hour, SUM: 60 ") >= 20);
  CHECK(told.log.count("[TOPIC_PUT_NUMS] [orders] Stats In One Day, SUM: ") == 1);
}

TEST_CASE("every five minutes it is told how far behind those are who read", "[broker][statistics]") {
  const bool recorded = GENERATE(true, false);
  Told told([recorded](BrokerConfig& config) { config.disk_fall_recorded = recorded; });
  for (int n = 0; n < 3; ++n) told.broker.send(order(), std::string(1'000, 'x'));
  const int64_t second = told.broker.store.entry({"orders", QueueId(1)}, QueueOffset(1)).value()->at.value;
  told.pull_as("far", 0);
  told.pull_as("near", 2);
  told.pass(5 * kMinuteMs);
  const std::string bytes = std::to_string(told.broker.store.log_end.value - second);
  const int lines = recorded ? 1 : 0;
  CHECK(told.log.count("[GROUP_GET_FALL_SIZE] [1@orders@far] Stats Every 5 Minutes, Value: " + bytes) == lines);
  CHECK(told.log.count("[GROUP_GET_FALL_SIZE] [1@orders@near] Stats Every 5 Minutes, Value: 0") == lines);
  CHECK(told.log.count("[GROUP_GET_FALL_TIME] [1@orders@near] Stats Every 5 Minutes, Value: 0") == lines);
  CHECK(told.log.count("[GROUP_GET_FALL_TIME] [1@orders@far] Stats Every 5 Minutes, Value: ") == lines);
  told.pass(10 * kMinuteMs);
  CHECK(told.log.count("GROUP_GET_FALL_SIZE") == 2 * lines);  // nobody read since
}

TEST_CASE("the lines of thousands of items are written a few at a time", "[broker][statistics]") {
  constexpr int kItems = 3 * static_cast<int>(StatsLog::kLinesATurn) / 2;
  Told told;
  told.pass(kMinuteMs);
  for (int n = 0; n < kItems; ++n) told.broker.statistics.add("TOPIC_PUT_NUMS", std::to_string(n), 1);
  told.now_ms += kMinuteMs;
  told.broker.statistics.sample(told.now_ms, 0);
  int at_first = -1;
  told.thread.on([&] { told.stats_log.tick(told.now_ms); });
  told.workers.run_all();
  told.thread.on([&] { at_first = told.log.count("Stats In One Minute"); });
  CHECK(at_first == static_cast<int>(StatsLog::kLinesATurn));
  CHECK(eventually([&] { return told.log.count("Stats In One Minute") == kItems; }));
}

TEST_CASE("a minute whose lines no worker can gather is left out, and the next one isn't", "[broker][statistics]") {
  Told told;
  told.pass(kMinuteMs);
  told.broker.statistics.add("TOPIC_PUT_NUMS", "orders", 1);
  told.workers.full = GENERATE(true, false);
  told.now_ms += kMinuteMs;
  told.broker.statistics.sample(told.now_ms, 0);
  told.thread.on([&] { told.stats_log.tick(told.now_ms); });
  if (!told.workers.full) told.thread.on([&] { told.stats_log.tick(told.now_ms + kMinuteMs); });  // it is still waiting
  CHECK(told.log.count("this minute's lines are left out") == 1);
  told.workers.full = false;
  told.workers.run_all();
  told.broker.statistics.add("TOPIC_PUT_NUMS", "orders", 1);
  told.pass(2 * kMinuteMs);
  CHECK(told.log.count("[TOPIC_PUT_NUMS] [orders] Stats In One Minute") >= 1);
  CHECK(told.log.count("left out") == 1);
}

}  // namespace
}  // namespace comet::broker
