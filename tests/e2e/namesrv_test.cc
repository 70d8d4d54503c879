#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <set>
#include <sstream>

#include "common/crc32.h"
#include "common/files.h"
#include "remoting/protocol/bodies/registration.h"
#include "tests/support/process.h"
#include "tests/support/raw_client.h"
#include "tests/support/temp_dir.h"

namespace comet::test {
namespace {

using Catch::Matchers::Contains;
using Ext = RawClient::Ext;

/// A name server of its own on a free port, with its home and files in a folder of its own.
class NameServer {
 public:
  explicit NameServer(const std::string& settings = {}) {
    write_config(settings);
    start();
  }
  void write_config(const std::string& settings) {
    REQUIRE(replace_file(*files_, config_file(), "# test\nlistenPort=0\nbindAddress=127.0.0.1\n" + settings));
  }
  void start() {
    process_ = std::make_unique<Process>(std::vector{built_program("mqnamesrv"), std::string("-c"), config_file()},
                                         dir_ / "output", std::vector{"HOME=" + dir_.path()});
    const std::string marker = "serializeType=JSON, address 127.0.0.1:";
    REQUIRE(eventually([&] { return process_->output().find(marker) != std::string::npos || process_->ended(); }));
    const std::string output = process_->output();
    INFO(output);
    const size_t at = output.find(marker);
    REQUIRE(at != std::string::npos);
    port_ = std::stoi(output.substr(at + marker.size()));
  }
  /// The exit status of an asked-for stop, within two seconds.
  std::optional<int> stop(int signal = SIGTERM) {
    process_->signal(signal);
    return process_->wait(std::chrono::seconds(2));
  }
  int32_t port() const { return port_; }
  Process& process() { return *process_; }
  std::string config_file() const { return dir_ / "namesrv.conf"; }
  std::string read(const std::string& path) { return read_file(*files_, path).value_or("absent"); }
  std::string kv_file() const { return dir_ / "namesrv/kvConfig.json"; }
  std::string log_file() const { return dir_ / "logs/rocketmqlogs/namesrv.log"; }

 private:
  TempDir dir_;
  std::unique_ptr<Files> files_ = make_real_files();
  std::unique_ptr<Process> process_;
  int32_t port_ = 0;
};

/// A broker as name servers see it.
struct FakeBroker {
  std::string name = "b-a";
  std::string address = "1.2.3.4:10911";
  int64_t id = 0;
  Ext more{{"enableActingMaster", "false"}};
  remoting::RegisterBrokerBody body = two_topics();

  static remoting::RegisterBrokerBody two_topics() {
    remoting::RegisterBrokerBody body;
    body.topics.data_version = {1, 0, 7};
    for (const char* topic : {"T", "TBW102"}) {
      remoting::TopicConfig config;
      config.name = topic;
      config.read_queue_nums = config.write_queue_nums = 4;
      body.topics.topics.emplace(topic, config);
    }
    return body;
  }
  Ext identity() const {
    return {{"brokerName", name}, {"brokerAddr", address}, {"clusterName", "C"}, {"brokerId", std::to_string(id)}};
  }
  RawClient::Answer join(RawClient& client, bool compressed = false) const {
    const std::string text = compressed ? remoting::to_compressed(body, 479) : remoting::to_json(body);
    Ext ext = identity();
    ext.insert(more.begin(), more.end());
    ext["haServerAddr"] = address + "1";
    ext["compressed"] = compressed ? "true" : "false";
    ext["bodyCrc32"] = std::to_string(crc32_masked(as_bytes(text)));
    return client.call(103, ext, text);
  }
};

constexpr int32_t kJoin = 103, kLeave = 104, kRoute = 105;

}  // namespace

TEST_CASE("a broker registers, is routed to in both dialects, and is gone when its connection closes", "[e2e]") {
  NameServer server;
  RawClient client(server.port());
  auto broker = std::make_unique<RawClient>(server.port());
  const bool compressed = GENERATE(false, true);

  const auto joined = FakeBroker().join(*broker, compressed);
  CHECK(joined.code == 0);
  CHECK(joined.ext == Ext{});
  CHECK(joined.body.empty());

  const std::string rest =
      R"("brokerName":"b-a","cluster":"C","enableActingMaster":false}],"filterServerTable":{},)"
      R"("queueDatas":[{"brokerName":"b-a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]})";
  const std::string quoted = R"({"brokerDatas":[{"brokerAddrs":{"0":"1.2.3.4:10911"},)" + rest;
  const std::string bare = R"({"brokerDatas":[{"brokerAddrs":{0:"1.2.3.4:10911"},)" + rest;
  CHECK(client.call(kRoute, {{"topic", "T"}}, {}, 479).body == quoted);
  CHECK(client.call(kRoute, {{"topic", "T"}}, {}, 401).body == quoted);
  CHECK(client.call(kRoute, {{"topic", "T"}}, {}, 399).body == bare);
  CHECK(client.call(kRoute, {{"topic", "T"}, {"acceptStandardJsonOnly", "true"}}, {}, 317).body == quoted);

  broker.reset();
  CHECK(eventually([&] { return client.call(kRoute, {{"topic", "T"}}).code == 17; }));
  CHECK(client.call(kRoute, {{"topic", "T"}}).remark ==
        "No topic route info in name server for the topic: T\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ "
        "for further details.");
}

