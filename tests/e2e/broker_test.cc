#include <chrono>

#include "tests/support/cluster.h"
#include "tests/support/request_fields.h"

namespace comet::test {
namespace {

using Catch::Matchers::Contains;

constexpr int32_t kUpdateTopic = 17, kHeartbeat = 34, kCommitOffset = 15, kQueryOffset = 14, kConsumerList = 38,
                  kPull = 11, kLitePull = 361, kRoute = 105, kSend = 10, kMaxOffset = 30, kUpdateConfig = 25,
                  kNotifyIdsChanged = 40, kUpdateGroup = 200;

/// Routes as the name server answers them; empty if it knows none.
std::string route(Cluster& cluster, const std::string& topic) {
  RawClient client(cluster.name_server.port());
  const auto answer = client.call(kRoute, {{"topic", topic}, {"acceptStandardJsonOnly", "true"}});
  return answer.code == 0 ? answer.body : "";
}

std::string heartbeat_of(const std::string& client, const std::string& group) {
  return R"({"clientID":")" + client + R"(","consumerDataSet":[{"groupName":")" + group +
         R"(","consumeType":"CONSUME_PASSIVELY","messageModel":"CLUSTERING","consumeFromWhere":"CONSUME_FROM_LAST_OFFSET",)"
         R"("subscriptionDataSet":[{"topic":"T","subString":"*","subVersion":1}]}],"producerDataSet":[]})";
}

}  // namespace

TEST_CASE("a broker is routable as soon as it says that it has started", "[e2e][broker]") {
  Cluster cluster;
  CHECK_THAT(route(cluster, "TBW102"), Contains("\"" + cluster.broker.address() + "\""));
  CHECK_THAT(cluster.broker.output(),
             Contains("boot success. serializeType=JSON and name server is " + cluster.name_server.address()));
  CHECK(cluster.broker.read("store/abort") != "absent");
}

TEST_CASE("SIGTERM and SIGINT end a broker cleanly within two seconds, and it leaves the name server",
          "[e2e][broker]") {
  const int signal = GENERATE(SIGTERM, SIGINT);
  Cluster cluster;
  CHECK(cluster.broker.stop(signal) == 0);
  CHECK(cluster.broker.read("store/abort") == "absent");
  CHECK(eventually([&] { return route(cluster, "TBW102").empty(); }, std::chrono::seconds(2)));
}

TEST_CASE("new topics are in the routes at once, and topics, groups and offsets survive a restart", "[e2e][broker]") {
  Cluster cluster;
  {
    RawClient client(cluster.broker.port());
    REQUIRE(client.call(kUpdateTopic, topic_fields("T")).code == 0);
    CHECK(eventually([&] { return !route(cluster, "T").empty(); }, std::chrono::seconds(2)));
    REQUIRE(client.call(kSend, send_fields("Auto"), "hello").code == 0);
    CHECK(eventually([&] { return !route(cluster, "Auto").empty(); }, std::chrono::seconds(2)));
    RawClient consumer(cluster.broker.port());
    consumer.send(kHeartbeat, {}, heartbeat_of("c1", "g"), 479, 0);  // its own notice may come before the answer
    REQUIRE(eventually([&] { return client.call(kConsumerList, {{"consumerGroup", "g"}}).code == 0; }));
    REQUIRE(
        client.call(kCommitOffset, {{"consumerGroup", "g"}, {"topic", "T"}, {"queueId", "2"}, {"commitOffset", "41"}})
            .code == 0);
  }
  REQUIRE(cluster.broker.stop() == 0);
  cluster.start_broker();
  REQUIRE(cluster.broker.running());
  RawClient client(cluster.broker.port());
  const auto offset = client.call(kQueryOffset, {{"consumerGroup", "g"}, {"topic", "T"}, {"queueId", "2"}});
  REQUIRE(offset.code == 0);
  CHECK(offset.ext->at("offset") == "41");
  CHECK_FALSE(route(cluster, "T").empty());
  CHECK_FALSE(route(cluster, "Auto").empty());
  CHECK(client.call(kMaxOffset, {{"topic", "Auto"}, {"queueId", "0"}}).ext->at("offset") == "1");
  CHECK_THAT(cluster.broker.read("store/config/subscriptionGroup.json"), Contains("\"g\":{"));
}

