#include "broker/delay_schedule.h"

#include <catch2/catch.hpp>

#include "common/system_topics.h"
#include "tests/unit/broker/delivery_fixture.h"
#include "tests/unit/broker/hot_fixture.h"

namespace comet::broker {
namespace {

using test::HotBroker;
using test::order;
using test::properties;

/// A broker whose clock and store time move together, with a schedule that delivers when told to.
struct Delays {
  explicit Delays(const std::string& levels = "1s 5s 10s")
      : broker([&](BrokerConfig& config) { config.store.delay_levels = levels; }) {
    schedule.start();
  }

  void send(const std::string& body, int level, const std::string& topic = "orders") {
    auto fields = order();
    fields.topic = topic;
    const std::string text = properties({{"UNIQ_KEY", body}, {"TAGS", "T"}, {"DELAY", std::to_string(level)}});
    fields.properties = text;
    REQUIRE(broker.send(fields, body).code == 0);
  }
  void advance(int64_t ms) {
    broker.clock.advance_ms(ms);
    broker.store.now_ms += ms;
  }
  std::vector<std::string> delivered(int32_t queue = 1) {
    std::vector<std::string> bodies;
    for (size_t n = 0; n < broker.store.queue("orders", queue).records.size(); ++n)
      bodies.emplace_back(broker.store.message("orders", queue, n).body);
    return bodies;
  }
  using Bodies = std::vector<std::string>;

