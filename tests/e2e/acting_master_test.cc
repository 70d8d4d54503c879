#include <map>
#include <set>

#include "common/clock.h"
#include "common/message_properties.h"
#include "tests/support/replica_group.h"

namespace comet::test {
namespace {

using namespace replica;  // NOLINT(google-build-using-namespace)

constexpr int32_t kQueryOffset = 14, kCommit = 15, kHeartbeat = 34, kEndTransaction = 37, kCheckTransaction = 39,
                  kLock = 41, kUnlock = 42, kRoute = 105, kUnregister = 104, kMemberGroup = 901, kHaStatus = 907,
                  kResetMasterFlushed = 908;
const std::string kActing =
    "enableSlaveActingMaster=true\ntotalReplicas=2\nbrokerHeartbeatInterval=200\nsyncBrokerMemberGroupPeriod=200\n"
    "messageDelayLevel=2s 10s 4s\ntimerPrecisionMs=100\ntransactionTimeOut=300\ntransactionCheckInterval=500\n";

/// broker-a with its slave, that acts for it, and broker-b, that takes what the slave delivers. Topics T and bills.
struct ActingGroup {
  explicit ActingGroup(const std::string& both = {}, const std::string& of_slave = "enableRemoteEscape=true\n",
                       const std::string& of_master = {})
      : group({.master = kActing + both + of_master,
               .slave = kActing + both + of_slave,
               .name_server =
                   "supportActingMaster=true\nnotifyMinBrokerIdChanged=true\nscanNotActiveBrokerInterval=200\n"}),
        other("mqbroker", group.dir() / "other",
              "brokerName=broker-b\nlistenPort=0\nbrokerIP1=127.0.0.1\nbindAddress=127.0.0.1\ntransactionTimeOut=300\n"
              "transactionCheckInterval=500\nmappedFileSizeCommitLog=1048576\nmaxHashSlotNum=1000\nmaxIndexNum=4000\n"
              "storePathRootDir=" +
                  (group.dir() / "other") + "/store\n",
              "The broker[broker-b, 127.0.0.1:") {
    other.start({"-n", group.name_server.address()});
    REQUIRE(other.running());
    group.start();
    for (Daemon* broker : {&group.master, &other}) {
      RawClient admin(broker->port());
      for (const char* topic : {"T", "bills"}) REQUIRE(admin.call(kUpdateTopic, topic_fields(topic)).code == 0);
    }
    REQUIRE(eventually([&] { return figure(group.slave.port(), "minBrokerIdInGroup") == "0"; }));
  }

  /// Sends to a queue of broker-a with one property.
  void send(const std::string& body, const std::string& name, const std::string& value) {
    RawClient client(group.master.port());
    auto fields = send_fields("T", 1);
    std::string properties;
    append_property(properties, "UNIQ_KEY", body);
    append_property(properties, name, value);
    fields["properties"] = properties;
    REQUIRE(client.call(kSend, fields, body).code == 0);
  }
  /// A half message of topic bills; where it stands.
  RawClient::Answer send_half(const std::string& key) {
    RawClient client(group.master.port());
    auto fields = send_fields("bills", 1);
    std::string properties;
    append_property(properties, "TRAN_MSG", "true");
    append_property(properties, "PGROUP", "payers");
    append_property(properties, "UNIQ_KEY", key);
    fields["properties"] = properties;
    fields["sysFlag"] = "4";
    fields["producerGroup"] = "payers";
    fields["bornTimestamp"] = std::to_string(SystemClock().now_ms());
    const auto answer = client.call(kSend, fields, key);
    REQUIRE(answer.code == 0);
    return answer;
  }
  void lose_master() {
    REQUIRE(caught_up(group));
    group.kill(group.master);
    REQUIRE(eventually([&] { return figure(group.slave.port(), "actingMaster") == "true"; }, std::chrono::seconds(10)));
  }
  void bring_master_back() {
    group.start_master();
    REQUIRE(eventually([&] { return figure(group.master.port(), "online") == "true"; }, std::chrono::seconds(15)));
    REQUIRE(eventually([&] { return figure(group.slave.port(), "minBrokerIdInGroup") == "0"; }));
    CHECK(figure(group.slave.port(), "actingMaster") == "false");
  }
  /// How often each body stands in the topic, on both masters; the slave's place is its master's.
  std::map<std::string, int> stored(const std::string& topic, bool with_a = true) {
    std::map<std::string, int> bodies;
    for (const Daemon* broker : {&group.master, &other}) {
      if (broker == &group.master && !with_a) continue;
      for (const auto& [queue, all] : read_topic(broker->port(), topic))
        for (const std::string& body : all) ++bodies[body];
    }
    return bodies;
  }
  nlohmann::json route(const std::string& topic) {
    RawClient client(group.name_server.port());
    return nlohmann::json::parse(client.call(kRoute, {{"topic", topic}}).body, nullptr, false);
  }
  /// Of broker-a's brokers, by id, as the topic's route has them.
  nlohmann::json addresses_of_a(const std::string& topic) {
    const auto all = route(topic);
    if (!all.contains("brokerDatas")) return {};
    for (const auto& broker : all["brokerDatas"])
      if (broker["brokerName"] == "broker-a") return broker["brokerAddrs"];
    return {};
  }
  std::string slave_address() const { return group.slave.address(); }

