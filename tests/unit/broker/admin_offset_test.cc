#include "broker/processors/admin_offset.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/unit/broker/hot_fixture.h"
#include "tests/unit/broker/state_fixture.h"

namespace comet::broker {
namespace {

using remoting::ResponseCode;
using test::HotBroker;
using test::order;
using test::pull_orders;
using test::ToldChannel;

/// A broker with group "readers" and three messages in queue 1 of topic orders.
struct Moved : HotBroker {
  explicit Moved(const std::function<void(BrokerConfig&)>& adjust = {}) : HotBroker(adjust) {
    groups.find_or_create("readers");
    for (int n = 0; n < 3; ++n) send(order());
    channel->forget();
  }

  AdminOffsetProcessor admin{{config, topics, groups, offsets, consumers, holds, store, null_log()}};
  remoting::CommandHead head;

  remoting::ChannelPtr caller = channel;

  remoting::Call call() { return {head, {}, caller, clock.now_ms()}; }
  static remoting::InvokeBrokerToResetOffsetRequest to(int64_t offset, int32_t queue = 1) {
    remoting::InvokeBrokerToResetOffsetRequest request;
    request.topic = "orders";
    request.group = "readers";
    request.queue_id = QueueId(queue);
    request.offset = QueueOffset(offset);
    request.timestamp_ms = -1;
    return request;
  }
  static remoting::InvokeBrokerToResetOffsetRequest to_time(int64_t time_ms) {
    auto request = to(-1, -1);
    request.offset.reset();
    request.timestamp_ms = time_ms;
    return request;
  }
  /// Queue → offset, as the answer says.
  static std::map<int32_t, int64_t> moved(const std::string& body) {
    std::map<int32_t, int64_t> moved;
    const remoting::ResetOffsetBody table = remoting::parse_reset_offset_body(body).value();
    for (const auto& [queue, offset] : table.offsets) {
      CHECK(queue.topic == "orders");
      CHECK(queue.broker_name == "broker-a");
      moved[queue.queue_id.value] = offset;
    }
    return moved;
  }
  std::shared_ptr<ToldChannel> join(const std::string& id, remoting::Language language, int32_t version = 479) {
    const auto on = std::make_shared<ToldChannel>(loop, ++joined + 100);
    ClientInfo client;
    client.channel = on;
    client.client_id = id;
    client.language = language;
    client.version = version;
    client.last_update_ms = clock.now_ms();
    ConsumerRegistration registration;
    registration.group = "readers";
    registration.subscriptions.emplace_back().topic = "orders";
    consumers.register_client(client, registration);
    for (const auto& channel_told : everybody) channel_told->told.clear();
    on->told.clear();
    everybody.push_back(on);
    return on;
  }
  void commit_all(int64_t offset) {
    for (int32_t queue = 0; queue < 4; ++queue)
      offsets.commit("readers", "orders", QueueId(queue), QueueOffset(offset));
  }
  int64_t committed(int32_t queue) const {
    return offsets.committed("readers", "orders", QueueId(queue)).value_or(QueueOffset(-1)).value;
  }

