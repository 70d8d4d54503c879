#include "broker/message_kinds.h"

#include <catch2/catch.hpp>

#include "broker/own_messages.h"
#include "common/system_topics.h"
#include "remoting/protocol/bodies/batch.h"
#include "tests/unit/broker/hot_fixture.h"

namespace comet::broker {
namespace {

using test::HotBroker;
using test::order;
using test::properties;

constexpr int32_t kIllegal = 13;

remoting::Response send_with(HotBroker& broker, const std::vector<std::pair<std::string, std::string>>& pairs,
                             int32_t sys_flag = 0) {
  auto fields = order();
  const std::string text = properties(pairs);
  fields.properties = text;
  fields.sys_flag = sys_flag;
  return broker.send(fields);
}

Message waiting(HotBroker& broker, int32_t level, size_t at = 0) {
  return broker.store.message(kScheduleTopic, level - 1, at);
}

TEST_CASE("a delay level sends a message to its level's queue, which remembers the real place", "[broker][delay]") {
  HotBroker broker;
  const auto answer = send_with(broker, {{"UNIQ_KEY", "U1"}, {"TAGS", "TagA"}, {"DELAY", "3"}});
  CHECK(answer.code == 0);
  CHECK(answer.field("queueId") == "1");
  CHECK(answer.field("queueOffset") == "0");
  CHECK(answer.field("transactionId") == "U1");
  const Message stored = waiting(broker, 3);
  CHECK(stored.body == "hello");
  CHECK(find_property(stored.properties, "REAL_TOPIC") == "orders");
  CHECK(find_property(stored.properties, "REAL_QID") == "1");
  CHECK(find_property(stored.properties, "DELAY") == "3");
  CHECK(find_property(stored.properties, "TAGS") == "TagA");
  CHECK(broker.store.queue(kScheduleTopic, 2).records.front().tags_code == broker.store.now_ms + 10'000);
  CHECK(broker.store.queue(kScheduleTopic, 2).records.front().unique_key == "U1");
  CHECK(broker.store.queue("orders", 1).records.empty());
  CHECK(broker.statistics.total("TOPIC_PUT_NUMS", std::string(kScheduleTopic)) == 1);
  CHECK(broker.statistics.total("QUEUE_PUT_NUMS", "SCHEDULE_TOPIC_XXXX@2") == 1);
}

TEST_CASE("a level above the last one is the last one", "[broker][delay]") {
  HotBroker broker([](BrokerConfig& config) { config.store.delay_levels = "1s 2d"; });
  CHECK(send_with(broker, {{"DELAY", "9"}}).code == 0);
  CHECK(find_property(waiting(broker, 2).properties, "DELAY") == "2");
  CHECK(broker.store.queue(kScheduleTopic, 1).records.front().tags_code == broker.store.now_ms + 172'800'000);
}

TEST_CASE("a level wins over a timer, whose request isn't kept", "[broker][delay]") {
  HotBroker broker;
  CHECK(send_with(broker, {{"DELAY", "+1"}, {"TIMER_DELAY_SEC", "9"}, {"TIMER_DELIVER_MS", "9"}, {"a", "b"}}).code ==
        0);
  const Message stored = waiting(broker, 1);
  CHECK(find_property(stored.properties, "DELAY") == "+1");
  CHECK(find_property(stored.properties, "a") == "b");
  for (const auto* name : {"TIMER_DELAY_SEC", "TIMER_DELIVER_MS"})
    CHECK_FALSE(find_property(stored.properties, name).has_value());
}

TEST_CASE("a real place that a client claims is replaced", "[broker][delay]") {
  HotBroker broker;
  CHECK(send_with(broker, {{"REAL_TOPIC", "secrets"}, {"REAL_QID", "7"}, {"DELAY", "1"}}).code == 0);
  const Message stored = waiting(broker, 1);
  CHECK(find_property(stored.properties, "REAL_TOPIC") == "orders");
  CHECK(find_property(stored.properties, "REAL_QID") == "1");
}

TEST_CASE("a committed message may wait", "[broker][delay]") {
  HotBroker broker;
  CHECK(send_with(broker, {{"DELAY", "1"}}, sys_flag::kCommit).code == 0);
  CHECK(waiting(broker, 1).sys_flag == sys_flag::kCommit);
}

TEST_CASE("a batch is delayed as a whole", "[broker][delay]") {
  HotBroker broker;
  auto fields = order();
  fields.batch = true;
  const std::string text = properties({{"DELAY", "2"}});
  fields.properties = text;
  std::string body;
  remoting::append_batch_message(body, {0, "one", {}});
  remoting::append_batch_message(body, {0, "two", properties({{"TAGS", "T"}})});
  CHECK(broker.send(fields, body).code == 0);
  REQUIRE(broker.store.queue(kScheduleTopic, 1).max() == 2);
  for (const size_t n : {0u, 1u}) {
    CHECK(find_property(waiting(broker, 2, n).properties, "REAL_TOPIC") == "orders");
    CHECK(broker.store.queue(kScheduleTopic, 1).records[n].tags_code == broker.store.now_ms + 5'000);
  }
  std::string forged;
  remoting::append_batch_message(forged, {0, "one", properties({{"REAL_TOPIC", "secrets"}})});
  CHECK(broker.send(fields, forged).code == kIllegal);
}

TEST_CASE("the waker is told of a due time that comes sooner than it wakes", "[broker][delay]") {
  HotBroker broker;
  broker.delay_alarm.begin();
  broker.store.now_ms = 1'000;  // long ago: the alarm must return at once
  CHECK(send_with(broker, {{"DELAY", "1"}}).code == 0);
  broker.delay_alarm.sleep(Alarm::kNever);
}

TEST_CASE("what the broker stores itself goes through the same conversion, and isn't measured again",
          "[broker][delay]") {
  HotBroker broker([](BrokerConfig& config) { config.store.max_message_bytes = 2; });
  OwnMessages own(broker.store, broker.topics, broker.statistics, broker.kinds);
  const std::string text = properties(
      {{"REAL_TOPIC", "old"}, {"REAL_QID", "3"}, {"TAGS", "T"}, {"KEYS", "k"}, {"UNIQ_KEY", "U"}, {"__CRC32#", "0"}});
  Message message;
  message.topic = "%RETRY%g";
  message.body = "a body";
  message.properties = text;

  REQUIRE(own.put(message).status == store::PutStatus::kOk);
  const auto& plain = broker.store.queue("%RETRY%g", 0).records.front();
  CHECK(plain.tags_code == tags_code("T"));
  CHECK(plain.keys == "k");
  CHECK(plain.unique_key == "U");
  CHECK(find_property(broker.store.message("%RETRY%g", 0, 0).properties, "REAL_TOPIC") == "old");
  CHECK_FALSE(find_property(broker.store.message("%RETRY%g", 0, 0).properties, "__CRC32#").has_value());
  CHECK(broker.statistics.total("TOPIC_PUT_NUMS", "%RETRY%g") == 1);

  const std::string delayed = with_property(text, "DELAY", "1");
  message.properties = delayed;
  REQUIRE(own.put_as_sent(message).has_value());
  CHECK(find_property(waiting(broker, 1).properties, "REAL_TOPIC") == "%RETRY%g");
  CHECK(find_property(waiting(broker, 1).properties, "REAL_QID") == "0");

  std::vector<PhyOffset> places;
  const std::vector<Message> two{broker.store.message("%RETRY%g", 0, 0), broker.store.message("%RETRY%g", 0, 0)};
  REQUIRE(own.put_batch(two, places).status == store::PutStatus::kOk);
  CHECK(places.size() == 2);
  CHECK(broker.store.queue("%RETRY%g", 0).max() == 3);
}

}  // namespace
}  // namespace comet::broker
