#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <memory>

#include "tests/support/free_port.h"
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

/// The name server with a broker.
struct BrokerFixture : Fixture {
  std::unique_ptr<Process> broker;
  std::string broker_address;

  BrokerFixture() {
    const int32_t port = free_broker_port();
    broker_address = "127.0.0.1:" + std::to_string(port);
    const std::string config = dir / "broker.conf";
    std::ofstream(config)
        << "brokerClusterName=DefaultCluster\nbrokerName=broker-a\nbrokerId=0\nbrokerIP1=127.0.0.1\nnamesrvAddr="
        << address << "\nlistenPort=" << port << "\nhaListenPort=" << port + 1
        << "\nstorePathRootDir=" << (dir / "store") << "\nstorePathCommitLog=" << (dir / "store/commitlog")
        << "\nmapedFileSizeCommitLog=16777216\n";
    broker =
        std::make_unique<Process>(std::vector<std::string>{built_program("mqbroker"), "-c", config}, dir / "broker.out",
                                  std::vector<std::string>{"HOME=" + dir.path(), "ROCKETMQ_HOME=" + dir.path()});
    const bool listed = eventually(
        [&] { return mqadmin({"clusterList"}).output.find(broker_address) != std::string::npos || broker->ended(); });
    INFO(broker->output());
    REQUIRE(listed);
    REQUIRE_FALSE(broker->ended());
  }
};

}  // namespace

TEST_CASE("mqadmin creates a topic, sends to it and finds the message in every way", "[e2e][tools]") {
  BrokerFixture f;
  const Ran created = f.mqadmin({"updateTopic", "-c", "DefaultCluster", "-t", "t1", "-r", "4", "-w", "4"});
  CHECK(created.output == "create topic to " + f.broker_address +
                              " success.\nTopicConfig [topicName=t1, readQueueNums=4, writeQueueNums=4, perm=RW-, "
                              "topicFilterType=SINGLE_TAG, "
                              "topicSysFlag=0, order=false, attributes={}]\n");
  REQUIRE(eventually([&] { return f.mqadmin({"topicRoute", "-t", "t1"}).status == 0; }));

  const Ran sent =
      f.mqadmin({"sendMessage", "-t", "t1", "-p", "hello", "-k", "key1", "-c", "TagA", "-b", "broker-a", "-i", "2"});
  REQUIRE(sent.status == 0);
  CHECK_THAT(sent.output, Contains("broker-a                          2     SEND_OK                 "));
  const std::string id = sent.output.substr(sent.output.size() - 33, 32);

  CHECK_THAT(f.mqadmin({"topicStatus", "-t", "t1"}).output,
             Contains("broker-a                          2     0                     1    "));
  CHECK_THAT(f.mqadmin({"consumeMessage", "-t", "t1"}).output,
             Contains("MSGID: " + id + " MessageExt [brokerName=broker-a, queueId=2, "));
  REQUIRE(eventually([&] { return f.mqadmin({"queryMsgByKey", "-t", "t1", "-k", "key1"}).status == 0; }));
  CHECK_THAT(f.mqadmin({"queryMsgByKey", "-t", "t1", "-k", "key1"}).output, Contains(id));
  const Ran found = f.mqadmin({"queryMsgByUniqueKey", "-t", "t1", "-i", id, "--json"});
  CHECK(found.status == 0);
  CHECK_THAT(found.output, Contains("\"body\":\"hello\""));
  const size_t at = found.output.find("\"offsetMsgId\":\"") + 15;
  const Ran by_id = f.mqadmin({"queryMsgById", "-t", "t1", "-i", found.output.substr(at, 32)});
  CHECK(by_id.status == 0);
  CHECK_THAT(by_id.output,
             Contains("Tags:                [TagA]\nKeys:                [key1]\nQueue ID:            2\n"));
  CHECK_THAT(f.mqadmin({"brokerStatus", "-b", f.broker_address}).output,
             Contains("brokerVersionDesc               : V5_3_3\n"));
  CHECK(f.mqadmin({"consumerProgress"}).status == 0);
  CHECK(f.mqadmin({"updateSubGroup", "-c", "DefaultCluster", "-g", "g1"}).status == 0);
  CHECK_THAT(f.mqadmin({"getConsumerConfig", "-g", "g1"}).output,
             Contains("groupName                               =  g1\n"));

  CHECK(f.mqadmin({"deleteTopic", "-c", "DefaultCluster", "-t", "t1"}).output ==
        "delete topic [t1] from cluster [DefaultCluster] success.\ndelete topic [t1] from NameServer success.\n");
  CHECK(f.mqadmin({"topicRoute", "-t", "t1"}).status == 1);
}

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

TEST_CASE("each command on topics, groups and messages costs less than 50 ms", "[e2e][tools]") {
  BrokerFixture f;
  REQUIRE(f.mqadmin({"updateTopic", "-c", "DefaultCluster", "-t", "t1", "-r", "4", "-w", "4"}).status == 0);
  REQUIRE(eventually([&] { return f.mqadmin({"topicRoute", "-t", "t1"}).status == 0; }));
  const Ran sent = f.mqadmin({"sendMessage", "-t", "t1", "-p", "hello", "-k", "key1"});
  REQUIRE(sent.status == 0);
  const std::string id = sent.output.substr(sent.output.size() - 33, 32);
  REQUIRE(eventually([&] { return f.mqadmin({"queryMsgByKey", "-t", "t1", "-k", "key1"}).status == 0; }));
  const std::string found = f.mqadmin({"queryMsgByUniqueKey", "-t", "t1", "-i", id, "--json"}).output;
  const std::string offset_id = found.substr(found.find("\"offsetMsgId\":\"") + 15, 32);
  const std::vector<std::vector<std::string>> commands = {
      {"updateTopic", "-c", "DefaultCluster", "-t", "t2"},
      {"deleteTopic", "-c", "DefaultCluster", "-t", "t2"},
      {"topicList"},
      {"topicRoute", "-t", "t1"},
      {"topicStatus", "-t", "t1"},
      {"clusterList"},
      {"brokerStatus", "-b", f.broker_address},
      {"queryMsgById", "-t", "t1", "-i", offset_id},
      {"queryMsgByKey", "-t", "t1", "-k", "key1"},
      {"queryMsgByUniqueKey", "-t", "t1", "-i", id},
      {"consumerProgress"},
      {"sendMessage", "-t", "t1", "-p", "hello"},
      {"consumeMessage", "-t", "t1"},
  };
  REQUIRE(commands.size() == 13);
  for (const auto& command : commands) {
    Ran best = f.mqadmin(command);
    for (int round = 0; round < 10 && best.took >= std::chrono::milliseconds(50); ++round) {
      const Ran again = f.mqadmin(command);  // the machine may have been busy
      if (again.took < best.took) best = again;
    }
    CAPTURE(command.front(), best.output, best.took.count());
    CHECK(best.status == 0);
    CHECK(best.took < std::chrono::milliseconds(50));
  }
}

}  // namespace comet::test
