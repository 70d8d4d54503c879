#include "namesrv/route_table.h"

#include <catch2/catch.hpp>

#include "tests/unit/namesrv/route_fixture.h"

namespace comet::namesrv {
namespace {

using Catch::Matchers::Contains;
using test::Routes;

}  // namespace

TEST_CASE("a registered topic is routed to its broker", "[namesrv]") {
  Routes routes;
  routes.add(Routes::broker("b-a", "1.2.3.4:10911"));

  CHECK(
      routes.route("T") ==
      R"({"brokerDatas":[{"brokerAddrs":{"0":"1.2.3.4:10911"},"brokerName":"b-a","cluster":"C","enableActingMaster":false}],)"
      R"("filterServerTable":{},"queueDatas":[{"brokerName":"b-a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]})");
  CHECK(routes.route("unknown") == "none");
}

TEST_CASE("a first registration with a single topic is refused and leaves no trace", "[namesrv]") {
  Routes routes;
  auto single = Routes::broker("b-a", "1.2.3.4:10911");
  single.topics.resize(1);

  const auto refused = routes.table.register_broker(single, routes.now_ms);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kRefused);
  CHECK(refused.error().what == "register broker failed");
  CHECK(routes.table.cluster_info() == R"({"brokerAddrTable":{},"clusterAddrTable":{}})");
}

TEST_CASE("a known broker adds one topic by an incremental registration", "[namesrv]") {
  Routes routes;
  routes.add(Routes::broker("b-a", "1.2.3.4:10911"));
  auto increment = Routes::broker("b-a", "1.2.3.4:10911");
  increment.version.counter = 2;
  increment.topics = {Routes::topic("New")};

  routes.add(increment);

  CHECK(routes.route("New") != "none");
  CHECK(routes.route("T") != "none");
}

TEST_CASE("queue numbers change only with a new data version", "[namesrv]") {
  Routes routes;
  auto broker = Routes::broker("b-a", "1.2.3.4:10911");
  routes.add(broker);
  broker.topics[0].read_queues = 16;

  SECTION("the same version is ignored") {
    routes.add(broker);
    CHECK_THAT(routes.route("T"), Contains("\"readQueueNums\":4"));
  }
  SECTION("another version is taken") {
    broker.version.counter = 2;
    routes.add(broker);
    CHECK_THAT(routes.route("T"), Contains("\"readQueueNums\":16"));
  }
  SECTION("the same version repairs a pair that is missing") {
    routes.table.delete_topic("T");
    CHECK(routes.route("T") == "none");
    routes.add(broker);
    CHECK_THAT(routes.route("T"), Contains("\"readQueueNums\":16"));
  }
}

TEST_CASE("topics missing from a later registration stay unless deletion is switched on", "[namesrv]") {
  Routes routes;
  routes.add(Routes::broker("b-a", "1.2.3.4:10911"));
  auto later = Routes::broker("b-a", "1.2.3.4:10911");
  later.version.counter = 2;
  later.topics = {Routes::topic("TBW102"), Routes::topic("Other")};

  SECTION("by default") {
    routes.add(later);
    CHECK(routes.route("T") != "none");
  }
  SECTION("with deleteTopicWithBrokerRegistration") {
    routes.table.set_rules({.delete_topic_with_registration = true});
    routes.add(Routes::broker("b-b", "1.2.3.5:10911"));
    routes.add(later);
    CHECK_THAT(routes.route("T"), !Contains("b-a"));
    CHECK_THAT(routes.route("T"), Contains("b-b"));
  }
}