  ReplicaGroup group;
  Daemon other;
};

std::string consumer_heartbeat(const std::string& topic) {
  return R"({"clientID":"c1","consumerDataSet":[{"groupName":"g","consumeType":"CONSUME_PASSIVELY","messageModel":)"
         R"("CLUSTERING","consumeFromWhere":"CONSUME_FROM_FIRST_OFFSET","subscriptionDataSet":[{"topic":")" +
         topic + R"(","subString":"*","subVersion":1}]}],"producerDataSet":[]})";
}

RawClient::Ext offset_fields(int64_t offset) {
  return {{"consumerGroup", "g"}, {"topic", "T"}, {"queueId", "1"}, {"commitOffset", std::to_string(offset)}};
}

}  // namespace

TEST_CASE("a slave acts for its lost master: name servers show it, consumers read, commit and lock there",
          "[e2e][replication][acting]") {
  ActingGroup acting;
  const int32_t slave_port = acting.group.slave.port();
  CHECK(figure(acting.group.master.port(), "aliveReplicasInGroup") == "2");
  CHECK(send_some(acting.group.master.port(), "T", "m", 40) == 40);
  RawClient to_master(acting.group.master.port());
  to_master.send(kHeartbeat, {}, consumer_heartbeat("T"), 479, 0);
  REQUIRE(eventually([&] { return RawClient(acting.group.master.port()).call(kCommit, offset_fields(2)).code == 0; }));
  CHECK(RawClient(slave_port).call(kPull, pull_fields("T", 1, 10)).code == 20);  // back to the master
  REQUIRE(eventually([&] {
    return RawClient(slave_port).call(kQueryOffset, {{"consumerGroup", "g"}, {"topic", "T"}, {"queueId", "1"}}).code ==
           0;
  }));

  acting.lose_master();
  CHECK(acting.addresses_of_a("T") == nlohmann::json{{"0", acting.slave_address()}});
  const auto route = acting.route("T");
  for (const auto& queue : route["queueDatas"]) CHECK(queue["perm"] == (queue["brokerName"] == "broker-a" ? 4 : 6));

  RawClient consumer(slave_port);
  consumer.send(kHeartbeat, {}, consumer_heartbeat("T"), 479, 0);
  CHECK(RawClient(slave_port).call(kPull, pull_fields("T", 1, 0)).code == 0);
  CHECK(RawClient(slave_port).call(kPull, pull_fields("T", 1, 10)).code == 19);  // nobody to send it to
  REQUIRE(eventually([&] { return RawClient(slave_port).call(kCommit, offset_fields(7)).code == 0; }));
  const auto locked = RawClient(slave_port)
                          .call(kLock, {},
                                R"({"consumerGroup":"g","clientId":"c1","mqSet":[{"brokerName":"broker-a","queueId":1,)"
                                R"("topic":"T"}]})");
  CHECK(nlohmann::json::parse(locked.body)["lockOKMQSet"].size() == 1);
  CHECK(RawClient(slave_port).call(kSend, send_fields("T", 0), "never").code == 14);

  acting.bring_master_back();
  const auto committed = RawClient(acting.group.master.port())
                             .call(kQueryOffset, {{"consumerGroup", "g"}, {"topic", "T"}, {"queueId", "1"}});
  CHECK(committed.ext->at("offset") == "7");
  CHECK(eventually([&] { return RawClient(slave_port).call(kPull, pull_fields("T", 1, 10)).code == 20; }));
}