TEST_CASE("a kill loses no offset that was committed longer than flushConsumerOffsetInterval ago", "[e2e][broker]") {
  Cluster cluster("flushConsumerOffsetInterval=200\n");
  const RawClient::Ext place = {{"consumerGroup", "g"}, {"topic", "T"}, {"queueId", "1"}};
  {
    RawClient client(cluster.broker.port());
    REQUIRE(client.call(kUpdateTopic, topic_fields("T")).code == 0);
    REQUIRE(client.call(kUpdateGroup, {}, R"({"groupName":"g"})").code == 0);
    auto commit = place;
    commit["commitOffset"] = "7";
    REQUIRE(client.call(kCommitOffset, commit).code == 0);
    REQUIRE(eventually(
        [&] {
          return cluster.broker.read("store/config/consumerOffset.json").find("\"T@g\":{1:7") != std::string::npos;
        },
        std::chrono::seconds(2)));
  }
  cluster.broker.process().signal(SIGKILL);
  REQUIRE(cluster.broker.process().wait());
  cluster.start_broker();
  REQUIRE(cluster.broker.running());
  RawClient client(cluster.broker.port());
  const auto found = client.call(kQueryOffset, place);
  CHECK(found.code == 0);
  CHECK(found.ext->at("offset") == "7");
}

TEST_CASE("a kill forgets no group that a heartbeat made, nor a topic that a message made", "[e2e][broker]") {
  constexpr int32_t kAllGroups = 201, kAllTopics = 21;
  constexpr int kMade = 50;
  Cluster cluster;
  const auto kept = [&](const char* file, const std::string& name) {
    return cluster.broker.read(std::string("store/config/") + file).find('"' + name + "\":{") != std::string::npos;
  };
  {
    RawClient consumer(cluster.broker.port()), producer(cluster.broker.port());
    for (int n = 0; n < kMade; ++n) {
      consumer.send(kHeartbeat, {}, heartbeat_of("c1", "group-" + std::to_string(n)), 479, 0);
      REQUIRE(producer.call(kSend, send_fields("topic-" + std::to_string(n)), "hello").code == 0);
    }
    const std::string last = std::to_string(kMade - 1);
    REQUIRE(eventually([&] { return kept("subscriptionGroup.json", "group-" + last); }, std::chrono::seconds(2)));
    REQUIRE(eventually([&] { return kept("topics.json", "topic-" + last); }, std::chrono::seconds(2)));
  }
  cluster.broker.process().signal(SIGKILL);
  REQUIRE(cluster.broker.process().wait());
  cluster.start_broker();
  REQUIRE(cluster.broker.running());
  RawClient asker(cluster.broker.port());
  const std::string groups = asker.call(kAllGroups).body, topics = asker.call(kAllTopics).body;
  for (int n = 0; n < kMade; ++n) {
    CHECK_THAT(groups, Contains("\"groupName\":\"group-" + std::to_string(n) + '"'));
    CHECK_THAT(topics, Contains("\"topicName\":\"topic-" + std::to_string(n) + '"'));
  }
}

TEST_CASE("a group's consumers are told when one joins and when one's connection closes", "[e2e][broker]") {
  Cluster cluster;
  RawClient first(cluster.broker.port());
  first.send(kHeartbeat, {}, heartbeat_of("c1", "g"), 479, 0);
  REQUIRE(eventually([&] {  // another loop serves the second one, and members are listed in order of registration
    return RawClient(cluster.broker.port()).call(kConsumerList, {{"consumerGroup", "g"}}).body ==
           R"({"consumerIdList":["c1"]})";
  }));
  {
    RawClient second(cluster.broker.port());
    second.send(kHeartbeat, {}, heartbeat_of("c2", "g"), 479, 0);
    RawClient asker(cluster.broker.port());
    REQUIRE(eventually([&] {
      return asker.call(kConsumerList, {{"consumerGroup", "g"}}).body == R"({"consumerIdList":["c1","c2"]})";
    }));
  }
  RawClient asker(cluster.broker.port());
  CHECK(eventually([&] {
    return asker.call(kConsumerList, {{"consumerGroup", "g"}}).body == R"({"consumerIdList":["c1"]})";
  }));
  int notices = 0;
  for (int n = 0; n < 4 && notices < 2; ++n) notices += first.receive().code == kNotifyIdsChanged ? 1 : 0;
  CHECK(notices == 2);
}

