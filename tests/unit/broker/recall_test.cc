#include "broker/processors/recall.h"

#include <catch2/catch.hpp>

#include "common/system_topics.h"
#include "tests/unit/broker/hot_fixture.h"

namespace comet::broker {
namespace {

using test::HotBroker;

constexpr int64_t kStart = 1'700'000'000'000;

struct RecallBroker {
  explicit RecallBroker(const std::function<void(BrokerConfig&)>& adjust = {},
                        store::FlushMode flush = store::FlushMode::kAsync)
      : broker(
            [&](BrokerConfig& config) {
              config.recall_message = true;
              if (adjust) adjust(config);
            },
            flush),
        processor(
            {broker.store, broker.topics, broker.config, broker.statistics, broker.parked, broker.kinds, broker.clock},
            broker.loops, Host::parse("10.0.0.1:10911").value()) {}

  remoting::Response recall(const std::string& handle, const std::string& topic = "orders") {
    remoting::RecallMessageRequest request;
    request.producer_group = "producers";
    request.topic = topic;
    request.recall_handle = handle;
    const remoting::CommandHead head;
    const size_t before = broker.channel->answers();
    processor.recall(remoting::Call{head, {}, broker.channel, broker.clock.now_ms()}, request,
                     remoting::Responder(broker.channel, 1, false));
    return broker.channel->answers() == before ? remoting::Response{} : broker.channel->last();
  }
  static std::string handle(int64_t at_ms = kStart + 5'001, const std::string& broker_name = "broker-a",
                            const std::string& topic = "orders") {
    return RecallHandle{topic, broker_name, std::to_string(at_ms), "U1"}.text();
  }

  HotBroker broker;
  RecallProcessor processor;
};

TEST_CASE("a recall handle is Apache's text", "[broker][timer]") {
  CHECK(RecallHandle{"TopicTest", "broker-a", "1700000005001", "U1"}.text() ==
        "djEgVG9waWNUZXN0IGJyb2tlci1hIDE3MDAwMDAwMDUwMDEgVTE=");
  for (const std::string id : {"U1", "U12", "U123", "U1?>~"}) {
    const auto parsed = RecallHandle::parse(RecallHandle{"T", "b", "5", id}.text());
    REQUIRE(parsed);
    CHECK(parsed->unique_key == id);
    CHECK(parsed->timestamp_ms == "5");
  }
  const std::string text = RecallBroker::handle();
  REQUIRE(text.back() == '=');
  CHECK(RecallHandle::parse(text.substr(0, text.find('='))));
  for (const std::string bad : {"", "=", "====", "A", "djEg VG9", "djIgVCBiIDEgVQ==", "djEgVCBiIDE="})
    CHECK_FALSE(RecallHandle::parse(bad));
}

TEST_CASE("a recall stores a marker for the message's slot", "[broker][timer]") {
  RecallBroker recall;
  const auto answer = recall.recall(RecallBroker::handle());
  CHECK(answer.code == 0);
  CHECK(answer.field("msgId") == "U1");
  CHECK(answer.field("MSG_REGION") == "DefaultRegion");
  const Message marker = recall.broker.store.message(kTimerTopic, 0, 0);
  CHECK(marker.body == "0");
  CHECK(find_property(marker.properties, "TAGS") == "_RECALL_TAG_");
  CHECK(find_property(marker.properties, "TIMER_DEL_UNIQKEY") == "orders+U1");
  CHECK(find_property(marker.properties, "UNIQ_KEY") == "U1");
  CHECK(find_property(marker.properties, "TIMER_DELIVER_MS") == std::to_string(kStart + 5'001));
  CHECK(find_property(marker.properties, "TIMER_OUT_MS") == std::to_string(kStart + 5'000));
  CHECK(find_property(marker.properties, "REAL_TOPIC") == "orders");
  CHECK(find_property(marker.properties, "PGROUP") == "producers");
  CHECK(marker.born_host.text() == "10.0.0.7:34567");
}

TEST_CASE("a recall that can't be is refused in Apache's order, and nothing is stored", "[broker][timer]") {
  struct Refused {
    std::function<void(BrokerConfig&)> adjust;
    std::string handle, topic;
    int32_t code;
    std::string remark;
  };
  const std::vector<Refused> all = {
      {[](BrokerConfig& c) { c.recall_message = false; }, "", "orders", 16, "recall failed, operation is forbidden"},
      {[](BrokerConfig& c) { c.start_accept_send_ms = kStart + 1; }, "", "orders", 14, "broker service not available"},
      {[](BrokerConfig& c) {
         c.broker_permission = 4;
         c.allow_recall_when_not_writable = false;
       },
       "", "orders", 14, "broker service not available"},
      {{}, "", "nowhere", 17, "recall failed, the topic[nowhere] not exist"},
      {{}, "nonsense", "orders", 604, "recall handle is invalid: recallHandle=nonsense"},
      {{}, RecallBroker::handle(kStart + 5'001, "broker-a", "other"), "orders", 604, "recall failed, topic not match"},
      {{}, RecallBroker::handle(kStart + 5'001, "broker-b"), "orders", 604, "belongs to broker broker-b"},
      {{}, RecallBroker::handle(kStart), "orders", 604, "recall failed, timestamp invalid"},
      {[](BrokerConfig& c) { c.timer_max_delay_s = 5; }, RecallBroker::handle(kStart + 5'000), "orders", 604,
       "timestamp invalid: the handle's is 1700000005000"},
      {[](BrokerConfig& c) { c.timer_wheel = false; }, RecallBroker::handle(), "orders", 1,
       "recall failed, execute error"},
  };
  for (const Refused& refused : all) {
    RecallBroker recall(refused.adjust);
    const auto answer = recall.recall(refused.handle, refused.topic);
    CAPTURE(refused.remark);
    CHECK(answer.code == refused.code);
    CHECK_THAT(std::string(answer.remark), Catch::Contains(refused.remark));
    CHECK(recall.broker.store.queues_by_key.empty());
  }
}

TEST_CASE("under SYNC_FLUSH a recall is answered when its marker is durable", "[broker][timer]") {
  RecallBroker recall({}, store::FlushMode::kSync);
  recall.broker.turn([&] {
    recall.recall(RecallBroker::handle());
    CHECK(recall.broker.channel->answers() == 0);
  });
  recall.broker.turn([&] { recall.broker.store.flush(); });
  recall.broker.turn_until_answers(1);
  recall.broker.turn([&] {
    CHECK(recall.broker.channel->last().code == 0);
    CHECK(recall.broker.channel->last().field("msgId") == "U1");
  });
}

TEST_CASE("with as many answers waiting as may, a recall is refused before it is stored", "[broker][timer]") {
  RecallBroker broker({}, store::FlushMode::kSync);
  broker.broker.fill_parked();
  const PhyOffset end = broker.broker.store.log_end;
  const auto answer = broker.recall(RecallBroker::handle());
  CHECK(answer.code == 2);
  CHECK(answer.remark == HotBroker::kBusyForDisk);
  CHECK(broker.broker.store.log_end == end);
}

}  // namespace
}  // namespace comet::broker
