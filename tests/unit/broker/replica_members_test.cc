#include "broker/replica_members.h"

#include <catch2/catch.hpp>
#include <vector>

#include "remoting/protocol/bodies/route.h"
#include "remoting/protocol/headers/route.h"
#include "tests/unit/broker/state_fixture.h"
#include "tests/unit/remoting/net/net_fixture.h"

namespace comet::broker {
namespace {

using remoting::Call;
using remoting::Reply;
using remoting::test::eventually;
using remoting::test::LoopThread;
using test::BrokerState;

/// A name server that says what it is told to, and counts who asks. Its fields belong to its loop while that runs.
struct TalkingNameServer {
  ReplicaMembers::Addresses members{{0, "10.0.0.1:1"}, {1, "10.0.0.2:1"}};
  bool answers = true;
  int32_t by_group = 0, by_route = 0, beats = 0, versions = 0;
  std::string asked_topic, beat_from;
  int64_t version_counter = -1;

  Reply group(const Call&, const remoting::GetBrokerMemberGroupRequest& request) {
    ++by_group;
    if (!answers) return Reply::refuse(remoting::ResponseCode::kSystemError, "not now");
    remoting::MemberGroupBody body;
    body.group.addresses = members;
    body.group.broker_name = request.broker_name;
    return Reply::ok_body(to_json(body));
  }
  Reply route(const Call&, const remoting::GetRouteinfoByTopicRequest& request) {
    ++by_route;
    asked_topic = request.topic;
    if (!answers) return Reply::refuse(remoting::ResponseCode::kTopicNotExist, "no");
    remoting::RouteData route;
    route.brokers.push_back({{{0, "10.9.9.9:1"}}, "broker-b", "DefaultCluster"});
    route.brokers.push_back({members, "broker-a", "DefaultCluster"});
    return Reply::ok_body(to_json(route));
  }
  Reply beat(const Call&, const remoting::BrokerHeartbeatRequest& request) {
    ++beats;
    beat_from = request.broker_addr;
    return Reply::ok();
  }
  Reply version(const Call& call, const remoting::QueryDataVersionRequest& request) {
    ++versions;
    beat_from = request.broker_addr;
    version_counter = remoting::parse_data_version(call.body).value().counter;
    return Reply::ok(remoting::QueryDataVersionResponse{});
  }
};

/// A slave, brokerId 1, and one such name server, on one loop.
struct Asking : BrokerState {
  explicit Asking(void (*adjust)(BrokerConfig&) = nullptr) : BrokerState(adjust) {
    router.on<remoting::GetBrokerMemberGroupRequest>(remoting::Lane::kLoop, names, &TalkingNameServer::group);
    router.on<remoting::GetRouteinfoByTopicRequest>(remoting::Lane::kLoop, names, &TalkingNameServer::route);
    router.on<remoting::BrokerHeartbeatRequest>(remoting::Lane::kLoop, names, &TalkingNameServer::beat);
    router.on<remoting::QueryDataVersionRequest>(remoting::Lane::kLoop, names, &TalkingNameServer::version);
    const int32_t port = server.listen("127.0.0.1", 0, router).value();
    settings.namesrv_addr = "127.0.0.1:1;127.0.0.1:" + std::to_string(port);  // nobody listens at the first
    settings.broker_ip1 = "127.0.0.1";
    settings.broker_role = "SLAVE";
    settings.broker_id = 1;
    settings.slave_acting_master = true;
    settings.member_group_period_ms = settings.broker_heartbeat_ms = 10;
    reopen();
    REQUIRE(load());
    members = std::make_unique<ReplicaMembers>(net.loop, client, tables->live, tables->topics, null_log());
    members->on_lowest([this](const ReplicaMembers::Lowest& lowest) { told.push_back(lowest); });
    net.start();
  }
  ~Asking() {
    net.on([this] { members->stop(); });
    net.stop();
  }
  template <class F>
  auto on_loop(F what) {
    decltype(what()) said{};
    net.on([&] { said = what(); });
    return said;
  }
  template <class F>
  bool soon(F what) {
    return eventually([&] { return on_loop(what); });
  }

