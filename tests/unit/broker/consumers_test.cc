#include "broker/consumers.h"

#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "broker/processors/heartbeat.h"
#include "tests/unit/broker/state_fixture.h"

using namespace comet;
using namespace comet::broker;
using test::BrokerState;
using test::ToldChannel;

namespace {

struct Clients : BrokerState {
  Clients() { REQUIRE(load()); }

  std::shared_ptr<ToldChannel> channel() { return std::make_shared<ToldChannel>(loop, ++channels); }
  ClientInfo client(const std::shared_ptr<ToldChannel>& on, std::string id) {
    ClientInfo info;
    info.channel = on;
    info.client_id = std::move(id);
    info.last_update_ms = clock.now_ms();
    return info;
  }
  static Subscription subscription(std::string topic, int64_t version = 1, std::string expression = "*") {
    Subscription wanted;
    wanted.topic = std::move(topic);
    wanted.version = version;
    wanted.expression = std::move(expression);
    return wanted;
  }
  static ConsumerRegistration group(std::string name, std::vector<Subscription> subscriptions = {subscription("T")}) {
    ConsumerRegistration registration;
    registration.group = std::move(name);
    registration.subscriptions = std::move(subscriptions);
    return registration;
  }
  Consumers& consumers() { return tables->consumers; }

  remoting::Channel::Id channels = 0;
};

}  // namespace

TEST_CASE("a new member is told to the whole group, a heartbeat that repeats itself is not", "[broker][consumers]") {
  Clients fixture;
  auto a = fixture.channel(), b = fixture.channel();
  fixture.consumers().register_client(fixture.client(a, "A"), Clients::group("g"));
  REQUIRE(a->told.size() == 1);
  CHECK(a->told[0].code == 40);
  CHECK(a->told[0].ext_json == R"("consumerGroup":"g")");
  fixture.consumers().register_client(fixture.client(b, "B"), Clients::group("g"));
  CHECK(a->told.size() == 2);
  CHECK(b->told.size() == 1);
  fixture.consumers().register_client(fixture.client(b, "B"), Clients::group("g"));
  CHECK(a->told.size() == 2);
  CHECK(fixture.consumers().client_ids("g") == std::vector<std::string>{"A", "B"});
  CHECK(fixture.consumers().find("g")->clients == 2);
}

TEST_CASE("a topic that comes or goes is told; a newer version of one is not", "[broker][consumers]") {
  Clients fixture;
  auto a = fixture.channel();
  const auto hear = [&](std::vector<Subscription> subscriptions) {
    a->told.clear();
    fixture.consumers().register_client(fixture.client(a, "A"), Clients::group("g", std::move(subscriptions)));
    return a->told.size();
  };
  CHECK(hear({Clients::subscription("T")}) == 1);
  CHECK(hear({Clients::subscription("T"), Clients::subscription("U")}) == 1);
  CHECK(hear({Clients::subscription("T", 2, "x"), Clients::subscription("U")}) == 0);
  CHECK((*fixture.consumers().find("g")->find("T"))->expression == "x");
  CHECK(hear({Clients::subscription("T", 1, "old"), Clients::subscription("U")}) == 0);
  CHECK((*fixture.consumers().find("g")->find("T"))->expression == "x");
  CHECK(hear({Clients::subscription("U")}) == 1);
  CHECK(fixture.consumers().find("g")->find("T") == nullptr);
}

TEST_CASE("a heartbeat without subscriptions keeps the stored ones", "[broker][consumers]") {
  Clients fixture;
  auto a = fixture.channel();
  fixture.consumers().register_client(fixture.client(a, "A"), Clients::group("g"));
  auto quiet = Clients::group("g", {});
  quiet.keep_subscriptions = true;
  fixture.consumers().register_client(fixture.client(a, "A"), quiet);
  CHECK(fixture.consumers().find("g")->find("T") != nullptr);
}