TEST_CASE("every listed request code is answered, and an unknown one with code 3", "[e2e]") {
  NameServer server;
  RawClient broker(server.port());
  RawClient client(server.port());
  REQUIRE(FakeBroker().join(broker).code == 0);

  const Ext group = FakeBroker().identity();
  const std::string version = R"({"counter":1,"stateVersion":0,"timestamp":7})";
  const std::string cluster_info =
      R"({"brokerAddrTable":{"b-a":{"brokerAddrs":{"0":"1.2.3.4:10911"},"brokerName":"b-a","cluster":"C","enableActingMaster":false}},"clusterAddrTable":{"C":["b-a"]}})";
  struct Exchange {
    int32_t code;
    Ext ext;
    std::string body;
    int32_t answer;
    std::optional<Ext> answer_ext;
    std::string answer_body;
  };
  const std::vector<Exchange> exchanges = {
      {100, {{"namespace", "N"}, {"key", "k"}, {"value", "v"}}, "", 0, {}, ""},
      {101, {{"namespace", "N"}, {"key", "k"}}, "", 0, Ext{{"value", "v"}}, ""},
      {219, {{"namespace", "N"}}, "", 0, {}, R"({"table":{"k":"v"}})"},
      {102, {{"namespace", "N"}, {"key", "k"}}, "", 0, {}, ""},
      {101, {{"namespace", "N"}, {"key", "k"}}, "", 22, Ext{}, ""},
      {219, {{"namespace", "N"}}, "", 0, {}, R"({"table":{}})"},
      {219, {{"namespace", "none"}}, "", 22, {}, ""},
      {106, {}, "", 0, {}, cluster_info},
      {206, {}, "", 0, {}, ""},
      {224, {{"cluster", "C"}}, "", 0, {}, ""},
      {304, {}, "", 0, {}, R"({"brokerAddr":"1.2.3.4:10911","topicList":["C","b-a"]})"},
      {311, {}, "", 0, {}, R"({"topicList":[]})"},
      {312, {}, "", 0, {}, R"({"topicList":[]})"},
      {313, {}, "", 0, {}, R"({"topicList":[]})"},
      {322, group, version, 0, Ext{{"changed", "false"}}, version},
      {322, group, "", 0, Ext{{"changed", "true"}}, version},
      {904, group, "", 0, {}, ""},
      {901,
       group,
       "",
       0,
       {},
       R"({"brokerMemberGroup":{"brokerAddrs":{"0":"1.2.3.4:10911"},"brokerName":"b-a","cluster":"C"}})"},
      {217,
       {{"topic", "Named"}},
       R"({"queueDatas":[{"brokerName":"b-a","perm":6,"readQueueNums":2,"topicSysFlag":0,"writeQueueNums":3}]})",
       0,
       {},
       ""},
      {205, {{"brokerName", "b-a"}}, "", 0, Ext{{"wipeTopicCount", "3"}}, ""},
      {327, {{"brokerName", "b-a"}}, "", 0, Ext{{"addTopicCount", "3"}}, ""},
      {216, {{"topic", "Named"}, {"clusterName", "C"}}, "", 0, {}, ""},
      {kRoute, {{"topic", "Named"}}, "", 17, {}, ""},
      {319, {}, "", 0, {}, ""},
      {318, {}, "orderMessageEnable=false", 0, {}, ""},
      {kLeave, group, "", 0, {}, ""},
      {kRoute, {{"topic", "T"}}, "", 17, {}, ""},
      {4242, {}, "", 3, {}, ""},
  };
  std::set<int32_t> asked{kJoin};
  for (const Exchange& exchange : exchanges) {
    CAPTURE(exchange.code, exchange.ext);
    const auto answer = client.call(exchange.code, exchange.ext, exchange.body);
    CHECK(answer.code == exchange.answer);
    if (exchange.answer_ext) CHECK(answer.ext == exchange.answer_ext);
    if (!exchange.answer_body.empty()) CHECK(answer.body == exchange.answer_body);
    asked.insert(exchange.code);
  }

  TempDir dir;
  Process list({built_program("mqnamesrv"), "--list-requests"}, dir / "list", {"HOME=" + dir.path()});
  REQUIRE(list.wait() == 0);
  std::istringstream lines(list.output());
  int32_t rows = 0;
  for (std::string line; std::getline(lines, line); ++rows) {
    CAPTURE(line);
    CHECK(asked.contains(std::stoi(line)));
  }
  CHECK(rows == 23);
}