TEST_CASE("a slave that restarts while its master is away acts again at once, and has what it did before",
          "[e2e][replication][acting]") {
  ActingGroup acting;
  CHECK(send_some(acting.group.master.port(), "T", "m", 40) == 40);
  RawClient to_master(acting.group.master.port());
  to_master.send(kHeartbeat, {}, consumer_heartbeat("T"), 479, 0);
  REQUIRE(eventually([&] { return RawClient(acting.group.master.port()).call(kCommit, offset_fields(2)).code == 0; }));
  const auto at_slave = [&] {
    const auto answer = RawClient(acting.group.slave.port())
                            .call(kQueryOffset, {{"consumerGroup", "g"}, {"topic", "T"}, {"queueId", "1"}});
    return answer.code == 0 ? std::string(answer.ext->at("offset")) : "none";
  };
  REQUIRE(eventually([&] { return at_slave() == "2"; }));
  acting.send("late", "DELAY", "3");
  acting.lose_master();
  REQUIRE(eventually([&] { return RawClient(acting.group.slave.port()).call(kCommit, offset_fields(7)).code == 0; }));
  CHECK(acting.group.slave.stop() == 0);
  REQUIRE(eventually([&] { return acting.addresses_of_a("T").empty(); }));

  acting.group.start_slave();
  // Long before it registers again, which it does every 30 s.
  REQUIRE(
      eventually([&] { return figure(acting.group.slave.port(), "actingMaster") == "true"; }, std::chrono::seconds(3)));
  CHECK(acting.addresses_of_a("T") == nlohmann::json{{"0", acting.slave_address()}});
  CHECK(RawClient(acting.group.slave.port()).call(kPull, pull_fields("T", 1, 0)).code == 0);
  CHECK(at_slave() == "7");
  REQUIRE(eventually([&] { return acting.stored("T", false).count("late") == 1; }, std::chrono::seconds(20)));

  acting.bring_master_back();
  const auto committed = RawClient(acting.group.master.port())
                             .call(kQueryOffset, {{"consumerGroup", "g"}, {"topic", "T"}, {"queueId", "1"}});
  CHECK(committed.ext->at("offset") == "7");
}

TEST_CASE("delays and timers are delivered by the acting slave, elsewhere, and never again by the master",
          "[e2e][replication][acting]") {
  ActingGroup acting;
  for (int n = 0; n < 20; ++n) {
    acting.send("level" + std::to_string(n), "DELAY", "1");
    acting.send("timer" + std::to_string(n), "TIMER_DELAY_MS", "2000");
  }
  acting.send("late level", "DELAY", "2");
  acting.send("late timer", "TIMER_DELAY_MS", "10000");
  const int64_t late_ms = SystemClock().now_ms() + 10'000;
  acting.lose_master();
  REQUIRE(eventually([&] { return acting.stored("T", false).size() == 40; }, std::chrono::seconds(10)));
  CHECK(figure(acting.group.slave.port(), "escapedMessages") == "40");

  acting.bring_master_back();
  REQUIRE(SystemClock().now_ms() < late_ms);  // else the slave would have delivered those, too
  REQUIRE(eventually([&] { return acting.stored("T").size() == 42; }, std::chrono::seconds(30)));
  const auto all = acting.stored("T");
  for (const auto& [body, times] : all) {
    CAPTURE(body);
    CHECK(times == 1);
  }
  const auto here = read_topic(acting.group.master.port(), "T");
  CHECK(here.at(1).size() == 2);  // the late ones, by the master itself
}