TEST_CASE("the fast port serves everything but pulls", "[e2e][broker]") {
  Cluster cluster;
  RawClient client(cluster.broker.port() - 2);
  CHECK(client.call(kSend, send_fields("T"), "x").code == 0);
  for (const int32_t code : {kPull, kLitePull}) {
    const auto answer = client.call(code);
    CHECK(answer.code == 3);
    CHECK_THAT(answer.remark, Contains("request type " + std::to_string(code) + " not supported"));
  }
}

TEST_CASE("a second process on the same store is refused with one sentence", "[e2e][broker]") {
  Cluster cluster;
  Daemon second("mqbroker", cluster.dir() / "second", Cluster::broker_file(cluster.broker.folder(), ""),
                "The broker[broker-a, 127.0.0.1:");
  second.start();
  CHECK(second.process().wait() == 1);
  CHECK_THAT(second.output(), Contains("is in use") && Contains(std::to_string(cluster.broker.process().pid())));
  CHECK(cluster.broker.running());
}

TEST_CASE("what is wrong at the start is one sentence and exit code 1", "[e2e][broker]") {
  TempDir dir;
  struct Wrong {
    std::string settings, expected;
  };
  const auto wrong = GENERATE(values<Wrong>({{"listenPort=10x\n", "listenPort=10x: must be a whole number"},
                                             {"aclEnable=true\n", "aclEnable=true: access control isn't built yet"},
                                             {"brokerRole=SLAVE\nbrokerId=0\n", "a slave's brokerId must be > 0"},
                                             {"namesrvAddr=nowhere\n", "'nowhere' must be host:port"},
                                             {"storePathRootDir=/proc/nothing\n", "/proc/nothing"}}));
  Daemon broker("mqbroker", dir / "broker",
                "listenPort=0\nbrokerIP1=127.0.0.1\nstorePathRootDir=" + dir.path() + "/s\n" + wrong.settings,
                "boot success");
  broker.start();
  CHECK(broker.process().wait() == 1);
  CHECK_THAT(broker.output(), Contains(wrong.expected));
  CHECK_THAT(broker.output(), Contains("mqbroker: "));
}

TEST_CASE("a taken port names itself, and a start that failed leaves a clean store", "[e2e][broker]") {
  Cluster cluster;
  Daemon second(
      "mqbroker", cluster.dir() / "second",
      Cluster::broker_file(cluster.dir() / "second", "listenPort=" + std::to_string(cluster.broker.port()) + "\n"),
      "boot success");
  second.start();
  CHECK(second.process().wait() == 1);
  CHECK_THAT(second.output(), Contains(std::to_string(cluster.broker.port())));
  CHECK(second.read("store/abort") == "absent");
}

TEST_CASE("a broker without write permission is shown so in the routes, and back", "[e2e][broker]") {
  Cluster cluster;
  RawClient client(cluster.broker.port());
  REQUIRE(client.call(kUpdateTopic, topic_fields("T")).code == 0);
  REQUIRE(client.call(kUpdateConfig, {}, "brokerPermission=4\n").code == 0);
  CHECK(
      eventually([&] { return route(cluster, "T").find("\"perm\":4") != std::string::npos; }, std::chrono::seconds(2)));
  REQUIRE(client.call(kUpdateConfig, {}, "brokerPermission=6\n").code == 0);
  CHECK(
      eventually([&] { return route(cluster, "T").find("\"perm\":6") != std::string::npos; }, std::chrono::seconds(2)));
  CHECK_THAT(cluster.broker.read("daemon.conf"), Contains("brokerPermission=6"));
}

TEST_CASE("settings are printed and requests listed without a start", "[e2e][broker]") {
  TempDir dir;
  const auto print = [&](const std::string& flag) {
    Process process({built_program("mqbroker"), flag}, dir / "output", {"HOME=" + dir.path()});
    CHECK(process.wait() == 0);
    return process.output();
  };
  CHECK_THAT(print("-p"), Contains("\nlistenPort=10911\n") && Contains("\nflushDiskType=ASYNC_FLUSH\n"));
  CHECK_THAT(print("-m"), Contains("brokerRole=ASYNC_MASTER\n"));
  CHECK_THAT(print("--list-requests"), Contains("HEART_BEAT") && Contains("PULL_MESSAGE"));
  CHECK_THAT(print("-h"), Contains("--configFile"));
}

}  // namespace comet::test