TEST_CASE("registrations that can't be right are refused with their reason", "[e2e]") {
  NameServer server;
  RawClient broker(server.port());
  FakeBroker fake;
  const std::string text = remoting::to_json(fake.body);
  Ext ext = fake.identity();
  ext["haServerAddr"] = "x";

  SECTION("a wrong checksum") {
    ext["bodyCrc32"] = "5";
    const auto answer = broker.call(kJoin, ext, text);
    CHECK(answer.code == 1);
    CHECK(answer.remark == "crc32 not match");
  }
  SECTION("a body that isn't whole") {
    const auto answer = broker.call(kJoin, ext, text.substr(0, text.size() / 2));
    CHECK(answer.code == 1);
    CHECK_THAT(answer.remark, Contains("body can't be read"));
  }
  SECTION("a first registration with one topic") {
    fake.body.topics.topics.erase("T");
    CHECK(fake.join(broker).remark == "register broker failed");
  }
  CHECK(broker.call(106).body == R"({"brokerAddrTable":{},"clusterAddrTable":{}})");
}

TEST_CASE("the KV configuration survives a restart and reaches brokers and routes", "[e2e]") {
  NameServer server("orderMessageEnable=true\n");
  {
    RawClient client(server.port());
    REQUIRE(client.call(100, {{"namespace", "ORDER_TOPIC_CONFIG"}, {"key", "T"}, {"value", "b-a:4"}}).code == 0);
    CHECK(server.read(server.kv_file()) == R"({"configTable":{"ORDER_TOPIC_CONFIG":{"T":"b-a:4"}}})");
  }
  REQUIRE(server.stop() == 0);
  server.start();

  RawClient client(server.port());
  CHECK(client.call(101, {{"namespace", "ORDER_TOPIC_CONFIG"}, {"key", "T"}}).ext == Ext{{"value", "b-a:4"}});
  CHECK(FakeBroker().join(client).body == R"({"table":{"T":"b-a:4"}})");
  CHECK_THAT(client.call(kRoute, {{"topic", "T"}}).body, Contains(R"(,"orderTopicConf":"b-a:4","queueDatas":)"));
  CHECK_THAT(client.call(kRoute, {{"topic", "TBW102"}}).body, !Contains("orderTopicConf"));
}

TEST_CASE("a signal stops the server cleanly within two seconds, connections or not", "[e2e]") {
  NameServer server;
  RawClient client(server.port());
  REQUIRE(FakeBroker().join(client).code == 0);
  const int signal = GENERATE(SIGTERM, SIGINT);

  CHECK(server.stop(signal) == 0);
  CHECK(client.closed_by_peer());
  CHECK_THAT(server.read(server.log_file()), Contains("stopped"));
}

TEST_CASE("a start that fails says why in one sentence and exits with 1", "[e2e]") {
  TempDir dir;
  const auto files = make_real_files();
  const auto fail_with = [&](const std::string& settings) {
    REQUIRE(replace_file(*files, dir / "conf", settings));
    Process process({built_program("mqnamesrv"), "-c", dir / "conf"}, dir / "out", {"HOME=" + dir.path()});
    CHECK(process.wait() == 1);
    return process.output();
  };

  SECTION("a port that is taken, and by whom") {
    RawListener other;
    const std::string output = fail_with("bindAddress=127.0.0.1\nlistenPort=" + std::to_string(other.port()));
    CHECK_THAT(output, Contains("mqnamesrv: ") && Contains(std::to_string(other.port())));
    CHECK_THAT(output, Contains("(process " + std::to_string(::getpid()) + ")"));
  }
  SECTION("a bad value") { CHECK_THAT(fail_with("listenPort=many"), Contains("listenPort") && Contains("many")); }
  SECTION("what is not built") {
    CHECK_THAT(fail_with("enableControllerInNamesrv=true"), Contains("enableControllerInNamesrv"));
  }
  SECTION("a damaged KV file") {
    REQUIRE(replace_file(*files, dir / "kv.json", "{\"configTable\":"));
    CHECK_THAT(fail_with("listenPort=0\nkvConfigPath=" + (dir / "kv.json")), Contains("kv.json"));
  }
  SECTION("a file that isn't there") {
    Process process({built_program("mqnamesrv"), "-c", dir / "none"}, dir / "out", {"HOME=" + dir.path()});
    CHECK(process.wait() == 1);
    CHECK_THAT(process.output(), Contains("none"));
  }
  SECTION("an unknown option") {
    Process process({built_program("mqnamesrv"), "--wrong"}, dir / "out", {"HOME=" + dir.path()});
    CHECK(process.wait() == 1);
  }
}

