#include "broker/processors/send_back.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "common/system_topics.h"
#include "tests/unit/broker/hot_fixture.h"

namespace comet::broker {
namespace {

using test::HotBroker;
using test::order;
using test::properties;

constexpr int32_t kSystemError = 1, kNoPermission = 16, kNoGroup = 26;

/// A broker that a consumer of group "readers" gives messages back to.
struct Retrying : HotBroker {
  using HotBroker::HotBroker;

  /// Stores a message in topic orders and returns its place in the log.
  PhyOffset stored(const std::string& text = {}, int32_t reconsume_times = 0, std::string_view body = "body") {
    auto fields = order();
    fields.properties = text;
    fields.reconsume_times = reconsume_times;
    fields.flag = 5;
    fields.sys_flag = sys_flag::kCompressed;
    const PhyOffset at = store.log_end;
    send(fields, body);
    if (store.settings.flush == store::FlushMode::kSync) store.flush();
    return at;
  }
  remoting::ConsumerSendMsgBackRequest back(PhyOffset at, int32_t level = 0) const {
    remoting::ConsumerSendMsgBackRequest request;
    request.offset = at;
    request.group = "readers";
    request.delay_level = level;
    request.origin_topic = "orders";
    return request;
  }
  /// Gives the message back; the answer, or an empty one if there is none yet.
  remoting::Response give(const remoting::ConsumerSendMsgBackRequest& request) {
    turn();  // what was sent before is answered
    const size_t before = channel->answers();
    remoting::CommandHead head;
    head.version = client_version;
    processor->send_back(remoting::Call{head, {}, channel, clock.now_ms()}, request,
                         remoting::Responder(channel, 3, false));
    turn();
    return channel->answers() == before ? remoting::Response{} : channel->last();
  }
  const Message delayed(int32_t level, size_t at = 0) { return store.message(kScheduleTopic, level - 1, at); }
  const Message dead(size_t at = 0) { return store.message("%DLQ%readers", 0, at); }
  size_t puts() const {
    size_t all = 0;
    for (const auto& [key, queue] : store.queues_by_key) all += queue.records.size();
    return all;
  }

