#include "client/answers.h"

#include <catch2/catch.hpp>

#include "client/admin.h"
#include "tests/support/canned_transport.h"

using namespace comet;
using remoting::RequestCode;
using remoting::ResponseCode;

TEST_CASE("figures keyed by queue objects are read and summed", "[client]") {
  const auto stats = client::read_consume_stats(
      R"({"consumeTps":0.5,"offsetTable":{{"brokerName":"broker-a","queueId":1,"topic":"t1"}:{"brokerOffset":20,"consumerOffset":14,)"
      R"("lastTimestamp":1795209452000,"pullOffset":17},{"brokerName":"broker-a","queueId":0,"topic":"t1"}:)"
      R"({"brokerOffset":5,"consumerOffset":5,"lastTimestamp":0}}})");
  REQUIRE(stats);
  CHECK(stats->tps == 0.5);
  CHECK(stats->lag() == 6);
  CHECK(stats->inflight() == 3);
  CHECK(stats->offsets.begin()->first == client::Queue{"t1", "broker-a", 0});
}

TEST_CASE("a cluster that isn't there is named with those that are", "[client]") {
  const auto info = client::read_cluster_info(
      R"({"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"a:1"},"brokerName":"broker-a","cluster":"C1"}},"clusterAddrTable":{"C1":["broker-a"]}})");
  REQUIRE(info);
  CHECK(info->of("C1").value().front().master() == "a:1");
  const auto missing = info->of("C2");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == Errc::kNotFound);
  CHECK(missing.error().what == "no cluster C2; the name server knows C1");
}

TEST_CASE("a day's count falls back to the hour's and the minute's", "[client]") {
  client::StatsData stats;
  stats.minute.sum = 1;
  CHECK(stats.day_sum() == 1);
  stats.hour.sum = 2;
  CHECK(stats.day_sum() == 2);
  stats.day.sum = 3;
  CHECK(stats.day_sum() == 3);
}

TEST_CASE("attributes keep their signs, and a bad one is named", "[client]") {
  const auto good = client::parse_attributes("+message.type=FIFO,-reserve.time");
  REQUIRE(good);
  CHECK(good.value() == std::map<std::string, std::string>{{"+message.type", "FIFO"}, {"-reserve.time", ""}});
  for (const char* bad : {"message.type=FIFO", "+a", "-a=b", "+a=b,"}) {
    CAPTURE(bad);
    CHECK(client::parse_attributes(bad).has_value() == (std::string(bad) == "+a=b,"));
  }
}

TEST_CASE("a refusal names address, request, code and the remark's first line", "[client]") {
  test::CannedTransport transport;
  client::NameServers servers(transport, "ns:1");
  client::Admin admin(transport, servers);
  transport.on("a:1", RequestCode::kDeleteTopicInBroker,
               test::refusal(ResponseCode::kInvalidParameter, "system topic\nsee FAQ"));

  const auto refused = admin.delete_topic("a:1", "TBW102");

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kRefused);
  CHECK(refused.error().what == "a:1 answered DELETE_TOPIC_IN_BROKER with 29 INVALID_PARAMETER: system topic");
}

TEST_CASE("what is absent is told from what is refused", "[client]") {
  test::CannedTransport transport;
  client::NameServers servers(transport, "ns:1");
  client::Admin admin(transport, servers);
  transport.on("a:1", RequestCode::kGetConsumerConnectionList,
               test::refusal(ResponseCode::kConsumerNotOnline, "not online"));
  transport.on("ns:1", RequestCode::kGetKvConfig, test::refusal(ResponseCode::kQueryNotFound, "No config item"));

  CHECK(admin.consumers("a:1", "g1").error().code == Errc::kNotFound);
  const auto value = admin.kv("N", "k");
  REQUIRE(value);
  CHECK_FALSE(value->has_value());
}

TEST_CASE("messages that match a key by hash alone are sorted out", "[client]") {
  test::CannedTransport transport;
  client::NameServers servers(transport, "ns:1");
  client::Admin admin(transport, servers);
  transport.on("a:1", RequestCode::kQueryMessage, test::refusal(ResponseCode::kQueryNotFound, "can not find message"));
  const auto none = admin.query("a:1", {.topic = "t1", .key = "k"});
  REQUIRE(none);
  CHECK(none->empty());
}