TEST_CASE("broadcasting groups and silenced ones are not told", "[broker][consumers]") {
  Clients fixture;
  auto a = fixture.channel();
  auto broadcast = Clients::group("b");
  broadcast.model = MessageModel::kBroadcasting;
  fixture.consumers().register_client(fixture.client(a, "A"), broadcast);
  auto silent = Clients::group("s");
  silent.notify = false;
  fixture.consumers().register_client(fixture.client(a, "A"), silent);
  CHECK(a->told.empty());
  CHECK(fixture.consumers().find("b")->broadcasting());
}

TEST_CASE("a closed connection leaves all its groups, and the rest is told", "[broker][consumers]") {
  Clients fixture;
  auto a = fixture.channel(), b = fixture.channel();
  std::vector<std::string> gone;
  fixture.consumers().on_group_gone([&](std::string_view group) { gone.emplace_back(group); });
  fixture.consumers().register_client(fixture.client(a, "A"), Clients::group("g"));
  fixture.consumers().register_client(fixture.client(a, "A"), Clients::group("only-a"));
  fixture.consumers().register_client(fixture.client(b, "B"), Clients::group("g"));
  b->told.clear();
  a->is_open = false;
  fixture.consumers().channel_closed(a);
  CHECK(b->told.size() == 1);
  CHECK(fixture.consumers().client_ids("g") == std::vector<std::string>{"B"});
  CHECK(fixture.consumers().find("only-a") == nullptr);
  CHECK(gone == std::vector<std::string>{"only-a"});
  fixture.consumers().register_client(fixture.client(a, "A"), Clients::group("g"));  // a heartbeat that came too late
  CHECK(fixture.consumers().client_ids("g") == std::vector<std::string>{"B"});
}

TEST_CASE("unregistering takes a client out of one group", "[broker][consumers]") {
  Clients fixture;
  auto a = fixture.channel(), b = fixture.channel();
  for (const char* group : {"g", "h"}) {
    fixture.consumers().register_client(fixture.client(a, "A"), Clients::group(group));
    fixture.consumers().register_client(fixture.client(b, "B"), Clients::group(group));
  }
  b->told.clear();
  fixture.consumers().unregister_client(a, "g", true);
  CHECK(b->told.size() == 1);
  CHECK_FALSE(fixture.consumers().has_channel("g", a->id()));
  CHECK(fixture.consumers().has_channel("h", a->id()));
  fixture.consumers().unregister_client(a, "h", false);
  CHECK(b->told.size() == 1);
}