  struct Lazy {
    Retrying& of;
    std::unique_ptr<SendBackProcessor> made;
    SendBackProcessor* operator->() {
      if (made == nullptr) {
        made = std::make_unique<SendBackProcessor>(
            SendBackProcessor::Parts{of.store, of.topics, of.groups, of.config, of.statistics, of.parked, of.kinds},
            of.loops, Host::parse("10.0.0.1:10911").value(), 7);
      }
      return made.get();
    }
  } processor{*this, nullptr};
};

std::string property_of(const Message& message, std::string_view name) {
  return std::string(find_property(message.properties, name).value_or("absent"));
}

TEST_CASE("a message that is given back waits for its retry topic, with all that it had", "[broker][send_back]") {
  Retrying broker;
  const PhyOffset at = broker.stored(properties({{"KEYS", "k1"}, {"TAGS", "TagA"}, {"UNIQ_KEY", "U1"}, {"own", "x"}}));
  const Message first = broker.store.message("orders", 1, 0);
  const auto answer = broker.give(broker.back(at));
  CHECK(answer.code == 0);
  CHECK(answer.remark.empty());
  CHECK(answer.ext.empty());

  const Message again = broker.delayed(3);
  CHECK(again.body == "body");
  CHECK(again.flag == 5);
  CHECK(again.sys_flag == sys_flag::kCompressed);
  CHECK(again.reconsume_times == 1);
  CHECK(again.born_timestamp_ms == first.born_timestamp_ms);
  CHECK(again.born_host == first.born_host);
  CHECK(again.store_host.text() == "10.0.0.1:10911");
  CHECK(property_of(again, "RETRY_TOPIC") == "orders");
  CHECK(property_of(again, "ORIGIN_MESSAGE_ID") == make_offset_msg_id(first.store_host, at));
  CHECK(property_of(again, "DELAY") == "3");
  CHECK(property_of(again, "WAIT") == "false");
  CHECK(property_of(again, "REAL_TOPIC") == "%RETRY%readers");
  CHECK(property_of(again, "REAL_QID") == "0");
  for (const std::string name : {"KEYS", "TAGS", "UNIQ_KEY", "own", "CLUSTER", "MSG_REGION", "TRACE_ON"})
    CHECK(property_of(again, name) == property_of(first, name));
  const auto& record = broker.store.queue(kScheduleTopic, 2).records.front();
  CHECK(record.keys == "k1");
  CHECK(record.unique_key == "U1");

  const TopicConfig* topic = broker.topics.find("%RETRY%readers");
  REQUIRE(topic != nullptr);
  CHECK(topic->read_queues == 1);
  CHECK(topic->write_queues == 1);
  CHECK(topic->perm == 6);
  CHECK(topic->sys_flag == 0);
}

TEST_CASE("each try waits longer, the last one two hours, and the seventeenth is a dead letter",
          "[broker][send_back]") {
  Retrying broker;
  for (int32_t tries = 0; tries < 16; ++tries) {
    CHECK(broker.give(broker.back(broker.stored({}, tries))).code == 0);
    CHECK(broker.store.queue(kScheduleTopic, 2 + tries).max() == 1);
    CHECK(broker.delayed(3 + tries).reconsume_times == tries + 1);
  }
  CHECK(broker.give(broker.back(broker.stored(properties({{"UNIQ_KEY", "U17"}}), 16))).code == 0);
  const Message dead = broker.dead();
  CHECK(dead.reconsume_times == 17);
  CHECK(property_of(dead, "DELAY") == "0");
  CHECK(property_of(dead, "RETRY_TOPIC") == "orders");
  CHECK(property_of(dead, "UNIQ_KEY") == "U17");
  CHECK(property_of(dead, "REAL_TOPIC") == "absent");
  const TopicConfig* topic = broker.topics.find("%DLQ%readers");
  REQUIRE(topic != nullptr);
  CHECK(topic->perm == 6);
  CHECK(topic->queues() == 1);
}

TEST_CASE("the consumer's own level is taken as it is, and -1 means dead letter", "[broker][send_back]") {
  Retrying broker;
  const PhyOffset at = broker.stored({}, 4);
  CHECK(broker.give(broker.back(at, 1)).code == 0);
  CHECK(property_of(broker.delayed(1), "DELAY") == "1");
  CHECK(broker.give(broker.back(at, 99)).code == 0);
  CHECK(property_of(broker.delayed(18), "DELAY") == "18");
  CHECK(broker.give(broker.back(at, -1)).code == 0);
  CHECK(broker.dead().reconsume_times == 5);
}

TEST_CASE("where a message first stood is written once", "[broker][send_back]") {
  Retrying broker;
  const PhyOffset at =
      broker.stored(properties({{"RETRY_TOPIC", "first"}, {"ORIGIN_MESSAGE_ID", "ABC"}, {"DELAY", "0"}}), 1);
  CHECK(broker.give(broker.back(at)).code == 0);
  CHECK(property_of(broker.delayed(4), "RETRY_TOPIC") == "first");
  CHECK(property_of(broker.delayed(4), "ORIGIN_MESSAGE_ID") == "ABC");
}

TEST_CASE("the limit is the group's, or the client's from version 3.4.9 on", "[broker][send_back]") {
  Retrying broker;
  GroupConfig group;
  group.name = "readers";
  group.retry_max_times = 2;
  broker.groups.put(group);
  const PhyOffset at = broker.stored({}, 2);
  CHECK(broker.give(broker.back(at)).code == 0);
  CHECK(broker.store.queue("%DLQ%readers", 0).max() == 1);

  auto request = broker.back(at);
  request.max_reconsume_times = 3;
  broker.client_version = 120;
  CHECK(broker.give(request).code == 0);
  CHECK(broker.store.queue("%DLQ%readers", 0).max() == 2);
  broker.client_version = 121;
  CHECK(broker.give(request).code == 0);
  CHECK(broker.store.queue("%DLQ%readers", 0).max() == 2);
  CHECK(broker.delayed(5).reconsume_times == 3);
}

TEST_CASE("retries are spread over the queues that group and topic have", "[broker][send_back]") {
  Retrying broker;
  GroupConfig group;
  group.name = "readers";
  group.retry_queues = 3;
  broker.groups.put(group);
  const PhyOffset at = broker.stored();
  std::set<std::string> seen;
  for (size_t n = 0; n < 60; ++n) {
    CHECK(broker.give(broker.back(at)).code == 0);
    seen.insert(property_of(broker.delayed(3, n), "REAL_QID"));
  }
  CHECK(seen == std::set<std::string>{"0", "1", "2"});
  CHECK(broker.topics.find("%RETRY%readers")->read_queues == 3);

  group.retry_queues = 8;  // the topic stays as it is: nobody would read queue 7
  broker.groups.put(group);
  for (size_t n = 60; n < 120; ++n) {
    CHECK(broker.give(broker.back(at)).code == 0);
    CHECK(std::stoi(property_of(broker.delayed(3, n), "REAL_QID")) < 3);
  }
}

TEST_CASE("who may not give back is told why, and nothing is stored", "[broker][send_back]") {
  Retrying broker([](BrokerConfig& config) { config.auto_create_subscription_group = false; });
  GroupConfig group;
  group.name = "known";
  broker.groups.put(group);
  const PhyOffset at = broker.stored();
  const size_t before = broker.puts();

  auto request = broker.back(at);
  auto answer = broker.give(request);
  CHECK(answer.code == kNoGroup);
  CHECK(answer.remark == "subscription group not exist, readers");

  request.group = "known";
  request.offset = PhyOffset(at.value + 1);
  answer = broker.give(request);
  CHECK(answer.code == kSystemError);
  CHECK(answer.remark == "look message by offset failed, " + std::to_string(at.value + 1));

  request.offset = at;
  TopicConfig closed;
  closed.name = "%RETRY%known";
  closed.perm = perm::kRead;
  broker.topics.put(closed);
  answer = broker.give(request);
  CHECK(answer.code == kNoPermission);
  CHECK(answer.remark == "the topic[%RETRY%known] sending message is forbidden");

  group.retry_queues = 0;
  broker.groups.put(group);
  answer = broker.give(request);
  CHECK(answer.code == 0);
  CHECK(broker.puts() == before);

  broker.store.refuse_with = store::PutStatus::kServiceNotAvailable;
  closed.perm = 6;
  broker.topics.put(closed);
  group.retry_queues = 1;
  broker.groups.put(group);
  answer = broker.give(request);
  CHECK(answer.code == kSystemError);
  CHECK(answer.remark.rfind("SERVICE_NOT_AVAILABLE", 0) == 0);
}

TEST_CASE("a read-only broker takes nothing back", "[broker][send_back]") {
  Retrying broker([](BrokerConfig& config) { config.broker_permission = 4; });
  const auto answer = broker.give(broker.back(broker.stored()));
  CHECK(answer.code == kNoPermission);
  CHECK(answer.remark == "the broker[10.0.0.1] sending message is forbidden");
}

TEST_CASE("a retry topic that an order topic's consumers made loses its order flag, a unit's gets its own",
          "[broker][send_back]") {
  Retrying broker;
  broker.topics.create_for_group("%RETRY%readers", 1, 6, true, 0);
  const PhyOffset at = broker.stored();
  CHECK(broker.give(broker.back(at)).code == 0);
  CHECK_FALSE(broker.topics.find("%RETRY%readers")->order);
  auto request = broker.back(at);
  request.group = "unit";
  request.unit_mode = true;
  CHECK(broker.give(request).code == 0);
  CHECK(broker.topics.find("%RETRY%unit")->sys_flag == kTopicUnitSubscription);
}

TEST_CASE("a committed transaction's message is retried, not taken for a half one", "[broker][send_back]") {
  Retrying broker;
  store::PutRequest put;
  const std::string text = properties({{"TRAN_MSG", "true"}, {"PGROUP", "p"}, {"UNIQ_KEY", "U1"}});
  put.message.topic = "orders";
  put.message.body = "paid";
  put.message.properties = text;
  put.message.sys_flag = sys_flag::kCommit;
  put.message.prepared_transaction_offset = 77;
  const PhyOffset at = broker.store.put(put).at;
  CHECK(broker.give(broker.back(at)).code == 0);
  const Message again = broker.delayed(3);
  CHECK(again.body == "paid");
  CHECK((again.sys_flag & sys_flag::kTransactionMask) == sys_flag::kCommit);
  CHECK(again.prepared_transaction_offset == 0);
  CHECK(property_of(again, "REAL_TOPIC") == "%RETRY%readers");
}

TEST_CASE("what came back is counted as Apache counts it", "[broker][send_back]") {
  Retrying broker;
  const PhyOffset at = broker.stored();
  const int64_t sent = broker.statistics.total("BROKER_PUT_NUMS", "DefaultCluster");
  broker.give(broker.back(at));
  broker.give(broker.back(at, -1));
  CHECK(broker.statistics.total("SNDBCK_PUT_NUMS", "orders@readers") == 2);
  CHECK(broker.statistics.total("SNDBCK2DLQ_TIMES", "null@orders@readers@SEND_BACK_TO_DLQ") == 1);
  CHECK(broker.statistics.total("TOPIC_PUT_NUMS", kScheduleTopic) == 1);
  CHECK(broker.statistics.total("QUEUE_PUT_NUMS", "SCHEDULE_TOPIC_XXXX@2") == 1);
  CHECK(broker.statistics.total("TOPIC_PUT_NUMS", "%DLQ%readers") == 0);
  CHECK(broker.statistics.total("BROKER_PUT_NUMS", "DefaultCluster") == sent);
}

TEST_CASE("with SYNC_FLUSH the consumer is answered when its message is durable", "[broker][send_back]") {
  Retrying broker({}, store::FlushMode::kSync);
  const PhyOffset at = broker.stored();
  broker.give(broker.back(at));
  const size_t before = broker.channel->answers();
  CHECK(broker.store.queue(kScheduleTopic, 2).max() == 1);
  broker.turn([&] { CHECK(broker.parked.waiting(broker.loop) == 1); });
  broker.store.flush();
  broker.turn_until_answers(before + 1);
  CHECK(broker.channel->last().code == 0);
  CHECK(broker.channel->last().ext.empty());

  broker.give(broker.back(at));
  broker.store.fail_flush();
  broker.turn_until_answers(before + 2);
  CHECK(broker.channel->last().code == kSystemError);
  CHECK(broker.channel->last().remark.rfind("SERVICE_NOT_AVAILABLE", 0) == 0);
}

TEST_CASE("with as many answers waiting as may, nothing is taken back", "[broker][send_back]") {
  Retrying broker({}, store::FlushMode::kSync);
  const PhyOffset at = broker.stored();
  broker.turn([&] { broker.fill_parked(); });
  const size_t puts = broker.puts();
  const auto answer = broker.give(broker.back(at));
  CHECK(answer.code == 2);
  CHECK(answer.remark == HotBroker::kBusyForDisk);
  CHECK(broker.puts() == puts);
}

}  // namespace
}  // namespace comet::broker
