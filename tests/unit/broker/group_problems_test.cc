#include "broker/group_problems.h"

#include <catch2/catch.hpp>

#include "broker/consumers.h"
#include "broker/gated_log.h"
#include "tests/support/list_log.h"
#include "tests/unit/broker/state_fixture.h"

namespace comet::broker {
namespace {

using test::BrokerState;
using test::ToldChannel;

struct Clients : BrokerState {
  Clients() { REQUIRE(load()); }

  /// Each call is a heartbeat a second later.
  void beat(const std::shared_ptr<ToldChannel>& on, const std::string& id, const std::string& expression = "*",
            const std::string& topic = "T", MessageModel model = MessageModel::kClustering) {
    clock.advance_ms(1'000);
    ClientInfo client;
    client.channel = on;
    client.client_id = id;
    client.last_update_ms = clock.now_ms();
    ConsumerRegistration registration;
    registration.group = "g";
    registration.model = model;
    Subscription& wanted = registration.subscriptions.emplace_back();
    wanted.topic = topic;
    wanted.expression = expression;
    wanted.version = clock.now_ms();
    consumers.register_client(client, registration);
  }
  std::shared_ptr<ToldChannel> channel() { return std::make_shared<ToldChannel>(loop, ++channels); }

  test::ListLog log;
  Consumers consumers{clock, log, tables->live};
  remoting::Channel::Id channels = 0;
};

TEST_CASE("clients of one group that subscribe differently are reported while they do", "[broker][consumers]") {
  Clients fixture;
  const auto a = fixture.channel(), b = fixture.channel(), c = fixture.channel();
  fixture.beat(a, "A", "TagA");
  fixture.beat(b, "B", "TagA");
  CHECK(fixture.consumers.conflicts_text() == "0");
  CHECK_FALSE(fixture.consumers.problem("g").any());

  fixture.beat(c, "C", "TagB");
  CHECK(fixture.consumers.problem("g").conflict == "client A subscribes topic T with 'TagA', client C with 'TagB'");
  CHECK(fixture.consumers.conflicts_text() == "1: g");
  CHECK(fixture.consumers.duplicates_text() == "0");
  CHECK(fixture.log.count("consumer group g has conflicting subscriptions and may lose messages: client A") == 1);

  for (int n = 0; n < 20; ++n) fixture.beat(c, "C", "TagB"), fixture.beat(a, "A", "TagA");
  CHECK(fixture.log.count("conflicting subscriptions") == 1);  // said once, not with each heartbeat
  fixture.consumers.expire();
  CHECK(fixture.log.count("conflicting subscriptions") == 1);
  fixture.clock.advance_ms(GroupProblems::kRemindMs);
  fixture.beat(a, "A", "TagA"), fixture.beat(b, "B", "TagA"), fixture.beat(c, "C", "TagB");
  fixture.consumers.expire();
  CHECK(fixture.log.count("conflicting subscriptions") == 2);

  fixture.beat(c, "C", "TagA");
  CHECK_FALSE(fixture.consumers.problem("g").any());
  CHECK(fixture.consumers.conflicts_text() == "0");
  CHECK(fixture.log.count("the clients of consumer group g agree again") == 1);
}

TEST_CASE("a conflict ends with the client that made it, and with the group", "[broker][consumers]") {
  Clients fixture;
  const auto a = fixture.channel(), b = fixture.channel();
  fixture.beat(a, "A", "*", "T");
  fixture.beat(b, "B", "*", "U");
  CHECK(fixture.consumers.problem("g").conflict == "client A subscribes topic T, client B doesn't");
  fixture.consumers.channel_closed(b);
  CHECK_FALSE(fixture.consumers.problem("g").any());
  fixture.beat(b, "B", "*", "T", MessageModel::kBroadcasting);
  CHECK(fixture.consumers.problem("g").conflict == "client A says CLUSTERING, client B says BROADCASTING");
  fixture.consumers.channel_closed(a);
  fixture.consumers.channel_closed(b);
  CHECK(fixture.consumers.conflicts_text() == "0");
}

TEST_CASE("a client id counts as used twice when both its connections go on", "[broker][consumers]") {
  Clients fixture;
  const auto before = fixture.channel(), after = fixture.channel();
  fixture.beat(before, "A");
  fixture.beat(after, "A");  // a reconnect looks like this
  fixture.beat(after, "A");
  CHECK_FALSE(fixture.consumers.problem("g").any());
  fixture.beat(before, "A");  // this doesn't
  CHECK(fixture.consumers.problem("g").duplicate_id == "client id A is used by 10.0.0.7:1234 and by 10.0.0.7:1234");
  CHECK(fixture.consumers.duplicates_text() == "1: g");
  CHECK(fixture.log.count("consumer group g has a client id twice and consumes doubly") == 1);
  fixture.consumers.channel_closed(before);
  CHECK(fixture.consumers.duplicates_text() == "0");
}

TEST_CASE("the lines about thousands of groups with problems stay ten a second", "[broker][consumers]") {
  Clients fixture;
  GroupProblems problems(fixture.log);
  const auto a = fixture.channel(), b = fixture.channel();
  fixture.beat(a, "A", "x"), fixture.beat(b, "B", "y");
  const auto clients = fixture.consumers.clients("g");
  const int before = fixture.log.count("conflicting");
  for (int n = 0; n < 2'000; ++n) problems.look("g" + std::to_string(n), clients, fixture.clock.now_ms());
  CHECK(fixture.log.count("conflicting") - before == 10);
  CHECK(problems.conflicts_text().substr(0, 12) == "2000: g0, g1");
  CHECK(problems.conflicts_text().size() < 200);
}

TEST_CASE("a client that changes its id with each heartbeat can't fill the log", "[broker][consumers]") {
  Clients fixture;
  GatedLog gated(fixture.log, fixture.clock, 50);
  Consumers consumers(fixture.clock, gated, fixture.tables->live);
  const auto on = fixture.channel();
  for (int n = 0; n < 5'000; ++n) {
    ClientInfo client;
    client.channel = on;
    client.client_id = std::to_string(n);
    ConsumerRegistration registration;
    registration.group = "g";
    consumers.register_client(client, registration);
  }
  CHECK(fixture.log.count("") == 50);
  fixture.clock.advance_ms(1'000);
  gated.info("on");
  CHECK(fixture.log.count("4950 lines were not written, clients caused too many") == 1);
  for (int n = 0; n < 100; ++n) gated.error("broken");
  CHECK(fixture.log.count("broken") == 100);
}

TEST_CASE("with realTimeNotifyConsumerChange=false a group hears of its changes together, every 15 s",
          "[broker][consumers]") {
  BrokerState state([](BrokerConfig& config) { config.notify_consumers_at_once = false; });
  REQUIRE(state.load());
  Consumers& consumers = state.tables->consumers;
  const auto a = std::make_shared<ToldChannel>(state.loop, 1), b = std::make_shared<ToldChannel>(state.loop, 2);
  for (const auto& on : {a, b}) {
    ClientInfo client;
    client.channel = on;
    client.client_id = std::to_string(on->id());
    ConsumerRegistration registration;
    registration.group = "g";
    consumers.register_client(client, registration);
  }
  CHECK(a->told.empty());
  consumers.tell_later();
  REQUIRE(a->told.size() == 1);
  CHECK(a->told[0].code == 40);
  CHECK(b->told.size() == 1);
  consumers.tell_later();
  CHECK(a->told.size() == 1);
}

}  // namespace
}  // namespace comet::broker