TEST_CASE("write permission that was wiped survives registrations of the same version", "[namesrv]") {
  Routes routes;
  auto broker = Routes::broker("b-a", "1.2.3.4:10911");
  routes.add(broker);

  CHECK(routes.table.wipe_write_perm("b-a") == 2);
  routes.add(broker);
  CHECK_THAT(routes.route("T"), Contains("\"perm\":4"));

  SECTION("adding it back gives read and write to all") {
    CHECK(routes.table.add_write_perm("b-a") == 2);
    CHECK_THAT(routes.route("T"), Contains("\"perm\":6"));
    CHECK_THAT(routes.route("TBW102"), Contains("\"perm\":6"));
  }
  SECTION("a new version undoes it") {
    broker.version.counter = 2;
    routes.add(broker);
    CHECK_THAT(routes.route("T"), Contains("\"perm\":6"));
  }
  CHECK(routes.table.wipe_write_perm("unknown") == 0);
}

TEST_CASE("closing the connection that carried the last registration takes the broker out at once", "[namesrv]") {
  Routes routes;
  routes.add(Routes::broker("b-a", "1.2.3.4:10911"));

  routes.table.connection_closed(1);

  CHECK(routes.route("T") == "none");
  CHECK(routes.table.topic_count() == 0);
  CHECK(routes.table.broker_count() == 0);
  CHECK(routes.table.cluster_info() == R"({"brokerAddrTable":{},"clusterAddrTable":{}})");
}

TEST_CASE("closing a connection that a newer registration replaced has no effect", "[namesrv]") {
  Routes routes;
  auto broker = Routes::broker("b-a", "1.2.3.4:10911");
  routes.add(broker);
  broker.connection = 2;
  routes.add(broker);

  routes.table.connection_closed(1);
  CHECK(routes.route("T") != "none");
  routes.table.connection_closed(2);
  CHECK(routes.route("T") == "none");
}

TEST_CASE("a connection that carried several brokers takes them all with it", "[namesrv]") {
  Routes routes;
  routes.add(Routes::broker("b-a", "1.2.3.4:10911"));
  routes.add(Routes::broker("b-b", "1.2.3.4:20911"));

  routes.table.connection_closed(1);

  CHECK(routes.table.broker_count() == 0);
  CHECK(routes.route("T") == "none");
}

TEST_CASE("a silent broker expires after two minutes or its own timeout", "[namesrv]") {
  Routes routes;
  auto broker = Routes::broker("b-a", "1.2.3.4:10911");
  const bool own = GENERATE(false, true);
  if (own) broker.timeout_ms = 10'000;
  const int64_t timeout = own ? 10'000 : 120'000;
  routes.add(broker);

  CHECK(routes.table.expire(routes.now_ms + timeout).connections.empty());
  CHECK(routes.route("T") != "none");
  const auto expired = routes.table.expire(routes.now_ms + timeout + 1);
  CHECK(expired.connections == std::vector<uint64_t>{1});
  CHECK(routes.route("T") == "none");
}

