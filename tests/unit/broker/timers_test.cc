#include "broker/timers.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "broker/recall_handle.h"
#include "common/system_topics.h"
#include "tests/unit/broker/delivery_fixture.h"
#include "tests/unit/broker/hot_fixture.h"

namespace comet::broker {
namespace {

using test::HotBroker;
using test::order;
using test::properties;

constexpr int64_t kStart = 1'700'000'000'000;
constexpr int32_t kIllegal = 13;

/// A broker with timers whose clock moves when told to.
struct TimedBroker {
  explicit TimedBroker(const std::function<void(BrokerConfig&)>& adjust = {}) : broker(adjust) { open(); }

  void open() {
    timers.reset();
    files.reset();
    files = store::TimerFiles::open(
                *broker.files, null_log(),
                {broker.dir / "store", broker.dir / "config/timercheck", 4'096, broker.config.now().timer_precision_ms},
                broker.store.log_end)
                .value();
    timers = std::make_unique<Timers>(Timers::Parts{broker.store, broker.topics, broker.statistics, broker.kinds,
                                                    metrics, *files, broker.timer_alarm, broker.config, broker.clock,
                                                    null_log(), outlet});
    broker.kinds.on_congestion([this](int64_t slot_ms) { return timers->congested(slot_ms); });
    timers->start();
  }

  remoting::Response send(const std::string& body, std::vector<std::pair<std::string, std::string>> pairs) {
    auto fields = order();
    pairs.emplace_back("UNIQ_KEY", body);
    const std::string text = properties(pairs);
    fields.properties = text;
    return broker.send(fields, body);
  }
  void advance(int64_t ms) {
    broker.clock.advance_ms(ms);
    broker.store.now_ms += ms;
  }
  int64_t now() { return broker.clock.now_ms(); }
  std::vector<std::string> delivered() {
    std::vector<std::string> bodies;
    for (size_t n = 0; n < broker.store.queue("orders", 1).records.size(); ++n)
      bodies.emplace_back(broker.store.message("orders", 1, n).body);
    return bodies;
  }
  size_t in_timer_topic() { return broker.store.queue(kTimerTopic, 0).records.size(); }
  using Bodies = std::vector<std::string>;

  HotBroker broker;
  TimerMetrics metrics{*broker.files, broker.clock, null_log(), broker.dir / "config/timermetrics"};
  std::unique_ptr<store::TimerFiles> files;
  std::unique_ptr<Timers> timers;
  Outlet* outlet = nullptr;  ///< of what is opened next
};

TEST_CASE("each way to ask for a time is kept with its slot, and answered with a handle", "[broker][timer]") {
  TimedBroker timed;
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  struct Asked {
    Pairs pairs;
    int64_t slot_ms;
  };
  const std::vector<Asked> all = {
      {{{"TIMER_DELAY_SEC", "2"}}, kStart + 1'000},
      {{{"TIMER_DELAY_MS", "2500"}}, kStart + 2'000},
      {{{"TIMER_DELIVER_MS", std::to_string(kStart + 2'001)}}, kStart + 2'000},
      {{{"TIMER_DELIVER_MS", "1"}, {"TIMER_DELAY_MS", "1"}, {"TIMER_DELAY_SEC", "9"}}, kStart + 8'000},
  };
  for (const Asked& asked : all) {
    const auto answer = timed.send("U", asked.pairs);
    REQUIRE(answer.code == 0);
    CHECK(answer.field("queueId") == "1");
    const Message stored = timed.broker.store.message(kTimerTopic, 0, timed.in_timer_topic() - 1);
    CHECK(find_property(stored.properties, "TIMER_OUT_MS") == std::to_string(asked.slot_ms));
    CHECK(find_property(stored.properties, "REAL_TOPIC") == "orders");
    CHECK(find_property(stored.properties, "REAL_QID") == "1");
    CHECK(find_property(stored.properties, asked.pairs[0].first) == asked.pairs[0].second);
    REQUIRE(answer.field("recallHandle"));
    const auto handle = RecallHandle::parse(*answer.field("recallHandle"));
    REQUIRE(handle);
    CHECK(handle->topic == "orders");
    CHECK(handle->broker_name == "broker-a");
    CHECK(handle->timestamp_ms == std::to_string(asked.slot_ms + 1));
    CHECK(handle->unique_key == "U");
  }
}

TEST_CASE("a time that has come is an ordinary message; what is no time or too far off is refused", "[broker][timer]") {
  TimedBroker timed([](BrokerConfig& config) { config.timer_max_delay_s = 10; });
  CHECK(timed.send("now", {{"TIMER_DELAY_MS", "0"}}).code == 0);
  CHECK(timed.send("past", {{"TIMER_DELIVER_MS", "5"}}).code == 0);
  CHECK(timed.send("before", {{"TIMER_DELAY_SEC", "-9223372036854775808"}}).code == 0);
  CHECK(timed.delivered() == TimedBroker::Bodies{"now", "past", "before"});
  CHECK(timed.send("at most", {{"TIMER_DELAY_SEC", "10"}}).code == 0);
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"TIMER_DELAY_SEC", "soon"},
                                                        {"TIMER_DELAY_MS", "10001"},
                                                        {"TIMER_DELAY_SEC", "9223372036854775807"},
                                                        {"TIMER_DELIVER_MS", "1e3"}}) {
    const auto answer = timed.send("x", {{name, value}});
    CHECK(answer.code == kIllegal);
    CHECK_THAT(answer.remark, Catch::Contains("timer message illegal, the delay time should not be bigger than the max "
                                              "delay 10000ms") &&
                                  Catch::Contains(name + "=" + value));
  }
  CHECK(timed.send("x", {{"TIMER_DELAY_MS", "0"}, {"TIMER_DEL_UNIQKEY", "orders+y"}}).code == kIllegal);
  CHECK(timed.in_timer_topic() == 1);
}

TEST_CASE("without a wheel timer messages are refused", "[broker][timer]") {
  TimedBroker timed([](BrokerConfig& config) { config.timer_wheel = false; });
  const auto answer = timed.send("x", {{"TIMER_DELAY_SEC", "5"}});
  CHECK(answer.code == 1);
  CHECK_THAT(answer.remark, Catch::Contains("timerWheelEnable is false"));
}

TEST_CASE("a timer message is delivered when its slot is over, not a millisecond before its time", "[broker][timer]") {
  const int32_t precision_ms = GENERATE(100, 200, 500, 1'000);
  TimedBroker timed([&](BrokerConfig& config) { config.timer_precision_ms = precision_ms; });
  const int64_t due = kStart + 3'210;
  REQUIRE(timed.send("a", {{"TIMER_DELIVER_MS", std::to_string(due)}, {"TAGS", "T"}}).code == 0);
  int64_t look = timed.timers->pass();
  while (timed.delivered().empty()) {
    REQUIRE(look != Alarm::kNever);
    REQUIRE(look > timed.now());
    timed.advance(look - timed.now());
    look = timed.timers->pass();
  }
  CHECK(timed.now() >= due);
  CHECK(timed.now() <= due + precision_ms);
  const Message message = timed.broker.store.message("orders", 1, 0);
  CHECK(message.topic == "orders");
  CHECK(message.born_host.text() == "10.0.0.7:34567");
  CHECK(find_property(message.properties, "TIMER_DELIVER_MS") == std::to_string(due));
  CHECK(find_property(message.properties, "TIMER_ENQUEUE_MS") == std::to_string(kStart));
  CHECK(find_property(message.properties, "TIMER_DEQUEUE_MS") == std::to_string(timed.now()));
  CHECK(timed.broker.store.queue("orders", 1).records.front().tags_code == tags_code("T"));
  CHECK(timed.metrics.count("orders") == 0);
  CHECK(timed.timers->pass() >= timed.now() + 100);
}

TEST_CASE("a message whose slot has gone by goes into the next one", "[broker][timer]") {
  TimedBroker timed;
  timed.timers->pass();
  REQUIRE(timed.send("late", {{"TIMER_DELAY_MS", "1000"}}).code == 0);
  timed.timers->stop();
  timed.timers->start();
  timed.advance(5'500);  // nobody looked in between
  timed.timers->pass();
  CHECK(timed.delivered() == TimedBroker::Bodies{"late"});
}

TEST_CASE("thousands in one slot are delivered in their order, each once", "[broker][timer]") {
  TimedBroker timed;
  for (int n = 0; n < 3'000; ++n) REQUIRE(timed.send(std::to_string(n), {{"TIMER_DELAY_MS", "1500"}}).code == 0);
  timed.timers->pass();
  CHECK(timed.metrics.count("orders") == 3'000);
  CHECK(timed.timers->figures().congestion == 3'000);
  timed.advance(2'000);
  timed.timers->pass();
  timed.timers->pass();
  REQUIRE(timed.delivered().size() == 3'000);
  CHECK(timed.delivered()[0] == "0");
  CHECK(timed.delivered()[2'999] == "2999");
  CHECK(timed.metrics.count("orders") == 0);
}

TEST_CASE("what can't be stored now is tried again, and nothing is delivered twice", "[broker][timer]") {
  TimedBroker timed;
  for (const auto* body : {"a", "b", "c"}) REQUIRE(timed.send(body, {{"TIMER_DELAY_MS", "500"}}).code == 0);
  timed.timers->pass();
  timed.advance(1'000);
  timed.broker.store.refuse_with = store::PutStatus::kServiceNotAvailable;
  CHECK(timed.timers->pass() == timed.now() + 100);
  timed.broker.store.refuse_with = store::PutStatus::kOk;
  timed.timers->pass();
  timed.timers->pass();
  CHECK(timed.delivered() == TimedBroker::Bodies{"a", "b", "c"});
}

TEST_CASE("a message that came when its slot had gone by isn't vouched for until it is delivered", "[broker][timer]") {
  TimedBroker timed;
  REQUIRE(timed.send("before", {{"TIMER_DELAY_MS", "60000"}}).code == 0);
  timed.timers->pass();
  REQUIRE(timed.send("late", {{"TIMER_DELAY_MS", "1000"}}).code == 0);
  timed.advance(5'500);  // nobody looked in between
  timed.broker.store.refuse_with = store::PutStatus::kServiceNotAvailable;
  timed.timers->pass();
  REQUIRE(timed.timers->flush(false));
  CHECK(timed.timers->checkpoint().queue_offset == QueueOffset(1));
  CHECK(timed.timers->checkpoint().master_queue_offset == QueueOffset(1));
  timed.broker.store.refuse_with = store::PutStatus::kOk;
  timed.timers->pass();
  CHECK(timed.delivered() == TimedBroker::Bodies{"late"});
  REQUIRE(timed.timers->flush(false));
  CHECK(timed.timers->checkpoint().queue_offset == QueueOffset(2));
}

TEST_CASE("rot in the timer log loses no message and repeats none that was delivered", "[broker][timer]") {
  TimedBroker timed;
  TimedBroker::Bodies all;
  for (int n = 0; n < 20; ++n) {
    all.push_back(std::to_string(n));
    REQUIRE(timed.send(all.back(), {{"TIMER_DELAY_MS", std::to_string(1'500 + n % 2 * 5'000)}}).code == 0);
  }
  timed.timers->pass();
  timed.advance(3'000);
  timed.timers->pass();
  REQUIRE(timed.delivered().size() == 10);
  REQUIRE(timed.timers->flush(true));
  REQUIRE(timed.timers->checkpoint().queue_offset == QueueOffset(20));
  timed.timers.reset();
  timed.files.reset();
  const std::byte rotten[4] = {};
  REQUIRE(timed.broker.files->open(timed.broker.dir / "store/timerlog/00000000000000000000", OpenMode::kReadWrite)
              .value()
              ->write_at(4 * store::TimerUnit::kBytes, rotten));
  timed.open();
  for (int64_t look = timed.timers->pass(); look != Alarm::kNever; look = timed.timers->pass())
    timed.advance(look - timed.now());
  auto delivered = timed.delivered();
  CHECK(delivered.size() == 20);
  std::sort(delivered.begin(), delivered.end());
  std::sort(all.begin(), all.end());
  CHECK(delivered == all);
  REQUIRE(timed.timers->flush(true));
  CHECK(timed.timers->checkpoint().queue_offset == QueueOffset(20));
}

TEST_CASE("a record that a failing disk doesn't give is waited for; one that retention took is counted as lost",
          "[broker][timer]") {
  TimedBroker timed;
  REQUIRE(timed.send("a", {{"TIMER_DELAY_MS", "500"}}).code == 0);
  if (GENERATE(true, false)) timed.timers->pass();  // else it isn't even in the wheel
  timed.advance(1'000);
  timed.broker.store.unreadable = true;
  timed.broker.store.refuse_with = store::PutStatus::kServiceNotAvailable;
  CHECK(timed.timers->pass() == timed.now() + 100);
  CHECK(timed.timers->lost() == 0);
  timed.broker.store.unreadable = false;
  timed.broker.store.refuse_with = store::PutStatus::kOk;
  timed.timers->pass();
  timed.advance(1'000);
  timed.timers->pass();
  CHECK(timed.delivered() == TimedBroker::Bodies{"a"});

  REQUIRE(timed.send("b", {{"TIMER_DELAY_MS", "500"}}).code == 0);
  timed.timers->pass();
  timed.broker.store.unreadable = true;
  timed.broker.store.log_begin = timed.broker.store.log_end;
  timed.advance(1'500);
  timed.timers->pass();
  CHECK(timed.timers->lost() == 1);
}

TEST_CASE("an entry that a failing disk doesn't give is no hole: its timer message is taken in later",
          "[broker][timer]") {
  TimedBroker timed;
  REQUIRE(timed.send("a", {{"TIMER_DELAY_MS", "500"}}).code == 0);
  timed.broker.store.queues_unreadable = true;
  CHECK(timed.timers->pass() == timed.now() + 100);
  timed.broker.store.queues_unreadable = false;
  timed.timers->pass();
  timed.advance(1'500);
  timed.timers->pass();
  CHECK(timed.delivered() == TimedBroker::Bodies{"a"});
  CHECK(timed.timers->lost() == 0);
}

TEST_CASE("what is further off than the roll window is stored once more on its way, and arrives in time",
          "[broker][timer]") {
  TimedBroker timed([](BrokerConfig& config) { config.timer_roll_window_slots = 10; });
  const int64_t due = kStart + 24'500;
  REQUIRE(timed.send("far", {{"TIMER_DELIVER_MS", std::to_string(due)}}).code == 0);
  for (int64_t look = timed.timers->pass(); timed.delivered().empty(); look = timed.timers->pass()) {
    REQUIRE(look != Alarm::kNever);
    timed.advance(look - timed.now());
  }
  CHECK(timed.now() >= due);
  CHECK(timed.now() <= due + 1'000);
  const Message message = timed.broker.store.message("orders", 1, 0);
  CHECK(find_property(message.properties, "TIMER_ROLL_TIMES") == std::to_string(timed.in_timer_topic() - 1));
  CHECK(timed.in_timer_topic() >= 3);
  CHECK(timed.metrics.count("orders") == 0);
}

TEST_CASE("a month's delay goes through the window of Apache's size and arrives in time, with a restart on its way",
          "[broker][timer]") {
  constexpr int64_t kDayMs = 86'400'000;
  TimedBroker timed([](BrokerConfig& config) { config.timer_max_delay_s = 31 * 86'400; });
  const int64_t due = kStart + 30 * kDayMs + 123;
  REQUIRE(timed.send("far", {{"TIMER_DELIVER_MS", std::to_string(due)}}).code == 0);
  CHECK(timed.send("too far", {{"TIMER_DELAY_SEC", std::to_string(31 * 86'400 + 1)}}).code == kIllegal);
  int restarts = 0;
  for (int64_t look = timed.timers->pass(); timed.delivered().empty(); look = timed.timers->pass()) {
    REQUIRE(look != Alarm::kNever);
    timed.advance(look - timed.now());
    if (timed.now() < kStart + (11 + 8 * restarts) * kDayMs) continue;
    REQUIRE(timed.timers->flush(false));
    timed.open();
    ++restarts;
  }
  CHECK(restarts >= 2);
  CHECK(timed.now() >= due);
  CHECK(timed.now() <= due + 1'000);
  const Message message = timed.broker.store.message("orders", 1, 0);
  CHECK(find_property(message.properties, "TIMER_ROLL_TIMES") == std::to_string(timed.in_timer_topic() - 1));
  CHECK(timed.in_timer_topic() >= 14);  // windows of two days
  CHECK(timed.delivered() == TimedBroker::Bodies{"far"});
}

TEST_CASE("a marker keeps its message from being delivered, and no other", "[broker][timer]") {
  TimedBroker timed;
  REQUIRE(timed.send("gone", {{"TIMER_DELAY_MS", "1500"}}).code == 0);
  REQUIRE(timed.send("stays", {{"TIMER_DELAY_MS", "1500"}}).code == 0);
  REQUIRE(timed.send("m1", {{"TIMER_DELAY_MS", "1500"}, {"TIMER_DEL_UNIQKEY", "orders+gone"}}).code == 0);
  REQUIRE(timed.send("m2", {{"TIMER_DELAY_MS", "1500"}, {"TIMER_DEL_UNIQKEY", "orders+gone"}}).code == 0);
  REQUIRE(timed.send("m3", {{"TIMER_DELAY_MS", "1500"}, {"TIMER_DEL_UNIQKEY", "orders+unknown"}}).code == 0);
  REQUIRE(timed.send("m4", {{"TIMER_DELAY_MS", "1500"}, {"TIMER_DEL_UNIQKEY", "others+stays"}}).code == 0);
  timed.timers->pass();
  timed.advance(2'000);
  timed.timers->pass();
  CHECK(timed.delivered() == TimedBroker::Bodies{"stays"});
  CHECK(timed.metrics.count("orders") == 0);
}

TEST_CASE("waiting messages survive a restart, and only what wasn't delivered comes again", "[broker][timer]") {
  TimedBroker timed;
  REQUIRE(timed.send("soon", {{"TIMER_DELAY_MS", "500"}}).code == 0);
  REQUIRE(timed.send("later", {{"TIMER_DELAY_MS", "5000"}}).code == 0);
  timed.timers->pass();
  timed.advance(1'000);
  timed.timers->pass();
  REQUIRE(timed.send("not taken in", {{"TIMER_DELAY_MS", "4000"}}).code == 0);
  const bool clean = GENERATE(true, false);
  REQUIRE(timed.timers->flush(false));
  if (!clean) {  // a kill: what came after the flush is in the log at most
    REQUIRE(timed.send("late comer", {{"TIMER_DELAY_MS", "4000"}}).code == 0);
    timed.timers->pass();
  }
  timed.open();
  timed.advance(10'000);
  timed.timers->pass();
  const auto expected = clean ? TimedBroker::Bodies{"soon", "later", "not taken in"}
                              : TimedBroker::Bodies{"soon", "later", "not taken in", "late comer"};
  CHECK(timed.delivered() == expected);
}

TEST_CASE("a kill repeats no delivery that the log has, and loses none that it hasn't", "[broker][timer]") {
  TimedBroker timed;
  // Equal ones, too: each record stands for one of them.
  for (const auto* body : {"a", "twin", "twin", "twin", "b"}) {
    REQUIRE(timed.send(body, {{"TIMER_DELIVER_MS", std::to_string(kStart + 1'500)}}).code == 0);
  }
  timed.timers->pass();
  REQUIRE(timed.timers->flush(false));
  timed.advance(2'000);
  timed.timers->pass();
  REQUIRE(timed.delivered() == TimedBroker::Bodies{"a", "twin", "twin", "twin", "b"});
  const auto kept = GENERATE(size_t{0}, size_t{1}, size_t{3}, size_t{5});
  timed.broker.store.queue("orders", 1).records.resize(kept);
  if (GENERATE(false, true)) {  // a power cut took the timers' files
    timed.timers.reset();
    timed.files.reset();
    std::filesystem::remove_all(timed.broker.dir / "store");
    std::filesystem::remove_all(timed.broker.dir / "config/timercheck");
  }
  timed.open();
  timed.timers->pass();
  timed.advance(1'000);
  timed.timers->pass();
  CHECK(timed.delivered() == TimedBroker::Bodies{"a", "twin", "twin", "twin", "b"});
  // What comes later and looks the same is a message of its own.
  REQUIRE(timed.send("a", {{"TIMER_DELIVER_MS", std::to_string(kStart + 4'500)}}).code == 0);
  timed.advance(4'000);
  timed.timers->pass();
  CHECK(timed.delivered().size() == 6);
}

TEST_CASE("a timer that was rolled just before a kill is rolled once and comes once", "[broker][timer]") {
  TimedBroker timed([](BrokerConfig& config) { config.timer_roll_window_slots = 10; });
  const int64_t due = kStart + 24'500;
  REQUIRE(timed.send("far", {{"TIMER_DELIVER_MS", std::to_string(due)}}).code == 0);
  const bool taken_in = GENERATE(true, false);  // whether the rolled one is in the wheel when the broker ends
  timed.timers->pass();
  REQUIRE(timed.timers->flush(false));
  while (timed.in_timer_topic() < 2) {
    timed.advance(1'000);
    timed.timers->pass();
  }
  if (taken_in) timed.timers->pass();
  timed.open();
  for (int64_t look = timed.timers->pass(); timed.delivered().empty(); look = timed.timers->pass()) {
    REQUIRE(look != Alarm::kNever);
    timed.advance(look - timed.now());
  }
  timed.advance(60'000);
  timed.timers->pass();
  CHECK(timed.delivered() == TimedBroker::Bodies{"far"});
  const Message message = timed.broker.store.message("orders", 1, 0);
  CHECK(find_property(message.properties, "TIMER_ROLL_TIMES") == std::to_string(timed.in_timer_topic() - 1));
}

TEST_CASE("the checkpoint waits until what was delivered is durable", "[broker][timer]") {
  TimedBroker timed;
  REQUIRE(timed.timers->flush(false));
  REQUIRE(timed.send("a", {{"TIMER_DELAY_MS", "500"}}).code == 0);
  timed.timers->pass();
  timed.advance(1'000);
  timed.timers->pass();
  REQUIRE(timed.delivered().size() == 1);
  timed.broker.store.durable = timed.broker.store.log_end - 1;
  REQUIRE(timed.timers->flush(false));
  CHECK(timed.timers->checkpoint().read_time_ms == kStart);
  timed.broker.store.durable = timed.broker.store.log_end;
  REQUIRE(timed.timers->flush(false));
  CHECK(timed.timers->checkpoint().read_time_ms == kStart + 1'000);
  CHECK(timed.timers->checkpoint().queue_offset == QueueOffset(1));
  CHECK(timed.timers->checkpoint().master_queue_offset == QueueOffset(1));
  CHECK(timed.timers->checkpoint().version_counter >= 1);
  CHECK(store::TimerCheckpoint::load(*timed.broker.files, timed.broker.dir / "config/timercheck").value() ==
        timed.timers->checkpoint());
}

TEST_CASE("a slave takes in what its master has and delivers when it becomes one itself", "[broker][timer]") {
  TimedBroker timed;
  REQUIRE(timed.send("a", {{"TIMER_DELAY_MS", "500"}}).code == 0);
  REQUIRE(timed.send("b", {{"TIMER_DELAY_MS", "5000"}}).code == 0);
  REQUIRE(timed.send("c", {{"TIMER_DELAY_MS", "5000"}}).code == 0);
  timed.timers->follow({.read_time_ms = kStart + 1'000, .master_queue_offset = QueueOffset(2)});
  timed.advance(3'000);
  CHECK(timed.timers->pass() == Alarm::kNever);
  CHECK(timed.timers->figures().offset_behind == 1);
  CHECK(timed.delivered().empty());
  timed.timers->start();
  timed.timers->pass();
  timed.advance(5'000);
  timed.timers->pass();
  CHECK(timed.delivered() == TimedBroker::Bodies{"b", "c"});
}

TEST_CASE("a slave's progress has its master's version until it delivers itself", "[broker][timer][acting]") {
  TimedBroker timed;
  REQUIRE(timed.send("a", {{"TIMER_DELAY_MS", "2000"}}).code == 0);
  const auto masters = [](int64_t counter, int64_t read_ms) {
    return store::TimerCheckpoint{.read_time_ms = kStart + read_ms,
                                  .master_queue_offset = QueueOffset(1),
                                  .version_ms = 5,
                                  .version_counter = counter};
  };
  timed.timers->follow(masters(30, 0));
  timed.timers->pass();
  timed.timers->follow(masters(33, 1'000));
  REQUIRE(timed.timers->flush(false));
  CHECK(timed.timers->checkpoint().read_time_ms == kStart + 1'000);
  CHECK(timed.timers->checkpoint().version_counter == 33);
  CHECK(timed.timers->checkpoint().version_ms == 5);
  timed.timers->start();
  timed.advance(3'000);
  timed.timers->pass();
  REQUIRE(timed.delivered().size() == 1);
  REQUIRE(timed.timers->flush(false));
  CHECK(timed.timers->checkpoint().version_counter == 33 + 3 + 1);
  CHECK(timed.timers->checkpoint().version_ms == timed.now());
}

TEST_CASE("timerStopEnqueue leaves messages in their topic", "[broker][timer]") {
  TimedBroker timed([](BrokerConfig& config) { config.timer_stop_enqueue = true; });
  REQUIRE(timed.send("a", {{"TIMER_DELAY_MS", "500"}}).code == 0);
  timed.advance(3'000);
  timed.timers->pass();
  CHECK(timed.delivered().empty());
  CHECK(timed.timers->figures().offset_behind == 1);
}

TEST_CASE("a slot with too many messages takes no more", "[broker][timer]") {
  TimedBroker timed([](BrokerConfig& config) { config.timer_congest_each_slot = 10; });
  int32_t refused = 0, sent = 0;
  while (sent < 200 && refused < 50) {
    const auto answer = timed.send(std::to_string(sent), {{"TIMER_DELAY_MS", "1500"}});
    if (answer.code == 0) {
      ++sent;
    } else {
      ++refused;
      CHECK(answer.code == 1);
      CHECK_THAT(answer.remark,
                 Catch::Contains("timer message is under flow control") && Catch::Contains("TIMER_DELAY_MS=1500"));
    }
    timed.timers->pass();
  }
  CHECK(sent >= 11);
  CHECK(sent <= 20);
  CHECK(timed.send("elsewhere", {{"TIMER_DELAY_MS", "5000"}}).code == 0);
}

TEST_CASE("the waker of the timers learns of a message that is due before it looks again", "[broker][timer]") {
  TimedBroker timed;
  timed.broker.timer_alarm.begin();
  timed.broker.store.now_ms = 0;  // long ago: the alarm must return at once
  REQUIRE(timed.send("a", {{"TIMER_DELAY_SEC", "5"}}).code == 0);
  timed.broker.timer_alarm.sleep(Alarm::kNever);
}

TEST_CASE("timer metrics are written as Apache does and read again", "[broker][timer]") {
  HotBroker broker;
  TimerMetrics metrics(*broker.files, broker.clock, null_log(), broker.dir / "timermetrics");
  REQUIRE(metrics.load());
  metrics.add("OrderPaid", 5);
  metrics.add("Gone", 1);
  metrics.forget_topic("Gone");
  REQUIRE(metrics.persist(true));
  const std::string expected = R"({"dataVersion":{"counter":2,"stateVersion":0,"timestamp":1700000000000},)"
                               R"("timingCount":{"OrderPaid":{"count":5,"timeStamp":1700000000000}}})";
  CHECK(metrics.text() == expected);
  CHECK(read_file(*broker.files, broker.dir / "timermetrics").value() == expected);
  TimerMetrics again(*broker.files, broker.clock, null_log(), broker.dir / "timermetrics");
  REQUIRE(again.load());
  CHECK(again.count("OrderPaid") == 5);
  CHECK(again.count("Gone") == 0);
}

TEST_CASE("a slave takes its master's timer metrics over", "[broker][timer]") {
  HotBroker broker;
  TimerMetrics metrics(*broker.files, broker.clock, null_log(), broker.dir / "timermetrics");
  metrics.add("Own", 5);
  const std::string text = R"({"dataVersion":{"counter":9,"stateVersion":1,"timestamp":5},)"
                           R"("timingCount":{"T":{"count":2,"timeStamp":4}}})";
  REQUIRE(metrics.adopt(text));
  CHECK(metrics.text() == text);
  CHECK(metrics.changed());
  CHECK_FALSE(metrics.adopt("5"));
}

TEST_CASE("timers at rest have nothing to write", "[broker][timer]") {
  TimedBroker timed;
  const auto flush_until_rest = [&] {
    for (int n = 0; n < 5 && timed.timers->wants_flush(); ++n) {
      REQUIRE(timed.timers->flush(false));
      timed.advance(10);
    }
    return !timed.timers->wants_flush();
  };
  CHECK(flush_until_rest());
  REQUIRE(timed.send("a", {{"TIMER_DELAY_MS", "500"}}).code == 0);
  timed.timers->pass();
  CHECK(timed.timers->wants_flush());
  CHECK(flush_until_rest());
  timed.advance(1'000);
  timed.timers->pass();
  CHECK(timed.timers->wants_flush());
  CHECK(flush_until_rest());
  timed.advance(30'000);  // log files may have become old
  CHECK(timed.timers->wants_flush());
}

TEST_CASE("a slave delivers slots to its outlet; what is still far off waits in the other broker's wheel",
          "[broker][timer][acting]") {
  TimedBroker timed([](BrokerConfig& config) { config.timer_roll_window_slots = 10; });
  REQUIRE(timed.send("soon", {{"TIMER_DELAY_SEC", "2"}}).code == 0);
  REQUIRE(timed.send("far", {{"TIMER_DELAY_SEC", "30"}, {"TAGS", "A"}}).code == 0);
  test::RecordingOutlet outlet;
  timed.outlet = &outlet;
  timed.timers->stop();
  timed.open();
  timed.timers->pass();
  timed.advance(2'000);
  outlet.refusals = 1;
  timed.timers->pass();
  CHECK(outlet.messages.empty());
  timed.advance(100);
  timed.timers->pass();
  REQUIRE(outlet.messages.size() == 1);
  CHECK(outlet.messages[0].body == "soon");
  CHECK(outlet.messages[0].topic == "orders");
  CHECK(outlet.messages[0].queue == 1);
  CHECK(find_property(outlet.messages[0].properties, "TIMER_OUT_MS"));  // it is not timed again
  CHECK_FALSE(find_property(outlet.messages[0].properties, "REAL_TOPIC"));
  for (int n = 0; n < 12 && outlet.messages.size() < 2; ++n) {
    timed.advance(1'000);
    timed.timers->pass();
  }
  REQUIRE(outlet.messages.size() == 2);
  CHECK(outlet.messages[1].topic == "orders");
  CHECK(find_property(outlet.messages[1].properties, "TIMER_DELIVER_MS") == std::to_string(kStart + 30'000));
  CHECK_FALSE(find_property(outlet.messages[1].properties, "TIMER_OUT_MS"));
  CHECK_FALSE(find_property(outlet.messages[1].properties, "TIMER_DELAY_SEC"));
  CHECK(find_property(outlet.messages[1].properties, "TAGS") == "A");
  CHECK(timed.delivered().empty());
}

TEST_CASE("what a slave delivered in the master's place isn't delivered again, wherever the master was",
          "[broker][timer][acting]") {
  TimedBroker timed;
  REQUIRE(timed.send("in the wheel", {{"TIMER_DELAY_SEC", "2"}}).code == 0);
  timed.timers->pass();
  timed.timers->stop();
  REQUIRE(timed.send("not in the wheel", {{"TIMER_DELAY_SEC", "2"}}).code == 0);
  REQUIRE(timed.send("later", {{"TIMER_DELAY_SEC", "9"}}).code == 0);
  const int64_t seen_by_slave = 3;
  REQUIRE(timed.send("unseen", {{"TIMER_DELAY_SEC", "2"}}).code == 0);  // the slave never took it in
  store::TimerCheckpoint acting;
  acting.read_time_ms = kStart + 5'000;
  acting.queue_offset = acting.master_queue_offset = QueueOffset(seen_by_slave);
  timed.timers->take_back(acting);
  timed.timers->start();
  timed.advance(6'000);
  timed.timers->pass();
  CHECK(timed.delivered() == TimedBroker::Bodies{"unseen"});
  timed.advance(5'000);
  timed.timers->pass();
  CHECK(timed.delivered() == TimedBroker::Bodies{"unseen", "later"});

  acting.read_time_ms = kStart;  // older than what this broker knows: it changes nothing
  timed.timers->take_back(acting);
  REQUIRE(timed.timers->flush(false));
  CHECK(timed.timers->checkpoint().read_time_ms >= kStart + 10'000);
}

TEST_CASE("a master that takes over from a slave delivers what the slave never had, its time gone by",
          "[broker][timer][acting]") {
  TimedBroker timed;
  REQUIRE(timed.send("both had it", {{"TIMER_DELAY_SEC", "2"}}).code == 0);
  REQUIRE(timed.send("only the master", {{"TIMER_DELAY_SEC", "3"}}).code == 0);
  timed.timers->pass();
  timed.timers->stop();
  store::TimerCheckpoint acting;
  acting.read_time_ms = kStart + 60'000;
  acting.queue_offset = QueueOffset(1);
  acting.master_queue_offset = QueueOffset(2);  // what the master had told of itself
  timed.timers->take_back(acting);
  timed.timers->start();
  timed.advance(60'000);
  timed.timers->pass();
  CHECK(timed.delivered() == TimedBroker::Bodies{"only the master"});
}

TEST_CASE("progress vouches for no message that isn't in the wheel yet", "[broker][timer][acting]") {
  TimedBroker timed;
  timed.timers->stop();
  REQUIRE(timed.send("a", {{"TIMER_DELAY_SEC", "2"}}).code == 0);
  REQUIRE(timed.send("b", {{"TIMER_DELAY_SEC", "3"}}).code == 0);
  store::TimerCheckpoint acting;
  acting.read_time_ms = kStart + 1'000;
  acting.queue_offset = acting.master_queue_offset = QueueOffset(2);
  timed.timers->take_back(acting);
  REQUIRE(timed.broker.config.update({{"timerStopEnqueue", "true"}}));
  timed.timers->start();
  timed.advance(10'000);
  timed.timers->pass();
  REQUIRE(timed.timers->flush(false));
  REQUIRE(timed.broker.config.update({{"timerStopEnqueue", "false"}}));
  timed.open();
  timed.timers->pass();
  timed.advance(2'000);
  timed.timers->pass();
  CHECK(timed.delivered() == TimedBroker::Bodies{"a", "b"});
}

}  // namespace
}  // namespace comet::broker
