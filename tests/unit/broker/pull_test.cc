#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <string>
#include <thread>

#include "tests/unit/broker/hot_fixture.h"

namespace comet::broker {
namespace {

using test::HotBroker;
using test::order;
using test::properties;
using test::pull_orders;

constexpr int32_t kFlagSuspend = remoting::pull_flag::kSuspend, kFlagCommit = remoting::pull_flag::kCommitOffset,
                  kFlagSubscription = remoting::pull_flag::kSubscription;

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

void send_tagged(HotBroker& broker, std::string_view tag) {
  auto fields = order();
  const std::string text = properties({{"TAGS", std::string(tag)}});
  fields.properties = text;
  broker.send(fields);
  broker.channel->forget();
}

remoting::PullFields held(std::string_view subscription, int64_t offset) {
  auto fields = pull_orders(subscription, offset);
  fields.sys_flag |= kFlagSuspend;
  return fields;
}

ConsumerRegistration readers_of(std::string expression, std::vector<int32_t> codes, int64_t version = 5) {
  ConsumerRegistration registration;
  registration.group = "readers";
  Subscription subscription;
  subscription.topic = "orders";
  subscription.expression = std::move(expression);
  subscription.codes = std::move(codes);
  subscription.version = version;
  registration.subscriptions.push_back(subscription);
  return registration;
}

void connect(HotBroker& broker, const ConsumerRegistration& registration) {
  broker.groups.find_or_create(registration.group);
  broker.consumers.register_client({broker.channel, "client", remoting::Language::kJava, 479, 0}, registration);
}

TEST_CASE("a slave serves pulls only where slaveReadEnable says so", "[broker][pull]") {
  HotBroker closed([](BrokerConfig& settings) { settings.broker_role = "SLAVE"; });
  const auto refused = closed.pull(pull_orders());
  CHECK(refused.code == 2);
  CHECK(refused.remark ==
        "[REJECTREQUEST]this broker is a slave and serves no pulls: set slaveReadEnable=true to read from it");
  HotBroker open([](BrokerConfig& settings) {
    settings.broker_role = "SLAVE";
    settings.slave_read = true;
  });
  store::PutRequest put;
  put.message.topic = "orders";
  put.message.queue_id = QueueId(1);
  put.message.body = "one";
  open.store.put(put);
  CHECK(open.pull(pull_orders()).remark == "FOUND");
}

TEST_CASE("a pull gives whole records, where to go on, and the queue's bounds", "[broker][pull]") {
  HotBroker broker;
  broker.send(order(), "one");
  broker.send(order(), "two");
  const auto answer = broker.pull(pull_orders());
  CHECK(answer.code == 0);
  CHECK(answer.remark == "FOUND");
  CHECK(answer.field("nextBeginOffset") == "2");
  CHECK(answer.field("minOffset") == "0");
  CHECK(answer.field("maxOffset") == "2");
  CHECK(answer.field("suggestWhichBrokerId") == "0");
  CHECK(answer.field("topicSysFlag") == "0");
  CHECK(answer.field("groupSysFlag") == "0");
  CHECK_FALSE(answer.field("forbiddenType"));
  const auto first = decode_message(as_bytes(answer.body), true);
  REQUIRE(first);
  CHECK(first->message.body == "one");
  const auto second =
      decode_message(as_bytes(std::string_view(answer.body).substr(static_cast<size_t>(first->record_bytes))), true);
  REQUIRE(second);
  CHECK(second->message.body == "two");
  CHECK(broker.statistics.total("GROUP_GET_NUMS", "orders@readers") == 2);
  CHECK(broker.statistics.total("GROUP_GET_SIZE", "orders@readers") == static_cast<int64_t>(answer.body.size()));
  CHECK(broker.statistics.total("BROKER_GET_NUMS", "DefaultCluster") == 2);
}

TEST_CASE("a broker without read permission answers forbidden type 1", "[broker][pull]") {
  HotBroker broker([](BrokerConfig& config) { config.broker_permission = 2; });
  const auto answer = broker.pull(pull_orders());
  CHECK(answer.code == 16);
  CHECK(answer.remark == "the broker[10.0.0.1] pulling message is forbidden");
  CHECK(answer.field("forbiddenType") == "1");
}

TEST_CASE("lite pulls can be switched off", "[broker][pull]") {
  HotBroker broker([](BrokerConfig& config) { config.lite_pull = false; });
  const auto answer = broker.pull(pull_orders(), true);
  CHECK(answer.code == 16);
  CHECK(answer.field("forbiddenType") == "1");
  CHECK(broker.pull(pull_orders()).code == 19);
}

TEST_CASE("a group that may not be created doesn't exist", "[broker][pull]") {
  HotBroker broker([](BrokerConfig& config) { config.auto_create_subscription_group = false; });
  const auto answer = broker.pull(pull_orders());
  CHECK(answer.code == 26);
  CHECK(contains(answer.remark, "[readers] does not exist"));
}

TEST_CASE("a group with consumeEnable=false is forbidden", "[broker][pull]") {
  HotBroker broker;
  GroupConfig group;
  group.name = "readers";
  group.consume_enable = false;
  broker.groups.put(group);
  const auto answer = broker.pull(pull_orders());
  CHECK(answer.code == 16);
  CHECK(answer.remark == "subscription group no permission, readers");
  CHECK(answer.field("forbiddenType") == "2");
}

TEST_CASE("the topic must exist, be readable and have the queue", "[broker][pull]") {
  HotBroker broker;
  auto fields = pull_orders();
  fields.topic = "nowhere";
  CHECK(broker.pull(fields).code == 17);

  TopicConfig write_only;
  write_only.name = "write_only";
  write_only.perm = perm::kWrite;
  broker.topics.put(write_only);
  fields.topic = "write_only";
  const auto forbidden = broker.pull(fields);
  CHECK(forbidden.code == 16);
  CHECK(forbidden.remark == "the topic[write_only] pulling message is forbidden");
  CHECK(forbidden.field("forbiddenType") == "3");

  for (const int32_t queue : {-1, 4}) {
    fields = pull_orders();
    fields.queue_id = QueueId(queue);
    const auto answer = broker.pull(fields);
    CHECK(answer.code == 29);
    CHECK(answer.remark == "queueId[" + std::to_string(queue) +
                               "] is illegal, topic:[orders] topicConfig.readQueueNums:[4] consumer:[10.0.0.7:34567]");
  }
}

TEST_CASE("a subscription in the request that doesn't parse is refused", "[broker][pull]") {
  HotBroker broker;
  CHECK(broker.pull(pull_orders("||")).code == 23);
  auto sql = pull_orders("");
  sql.expression_type = "SQL92";
  CHECK(broker.pull(sql).code == 23);
}

TEST_CASE("without a subscription in the request the heartbeat's is used", "[broker][pull]") {
  HotBroker broker;
  auto fields = pull_orders();
  fields.sys_flag = 0;
  fields.sub_version = 5;
  CHECK(broker.pull(fields).code == 24);

  auto registration = readers_of("TagA", {static_cast<int32_t>(tags_code("TagA"))});
  connect(broker, registration);
  send_tagged(broker, "TagB");
  send_tagged(broker, "TagA");
  const auto answer = broker.pull(fields);
  CHECK(answer.code == 0);
  CHECK(find_property(decode_message(as_bytes(answer.body), true)->message.properties, "TAGS") == "TagA");

  fields.sub_version = 6;
  CHECK(broker.pull(fields).code == 25);
  TopicConfig other;
  other.name = "other";
  broker.topics.put(other);
  fields.topic = "other";
  CHECK(broker.pull(fields).code == 24);
}

TEST_CASE("broadcasting and forbidden groups get their forbidden types", "[broker][pull]") {
  HotBroker broker;
  GroupConfig group;
  group.name = "readers";
  group.consume_broadcast_enable = false;
  broker.groups.put(group);
  auto registration = readers_of("*", {});
  registration.model = MessageModel::kBroadcasting;
  connect(broker, registration);
  auto fields = pull_orders();
  fields.sys_flag = 0;
  CHECK(broker.pull(fields).field("forbiddenType") == "4");
  registration.model = MessageModel::kClustering;
  connect(broker, registration);
  broker.groups.set_reading_forbidden("readers", "orders", true);
  const auto answer = broker.pull(fields);
  CHECK(answer.code == 16);
  CHECK(answer.field("forbiddenType") == "5");
}

TEST_CASE("rejectPullConsumerEnable wants heartbeats from who pulls", "[broker][pull]") {
  HotBroker broker([](BrokerConfig& config) { config.reject_pull_consumer = true; });
  CHECK(broker.pull(pull_orders()).code == 24);
  auto registration = readers_of("*", {});
  registration.type = ConsumeType::kPassively;
  connect(broker, registration);
  CHECK(broker.pull(pull_orders()).code == 19);
}

TEST_CASE("offsets outside the queue are told where to go", "[broker][pull]") {
  HotBroker broker;
  const auto empty_moved = broker.pull(pull_orders("*", 9));
  CHECK(empty_moved.code == 21);
  CHECK(empty_moved.remark == "NO_MESSAGE_IN_QUEUE");
  CHECK(empty_moved.field("nextBeginOffset") == "0");
  CHECK(broker.pull(pull_orders("*", 0)).code == 19);

  broker.store.queue("orders", 1).min = 5;
  for (int n = 0; n < 3; ++n) broker.send(order());
  const auto small = broker.pull(pull_orders("*", 2));
  CHECK(small.code == 21);
  CHECK(small.remark == "OFFSET_TOO_SMALL");
  CHECK(small.field("nextBeginOffset") == "5");
  const auto large = broker.pull(pull_orders("*", 99));
  CHECK(large.code == 21);
  CHECK(large.remark == "OFFSET_OVERFLOW_BADLY");
  CHECK(large.field("nextBeginOffset") == "8");
  const auto one = broker.pull(pull_orders("*", 8));
  CHECK(one.code == 19);
  CHECK(one.remark == "OFFSET_OVERFLOW_ONE");
}

TEST_CASE("messages that no tag matches are passed over at once", "[broker][pull]") {
  HotBroker broker;
  for (int n = 0; n < 4; ++n) send_tagged(broker, "TagB");
  const auto answer = broker.pull(held("TagA", 0));
  CHECK(answer.code == 20);
  CHECK(answer.remark == "NO_MATCHED_MESSAGE");
  CHECK(answer.field("nextBeginOffset") == "4");
  CHECK(broker.holds.held() == 0);
}

TEST_CASE("a pull commits its offset on the first pass, also when nothing is found", "[broker][pull]") {
  HotBroker broker;
  auto fields = pull_orders();
  fields.sys_flag |= kFlagCommit;
  fields.commit_offset = QueueOffset(7);
  CHECK(broker.pull(fields).code == 19);
  CHECK(broker.offsets.committed("readers", "orders", QueueId(1)) == QueueOffset(7));
  fields.commit_offset = QueueOffset(8);
  fields.sys_flag &= ~kFlagCommit;
  broker.pull(fields);
  CHECK(broker.offsets.committed("readers", "orders", QueueId(1)) == QueueOffset(7));
}

TEST_CASE("a reset offset is given to the next pull, once", "[broker][pull]") {
  HotBroker broker;
  for (int n = 0; n < 5; ++n) broker.send(order());
  broker.offsets.set_reset("readers", "orders", QueueId(1), QueueOffset(2));
  const auto answer = broker.pull(pull_orders("*", 5));
  CHECK(answer.code == 21);
  CHECK(answer.remark == "OFFSET_RESET");
  CHECK(answer.field("nextBeginOffset") == "2");
  CHECK(answer.field("maxOffset") == "5");
  CHECK(broker.pull(pull_orders("*", 2)).code == 0);
}

TEST_CASE("with slaveReadEnable the group says whom to ask", "[broker][pull]") {
  HotBroker broker([](BrokerConfig& config) { config.slave_read = true; });
  GroupConfig group;
  group.name = "readers";
  group.broker_id = 3;
  broker.groups.put(group);
  CHECK(broker.pull(pull_orders()).field("suggestWhichBrokerId") == "3");
}

TEST_CASE("a group that is far behind is told whom to ask then, by masters and slaves alike", "[broker][pull]") {
  const bool slave = GENERATE(false, true);
  HotBroker broker([&](BrokerConfig& config) {
    config.slave_read = true;
    if (slave) config.broker_role = "SLAVE";
  });
  GroupConfig group;
  group.name = "readers";
  group.broker_id_when_slow = 2;
  broker.groups.put(group);
  send_tagged(broker, "TagA");
  CHECK(broker.pull(pull_orders()).field("suggestWhichBrokerId") == "0");
  broker.store.suggest_slave = true;
  CHECK(broker.pull(pull_orders()).field("suggestWhichBrokerId") == "2");
  broker.store.suggest_slave = false;
  CHECK(broker.pull(pull_orders()).field("suggestWhichBrokerId") == "0");
}

TEST_CASE("what the loop would wait for is read and answered by a worker", "[broker][pull]") {
  HotBroker broker;
  send_tagged(broker, "TagB");
  send_tagged(broker, "TagA");
  broker.store.cold = true;
  broker.pull(held("TagA", 0));
  CHECK(broker.channel->answers() == 0);
  REQUIRE(broker.workers.tasks.size() == 1);
  broker.workers.run_all();
  REQUIRE(broker.channel->answers() == 1);
  CHECK(broker.channel->last().code == 0);
  CHECK(broker.channel->last().field("nextBeginOffset") == "2");
  CHECK(find_property(decode_message(as_bytes(broker.channel->last().body), true)->message.properties, "TAGS") ==
        "TagA");
  CHECK(broker.statistics.total("GROUP_GET_NUMS", "orders@readers") == 1);

  broker.workers.full = true;
  const auto refused = broker.pull(pull_orders());
  CHECK(refused.code == 2);
  CHECK(refused.remark == "[OVERLOAD]system busy, start flow control for a while");
}

TEST_CASE("a pull that waited too long for a worker is told that the broker is busy", "[broker][pull]") {
  const bool lite = GENERATE(false, true);
  HotBroker broker([](BrokerConfig& config) {
    config.pull_queue_wait_ms = 1'000;
    config.lite_pull_queue_wait_ms = 2'000;
  });
  broker.send(order());
  broker.store.cold = true;
  broker.pull(pull_orders(), lite);
  broker.clock.advance_ms(lite ? 1'999 : 999);
  broker.workers.run_all();
  CHECK(broker.channel->last().code == 0);
  broker.pull(pull_orders(), lite);
  broker.clock.advance_ms(lite ? 2'000 : 1'000);
  broker.workers.run_all();
  CHECK(broker.channel->last().code == 2);
  CHECK(broker.channel->last().remark ==
        fmt::format("[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: {}ms",
                    lite ? 2'000 : 1'000));
}

TEST_CASE("with brokerFastFailureEnable=false it is read however long it waited", "[broker][pull]") {
  HotBroker broker([](BrokerConfig& config) { config.fast_failure = false; });
  broker.send(order());
  broker.store.cold = true;
  broker.pull(pull_orders());
  broker.clock.advance_ms(60'000);
  broker.workers.run_all();
  CHECK(broker.channel->last().code == 0);
}

TEST_CASE("with enableDetailStat=false latencies are kept by group, not by queue", "[broker][pull]") {
  const bool by_queue = GENERATE(true, false);
  HotBroker broker([by_queue](BrokerConfig& config) { config.detail_stat = by_queue; });
  broker.send(order());
  broker.pull(pull_orders());
  CHECK(broker.statistics.view("GROUP_GET_LATENCY", "1@orders@readers").has_value() == by_queue);
  CHECK(broker.statistics.view("GROUP_GET_LATENCY", "orders@readers").has_value() != by_queue);
}

// --- Long polling ----------------------------------------------------------------------------------------------------

TEST_CASE("a held pull is answered by an append in the same turn, without any timer", "[broker][pull_holds]") {
  HotBroker broker;
  broker.pull(held("*", 0));
  CHECK(broker.channel->answers() == 0);
  CHECK(broker.holds.held() == 1);
  broker.turn([&] {
    broker.send(order(), "one");
    broker.send(order(), "two");
  });  // the clock stands still: no deadline comes
  REQUIRE(broker.channel->answers() == 3);
  const auto answer = broker.channel->last();
  CHECK(answer.code == 0);
  CHECK(answer.field("nextBeginOffset") == "2");
  CHECK(broker.holds.held() == 0);
  CHECK(broker.store.queue("orders", 1).watchers == 0);
}

TEST_CASE("an append on another thread reaches the hold through its loop's mailbox", "[broker][pull_holds]") {
  HotBroker broker;
  broker.pull(held("*", 0));
  broker.turn([&] {
    std::thread([&] {
      store::PutRequest put;
      put.message.topic = "orders";
      put.message.queue_id = QueueId(1);
      put.message.body = "x";
      broker.store.put(put);
      broker.store.put(put);
    }).join();
  });
  broker.turn();
  REQUIRE(broker.channel->answers() == 1);
  CHECK(broker.channel->last().field("nextBeginOffset") == "2");
}

TEST_CASE("a single message of another tag wakes nobody", "[broker][pull_holds]") {
  HotBroker broker;
  broker.pull(held("TagA", 0));
  broker.turn([&] { send_tagged(broker, "TagB"); });
  CHECK(broker.channel->answers() == 0);
  CHECK(broker.holds.held() == 1);
  broker.turn([&] { send_tagged(broker, "TagA"); });
  REQUIRE(broker.channel->answers() == 1);
  CHECK(broker.channel->last().code == 0);
  CHECK(broker.channel->last().field("nextBeginOffset") == "2");
}

TEST_CASE("a message that comes between the look and the watch is not missed", "[broker][pull_holds]") {
  HotBroker broker;
  broker.store.before_watch = [&] {
    store::PutRequest put;
    put.message.topic = "orders";
    put.message.queue_id = QueueId(1);
    put.message.body = "x";
    broker.store.put(put);
  };
  broker.turn([&] { broker.pull(held("*", 0)); });
  REQUIRE(broker.channel->answers() == 1);
  CHECK(broker.channel->last().code == 0);
  CHECK(broker.holds.held() == 0);
}

TEST_CASE("a pull without leave to wait is answered at once", "[broker][pull_holds]") {
  HotBroker broker;
  CHECK(broker.pull(pull_orders()).code == 19);
  CHECK(broker.holds.held() == 0);
}

TEST_CASE("a hold ends at its time with what there is, and is not held again", "[broker][pull_holds]") {
  HotBroker broker;
  auto fields = held("*", 0);
  fields.suspend_timeout_ms = 250;
  broker.pull(fields);
  fields.suspend_timeout_ms = 100'000;  // beyond the wheel's span
  broker.pull(fields);
  CHECK(broker.holds.held() == 2);
  broker.turn([&] { broker.clock.advance_ms(400); });
  broker.turn_until_answers(1);
  REQUIRE(broker.channel->answers() == 1);
  CHECK(broker.channel->last().code == 19);
  CHECK(broker.holds.held() == 1);
}

TEST_CASE("with longPollingEnable=false a hold lasts shortPollingTimeMills", "[broker][pull_holds]") {
  HotBroker broker([](BrokerConfig& config) {
    config.long_polling = false;
    config.short_polling_ms = 100;
  });
  broker.pull(held("*", 0));
  broker.turn([&] { broker.clock.advance_ms(300); });
  broker.turn_until_answers(1);
  CHECK(broker.channel->last().code == 19);
}

TEST_CASE("a closed connection drops its holds and nobody watches for it any more", "[broker][pull_holds]") {
  HotBroker broker;
  broker.pull(held("*", 0));
  broker.pull(held("TagA", 0));
  auto other = std::make_shared<test::CapturingChannel>(broker.loop, 2);
  std::swap(broker.channel, other);
  broker.pull(held("*", 0));
  CHECK(broker.store.queue("orders", 1).watchers == 3);
  broker.holds.channel_closed(broker.loop, 1);
  CHECK(broker.holds.held() == 1);
  CHECK(broker.store.queue("orders", 1).watchers == 1);
  broker.holds.channel_closed(broker.loop, 1);
  CHECK(broker.holds.held() == 1);
}

TEST_CASE("holds on thousands of queues come and go without leaving anything behind", "[broker][pull_holds]") {
  HotBroker broker;
  TopicConfig wide;
  wide.name = "wide";
  wide.read_queues = 3000;
  wide.write_queues = 3000;
  broker.topics.put(wide);
  auto fields = held("*", 0);
  fields.topic = "wide";
  for (int round = 0; round < 2; ++round) {
    for (int n = 0; n < 3000; ++n) {
      fields.queue_id = QueueId(n);
      broker.pull(fields);
    }
    CHECK(broker.holds.held() == 3000);
    broker.holds.channel_closed(broker.loop, 1);
    CHECK(broker.holds.held() == 0);
  }
  CHECK(broker.store.queue("wide", 2999).watchers == 0);
}

}  // namespace
}  // namespace comet::broker