  TalkingNameServer names;
  std::vector<ReplicaMembers::Lowest> told;
  LoopThread net;
  remoting::ThreadWorkers workers;
  remoting::Router router{workers, null_log()};
  remoting::Server server{{&net.loop}, {}, {}, null_log()};
  remoting::Client client{net.loop, {}, null_log()};
  std::unique_ptr<ReplicaMembers> members;
};

}  // namespace

TEST_CASE("name servers are asked who is lowest, from the start; it counts when this broker serves",
          "[broker][acting]") {
  Asking slave([](BrokerConfig& config) { config.compatible_with_old_namesrv = false; });
  CHECK(slave.members->lowest_id() == ReplicaMembers::kUnknown);
  CHECK(slave.members->alive() == 1);
  slave.members->start();
  REQUIRE(eventually([&] { return slave.members->alive() == 2; }));
  CHECK(slave.on_loop([&] { return slave.told.empty(); }));
  slave.members->serving();
  REQUIRE(eventually([&] { return slave.members->lowest_id() == 0; }));
  CHECK(slave.on_loop([&] { return slave.told.front().address; }) == "10.0.0.1:1");

  slave.on_loop([&] { return slave.names.members.erase(0); });
  REQUIRE(eventually([&] { return slave.members->lowest_id() == 1; }));
  CHECK(slave.members->alive() == 1);
  slave.on_loop([&] {
    slave.names.members = {{2, "10.0.0.3:1"}};
    return true;
  });
  REQUIRE(eventually([&] { return slave.members->lowest_id() == 2; }));
  CHECK(slave.members->alive() == 2);  // this one, which registers in a moment, counts
}

TEST_CASE("while no name server knows anybody, what was said last counts", "[broker][acting]") {
  Asking slave;
  slave.members->start();
  slave.members->serving();
  REQUIRE(eventually([&] { return slave.members->lowest_id() == 0; }));
  const int32_t asked = slave.on_loop([&] {
    slave.names.answers = false;
    return slave.names.by_route;
  });
  REQUIRE(slave.soon([&] { return slave.names.by_route > asked + 2; }));
  CHECK(slave.members->lowest_id() == 0);
  CHECK(slave.members->alive() == 2);
}

TEST_CASE("name servers of before 5.0 are asked for the route of the members' topic, and hear of versions",
          "[broker][acting]") {
  Asking slave;
  slave.members->start();
  slave.members->serving();
  REQUIRE(slave.soon([&] { return slave.names.by_route > 0 && slave.names.versions > 1; }));
  CHECK(slave.on_loop([&] { return slave.names.asked_topic; }) == "rmq_sys_SYNC_BROKER_MEMBER_broker-a");
  CHECK(slave.on_loop([&] { return slave.names.beat_from; }) == slave.tables->live.now().address());
  CHECK(slave.on_loop([&] { return slave.names.version_counter; }) == slave.tables->topics.version().counter);
  CHECK(slave.on_loop([&] { return slave.names.by_group + slave.names.beats; }) == 0);
}

TEST_CASE("those of today are asked for the members, and hear a heartbeat", "[broker][acting]") {
  Asking slave([](BrokerConfig& config) { config.compatible_with_old_namesrv = false; });
  slave.members->start();
  slave.members->serving();
  REQUIRE(slave.soon([&] { return slave.names.by_group > 0 && slave.names.beats > 1; }));
  CHECK(slave.on_loop([&] { return slave.names.beat_from; }) == slave.tables->live.now().address());
  CHECK(slave.on_loop([&] { return slave.names.by_route + slave.names.versions; }) == 0);
}

TEST_CASE("a notice of a name server counts at once, if it is for this name and says what it must",
          "[broker][acting]") {
  Asking slave;
  slave.members->serving();  // nobody is asked
  remoting::NotifyMinBrokerIdChangeRequest notice;
  notice.broker_name = "broker-a";
  slave.members->told(notice);
  notice.min_broker_id = 1;
  slave.members->told(notice);
  notice.min_broker_addr = "10.0.0.2:1";
  notice.broker_name = "broker-b";
  slave.members->told(notice);
  notice.broker_name = "broker-a";
  notice.ha_broker_addr = "10.0.0.2:2";
  slave.members->told(notice);
  REQUIRE(eventually([&] { return slave.members->lowest_id() == 1; }));
  REQUIRE(slave.on_loop([&] { return slave.told.size(); }) == 1);
  CHECK(slave.on_loop([&] { return slave.told[0].ha_address; }) == "10.0.0.2:2");
}

}  // namespace comet::broker
