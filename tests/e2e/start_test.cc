#include "tests/support/cluster.h"
#include "tests/support/request_fields.h"

namespace comet::test {
namespace {

using Catch::Matchers::Contains;

/// A broker of its own with settings besides the least.
struct Started {
  explicit Started(const std::string& settings = {})
      : broker("mqbroker", dir / "broker", Cluster::broker_file(dir / "broker", settings),
               "The broker[broker-a, 127.0.0.1:") {}

  TempDir dir;
  Daemon broker;
};

std::string printed(const TempDir& dir, const std::vector<std::string>& variables) {
  Process process({built_program("mqbroker"), "-p"}, dir / "printed", variables);
  CHECK(process.wait() == 0);
  return process.output();
}

}  // namespace

TEST_CASE("a broker that registers loopback at a name server elsewhere warns", "[e2e][broker]") {
  const bool elsewhere = GENERATE(false, true);
  Started start(elsewhere ? "namesrvAddr=0.0.0.0:1\n" : "namesrvAddr=127.0.0.1:1\n");
  start.broker.start();
  REQUIRE(start.broker.running());
  REQUIRE(eventually([&] { return start.broker.output().find("serializeType=JSON") != std::string::npos; }));
  REQUIRE(start.broker.stop() == 0);
  const std::string warning = "warning: clients on other machines will be sent to " + start.broker.address() +
                              ", which is this machine only; set brokerIP1";
  CHECK((start.broker.output().find(warning) != std::string::npos) == elsewhere);
}

TEST_CASE("a broker that may not open many files serves, and says what it needs", "[e2e][broker]") {
  Started start;
  const std::string output = start.dir / "limited";
  Process limited({"/bin/sh", "-c", "ulimit -n 256 && exec \"$0\" -c \"$1\"", built_program("mqbroker"),
                   start.broker.config_file()},
                  output, {"HOME=" + start.dir.path()});
  REQUIRE(eventually([&] { return limited.output().find("this process may open") != std::string::npos; }));
  CHECK_THAT(limited.output(), Contains("boot success") &&
                                   Contains("warning: this process may open 256 files and sockets and wants ") &&
                                   Contains("raise LimitNOFILE of its unit, or `ulimit -n "));
  limited.signal(SIGTERM);
  CHECK(limited.wait() == 0);
}

TEST_CASE("a broker without -n and namesrvAddr registers where NAMESRV_ADDR says", "[e2e][broker]") {
  Started start;
  Daemon names("mqnamesrv", start.dir / "namesrv", "listenPort=0\nbindAddress=127.0.0.1\n", "address 127.0.0.1:");
  names.start();
  REQUIRE(names.running());
  start.broker.environment = {"NAMESRV_ADDR=" + names.address()};
  start.broker.start();
  REQUIRE(start.broker.running());
  CHECK_THAT(start.broker.output(), Contains(" and name server is " + names.address()));
  RawClient client(names.port());
  CHECK(eventually([&] { return client.call(106).body.find(start.broker.address()) != std::string::npos; }));
}

TEST_CASE("a broker's home is ROCKETMQ_HOME, else the folder above its program's", "[e2e][broker]") {
  TempDir dir;
  CHECK_THAT(printed(dir, {"ROCKETMQ_HOME=/opt/mq"}), Contains("rocketmqHome=/opt/mq\n"));
  CHECK_THAT(printed(dir, {"ROCKETMQ_HOME="}),
             Contains("rocketmqHome=" + parent_folder(parent_folder(built_program("mqbroker"))) + "\n"));
}

TEST_CASE(
    "properties of 32 KB arrive whole though JSON makes six bytes of each; a header beyond 256 KiB ends its sender",
    "[e2e][broker]") {
  Cluster cluster;
  RawClient client(cluster.broker.port()), other(cluster.broker.port());
  // 0x03 is written as six characters, as any control character but 0x01 and 0x02 may stand in a value.
  const std::string property = "p\1" + std::string(32'000, '\3') + "\2";
  const RawClient::Ext fields{{"a", "p"}, {"b", "big"}, {"c", "TBW102"}, {"d", "1"},     {"e", "0"},
                              {"f", "0"}, {"g", "1"},   {"h", "0"},      {"i", property}};
  REQUIRE(client.call(310, fields, "body").code == 0);
  const auto pulled = client.call(11, pull_fields("big", 0, 0));
  REQUIRE(pulled.code == 0);
  CHECK(pulled.body.find(property) != std::string::npos);

  RawClient::Ext too_much = fields;
  too_much["i"] = "p\1" + std::string(50'000, '\3') + "\2";
  client.send(310, too_much, "body", 479, 0);
  CHECK(client.receive().code == -1);
  CHECK(eventually([&] {
    const std::string log = cluster.broker.read("logs/rocketmqlogs/remoting.log");
    return log.find("header") != std::string::npos && log.find("connection closed") != std::string::npos;
  }));
  CHECK(other.call(310, fields, "body").code == 0);
}

}  // namespace comet::test
