#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "remoting/protocol/bodies/batch.h"
#include "tests/unit/broker/hot_fixture.h"

namespace comet::broker {
namespace {

using test::HotBroker;
using test::order;
using test::properties;

constexpr int32_t kIllegal = 13, kNoPermission = 16, kTopicNotExist = 17, kInvalid = 29;

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_CASE("a message is stored as it was sent and answered with its place", "[broker][send]") {
  HotBroker broker;
  auto fields = order();
  const std::string sent =
      properties({{"KEYS", "k1 k2"}, {"TAGS", "TagA"}, {"UNIQ_KEY", "U1"}, {"WAIT", "true"}, {"Größe", "ß"}});
  fields.properties = sent;
  fields.flag = 5;
  fields.sys_flag = 0x30 | sys_flag::kCompressed;  // host bits of a client are not to be trusted
  const auto answer = broker.send(fields, "body");

  CHECK(answer.code == 0);
  CHECK(answer.field("queueId") == "1");
  CHECK(answer.field("queueOffset") == "0");
  CHECK(answer.field("transactionId") == "U1");
  CHECK(answer.field("msgId") == "0A00000100002A9F0000000000000000");
  CHECK(answer.field("MSG_REGION") == "DefaultRegion");
  CHECK(answer.field("TRACE_ON") == "true");
  CHECK(answer.remark.empty());

  const Message stored = broker.store.message("orders", 1, 0);
  CHECK(stored.body == "body");
  CHECK(stored.topic == "orders");
  CHECK(stored.flag == 5);
  CHECK(stored.sys_flag == sys_flag::kCompressed);
  CHECK(stored.born_timestamp_ms == fields.born_timestamp_ms);
  CHECK(stored.born_host.text() == "10.0.0.7:34567");
  CHECK(stored.store_host.text() == "10.0.0.1:10911");
  CHECK(stored.properties.substr(0, sent.size()) == sent);
  CHECK(find_property(stored.properties, "CLUSTER") == "DefaultCluster");
  CHECK(find_property(stored.properties, "MSG_REGION") == "DefaultRegion");
  CHECK(find_property(stored.properties, "TRACE_ON") == "true");
  const auto& record = broker.store.queue("orders", 1).records.front();
  CHECK(record.tags_code == tags_code("TagA"));
  CHECK(record.keys == "k1 k2");
  CHECK(record.unique_key == "U1");
}

TEST_CASE("an IPv6 client's address is kept as such", "[broker][send]") {
  HotBroker broker;
  broker.channel->set_host("[2001:db8::7]:34567");
  CHECK(broker.send(order()).code == 0);
  const Message stored = broker.store.message("orders", 1, 0);
  CHECK(stored.born_host.v6);
  CHECK((stored.sys_flag & sys_flag::kBornHostV6) != 0);
  CHECK((stored.sys_flag & sys_flag::kStoreHostV6) == 0);
}

TEST_CASE("what only the broker or nobody may store is taken out of the properties", "[broker][send]") {
  HotBroker broker;
  auto fields = order();
  const std::string sent = properties({{"POP_CK", "1 2 3"},
                                       {"a", "1"},
                                       {"__CRC32#", "0123456789"},
                                       {"__RMQ.TRANSIENT.TOPIC_SYS_FLAG", "0"},
                                       {"CLUSTER", "other"},
                                       {"MSG_REGION", "other"},
                                       {"TRACE_ON", "false"},
                                       {"b", "2"}});
  fields.properties = sent;
  CHECK(broker.send(fields).code == 0);
  const std::string stored(broker.store.message("orders", 1, 0).properties);
  CHECK(stored.substr(0, 8) == properties({{"a", "1"}, {"b", "2"}}));
  for (const std::string gone : {"POP_CK", "__CRC32#", "TRANSIENT", "other"}) CHECK_FALSE(contains(stored, gone));
  CHECK(find_property(stored, "TRACE_ON") == "true");
}

TEST_CASE("properties without a last separator and unreadable ones are mended", "[broker][send]") {
  HotBroker broker;
  auto fields = order();
  const std::string sent = std::string("x\x01") + "1\x02" + "nothing\x02" + "a\x01\x02" + "TAGS\x01TagA";
  fields.properties = sent;
  CHECK(broker.send(fields).code == 0);
  const std::string stored(broker.store.message("orders", 1, 0).properties);
  CHECK(stored.substr(0, 14) == properties({{"x", "1"}, {"TAGS", "TagA"}}));
  CHECK(broker.store.queue("orders", 1).records.front().tags_code == tags_code("TagA"));
}

TEST_CASE("a message without a unique key gets one, and no two are equal", "[broker][send]") {
  HotBroker broker;
  const auto first = broker.send(order());
  const auto second = broker.send(order());
  REQUIRE(first.field("transactionId"));
  CHECK(first.field("transactionId")->size() == 32);
  CHECK(first.field("transactionId") != second.field("transactionId"));
  CHECK(find_property(broker.store.message("orders", 1, 0).properties, "UNIQ_KEY") == *first.field("transactionId"));
}

TEST_CASE("a negative queue id lets the broker pick one", "[broker][send]") {
  HotBroker broker;
  auto fields = order();
  fields.queue_id = QueueId(-1);
  std::set<std::string> seen;
  for (int n = 0; n < 200; ++n) seen.insert(std::string(*broker.send(fields).field("queueId")));
  CHECK(seen == std::set<std::string>{"0", "1", "2", "3"});
}

TEST_CASE("a broker that isn't open yet says until when", "[broker][send]") {
  HotBroker broker([](BrokerConfig& config) { config.start_accept_send_ms = 1'700'000'060'000; });
  const auto answer = broker.send(order());
  CHECK(answer.code == 1);
  CHECK(contains(answer.remark, "broker unable to service, until 20"));
  CHECK(answer.field("MSG_REGION") == "DefaultRegion");
  CHECK(answer.field("TRACE_ON") == "true");
}

TEST_CASE("a read-only broker refuses ordered topics and serves the others", "[broker][send]") {
  HotBroker broker([](BrokerConfig& config) { config.broker_permission = 4; });
  TopicConfig ordered;
  ordered.name = "ordered";
  ordered.order = true;
  broker.topics.put(ordered);
  auto fields = order();
  fields.topic = "ordered";
  const auto answer = broker.send(fields);
  CHECK(answer.code == kNoPermission);
  CHECK(answer.remark == "the broker[10.0.0.1] sending message is forbidden");
  CHECK(broker.send(order()).code == 0);
}

TEST_CASE("illegal topic names are refused by name rules", "[broker][send]") {
  HotBroker broker;
  auto fields = order();
  for (const std::string& name : {std::string("bad topic"), std::string("bad#topic"), std::string(128, 'a')}) {
    fields.topic = name;
    const auto answer = broker.send(fields);
    CHECK(answer.code == kInvalid);
    CHECK_FALSE(answer.remark.empty());
  }
}

TEST_CASE("topics of the broker's own are not for clients", "[broker][send]") {
  HotBroker broker;
  auto fields = order();
  for (const std::string name : {"SCHEDULE_TOPIC_XXXX", "RMQ_SYS_TRANS_HALF_TOPIC", "OFFSET_MOVED_EVENT"}) {
    fields.topic = name;
    const auto answer = broker.send(fields);
    CHECK(answer.code == kNoPermission);
    CHECK(answer.remark == "Sending message to topic[" + name + "] is forbidden.");
  }
}

TEST_CASE("an unknown topic is created from its default topic, with the fewer queues", "[broker][send]") {
  HotBroker broker;
  auto fields = order();
  fields.topic = "fresh";
  fields.default_topic_queue_nums = 3;
  CHECK(broker.send(fields).code == 0);
  REQUIRE(broker.topics.find("fresh") != nullptr);
  CHECK(broker.topics.find("fresh")->write_queues == 3);
}

TEST_CASE("an unknown topic that may not be created doesn't exist", "[broker][send]") {
  HotBroker broker([](BrokerConfig& config) { config.auto_create_topic = false; });
  auto fields = order();
  fields.topic = "fresh";
  const auto answer = broker.send(fields);
  CHECK(answer.code == kTopicNotExist);
  CHECK(contains(answer.remark, "topic[fresh] not exist, apply first please!"));
}

TEST_CASE("a queue beyond both queue counts is refused", "[broker][send]") {
  HotBroker broker;
  auto fields = order();
  fields.queue_id = QueueId(4);
  const auto answer = broker.send(fields);
  CHECK(answer.code == kInvalid);
  CHECK(contains(answer.remark, "request queueId[4] is illegal"));
  CHECK(contains(answer.remark, "10.0.0.7:34567"));
}

TEST_CASE("inner batches, and half messages without their mark, are refused for good, never stored", "[broker][send]") {
  HotBroker broker;
  const std::vector<std::pair<std::string, std::string>> asked = {{"INNER_NUM", "2"}};
  for (const auto& [name, value] : asked) {
    auto fields = order();
    const std::string text = properties({{name, value}});
    fields.properties = text;
    const auto answer = broker.send(fields);
    CAPTURE(name);
    CHECK(answer.code == kIllegal);
    CHECK(contains(answer.remark, name));
    CHECK(answer.field("TRACE_ON") == "true");
  }
  auto half = order();
  half.sys_flag = sys_flag::kPrepared;
  CHECK(broker.send(half).code == kIllegal);
  CHECK(broker.store.queues_by_key.empty());
}

TEST_CASE("levels that mean no delay pass", "[broker][send]") {
  HotBroker broker;
  for (const std::string value : {"0", "-1", "soon"}) {
    auto fields = order();
    const std::string text = properties({{"DELAY", value}});
    fields.properties = text;
    CHECK(broker.send(fields).code == 0);
  }
}

TEST_CASE("rejectTransactionMessage answers in its own words", "[broker][send]") {
  HotBroker broker([](BrokerConfig& config) { config.reject_transaction_message = true; });
  auto fields = order();
  const std::string text = properties({{"TRAN_MSG", "true"}});
  fields.properties = text;
  const auto answer = broker.send(fields);
  CHECK(answer.code == kNoPermission);
  CHECK(answer.remark == "the broker[10.0.0.1] sending transaction message is forbidden");
}

TEST_CASE("a retry keeps its topic until it was tried too often, then goes to the dead letters", "[broker][send]") {
  HotBroker broker;
  auto fields = order();
  fields.topic = "%RETRY%readers";
  fields.queue_id = QueueId(0);
  fields.reconsume_times = 16;
  CHECK(broker.send(fields).code == 0);
  CHECK(broker.store.queue("%RETRY%readers", 0).max() == 1);

  fields.reconsume_times = 17;
  const std::string text = properties({{"DELAY", "5"}, {"RETRY_TOPIC", "orders"}});
  fields.properties = text;
  CHECK(broker.send(fields).code == 0);
  CHECK(broker.store.queue("%DLQ%readers", 0).max() == 1);
  CHECK(find_property(broker.store.message("%DLQ%readers", 0, 0).properties, "DELAY") == "-1");
  CHECK(broker.topics.find("%DLQ%readers")->perm == 6);
}

TEST_CASE("the client's own limit of retries counts from version 3.4.9 on", "[broker][send]") {
  HotBroker broker;
  auto fields = order();
  fields.topic = "%RETRY%readers";
  fields.queue_id = QueueId(0);
  fields.reconsume_times = 3;
  fields.max_reconsume_times = 2;
  broker.client_version = 120;
  CHECK(broker.send(fields).code == 0);
  CHECK(broker.store.queue("%RETRY%readers", 0).max() == 1);
  broker.client_version = 121;
  CHECK(broker.send(fields).code == 0);
  CHECK(broker.store.queue("%DLQ%readers", 0).max() == 1);
}

TEST_CASE("an orderly group, one that holds locks, gives up at once", "[broker][send]") {
  HotBroker broker;
  broker.locks.lock("readers", "client", {LockedQueue{"broker-a", QueueId(0), "orders"}});
  auto fields = order();
  fields.topic = "%RETRY%readers";
  fields.queue_id = QueueId(0);
  CHECK(broker.send(fields).code == 0);
  CHECK(broker.store.queue("%DLQ%readers", 0).max() == 1);
}

TEST_CASE("a retry of an unknown group that may not be created is refused", "[broker][send]") {
  HotBroker broker([](BrokerConfig& config) { config.auto_create_subscription_group = false; });
  auto fields = order();
  fields.topic = "%RETRY%readers";
  fields.queue_id = QueueId(0);
  const auto answer = broker.send(fields);
  CHECK(answer.code == 26);
  CHECK(contains(answer.remark, "subscription group not exist, readers"));
}

TEST_CASE("the store's refusals become the codes that producers know", "[broker][send]") {
  HotBroker broker;
  const std::vector<std::pair<store::PutStatus, int32_t>> codes = {{store::PutStatus::kMessageIllegal, 13},
                                                                   {store::PutStatus::kPropertiesTooLarge, 13},
                                                                   {store::PutStatus::kServiceNotAvailable, 14},
                                                                   {store::PutStatus::kCreateFileFailed, 1}};
  for (const auto& [status, code] : codes) {
    broker.store.refuse_with = status;
    const auto answer = broker.send(order());
    CHECK(answer.code == code);
    CHECK(contains(answer.remark, "the test says no"));
    CHECK(answer.field("MSG_REGION") == "DefaultRegion");
  }
}

TEST_CASE("an empty body is refused", "[broker][send]") {
  HotBroker broker;
  CHECK(broker.send(order(), "").code == 1);
}

TEST_CASE("a one-way send is stored and not answered", "[broker][send]") {
  HotBroker broker;
  broker.send(order(), "hello", true);
  CHECK(broker.channel->answers() == 0);
  CHECK(broker.store.queue("orders", 1).max() == 1);
}

TEST_CASE("what was put is counted by topic and for the broker", "[broker][send]") {
  HotBroker broker;
  broker.send(order());
  broker.send(order());
  CHECK(broker.statistics.total("TOPIC_PUT_NUMS", "orders") == 2);
  CHECK(broker.statistics.total("TOPIC_PUT_SIZE", "orders") == broker.store.log_end.value);
  CHECK(broker.statistics.total("BROKER_PUT_NUMS", "DefaultCluster") == 2);
  broker.statistics.sample(broker.clock.now_ms(), 2);
  CHECK(broker.statistics.view("TOPIC_PUT_NUMS", "orders")->minute.avgpt == 1);
  const auto all = broker.statistics.view("BROKER_PUT_NUMS", "DefaultCluster")->minute;
  CHECK(all.sum == 2);
  CHECK(all.avgpt == 0);  // as RocketMQ has it: nothing but a sum
  broker.statistics.delete_topic("orders");
  broker.send(order());
  CHECK(broker.statistics.total("TOPIC_PUT_NUMS", "orders") == 1);
}

// --- Batches ---------------------------------------------------------------------------------------------------------

std::string batch_body() {
  std::string body;
  remoting::append_batch_message(body, {1, "first", properties({{"TAGS", "TagA"}, {"UNIQ_KEY", "U1"}})});
  const std::string second = properties({{"KEYS", "k"}, {"UNIQ_KEY", "U2"}});
  remoting::append_batch_message(body, {2, "second", std::string_view(second).substr(0, second.size() - 1)});
  return body;
}

TEST_CASE("a batch becomes messages of their own, side by side", "[broker][send]") {
  HotBroker broker;
  auto fields = order();
  fields.batch = true;
  const std::string shared = properties({{"WAIT", "true"}, {"UNIQ_KEY", "BATCH"}});
  fields.properties = shared;
  const auto answer = broker.send(fields, batch_body());

  CHECK(answer.code == 0);
  CHECK(answer.field("queueOffset") == "0");
  CHECK(answer.field("transactionId") == "BATCH");
  REQUIRE(answer.field("msgId"));
  CHECK(answer.field("msgId")->size() == 65);
  CHECK(answer.field("msgId")->substr(0, 33) == "0A00000100002A9F0000000000000000,");

  REQUIRE(broker.store.queue("orders", 1).max() == 2);
  const Message first = broker.store.message("orders", 1, 0);
  const Message second = broker.store.message("orders", 1, 1);
  CHECK(first.body == "first");
  CHECK(first.flag == 1);
  CHECK(second.body == "second");
  CHECK(second.flag == 2);
  CHECK(second.queue_offset == QueueOffset(1));
  CHECK(find_property(first.properties, "UNIQ_KEY") == "U1");
  CHECK(find_property(second.properties, "UNIQ_KEY") == "U2");
  CHECK(find_property(second.properties, "KEYS") == "k");
  for (const Message& message : {first, second}) {
    CHECK(find_property(message.properties, "WAIT") == "true");
    CHECK(find_property(message.properties, "CLUSTER") == "DefaultCluster");
  }
  CHECK(broker.store.queue("orders", 1).records[0].tags_code == tags_code("TagA"));
  CHECK(broker.store.queue("orders", 1).records[1].keys == "k");
  CHECK(broker.statistics.total("TOPIC_PUT_NUMS", "orders") == 2);
}

TEST_CASE("a batch is refused whole: bad lengths, retry topics, delays in it, nothing in it, too much",
          "[broker][send]") {
  HotBroker broker([](BrokerConfig& config) { config.store.max_message_bytes = 1000; });
  auto fields = order();
  fields.batch = true;
  CHECK(broker.send(fields, batch_body().substr(1)).code == kIllegal);
  CHECK(broker.send(fields, "").code == kIllegal);
  CHECK(broker.send(fields, std::string(1001, 'x')).code == kIllegal);
  std::string delayed;
  remoting::append_batch_message(delayed, {0, "fine", {}});
  remoting::append_batch_message(delayed, {0, "late", properties({{"DELAY", "2"}})});
  const auto answer = broker.send(fields, delayed);
  CHECK(answer.code == kIllegal);
  CHECK(contains(answer.remark, "DELAY=2"));
  fields.topic = "%RETRY%readers";
  fields.queue_id = QueueId(0);
  CHECK(
      contains(broker.send(fields, batch_body()).remark, "batch request does not support retry group %RETRY%readers"));
  CHECK(broker.store.queues_by_key.empty());
}

// --- SYNC_FLUSH ------------------------------------------------------------------------------------------------------

TEST_CASE("a sync-flushed send is answered by the flush that covers it", "[broker][send]") {
  HotBroker broker({}, store::FlushMode::kSync);
  broker.send(order());
  broker.send(order());
  CHECK(broker.channel->answers() == 0);
  CHECK(broker.parked.waiting(broker.loop) == 2);
  broker.store.flush();
  broker.turn();
  REQUIRE(broker.channel->answers() == 2);
  CHECK(broker.channel->answer(0).code == 0);
  CHECK(broker.channel->answer(0).field("queueOffset") == "0");
  CHECK(broker.channel->answer(1).field("queueOffset") == "1");
  CHECK(broker.channel->answer(1).field("msgId")->size() == 32);
  CHECK(broker.channel->answer(1).field("transactionId"));
  CHECK(broker.channel->answer(1).field("TRACE_ON") == "true");
}

TEST_CASE("a send with WAIT=false doesn't wait for the flush", "[broker][send]") {
  HotBroker broker({}, store::FlushMode::kSync);
  auto fields = order();
  const std::string text = properties({{"WAIT", "false"}});
  fields.properties = text;
  CHECK(broker.send(fields).code == 0);
  CHECK(broker.channel->answers() == 1);
  CHECK(broker.parked.waiting(broker.loop) == 0);
}

TEST_CASE("a failed flush never answers OK, not before and not after", "[broker][send]") {
  HotBroker broker({}, store::FlushMode::kSync);
  broker.send(order());
  broker.store.fail_flush();
  broker.turn();
  REQUIRE(broker.channel->answers() == 1);
  CHECK(broker.channel->last().code == 14);
  CHECK(broker.channel->last().field("MSG_REGION") == "DefaultRegion");
  CHECK(broker.send(order()).code == 14);
}

TEST_CASE("a flush that comes too late is FLUSH_DISK_TIMEOUT with the whole header", "[broker][send]") {
  HotBroker broker([](BrokerConfig& config) { config.store.sync_flush_timeout_ms = 5'000; }, store::FlushMode::kSync);
  broker.send(order());
  broker.clock.advance_ms(4'999);
  broker.send(order());
  broker.clock.advance_ms(1);
  broker.send(order());
  CHECK(broker.channel->answers() == 0);
  broker.parked.durable(broker.store.durable, false);  // a flush that covered none of them
  broker.turn();
  REQUIRE(broker.channel->answers() == 1);
  CHECK(broker.channel->last().code == 10);
  CHECK(broker.channel->last().field("queueOffset") == "0");
  CHECK(broker.channel->last().field("msgId"));
  CHECK(broker.parked.waiting(broker.loop) == 2);
}

TEST_CASE("with as many answers waiting as may, sends are refused before they are stored", "[broker][send]") {
  HotBroker broker({}, store::FlushMode::kSync);
  broker.fill_parked();
  const PhyOffset end = broker.store.log_end;
  auto batch = order();
  batch.batch = GENERATE(false, true);
  const auto answer = broker.send(batch);
  CHECK(answer.code == 2);
  CHECK(answer.remark == HotBroker::kBusyForDisk);
  CHECK(answer.field("MSG_REGION") == "DefaultRegion");
  CHECK(broker.store.log_end == end);
}

}  // namespace
}  // namespace comet::broker