TEST_CASE("an open transaction goes on at another master, and only there", "[e2e][replication][acting]") {
  ActingGroup acting;
  RawClient producer(acting.other.port(), std::chrono::seconds(15));
  producer.send(kHeartbeat, {}, R"({"clientID":"p1","consumerDataSet":[],"producerDataSet":[{"groupName":"payers"}]})",
                479, 0);
  const auto committed = acting.send_half("decided");
  const auto id = parse_offset_msg_id(committed.ext->at("msgId")).value();
  CHECK(RawClient(acting.group.master.port())
            .call(kEndTransaction, {{"producerGroup", "payers"},
                                    {"tranStateTableOffset", committed.ext->at("queueOffset")},
                                    {"commitLogOffset", std::to_string(id.offset.value)},
                                    {"commitOrRollback", "8"},
                                    {"fromTransactionCheck", "false"},
                                    {"msgId", "m"}})
            .code == 0);
  REQUIRE(eventually([&] { return acting.stored("bills").count("decided") == 1; }));
  acting.send_half("open");
  acting.lose_master();

  const auto asked = [&] {
    for (;;) {
      auto request = producer.receive();
      if (request.code == kCheckTransaction || request.code < 0) return request;
    }
  }();
  REQUIRE(asked.code == kCheckTransaction);
  RawClient::Ext end{{"producerGroup", "payers"},
                     {"tranStateTableOffset", asked.ext->at("tranStateTableOffset")},
                     {"commitLogOffset", asked.ext->at("commitLogOffset")},
                     {"commitOrRollback", "8"},
                     {"fromTransactionCheck", "true"},
                     {"msgId", "open"}};
  CHECK(RawClient(acting.other.port()).call(kEndTransaction, end).code == 0);
  REQUIRE(eventually([&] { return acting.stored("bills", false).count("open") == 1; }));

  // The master that comes back neither asks about it nor lets it be committed once more.
  acting.bring_master_back();
  RawClient producer_of_a(acting.group.master.port(), std::chrono::milliseconds(2'500));
  producer_of_a.send(kHeartbeat, {},
                     R"({"clientID":"p2","consumerDataSet":[],"producerDataSet":[{"groupName":"payers"}]})", 479, 0);
  CHECK(producer_of_a.receive().code == 0);  // the heartbeat's answer
  CHECK(producer_of_a.receive().code == -1);
  const auto all = acting.stored("bills");
  CHECK(all == std::map<std::string, int>{{"decided", 1}, {"open", 1}});
}

TEST_CASE("without enableRemoteEscape what is due waits for the master, and none is lost",
          "[e2e][replication][acting]") {
  ActingGroup acting("", "");
  acting.send("level", "DELAY", "1");
  acting.send("timer", "TIMER_DELAY_MS", "2000");
  const int64_t due_ms = SystemClock().now_ms() + 2'000;
  acting.lose_master();
  REQUIRE(eventually([&] { return SystemClock().now_ms() > due_ms + 300; }));
  CHECK(acting.stored("T", false).empty());
  acting.bring_master_back();
  REQUIRE(eventually([&] { return acting.stored("T").size() == 2; }, std::chrono::seconds(5)));
  CHECK(acting.stored("T") == std::map<std::string, int>{{"level", 1}, {"timer", 1}});
}

TEST_CASE("a name server of before 5.0 and one of today are asked in their own ways", "[e2e][replication][acting]") {
  ActingGroup acting("compatibleWithOldNameSrv=false\n");
  RawClient client(acting.group.name_server.port());
  const auto members = client.call(kMemberGroup, {{"clusterName", "DefaultCluster"}, {"brokerName", "broker-a"}});
  CHECK(nlohmann::json::parse(members.body)["brokerMemberGroup"]["brokerAddrs"].size() == 2);
  acting.lose_master();
  acting.bring_master_back();
}

TEST_CASE("a slave that still hears its master doesn't act, whatever name servers say", "[e2e][replication][acting]") {
  ActingGroup acting("haSendHeartbeatInterval=100\n");
  RawClient name_server(acting.group.name_server.port());
  CHECK(name_server
            .call(kUnregister, {{"brokerName", "broker-a"},
                                {"brokerAddr", acting.group.master.address()},
                                {"clusterName", "DefaultCluster"},
                                {"brokerId", "0"}})
            .code == 0);
  REQUIRE(eventually([&] { return figure(acting.group.slave.port(), "minBrokerIdInGroup") == "1"; }));
  CHECK(send_some(acting.group.master.port(), "T", "m", 4) == 4);
  REQUIRE(caught_up(acting.group));
  CHECK(figure(acting.group.slave.port(), "haState") == "TRANSFER");
  CHECK(figure(acting.group.slave.port(), "actingMaster") == "false");
  acting.group.master.process().freeze();  // silent, but the connection stands
  CHECK(eventually([&] { return figure(acting.group.slave.port(), "actingMaster") == "true"; }));
  acting.group.master.process().thaw();
  CHECK(eventually([&] { return figure(acting.group.slave.port(), "actingMaster") == "false"; }));
}

TEST_CASE(
    "a master that stood still is lost after brokerNotActiveTimeoutMillis, and master again as soon as it goes on",
    "[e2e][replication][acting]") {
  ActingGroup acting("brokerNotActiveTimeoutMillis=1000\nhaSendHeartbeatInterval=100\n");
  Process& master = acting.group.master.process();
  REQUIRE(acting.addresses_of_a("T").size() == 2);
  master.signal(SIGSTOP);
  const nlohmann::json only_slave{{"0", acting.slave_address()}};
  CHECK(eventually([&] { return acting.addresses_of_a("T") == only_slave; }));
  CHECK(eventually([&] { return figure(acting.group.slave.port(), "actingMaster") == "true"; }));
  master.signal(SIGCONT);
  // Long before it registers again by itself, which it does ten seconds after its start and every 30 s.
  CHECK(eventually([&] { return acting.addresses_of_a("T")["0"] == acting.group.master.address(); },
                   std::chrono::seconds(3)));
  CHECK(eventually([&] { return figure(acting.group.slave.port(), "actingMaster") == "false"; }));
  CHECK(send_some(acting.group.master.port(), "T", "m", 4) == 4);
  CHECK(caught_up(acting.group));
}

TEST_CASE("a SYNC_MASTER of an acting group refuses what too few brokers would have, before it is stored",
          "[e2e][replication][acting]") {
  ActingGroup acting("", "", "brokerRole=SYNC_MASTER\ninSyncReplicas=2\nslaveTimeout=20000\n");
  CHECK(send_some(acting.group.master.port(), "T", "both", 4) == 4);
  acting.group.kill(acting.group.slave);
  REQUIRE(eventually([&] { return figure(acting.group.master.port(), "haSlaves") == "0"; }));
  const int64_t end = log_end(acting.group.master.port());
  const auto refused = RawClient(acting.group.master.port()).call(kSend, send_fields("T", 0), "alone");
  CHECK(refused.code == 1);
  CHECK(refused.remark.find("in-sync replicas not enough") != std::string::npos);
  CHECK(log_end(acting.group.master.port()) == end);
}

TEST_CASE("lockInStrictMode: a queue goes to whom more than half of the brokers give it, and nobody gets it from one",
          "[e2e][replication][acting]") {
  ActingGroup acting("lockInStrictMode=true\n", "");
  const int32_t master = acting.group.master.port(), slave = acting.group.slave.port();
  REQUIRE(eventually([&] { return figure(master, "aliveReplicasInGroup") == "2"; }));
  const auto body = [](const std::string& client, bool only_this_broker, const std::string& queues = "1,2") {
    std::string set;
    for (const char queue : queues)
      if (queue != ',')
        set +=
            std::string(set.empty() ? "" : ",") + R"({"brokerName":"broker-a","queueId":)" + queue + R"(,"topic":"T"})";
    return R"({"consumerGroup":"g","clientId":")" + client + R"(","mqSet":[)" + set + R"(],"onlyThisBroker":)" +
           (only_this_broker ? "true}" : "false}");
  };
  const auto held = [&](int32_t port, const std::string& text) {
    const auto answer = RawClient(port).call(kLock, {}, text);
    CHECK(answer.code == 0);
    return nlohmann::json::parse(answer.body)["lockOKMQSet"].size();
  };
  // Queue 2 is another's at the slave: the master alone can't give it.
  CHECK(held(slave, body("other", true, "2")) == 1);
  CHECK(held(master, body("one", false)) == 1);
  CHECK(held(slave, body("two", true)) == 0);  // the slave knows whose both are
  CHECK(held(master, body("two", false)) == 0);
  CHECK(held(master, body("one", false, "1")) == 1);  // renewed

  CHECK(RawClient(master).call(kUnlock, {}, body("one", false)).code == 0);
  CHECK(eventually([&] { return held(slave, body("two", true, "1")) == 1; }));
  CHECK(held(master, body("two", false, "1")) == 1);

  acting.lose_master();
  CHECK(held(slave, body("two", false, "1")) == 0);  // one of two brokers is no majority
  CHECK(held(slave, body("two", true, "1")) == 1);
}

TEST_CASE("a slave keeps what it is told of its master's flushed log, and shows it", "[e2e][replication][acting]") {
  ActingGroup acting("syncMasterFlushOffsetWhenStartup=true\n", "");
  const auto shown = [&] {
    const auto answer = RawClient(acting.group.slave.port()).call(kHaStatus);
    return nlohmann::json::parse(answer.body)["haClientRuntimeInfo"]["masterFlushOffset"].get<int64_t>();
  };
  const auto reset = [](int32_t port, const std::string& offset) {
    return RawClient(port).call(kResetMasterFlushed, {{"masterFlushOffset", offset}}).code;
  };
  CHECK(shown() == 0);  // where the master's log ended when it started
  CHECK(reset(acting.group.slave.port(), "4711") == 0);
  CHECK(shown() == 4711);
  acting.group.kill(acting.group.slave);
  acting.group.start_slave();
  CHECK(shown() == 4711);
  CHECK(reset(acting.group.slave.port(), "0") == 0);
  CHECK(reset(acting.group.slave.port(), "much") == 1);
  CHECK(reset(acting.group.master.port(), "4711") == 0);  // which has none, and says nothing of it

  CHECK(send_some(acting.group.master.port(), "T", "m", 4) == 4);
  const int64_t end = log_end(acting.group.master.port());
  acting.lose_master();
  acting.bring_master_back();
  CHECK(shown() == end);
}

}  // namespace comet::test