  uint64_t joined = 0;
  std::vector<std::shared_ptr<ToldChannel>> everybody;
};

void client_side(BrokerConfig& config) { config.server_side_reset_offset = false; }

// --- On the server side ----------------------------------------------------------------------------------------------

TEST_CASE("a reset by number moves one queue of an offline group, within its bounds", "[broker][reset]") {
  Moved broker;
  const auto reply = broker.admin.reset(broker.call(), Moved::to(2));
  CHECK(reply.code == ResponseCode::kSuccess);
  CHECK(Moved::moved(reply.body) == std::map<int32_t, int64_t>{{1, 2}});
  CHECK(broker.committed(1) == 2);
  CHECK(broker.committed(0) == -1);

  CHECK(broker.admin.reset(broker.call(), Moved::to(4)).code == ResponseCode::kSuccess);  // Apache's max + 1
  const auto beyond = broker.admin.reset(broker.call(), Moved::to(5));
  CHECK(beyond.code == ResponseCode::kSystemError);
  CHECK(beyond.remark == "Target offset 5 not in consume queue range [0-3]");
  CHECK(broker.committed(1) == 4);
  const auto no_queue = broker.admin.reset(broker.call(), Moved::to(0, 4));
  CHECK(no_queue.code == ResponseCode::kInvalidParameter);
  CHECK(no_queue.remark == "queueId 4 is illegal: topic orders has 4 read queues");
}

TEST_CASE("a reset by time moves every read queue; -1 means their ends", "[broker][reset]") {
  Moved broker;
  const auto to_end = broker.admin.reset(broker.call(), Moved::to_time(-1));
  CHECK(Moved::moved(to_end.body) == std::map<int32_t, int64_t>{{0, 0}, {1, 3}, {2, 0}, {3, 0}});
  const auto to_time = broker.admin.reset(broker.call(), Moved::to_time(2));  // the fixture's time is the offset
  CHECK(Moved::moved(to_time.body) == std::map<int32_t, int64_t>{{0, 2}, {1, 2}, {2, 2}, {3, 2}});
  CHECK(broker.committed(1) == 2);
}

TEST_CASE("a reset wants its topic and its group", "[broker][reset]") {
  Moved broker;
  auto request = Moved::to(0);
  request.topic = "nowhere";
  CHECK(broker.admin.reset(broker.call(), request).code == ResponseCode::kTopicNotExist);
  CHECK(broker.admin.reset(broker.call(), request).remark == "Topic nowhere does not exist");
  request = Moved::to(0);
  request.group = "nobody";
  CHECK(broker.admin.reset(broker.call(), request).code == ResponseCode::kSubscriptionGroupNotExist);
  CHECK(broker.admin.reset(broker.call(), request).remark == "Group nobody does not exist");
}

TEST_CASE("a slave resets nothing", "[broker][reset]") {
  Moved broker([](BrokerConfig& config) { config.broker_role = "SLAVE"; });
  const auto refused = broker.admin.reset(broker.call(), Moved::to(2));
  CHECK(refused.code == ResponseCode::kSystemError);
  CHECK(refused.remark == "Can not reset offset in slave broker");
  CHECK(broker.committed(1) == -1);
}

TEST_CASE("a reset answers the group's held pulls at once, and nobody else's", "[broker][reset]") {
  Moved broker;
  auto held = pull_orders("*", 3);
  held.sys_flag |= remoting::pull_flag::kSuspend;
  broker.pull(held);
  auto strangers = held;
  strangers.consumer_group = "strangers";
  broker.pull(strangers);
  auto elsewhere = held;
  elsewhere.queue_id = QueueId(2);
  elsewhere.queue_offset = QueueOffset(0);
  broker.pull(elsewhere);
  REQUIRE(broker.holds.held() == 3);
  broker.turn([&] { broker.admin.reset(broker.call(), Moved::to(1)); });
  broker.turn();
  REQUIRE(broker.channel->answers() == 1);
  CHECK(broker.channel->last().code == 21);  // PULL_OFFSET_MOVED
  CHECK(broker.channel->last().remark == "OFFSET_RESET");
  CHECK(broker.channel->last().field("nextBeginOffset") == "1");
  CHECK(broker.holds.held() == 2);
  CHECK_FALSE(broker.offsets.pending_reset("readers", "orders", QueueId(1)));
}

// --- On the clients' side --------------------------------------------------------------------------------------------

TEST_CASE("with useServerSideResetOffset=false each client is told in its own dialect", "[broker][reset]") {
  Moved broker(client_side);
  broker.commit_all(2);
  const auto java = broker.join("a", remoting::Language::kJava);
  const auto cpp = broker.join("b", remoting::Language::kCpp);
  const auto go = broker.join("c", remoting::Language::kGo);
  auto request = Moved::to_time(1);
  const auto reply = broker.admin.reset(broker.call(), request);
  CHECK(reply.code == ResponseCode::kSuccess);
  CHECK(Moved::moved(reply.body) == std::map<int32_t, int64_t>{{0, 1}, {1, 1}, {2, 1}, {3, 1}});
  for (const auto& client : {java, cpp, go}) {
    REQUIRE(client->told.size() == 1);
    CHECK(client->told[0].code == 220);
    const auto ext = nlohmann::json::parse("{" + client->told[0].ext_json + "}");
    CHECK(ext["topic"] == "orders");
    CHECK(ext["group"] == "readers");
    CHECK(ext["timestamp"] == "1");
    CHECK(Moved::moved(client->told[0].body).at(1) == 1);
  }
  CHECK(nlohmann::json::parse(cpp->told[0].body)["offsetTable"].is_array());
  CHECK(java->told[0].body == go->told[0].body);
  CHECK(java->told[0].body.find("\"offsetTable\":{{") != std::string::npos);  // fastjson's map with objects as keys
  CHECK(broker.committed(1) == 2);                                            // the clients commit, not the broker
}

TEST_CASE("without force a client is only moved back", "[broker][reset]") {
  Moved broker(client_side);
  broker.commit_all(2);
  broker.join("a", remoting::Language::kJava);
  auto request = Moved::to_time(3);
  CHECK(Moved::moved(broker.admin.reset(broker.call(), request).body).at(1) == 2);
  request.is_force = true;
  CHECK(Moved::moved(broker.admin.reset(broker.call(), request).body).at(1) == 3);
}

TEST_CASE("clients can't be told if they are offline, too old, or never committed", "[broker][reset]") {
  Moved broker(client_side);
  const auto unknown = broker.admin.reset(broker.call(), Moved::to_time(-1));
  CHECK(unknown.code == ResponseCode::kSystemError);
  CHECK(unknown.remark == "THe consumer group <readers> not exist");
  broker.commit_all(2);
  const auto offline = broker.admin.reset(broker.call(), Moved::to_time(-1));
  CHECK(offline.code == ResponseCode::kConsumerNotOnline);
  CHECK(offline.remark == "Consumer not online, so can not reset offset, Group: readers Topic: orders Timestamp: -1");
  const auto young = broker.join("a", remoting::Language::kJava);
  broker.join("b", remoting::Language::kJava, 27);
  const auto old = broker.admin.reset(broker.call(), Moved::to_time(-1));
  CHECK(old.code == ResponseCode::kSystemError);
  CHECK(old.remark == "the client does not support this feature. version=V3_0_6, client=b");
  CHECK(young->told.empty());  // nobody moves where not all can
}

// --- Clone and correction --------------------------------------------------------------------------------------------

TEST_CASE("a clone copies what the source subscribes, or everything if it counts as offline", "[broker][reset]") {
  Moved broker;
  TopicConfig other;
  other.name = "other";
  broker.topics.put(other);
  broker.commit_all(2);
  broker.offsets.commit("readers", "other", QueueId(0), QueueOffset(5));
  broker.join("a", remoting::Language::kJava);  // subscribes orders
  remoting::CloneGroupOffsetRequest request;
  request.src_group = "readers";
  request.dest_group = "copy";
  request.topic = "other";
  CHECK(broker.admin.clone(broker.call(), request).code == ResponseCode::kSuccess);
  CHECK(broker.offsets.topics_of("copy").empty());
  request.topic.reset();
  CHECK(broker.admin.clone(broker.call(), request).code == ResponseCode::kSuccess);
  CHECK(broker.offsets.topics_of("copy") == std::vector<std::string>{"orders"});
  CHECK(broker.offsets.committed("copy", "orders", QueueId(3)) == QueueOffset(2));
  request.offline = true;
  CHECK(broker.admin.clone(broker.call(), request).code == ResponseCode::kSuccess);
  CHECK(broker.offsets.committed("copy", "other", QueueId(0)) == QueueOffset(5));
}

TEST_CASE("a correction is the least that any group stands at, unless the compared group is behind it",
          "[broker][reset]") {
  Moved broker;
  const auto commit = [&](const std::string& group, int32_t queue, int64_t offset) {
    broker.offsets.commit(group, "orders", QueueId(queue), QueueOffset(offset));
  };
  commit("a", 0, 5), commit("b", 0, 3), commit("b", 1, 9), commit("c", 0, 1), commit("compared", 1, 4);
  broker.store.queue("orders", 0).min = 2;  // c stands before the queue's first message: it doesn't count
  remoting::QueryCorrectionOffsetRequest request;
  request.topic = "orders";
  request.compare_group = "compared";
  request.filter_groups = "compared, x";
  const auto reply = broker.admin.correction(broker.call(), request);
  const auto body = remoting::parse_correction_offsets(reply.body).value();
  CHECK(body.offsets == std::map<int32_t, int64_t>{{0, 3}, {1, INT64_MAX}});
}

}  // namespace
}  // namespace comet::broker