TEST_CASE("settings are printed and the process ends", "[e2e]") {
  TempDir dir;
  const std::string flag = GENERATE(as<std::string>{}, "-p", "-m", "-h", "--printConfigItem");
  Process process({built_program("mqnamesrv"), flag, "-n", "127.0.0.1:9876"}, dir / "out",
                  {"HOME=" + dir.path(), "ROCKETMQ_HOME=/opt/mq"});
  CHECK(process.wait() == 0);
  if (flag != "-h") CHECK_THAT(process.output(), Contains("listenPort=9876\n") && Contains("rocketmqHome=/opt/mq\n"));
}

TEST_CASE("changed settings take effect at once and are kept in the file with its comments", "[e2e]") {
  NameServer server;
  RawClient client(server.port());
  REQUIRE(client.call(206).code == 0);

  CHECK(client.call(318, {}, "enableAllTopicList=false").code == 0);

  const auto refused = client.call(206);
  CHECK(refused.code == 1);
  CHECK(refused.remark == "disable");
  CHECK_THAT(client.call(319).body, Contains("enableAllTopicList=false\n"));
  CHECK_THAT(server.read(server.config_file()), Contains("# test\n") && Contains("enableAllTopicList=false"));
  CHECK(client.call(318, {}, "kvConfigPath=/elsewhere").code == 16);
  CHECK(client.call(318, {}, "enableTopicList=maybe").code == 29);
}

TEST_CASE("one-way requests are never answered", "[e2e]") {
  NameServer server;
  RawClient client(server.port());

  client.send(904, FakeBroker().identity(), {}, 479, 2);
  client.send(4242, {}, {}, 479, 2);

  CHECK(client.call(106).code == 0);  // an answer to another request would arrive first
}

TEST_CASE("a silent broker expires and its connection is closed", "[e2e]") {
  NameServer server("scanNotActiveBrokerInterval=100\n");
  RawClient broker(server.port());
  RawClient client(server.port());
  FakeBroker fake;
  fake.more["heartbeatTimeoutMillis"] = "300";
  REQUIRE(fake.join(broker).code == 0);

  CHECK(eventually([&] { return client.call(kRoute, {{"topic", "T"}}).code == 17; }));
  CHECK(broker.closed_by_peer());
}

TEST_CASE("replicas are told when their lowest broker id changes", "[e2e]") {
  NameServer server("notifyMinBrokerIdChanged=true\nsupportActingMaster=true\n");
  RawListener slave_port;
  RawClient slave(server.port());
  RawClient master(server.port());
  FakeBroker fake;
  fake.more["enableActingMaster"] = "true";
  fake.address = slave_port.address();
  fake.id = 1;
  REQUIRE(fake.join(slave).code == 0);
  fake.address = "1.2.3.4:10911";
  fake.id = 0;
  REQUIRE(fake.join(master).code == 0);

  const auto notice = slave_port.accept_and_receive();
  CHECK(notice.code == 905);
  CHECK(notice.head.value("flag", 0) == 2);
  CHECK(notice.ext ==
        Ext{{"minBrokerId", "0"}, {"minBrokerAddr", "1.2.3.4:10911"}, {"haBrokerAddr", "1.2.3.4:109111"}});
}

TEST_CASE("routes wait for brokers to register where that is asked for", "[e2e]") {
  NameServer server("needWaitForService=true\nwaitSecondsForService=1\n");
  RawClient client(server.port());
  REQUIRE(FakeBroker().join(client).code == 0);

  const auto early = client.call(kRoute, {{"topic", "T"}});
  if (early.code != 0) CHECK(early.remark == "name server not ready");
  CHECK(eventually([&] { return client.call(kRoute, {{"topic", "T"}}).code == 0; }));
}

}  // namespace comet::test
