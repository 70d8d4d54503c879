#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <memory>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

/// mqadmin as a process against a name server as a process.
namespace comet::test {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

struct Ran {
  int status = -1;
  std::string output;  ///< stdout and stderr
  std::chrono::milliseconds took{};
};

struct Fixture {
  TempDir dir;
  std::unique_ptr<Process> name_server;
  std::string address;

  Fixture() {
    const std::string config = dir / "namesrv.conf";
    std::ofstream(config) << "listenPort=0\nbindAddress=127.0.0.1\n";
    name_server = std::make_unique<Process>(std::vector<std::string>{built_program("mqnamesrv"), "-c", config},
                                            dir / "namesrv.out", std::vector<std::string>{"HOME=" + dir.path()});
    const std::string marker = "serializeType=JSON, address 127.0.0.1:";
    REQUIRE(
        eventually([&] { return name_server->output().find(marker) != std::string::npos || name_server->ended(); }));
    const std::string output = name_server->output();
    INFO(output);
    REQUIRE(output.find(marker) != std::string::npos);
    address = "127.0.0.1:" + std::to_string(std::stoi(output.substr(output.find(marker) + marker.size())));
  }
  Ran mqadmin(std::vector<std::string> words, const std::string& servers = {}) {
    words.insert(words.begin(), built_program("mqadmin"));
    const auto begin = std::chrono::steady_clock::now();
    Process process(words, dir / "mqadmin.out", {"NAMESRV_ADDR=" + (servers.empty() ? address : servers)});
    const auto status = process.wait();
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    return {status.value_or(-1), process.output(), took};
  }
};

}  // namespace

TEST_CASE("mqadmin puts, reads and deletes settings of a running name server", "[e2e][tools]") {
  Fixture f;
  CHECK(f.mqadmin({"updateKvConfig", "-s", "ORDER_TOPIC_CONFIG", "-k", "t1", "-v", "broker-a:4"}).output ==
        "create or update kv config to namespace success.\n");
  CHECK(f.mqadmin({"updateOrderConf", "-t", "t1", "-m", "get"}).output ==
        "get orderConf success. topic=[t1], orderConf=[broker-a:4] \n");
  CHECK(f.mqadmin({"deleteKvConfig", "-s", "ORDER_TOPIC_CONFIG", "-k", "t1"}).status == 0);
  const Ran gone = f.mqadmin({"updateOrderConf", "-t", "t1", "-m", "get"});
  CHECK(gone.status == 1);
  CHECK(gone.output == "mqadmin updateOrderConf: topic t1 has no order configuration\n");

  const Ran config = f.mqadmin({"getNamesrvConfig"});
  CHECK(config.status == 0);
  CHECK_THAT(config.output, StartsWith("============" + f.address + "============\n"));
  CHECK_THAT(config.output, Contains("listenPort "));
}

TEST_CASE("mqadmin asks an empty cluster and says what is missing", "[e2e][tools]") {
  Fixture f;
  CHECK(f.mqadmin({"topicList"}).output.empty());
  CHECK_THAT(f.mqadmin({"clusterList"}).output, StartsWith("#Cluster Name "));
  CHECK(f.mqadmin({"wipeWritePerm", "-b", "nobody"}).output ==
        "wipe write perm of broker[nobody] in name server[" + f.address + "] OK, 0\n");
  const Ran route = f.mqadmin({"topicRoute", "-t", "t1"});
  CHECK(route.status == 1);
  CHECK(route.output ==
        "mqadmin topicRoute: topic t1 has no route; create it with mqadmin updateTopic, or see mqadmin topicList\n");
  const Ran create = f.mqadmin({"updateTopic", "-c", "DefaultCluster", "-t", "t1"});
  CHECK(create.status == 1);
  CHECK(create.output == "mqadmin updateTopic: no cluster DefaultCluster: no broker has registered\n");
}

TEST_CASE("mqadmin goes on with the second name server, and fails at once when none answers", "[e2e][tools]") {
  Fixture f;
  CHECK(f.mqadmin({"topicList"}, "127.0.0.1:1;" + f.address).status == 0);
  const Ran none = f.mqadmin({"topicList"}, "127.0.0.1:1");
  CHECK(none.status == 1);
  CHECK_THAT(none.output, Contains("127.0.0.1:1"));
  CHECK_THAT(none.output, Contains("connection refused; start one with bin/mqnamesrv or pass -n\n"));
  CHECK(none.took < std::chrono::seconds(2));
}

TEST_CASE("mqadmin ends as soon as it has its answer", "[e2e][tools]") {
  Fixture f;
  auto fastest = std::chrono::milliseconds::max();
  for (int round = 0; round < 10; ++round) fastest = std::min(fastest, f.mqadmin({"topicList"}).took);
  CHECK(fastest < std::chrono::milliseconds(50));
}

}  // namespace comet::test