TEST_CASE("a heartbeat keeps a broker alive", "[namesrv]") {
  Routes routes;
  routes.add(Routes::broker("b-a", "1.2.3.4:10911"));

  routes.table.touch("C", "1.2.3.4:10911", routes.now_ms + 100'000);
  routes.table.touch("C", "unknown", routes.now_ms);

  CHECK(routes.table.expire(routes.now_ms + 200'000).connections.empty());
  CHECK(routes.table.broker_count() == 1);
}

TEST_CASE("unregistering the last replica removes the broker name and its topics, others stay", "[namesrv]") {
  Routes routes;
  routes.add(Routes::broker("b-a", "1.2.3.4:10911"));
  auto slave = Routes::broker("b-a", "1.2.3.5:10911", 1);
  slave.enable_acting_master.reset();
  routes.add(slave);
  routes.add(Routes::broker("b-b", "1.2.3.6:10911"));

  routes.table.unregister("C", "b-a", "1.2.3.4:10911");
  CHECK_THAT(routes.route("T"), Contains(R"("brokerAddrs":{"1":"1.2.3.5:10911"},"brokerName":"b-a")"));
  CHECK_THAT(routes.route("T"), Contains(R"("brokerName":"b-a","perm":6)"));

  routes.table.unregister("C", "b-a", "1.2.3.5:10911");
  CHECK_THAT(routes.route("T"), !Contains("b-a"));
  CHECK_THAT(routes.route("T"), Contains("b-b"));

  routes.table.unregister("C", "unknown", "9.9.9.9:1");
  CHECK(routes.table.broker_count() == 1);
}

TEST_CASE("a slave learns its master's addresses and never sets topics", "[namesrv]") {
  Routes routes;
  routes.add(Routes::broker("b-a", "1.2.3.4:10911"));
  auto slave = Routes::broker("b-a", "1.2.3.5:10911", 1);
  slave.version.counter = 9;
  slave.topics = {Routes::topic("T", 6, 99), Routes::topic("OnlySlave")};

  const auto answer = routes.add(slave);

  CHECK(answer.master_address == "1.2.3.4:10911");
  CHECK(answer.ha_address == "1.2.3.4:10911-ha");
  CHECK(routes.route("OnlySlave") == "none");
  CHECK_THAT(routes.route("T"), Contains("\"readQueueNums\":4"));
  CHECK_THAT(routes.route("T"), Contains(R"({"0":"1.2.3.4:10911","1":"1.2.3.5:10911"})"));
}

TEST_CASE("a 4.x slave without a master sets no topics, a 5.x one does", "[namesrv]") {
  Routes routes;
  auto slave = Routes::broker("b-a", "1.2.3.5:10911", 1);

  SECTION("4.x") {
    slave.enable_acting_master.reset();
    const auto answer = routes.add(slave);
    CHECK_FALSE(answer.master_address);
    CHECK(routes.route("T") == "none");
  }
  SECTION("5.x without acting master keeps write permission") {
    routes.add(slave);
    CHECK_THAT(routes.route("T"), Contains("\"perm\":6"));
  }
  SECTION("5.x with acting master is read-only") {
    slave.enable_acting_master = true;
    routes.add(slave);
    CHECK_THAT(routes.route("T"), Contains("\"perm\":4"));
  }
}

TEST_CASE("a slave promoted on its own address gives up its old id", "[namesrv]") {
  Routes routes;
  routes.add(Routes::broker("b-a", "1.2.3.5:10911", 1));

  routes.add(Routes::broker("b-a", "1.2.3.5:10911", 0));

  CHECK(routes.table.member_group("C", "b-a") ==
        R"({"brokerMemberGroup":{"brokerAddrs":{"0":"1.2.3.5:10911"},"brokerName":"b-a","cluster":"C"}})");
}

TEST_CASE("an address with an older state version can't take an id that is held", "[namesrv]") {
  Routes routes;
  auto holder = Routes::broker("b-a", "1.2.3.4:10911");
  holder.version.state_version = 5;
  routes.add(holder);
  auto newcomer = Routes::broker("b-a", "1.2.3.9:10911");

  SECTION("an older one is ignored without an error") {
    newcomer.version.state_version = 4;
    const auto answer = routes.add(newcomer);
    CHECK_FALSE(answer.master_address);
    CHECK_THAT(routes.route("T"), Contains("1.2.3.4:10911"));
    CHECK(routes.table.broker_count() == 1);
  }
  SECTION("an equal one takes it") {
    newcomer.version.state_version = 5;
    routes.add(newcomer);
    CHECK_THAT(routes.route("T"), Contains("1.2.3.9:10911"));
    CHECK_THAT(routes.route("T"), !Contains("1.2.3.4:10911"));
    // The former holder goes quietly when its connection closes or it expires.
    routes.table.unregister("C", "b-a", "1.2.3.4:10911");
    CHECK_THAT(routes.route("T"), Contains("1.2.3.9:10911"));
  }
}

TEST_CASE("the lowest slave stands in for a lost master where acting masters are supported", "[namesrv]") {
  Routes routes;
  const bool supported = GENERATE(true, false);
  routes.table.set_rules({.support_acting_master = supported});
  auto master = Routes::broker("b-a", "1.2.3.4:10911");
  master.topics.push_back(Routes::topic("rmq_sys_SYNC_BROKER_MEMBER_b-a"));
  master.enable_acting_master = true;
  auto slave = Routes::broker("b-a", "1.2.3.5:10911", 2);
  slave.enable_acting_master = true;
  slave.connection = 2;
  auto other = slave;
  other.address = "1.2.3.6:10911";
  other.broker_id = 3;
  routes.add(master);
  routes.add(slave);
  routes.add(other);

  routes.table.connection_closed(1);

  CHECK_THAT(routes.route("T"), Contains("\"perm\":4"));
  CHECK_THAT(routes.route("T"), Contains(supported ? R"({"0":"1.2.3.5:10911","3":"1.2.3.6:10911"})"
                                                   : R"({"2":"1.2.3.5:10911","3":"1.2.3.6:10911"})"));
  CHECK_THAT(routes.route("rmq_sys_SYNC_BROKER_MEMBER_b-a"), Contains(R"({"2":"1.2.3.5:10911","3":"1.2.3.6:10911"})"));

  routes.add(master);
  CHECK_THAT(routes.route("T"), Contains("\"perm\":6"));
  CHECK_THAT(routes.route("T"), Contains(R"({"0":"1.2.3.4:10911","2":"1.2.3.5:10911","3":"1.2.3.6:10911"})"));
}

TEST_CASE("a change of the lowest broker id is told to the members", "[namesrv]") {
  Routes routes;
  const bool notify = GENERATE(true, false);
  routes.table.set_rules({.notify_min_id = notify});
  auto slave = Routes::broker("b-a", "1.2.3.5:10911", 1);
  slave.enable_acting_master = true;
  CHECK_FALSE(routes.add(slave).notice);
  auto master = slave;
  master.address = "1.2.3.4:10911";
  master.ha_address = "1.2.3.4:10912";
  master.broker_id = 0;
  master.connection = 2;

  const auto answer = routes.add(master);
  REQUIRE(answer.notice.has_value() == notify);
  if (notify) {
    CHECK(answer.notice->min_id == 0);
    CHECK(answer.notice->min_address == "1.2.3.4:10911");
    CHECK(answer.notice->ha_address == "1.2.3.4:10912");
    CHECK_FALSE(answer.notice->offline_address);
    CHECK(answer.notice->to == std::vector<std::string>{"1.2.3.5:10911"});
  }

  const auto notices = routes.table.connection_closed(2);
  REQUIRE(notices.size() == (notify ? 1 : 0));
  if (notify) {
    CHECK(notices[0].min_id == 1);
    CHECK(notices[0].min_address == "1.2.3.5:10911");
    CHECK(notices[0].offline_address == "1.2.3.4:10911");
    CHECK(notices[0].to == std::vector<std::string>{"1.2.3.5:10911"});
  }
}

TEST_CASE("a zone sees its own brokers and those without a master", "[namesrv]") {
  Routes routes;
  auto near = Routes::broker("b-a", "1.2.3.4:10911");
  near.zone = "East";
  auto far = Routes::broker("b-b", "1.2.3.5:10911");
  far.zone = "west";
  far.filter_servers = std::vector<std::string>{"1.2.3.5:30000"};
  auto masterless = Routes::broker("b-c", "1.2.3.6:10911", 1);
  masterless.zone = "west";
  routes.add(near);
  routes.add(far);
  routes.add(masterless);

  const std::string route = routes.table.route("T", Dialect::kLegacy, {}, "EAST").value();

  CHECK_THAT(route, Contains(R"({0:"1.2.3.4:10911"})") && Contains("\"zoneName\":\"East\"") && Contains("b-c"));
  CHECK_THAT(route, !Contains("b-b") && Contains("\"filterServerTable\":{}"));
  CHECK_THAT(routes.route("T"), Contains(R"("filterServerTable":{"1.2.3.5:10911":["1.2.3.5:30000"]})"));
}

TEST_CASE("a kept route text goes stale with every change that shows in it", "[namesrv]") {
  Routes routes;
  auto broker = Routes::broker("b-a", "1.2.3.4:10911");
  routes.add(broker);
  const std::string before = routes.route("T");
  const std::string legacy = routes.route("T", Dialect::kLegacy);
  CHECK_THAT(legacy, Contains("{0:\"1.2.3.4:10911\"}"));

  SECTION("another replica") {
    routes.add(Routes::broker("b-a", "1.2.3.5:10911", 1));
    CHECK_THAT(routes.route("T"), Contains("1.2.3.5"));
    CHECK_THAT(routes.route("T", Dialect::kLegacy), Contains("1.2.3.5"));
  }
  SECTION("another zone") {
    broker.zone = "z";
    routes.add(broker);
    CHECK_THAT(routes.route("T"), Contains("\"zoneName\":\"z\""));
  }
  SECTION("filter servers come and go") {
    broker.filter_servers = std::vector<std::string>{"1.2.3.4:30000"};
    routes.add(broker);
    CHECK_THAT(routes.route("T"), Contains("1.2.3.4:30000"));
    broker.filter_servers->clear();
    routes.add(broker);
    CHECK(routes.route("T") == before);
  }
  SECTION("another topic of the broker changes nothing here") {
    broker.version.counter = 2;
    broker.topics = {Routes::topic("New")};
    routes.add(broker);
    CHECK(routes.route("T") == before);
  }
  SECTION("one more broker has the topic") {
    routes.add(Routes::broker("b-b", "1.2.3.6:10911"));
    CHECK_THAT(routes.route("T"), Contains("b-b"));
  }
}

TEST_CASE("route texts are counted, and the count returns to nothing", "[namesrv]") {
  Routes routes;
  routes.add(Routes::broker("b-a", "1.2.3.4:10911"));
  const size_t bytes = routes.route("T").size() + routes.route("TBW102", Dialect::kLegacy).size();
  CHECK(routes.table.cached_bytes() == bytes);
  routes.table.connection_closed(1);
  CHECK(routes.table.cached_bytes() == 0);
}

TEST_CASE("a topic is deleted everywhere or in one cluster", "[namesrv]") {
  Routes routes;
  routes.add(Routes::broker("b-a", "1.2.3.4:10911"));
  auto other = Routes::broker("b-x", "1.2.3.9:10911");
  other.cluster = "X";
  routes.add(other);

  SECTION("everywhere") {
    routes.table.delete_topic("T");
    CHECK(routes.route("T") == "none");
  }
  SECTION("in one cluster") {
    routes.table.delete_topic("T", "X");
    CHECK_THAT(routes.route("T"), Contains("b-a") && !Contains("b-x"));
    routes.table.delete_topic("T", "no such cluster");
    CHECK(routes.route("T") != "none");
    routes.table.delete_topic("T", "C");
    CHECK(routes.route("T") == "none");
  }
  CHECK(routes.route("TBW102") != "none");
}

TEST_CASE("a topic registered by name needs known brokers only", "[namesrv]") {
  Routes routes;
  routes.add(Routes::broker("b-a", "1.2.3.4:10911"));
  const QueueRow row{nullptr, 3, 2, 6, 0};

  const RouteTable::NamedRow good[] = {{"b-a", row}};
  routes.table.register_topic("Named", good);
  CHECK_THAT(routes.route("Named"), Contains(R"("perm":6,"readQueueNums":3,"topicSysFlag":0,"writeQueueNums":2)"));

  const RouteTable::NamedRow bad[] = {{"b-a", row}, {"b-unknown", row}};
  routes.table.register_topic("Refused", bad);
  CHECK(routes.route("Refused") == "none");
}

TEST_CASE("static topics carry their queue mapping", "[namesrv]") {
  Routes routes;
  auto broker = Routes::broker("b-a", "1.2.3.4:10911");
  broker.mappings.push_back({"b-a", {{0, 1}}, false, 7, "__global__", "T", 4});
  routes.add(broker);
  const std::string mapping =
      R"(,"topicQueueMappingByBroker":{"b-a":{"bname":"b-a","currIdMap":{"0":1},"dirty":false,"epoch":7,"scope":"__global__","topic":"T","totalQueues":4}}})";

  CHECK_THAT(routes.route("T"), Contains(mapping));
  CHECK_THAT(routes.route("T", Dialect::kLegacy), Contains("\"currIdMap\":{0:1}"));
  CHECK_THAT(routes.route("TBW102"), !Contains("Mapping"));

  routes.table.delete_topic("T");
  routes.add(broker);
  CHECK_THAT(routes.route("T"), Contains(mapping));
}

TEST_CASE("topic lists tell clusters, flags and system topics apart", "[namesrv]") {
  Routes routes;
  auto broker = Routes::broker("b-a", "1.2.3.4:10911");
  broker.topics = {{"Unit", 4, 4, 6, 1}, {"Sub", 4, 4, 6, 2}};
  routes.add(broker);
  auto other = Routes::broker("b-x", "1.2.3.9:10911");
  other.cluster = "X";
  other.topics = {};
  routes.add(other);

  CHECK(routes.table.topics_by_flag([](int32_t flag) { return (flag & 1) != 0; }) == R"({"topicList":["Unit"]})");
  CHECK(routes.table.topics_of_cluster("X") == R"({"topicList":[]})");
  CHECK(routes.table.topics_of_cluster("unknown") == R"({"topicList":[]})");
  CHECK_THAT(routes.table.topics_of_cluster("C"), Contains("\"Unit\"") && Contains("\"Sub\""));
  CHECK_THAT(routes.table.all_topics(), Contains("\"Unit\"") && Contains("\"Sub\""));
  CHECK(routes.table.system_topics() == R"({"brokerAddr":"1.2.3.4:10911","topicList":["C","X","b-a","b-x"]})");
}

TEST_CASE("cluster information is RocketMQ's with quoted ids", "[namesrv][golden]") {
  Routes routes;
  routes.add(Routes::broker("b-a", "1.2.3.4:10911"));

  CHECK(
      routes.table.cluster_info() ==
      R"({"brokerAddrTable":{"b-a":{"brokerAddrs":{"0":"1.2.3.4:10911"},"brokerName":"b-a","cluster":"C","enableActingMaster":false}},"clusterAddrTable":{"C":["b-a"]}})");
  CHECK(routes.table.member_group("C", "none") ==
        R"({"brokerMemberGroup":{"brokerAddrs":{},"brokerName":"none","cluster":"C"}})");
}

TEST_CASE("a data version is known while its broker lives", "[namesrv]") {
  Routes routes;
  routes.add(Routes::broker("b-a", "1.2.3.4:10911"));

  REQUIRE(routes.table.data_version("C", "1.2.3.4:10911") != nullptr);
  CHECK(*routes.table.data_version("C", "1.2.3.4:10911") == DataVersion{1, 0, 7});
  routes.table.unregister("C", "b-a", "1.2.3.4:10911");
  CHECK(routes.table.data_version("C", "1.2.3.4:10911") == nullptr);
}

TEST_CASE("the standard dialect escapes what is not ASCII and the slash, the legacy one does not", "[namesrv]") {
  Routes routes;
  auto broker = Routes::broker("бр/я-\U0001F680\"", "[::1]:10911");
  routes.add(broker);

  CHECK_THAT(routes.route("T"), Contains(R"("brokerName":"\u0431\u0440\/\u044F-\uD83D\uDE80\"")"));
  CHECK_THAT(routes.route("T", Dialect::kLegacy), Contains("\"brokerName\":\"бр/я-\U0001F680\\\"\""));
}

}  // namespace comet::namesrv