  HotBroker broker;
  DelayOffsets offsets{*broker.files, broker.clock, null_log(), broker.config, broker.dir / "delayOffset.json"};
  DelaySchedule schedule{{broker.store, broker.topics, broker.statistics, broker.kinds, offsets, broker.delay_alarm,
                          broker.config, broker.clock, null_log()}};
};

TEST_CASE("a delayed message is delivered when it is due, not a millisecond before", "[broker][delay]") {
  Delays delays;
  delays.send("a", 1);
  const int64_t due = delays.broker.clock.now_ms() + 1'000;
  CHECK(delays.schedule.pass() == due);
  delays.advance(999);
  CHECK(delays.schedule.pass() == due);
  CHECK(delays.delivered().empty());
  delays.advance(1);
  CHECK(delays.schedule.pass() == Alarm::kNever);
  CHECK(delays.delivered() == Delays::Bodies{"a"});

  const Message message = delays.broker.store.message("orders", 1, 0);
  CHECK(message.reconsume_times == 0);
  CHECK(message.born_host.text() == "10.0.0.7:34567");
  CHECK(find_property(message.properties, "DELAY") == "1");
  CHECK(find_property(message.properties, "REAL_TOPIC") == "orders");
  const auto& record = delays.broker.store.queue("orders", 1).records.front();
  CHECK(record.tags_code == tags_code("T"));
  CHECK(record.unique_key == "a");
  CHECK(delays.offsets.next(1) == QueueOffset(1));
  CHECK(delays.broker.statistics.total("TOPIC_PUT_NUMS", "orders") == 1);
  CHECK(delays.broker.statistics.total("GROUP_GET_NUMS", "SCHEDULE_TOPIC_XXXX@SCHEDULE_CONSUMER") == 1);
  CHECK(delays.broker.statistics.total("QUEUE_GET_NUMS", "SCHEDULE_TOPIC_XXXX@0@SCHEDULE_CONSUMER") == 1);
  CHECK(delays.broker.statistics.total("QUEUE_GET_SIZE", "SCHEDULE_TOPIC_XXXX@0@SCHEDULE_CONSUMER") > 0);
}

TEST_CASE("a delayed message that a failing disk doesn't give is waited for; what retention took is counted",
          "[broker][delay]") {
  Delays delays;
  delays.send("a", 1);
  delays.advance(1'000);
  delays.broker.store.unreadable = true;
  delays.broker.store.refuse_with = store::PutStatus::kServiceNotAvailable;
  CHECK(delays.schedule.pass() == delays.broker.clock.now_ms() + 100);
  delays.broker.store.unreadable = false;
  delays.broker.store.refuse_with = store::PutStatus::kOk;
  delays.advance(100);
  delays.broker.store.queues_unreadable = true;  // an entry that can't be read is no hole either
  CHECK(delays.schedule.pass() == delays.broker.clock.now_ms() + 100);
  delays.broker.store.queues_unreadable = false;
  delays.advance(100);
  delays.schedule.pass();
  CHECK(delays.delivered() == Delays::Bodies{"a"});
  CHECK(delays.schedule.lost() == 0);

  delays.send("b", 1);
  delays.send("c", 1);
  auto& queue = delays.broker.store.queue(kScheduleTopic, 0);
  queue.records.erase(queue.records.begin(), queue.records.begin() + 2);
  queue.min += 2;
  delays.advance(1'000);
  delays.schedule.pass();
  CHECK(delays.schedule.lost() == 1);
  CHECK(delays.delivered() == Delays::Bodies{"a", "c"});
}

TEST_CASE("each level is in order, and the schedule wakes for the earliest of all", "[broker][delay]") {
  Delays delays;
  delays.send("late", 3);
  delays.send("soon", 2);
  delays.advance(4'000);
  delays.send("soonest", 1);
  CHECK(delays.schedule.pass() == delays.broker.clock.now_ms() + 1'000);
  delays.advance(1'000);
  CHECK(delays.schedule.pass() == delays.broker.clock.now_ms() + 5'000);
  CHECK(delays.delivered() == Delays::Bodies{"soonest", "soon"});
  delays.advance(5'000);
  CHECK(delays.schedule.pass() == Alarm::kNever);
  CHECK(delays.delivered() == Delays::Bodies{"soonest", "soon", "late"});
}

TEST_CASE("thousands that are due at once are all delivered by one pass, each once", "[broker][delay]") {
  Delays delays;
  for (int n = 0; n < 3'000; ++n) delays.send(std::to_string(n), 1 + n % 2);
  delays.advance(5'000);
  CHECK(delays.schedule.pass() == Alarm::kNever);
  CHECK(delays.schedule.pass() == Alarm::kNever);
  CHECK(delays.delivered().size() == 3'000);
  CHECK(delays.offsets.next(1) == QueueOffset(1'500));
  CHECK(delays.offsets.next(2) == QueueOffset(1'500));
}

TEST_CASE("what can't be stored now waits and holds its own level only", "[broker][delay]") {
  Delays delays;
  delays.send("a", 1);
  delays.advance(1'000);
  delays.broker.store.refuse_with = store::PutStatus::kServiceNotAvailable;
  CHECK(delays.schedule.pass() == delays.broker.clock.now_ms() + 100);
  CHECK(delays.offsets.next(1) == QueueOffset(0));
  delays.broker.store.refuse_with = store::PutStatus::kOk;
  CHECK(delays.schedule.pass() == delays.broker.clock.now_ms() + 100);
  delays.advance(100);
  delays.schedule.pass();
  CHECK(delays.delivered() == Delays::Bodies{"a"});
}

TEST_CASE("a due time beyond the level's delay is due now: the clock was set back", "[broker][delay]") {
  Delays delays;
  delays.send("a", 1);
  delays.broker.clock.advance_ms(-3'600'000);
  CHECK(delays.schedule.pass() == Alarm::kNever);
  CHECK(delays.delivered() == Delays::Bodies{"a"});
}

TEST_CASE("delivery goes on where the offsets stand, within what the queue still has", "[broker][delay]") {
  Delays delays;
  for (const auto* body : {"a", "b", "c"}) delays.send(body, 1);
  delays.advance(1'000);
  SECTION("an offset in the queue") { delays.offsets.advance(1, QueueOffset(2), PhyOffset(0)); }
  SECTION("entries before it are gone") { delays.broker.store.queue(kScheduleTopic, 0).min = 5; }
  SECTION("an offset beyond the end") { delays.offsets.advance(1, QueueOffset(9), PhyOffset(0)); }
  const bool all_gone = delays.offsets.next(1).value == 9;
  const bool moved = delays.broker.store.queue(kScheduleTopic, 0).min == 5;
  delays.schedule.stop();
  delays.schedule.start();
  delays.schedule.pass();
  if (all_gone) {
    CHECK(delays.delivered().empty());
    CHECK(delays.schedule.pass() == Alarm::kNever);
  } else {
    CHECK(delays.delivered() == (moved ? Delays::Bodies{"a", "b", "c"} : Delays::Bodies{"c"}));
  }
}

TEST_CASE("only a started schedule delivers", "[broker][delay]") {
  Delays delays;
  delays.send("a", 1);
  delays.advance(1'000);
  delays.schedule.stop();
  CHECK(delays.schedule.pass() == Alarm::kNever);
  CHECK(delays.delivered().empty());
  delays.schedule.start();
  delays.schedule.pass();
  CHECK(delays.delivered() == Delays::Bodies{"a"});
}

TEST_CASE("a message without a place to go, or for the half topic, is passed over", "[broker][delay]") {
  Delays delays;
  store::PutRequest put;
  put.message.topic = kScheduleTopic;
  put.message.queue_id = QueueId(0);
  put.message.body = "lost";
  put.due_after_ms = 1;
  delays.broker.store.put(put);
  const std::string half = properties({{"REAL_TOPIC", std::string(kHalfTopic)}, {"REAL_QID", "0"}});
  put.message.properties = half;
  delays.broker.store.put(put);
  delays.send("good", 1);
  delays.advance(1'000);
  CHECK(delays.schedule.pass() == Alarm::kNever);
  CHECK(delays.delivered() == Delays::Bodies{"good"});
  CHECK(delays.broker.store.queue(kHalfTopic, 0).records.empty());
}

TEST_CASE("what waits for a level that isn't configured any more is delivered, too", "[broker][delay]") {
  Delays delays("1s");
  store::PutRequest put;
  put.message.topic = kScheduleTopic;
  put.message.queue_id = QueueId(4);
  put.message.body = "of old";
  const std::string text = properties({{"REAL_TOPIC", "orders"}, {"REAL_QID", "1"}, {"DELAY", "5"}});
  put.message.properties = text;
  put.due_after_ms = 7'200'000;
  delays.broker.store.put(put);
  delays.schedule.start();
  CHECK(delays.schedule.pass() == delays.broker.clock.now_ms() + 7'200'000);
  delays.advance(7'200'000);
  delays.schedule.pass();
  CHECK(delays.delivered() == Delays::Bodies{"of old"});
  CHECK(delays.offsets.next(5) == QueueOffset(1));
}

TEST_CASE("a slave delivers to its outlet, in order, and not to its own log", "[broker][delay][acting]") {
  Delays delays;
  delays.send("a", 1);
  delays.send("b", 1);
  test::RecordingOutlet outlet;
  DelaySchedule acting({delays.broker.store, delays.broker.topics, delays.broker.statistics, delays.broker.kinds,
                        delays.offsets, delays.broker.delay_alarm, delays.broker.config, delays.broker.clock,
                        null_log(), &outlet});
  acting.start();
  delays.advance(1'000);
  outlet.refusals = 1;
  const int64_t again_at = acting.pass();
  CHECK(again_at == delays.broker.clock.now_ms() + 100);
  CHECK(outlet.messages.empty());
  CHECK(delays.offsets.next(1) == QueueOffset(0));
  delays.advance(100);
  acting.pass();
  REQUIRE(outlet.messages.size() == 2);
  CHECK(outlet.messages[0].body == "a");
  CHECK(outlet.messages[1].body == "b");
  CHECK(outlet.messages[0].topic == "orders");
  CHECK_FALSE(find_property(outlet.messages[0].properties, "DELAY"));
  CHECK(find_property(outlet.messages[0].properties, "UNIQ_KEY") == "a");
  CHECK(delays.offsets.next(1) == QueueOffset(2));
  CHECK(delays.delivered().empty());
}

}  // namespace
}  // namespace comet::broker
