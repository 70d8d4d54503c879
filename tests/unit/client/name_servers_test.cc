#include "client/name_servers.h"

#include <catch2/catch.hpp>

#include "client/admin.h"
#include "client/routes.h"
#include "tests/support/canned_transport.h"

using namespace comet;
using remoting::RequestCode;
using remoting::ResponseCode;
using test::CannedTransport;

namespace {

const char* const kRoute =
    R"({"brokerDatas":[{"brokerAddrs":{0:"127.0.0.1:10911",1:"127.0.0.1:10921"},"brokerName":"broker-a","cluster":"C"}],)"
    R"("filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":2}]})";

}  // namespace

TEST_CASE("a list of name servers may be separated by semicolons, commas and blanks", "[client]") {
  CannedTransport transport;
  CHECK(client::NameServers(transport, "a:1;b:2, c:3").addresses() == std::vector<std::string>{"a:1", "b:2", "c:3"});
  CHECK(client::NameServers(transport, "").addresses() == std::vector<std::string>{"127.0.0.1:9876"});
}

TEST_CASE("the next name server is asked when one can't be reached, and stays the first to ask", "[client]") {
  CannedTransport transport;
  transport.on("b:2", RequestCode::kGetRouteinfoByTopic, kRoute);
  client::NameServers servers(transport, "a:1;b:2");

  REQUIRE(client::ask_route(servers, "t1"));
  REQUIRE(client::ask_route(servers, "t1"));

  std::vector<std::string> addresses;
  for (const auto& one : transport.asked) addresses.push_back(one.address);
  CHECK(addresses == std::vector<std::string>{"a:1", "b:2", "b:2"});
}

TEST_CASE("when no name server answers the error names the address and what to do", "[client]") {
  CannedTransport transport;
  client::NameServers servers(transport, "127.0.0.1:9876");

  const auto route = client::ask_route(servers, "t1");

  REQUIRE_FALSE(route);
  CHECK(route.error().code == Errc::kIo);
  CHECK(route.error().what == "connect 127.0.0.1:9876: connection refused; start one with bin/mqnamesrv or pass -n");
}

TEST_CASE("a route is kept for thirty seconds and survives a name server that is gone", "[client]") {
  CannedTransport transport;
  ManualClock clock;
  transport.on("a:1", RequestCode::kGetRouteinfoByTopic, kRoute);
  client::NameServers servers(transport, "a:1");
  client::Routes routes(servers, clock);

  REQUIRE(routes.of("t1"));
  clock.advance_ms(29'999);
  REQUIRE(routes.of("t1"));
  CHECK(transport.asked.size() == 1);

  clock.advance_ms(2);
  transport.on("a:1", RequestCode::kGetRouteinfoByTopic, [](const auto&) -> Result<remoting::Response> {
    return fail(Errc::kIo, "connect a:1: connection refused");
  });
  CHECK(routes.of("t1"));
  CHECK(transport.asked.size() == 2);
}

TEST_CASE("a topic without a route is not found, and its old route is forgotten", "[client]") {
  CannedTransport transport;
  ManualClock clock;
  transport.on("a:1", RequestCode::kGetRouteinfoByTopic, kRoute);
  client::NameServers servers(transport, "a:1");
  client::Routes routes(servers, clock);
  REQUIRE(routes.of("t1"));

  transport.on("a:1", RequestCode::kGetRouteinfoByTopic,
               test::refusal(ResponseCode::kTopicNotExist, "No topic route info"));
  routes.forget("t1");

  const auto gone = routes.of("t1");
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == Errc::kNotFound);
  CHECK(gone.error().what.find("t1") != std::string::npos);
}

TEST_CASE("orders go to every name server", "[client]") {
  CannedTransport transport;
  for (const char* server : {"a:1", "b:2"}) transport.on(server, RequestCode::kPutKvConfig, "");
  client::NameServers servers(transport, "a:1;b:2");
  client::Admin admin(transport, servers);

  REQUIRE(admin.put_kv("N", "k", "v"));

  CHECK(transport.of(RequestCode::kPutKvConfig).size() == 2);
}

TEST_CASE("queues are listed by permission, broker and number", "[client]") {
  const auto route = client::read_route(kRoute);
  REQUIRE(route);
  CHECK(route->writable("t1") == std::vector<client::Queue>{{"t1", "broker-a", 0}, {"t1", "broker-a", 1}});
  CHECK(route->readable("t1").size() == 4);
  CHECK(route->brokers[0].address() == "127.0.0.1:10911");
}

TEST_CASE("a broker without a master takes no messages but can be read", "[client]") {
  const auto route = client::read_route(
      R"({"brokerDatas":[{"brokerAddrs":{"1":"b:2"},"brokerName":"broker-a","cluster":"C"}],"filterServerTable":{},)"
      R"("queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":1,"writeQueueNums":1}]})");
  REQUIRE(route);
  CHECK(route->writable("t1").empty());
  CHECK(route->readable("t1").size() == 1);
  CHECK(route->brokers[0].address() == "b:2");
}