TEST_CASE("a client without heartbeats is closed and dropped, and nobody is told", "[broker][consumers]") {
  Clients fixture;
  auto a = fixture.channel(), b = fixture.channel();
  fixture.consumers().register_client(fixture.client(a, "A"), Clients::group("g"));
  fixture.consumers().register_client(fixture.client(b, "B"), Clients::group("g"));
  fixture.clock.advance_ms(100'000);
  fixture.consumers().register_client(fixture.client(b, "B"), Clients::group("g"));
  b->told.clear();
  fixture.clock.advance_ms(30'000);
  fixture.consumers().expire();
  CHECK_FALSE(a->is_open);
  CHECK(b->is_open);
  CHECK(b->told.empty());
  CHECK(fixture.consumers().client_ids("g") == std::vector<std::string>{"B"});
}

TEST_CASE("a client that reconnects is listed once and reached on its newest connection", "[broker][consumers]") {
  Clients fixture;
  auto before = fixture.channel(), after = fixture.channel();
  fixture.consumers().register_client(fixture.client(before, "A"), Clients::group("g"));
  fixture.consumers().register_client(fixture.client(after, "A"), Clients::group("g"));
  CHECK(fixture.consumers().client_ids("g") == std::vector<std::string>{"A"});
  CHECK(fixture.consumers().client("g", "A")->channel == after);
  CHECK(fixture.consumers().groups_of_topic("T") == std::vector<std::string>{"g"});
}

namespace {

struct Heartbeats : Clients {
  Statistics statistics{"C"};
  HeartbeatProcessor processor{tables->live,      tables->topics,    tables->groups,
                               tables->consumers, tables->producers, tables->filters,
                               tables->sql,       statistics,        clock};

  remoting::Reply beat(const std::shared_ptr<ToldChannel>& on, std::string_view body) {
    remoting::CommandHead head;
    head.version = 479;
    return processor.heartbeat({head, body, on, clock.now_ms()}, {});
  }
};

}  // namespace

TEST_CASE("registrations of clients are counted with the time they took", "[broker][consumers]") {
  Heartbeats fixture;
  const auto one = fixture.channel();
  const std::string body =
      R"({"clientID":"A","producerDataSet":[{"groupName":"p"},{"groupName":""}],"consumerDataSet":[]})";
  REQUIRE(fixture.beat(one, body).code == remoting::ResponseCode::kSuccess);
  REQUIRE(fixture.statistics.view("PRODUCER_REGISTER_TIME", fixture.tables->live.now().cluster_name));
  CHECK_FALSE(fixture.statistics.view("CONSUMER_REGISTER_TIME", fixture.tables->live.now().cluster_name));
}

TEST_CASE("a heartbeat brings its groups, their retry topics and the producers", "[broker][heartbeat]") {
  Heartbeats fixture;
  auto a = fixture.channel();
  const auto reply = fixture.beat(
      a,
      R"({"clientID":"10.0.0.7@1","consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET","consumeType":"CONSUME_PASSIVELY",)"
      R"("groupName":"g","messageModel":"CLUSTERING","subscriptionDataSet":[{"classFilterMode":false,"codeSet":[2598919],)"
      R"("expressionType":"TAG","subString":"TagA","subVersion":1700000000000,"tagsSet":["TagA"],"topic":"T"}],"unitMode":false}],)"
      R"("producerDataSet":[{"groupName":"p"}]})");
  CHECK(reply.code == remoting::ResponseCode::kSuccess);
  CHECK(reply.ext_json == R"("IS_SUPPORT_HEART_BEAT_V2":"true","IS_SUB_CHANGE":"true")");
  const ConsumerGroup* group = fixture.consumers().find("g");
  REQUIRE(group != nullptr);
  REQUIRE(group->find("T") != nullptr);
  CHECK((*group->find("T"))->codes == std::vector<int32_t>{2598919});
  CHECK(fixture.tables->topics.find("%RETRY%g")->write_queues == 1);
  CHECK(fixture.tables->producers.clients("p").size() == 1);
  CHECK(fixture.tables->producers.any_channel("p") == a);
}

TEST_CASE("a heartbeat's SQL92 filters live as long as its group", "[broker][heartbeat]") {
  Heartbeats fixture;
  auto a = fixture.channel();
  const auto body = [](int fingerprint, bool without, std::string_view subscriptions) {
    return fmt::format(
        R"({{"clientID":"c","consumerDataSet":[{{"consumeType":"CONSUME_PASSIVELY","groupName":"g","messageModel":"CLUSTERING",)"
        R"("subscriptionDataSet":[{}]}}],"producerDataSet":[],"heartbeatFingerprint":{},"isWithoutSub":{},"withoutSub":{}}})",
        subscriptions, fingerprint, without, without);
  };
  constexpr std::string_view kSql =
      R"({"expressionType":"SQL92","subString":"a > 5","subVersion":7,"topic":"T","codeSet":[],"tagsSet":[]})";
  CHECK(fixture.beat(a, body(3, false, kSql)).code == remoting::ResponseCode::kSuccess);
  const auto alive = [&] {
    const auto* filter = fixture.tables->filters.find("T", "g");
    return filter != nullptr && !(*filter)->dead();
  };
  CHECK(alive());
  fixture.beat(a, body(3, true, ""));  // version 2 without subscriptions
  CHECK(alive());
  fixture.beat(a, body(0, false, ""));
  CHECK_FALSE(alive());
}

TEST_CASE("CHECK_CLIENT_CONFIG compiles what a consumer wants to subscribe", "[broker][heartbeat]") {
  for (const bool enabled : {false, true}) {
    Heartbeats fixture;
    fixture.settings.enable_property_filter = enabled;
    fixture.reopen();
    HeartbeatProcessor processor{fixture.tables->live,      fixture.tables->topics,    fixture.tables->groups,
                                 fixture.tables->consumers, fixture.tables->producers, fixture.tables->filters,
                                 fixture.tables->sql,       fixture.statistics,        fixture.clock};
    const auto check = [&](std::string_view type, std::string_view expression) {
      const std::string body = fmt::format(
          R"({{"clientId":"c","group":"g","subscriptionData":{{"expressionType":"{}","subString":"{}","topic":"T"}}}})",
          type, expression);
      remoting::CommandHead head;
      return processor.check_client({head, body, fixture.channel(), fixture.clock.now_ms()}, {});
    };
    CHECK(check("TAG", "||").code == remoting::ResponseCode::kSuccess);
    const auto good = check("SQL92", "a > 5"), bad = check("SQL92", "a > 5 AND"), unknown = check("XPATH", "a");
    if (!enabled) {
      for (const auto* reply : {&good, &bad}) {
        CHECK(reply->code == remoting::ResponseCode::kSystemError);
        CHECK(reply->remark == "The broker does not support consumer to filter message by SQL92");
      }
      continue;
    }
    CHECK(good.code == remoting::ResponseCode::kSuccess);
    CHECK(bad.code == remoting::ResponseCode::kSubscriptionParseFailed);
    CHECK(bad.remark == "Encountered \"<EOF>\" at line 1, column 10. Was expecting an operand.");
    CHECK(unknown.code == remoting::ResponseCode::kSubscriptionParseFailed);
  }
}

TEST_CASE("the C++ client's heartbeat with numbers for enums is understood", "[broker][heartbeat]") {
  Heartbeats fixture;
  auto a = fixture.channel();
  fixture.beat(
      a, R"({"clientID":"c","consumerDataSet":[{"groupName":"g","consumeFromWhere":0,"consumeType":1,"messageModel":0,)"
         R"("subscriptionDataSet":[{"topic":"T","subString":"*","subVersion":"17"}]}]})");
  REQUIRE(fixture.consumers().find("g") != nullptr);
  CHECK(fixture.consumers().find("g")->broadcasting());
  CHECK((*fixture.consumers().find("g")->find("T"))->version == 17);
}

TEST_CASE("a group that may not be created is passed over; the heartbeat succeeds", "[broker][heartbeat]") {
  Heartbeats fixture;
  auto a = fixture.channel();
  const auto reply =
      fixture.beat(a, R"({"clientID":"c","consumerDataSet":[{"groupName":"not legal!","subscriptionDataSet":[]}]})");
  CHECK(reply.code == remoting::ResponseCode::kSuccess);
  CHECK(fixture.consumers().groups().empty());
}

TEST_CASE("version 2 heartbeats learn whether the stored subscriptions are another's", "[broker][heartbeat]") {
  Heartbeats fixture;
  auto a = fixture.channel();
  const auto changed = [&](int fingerprint) {
    const auto reply =
        fixture.beat(a, R"({"clientID":"c","heartbeatFingerprint":)" + std::to_string(fingerprint) +
                            R"(,"withoutSub":false,"consumerDataSet":[{"groupName":"g","subscriptionDataSet":[]}]})");
    return reply.ext_json.find(R"("IS_SUB_CHANGE":"true")") != std::string::npos;
  };
  CHECK_FALSE(changed(7));
  CHECK_FALSE(changed(7));
  CHECK(changed(8));
  CHECK_FALSE(changed(8));
}

TEST_CASE("the member list of an unknown group is refused with Apache's sentence", "[broker][heartbeat]") {
  Heartbeats fixture;
  auto a = fixture.channel();
  remoting::CommandHead head;
  const remoting::Call call{head, "", a, fixture.clock.now_ms()};
  remoting::GetConsumerListByGroupRequest request;
  request.consumer_group = "g";
  CHECK(fixture.processor.consumer_list(call, request).remark == "no consumer for this group, g");
  fixture.consumers().register_client(fixture.client(a, "A"), Clients::group("g"));
  CHECK(fixture.processor.consumer_list(call, request).body == R"({"consumerIdList":["A"]})");
}
