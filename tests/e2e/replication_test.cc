#include <cstdlib>
#include <filesystem>

#include "tests/support/replica_group.h"
#include "tests/support/small_disk.h"

namespace comet::test {
namespace {

using namespace replica;  // NOLINT(google-build-using-namespace)
using Catch::Matchers::Contains;

constexpr int32_t kHaStatus = 907, kCommit = 15, kQueryOffset = 14, kAllTopics = 21, kHeartbeat = 34;

std::string heartbeat_of(const std::string& client, const std::string& group) {
  return R"({"clientID":")" + client + R"(","consumerDataSet":[{"groupName":")" + group +
         R"(","consumeType":"CONSUME_PASSIVELY","messageModel":"CLUSTERING","consumeFromWhere":"CONSUME_FROM_LAST_OFFSET",)"
         R"("subscriptionDataSet":[{"topic":"T","subString":"*","subVersion":1}]}],"producerDataSet":[]})";
}

RawClient::Ext offset_fields(int64_t offset) {
  return {{"consumerGroup", "g"}, {"topic", "T"}, {"queueId", "1"}, {"commitOffset", std::to_string(offset)}};
}

std::string committed(int32_t port) {
  RawClient client(port);
  const auto answer = client.call(kQueryOffset, {{"consumerGroup", "g"}, {"topic", "T"}, {"queueId", "1"}});
  return answer.code == 0 ? answer.ext->at("offset") : "";
}

/// What the slave has when its master comes back with an empty store.
struct LeftOver {
  std::map<int32_t, std::vector<std::string>> kept;
  int64_t log_end;
};
LeftOver lose_the_master(ReplicaGroup& group, int32_t messages) {
  group.start();
  CHECK(send_some(group.master.port(), "T", "old", messages) == messages);
  REQUIRE(caught_up(group));
  CHECK(shows_the_same(group, "T"));
  LeftOver left{read_topic(group.slave.port(), "T"), log_end(group.slave.port())};
  group.kill(group.master);
  std::filesystem::remove_all(group.dir() / "master/store");
  group.start_master();
  return left;
}

}  // namespace

TEST_CASE("a slave has its master's messages, topics, groups and offsets, and refuses writes", "[e2e][replication]") {
  ReplicaGroup group;
  group.start();
  RawClient master(group.master.port());
  REQUIRE(master.call(kUpdateTopic, topic_fields("T")).code == 0);
  CHECK(send_some(group.master.port(), "T", "m", 200) == 200);
  REQUIRE(caught_up(group));
  CHECK(shows_the_same(group, "T"));

  RawClient consumer(group.master.port());
  consumer.send(kHeartbeat, {}, heartbeat_of("c1", "g"), 479, 0);
  REQUIRE(eventually([&] { return master.call(kCommit, offset_fields(7)).code == 0; }));
  CHECK(eventually([&] { return committed(group.slave.port()) == "7"; }));
  RawClient slave(group.slave.port());
  CHECK(eventually([&] { return slave.call(kAllTopics).body.find("\"T\"") != std::string::npos; }));

  const auto refused = slave.call(kSend, send_fields("T", 0), "never");
  CHECK(refused.code == 2);
  CHECK(refused.remark ==
        "[REJECTREQUEST]this broker is a slave: messages are taken by its master " + group.master.address());
  CHECK(slave
            .call(37, {{"tranStateTableOffset", "0"},
                       {"commitLogOffset", "0"},
                       {"commitOrRollback", "8"},
                       {"producerGroup", "p"},
                       {"fromTransactionCheck", "false"},
                       {"msgId", "x"}})
            .code == 11);
}

TEST_CASE("haStatus and brokerStatus say who follows whom, and how far behind", "[e2e][replication]") {
  ReplicaGroup group;
  group.start();
  CHECK(send_some(group.master.port(), "T", "m", 10) == 10);
  REQUIRE(caught_up(group));
  const std::string end = std::to_string(log_end(group.master.port()));
  RawClient master(group.master.port());
  REQUIRE(
      eventually([&] { return master.call(kHaStatus).body.find("\"slaveAckOffset\":" + end) != std::string::npos; }));
  const auto status = nlohmann::json::parse(master.call(kHaStatus).body);
  CHECK(status["master"] == true);
  CHECK(status["inSyncSlaveNums"] == 1);
  REQUIRE(status["haConnectionInfo"].size() == 1);
  CHECK(status["haConnectionInfo"][0]["diff"] == 0);
  CHECK(status["haConnectionInfo"][0]["inSync"] == true);
  const auto of_slave = nlohmann::json::parse(RawClient(group.slave.port()).call(kHaStatus).body);
  CHECK(of_slave["master"] == false);
  CHECK(of_slave["haClientRuntimeInfo"]["masterAddr"] == group.link->address());
  CHECK(of_slave["haClientRuntimeInfo"]["maxOffset"] == std::stoll(end));
  CHECK(figure(group.slave.port(), "haState") == "TRANSFER");
  CHECK(figure(group.master.port(), "haSlaves") == "1");

  group.link->cut(true, true);
  CHECK(send_some(group.master.port(), "T", "behind", 5) == 5);
  const std::string slave_address = status["haConnectionInfo"][0]["addr"];
  const auto lag = figure(group.master.port(), "haLagBytes_" + slave_address);
  CHECK(std::stoll(lag.value_or("0")) == log_end(group.master.port()) - std::stoll(end));
  CHECK(eventually(
      [&] { return std::stod(figure(group.master.port(), "haLagSeconds_" + slave_address).value_or("0")) > 0.05; }));
  const auto of_the_slave = [&](const char* key) { return figure(group.slave.port(), key).value_or("none"); };
  CHECK(eventually([&] { return of_the_slave("haLagBytes") == *lag; }));
  CHECK(eventually([&] { return std::stod(of_the_slave("haLagSeconds")) > 0.05; }));
  group.link->heal();
  CHECK(caught_up(group));
  CHECK(of_the_slave("haLagBytes") == "0");
  CHECK(of_the_slave("haLagSeconds") == "0.000");
  group.kill(group.master);
  CHECK(eventually([&] { return of_the_slave("haLagBytes") == "unknown"; }));
  CHECK(of_the_slave("haLagSeconds") == "unknown");
}

TEST_CASE("a SYNC_MASTER answers when its slave has the message, and says the truth when it hasn't",
          "[e2e][replication]") {
  ReplicaGroup group({.master = "brokerRole=SYNC_MASTER\ninSyncReplicas=2\nslaveTimeout=150\n", .slave = ""});
  group.start_master();
  CHECK(send_some(group.master.port(), "T", "alone", 2, kFlushSlaveTimeout) == 2);
  group.start_slave();
  REQUIRE(caught_up(group));
  CHECK(send_some(group.master.port(), "T", "both", 50) == 50);
  CHECK(log_end(group.slave.port()) == log_end(group.master.port()));

  group.slave.process().freeze();
  CHECK(send_some(group.master.port(), "T", "stopped", 2, kFlushSlaveTimeout) == 2);
  group.slave.process().thaw();
  REQUIRE(caught_up(group));
  CHECK(send_some(group.master.port(), "T", "again", 10) == 10);
  group.link->cut(false, true);
  CHECK(send_some(group.master.port(), "T", "one-way", 1, kFlushSlaveTimeout) == 1);
  group.link->heal();
  REQUIRE(caught_up(group));
  CHECK(shows_the_same(group, "T"));
}

TEST_CASE("with enableAutoInSyncReplicas too few brokers refuse a message before it is stored", "[e2e][replication]") {
  ReplicaGroup group({.master = "brokerRole=SYNC_MASTER\ninSyncReplicas=2\nenableAutoInSyncReplicas=true\n"
                                "minInSyncReplicas=2\nslaveTimeout=2000\n",
                      .slave = ""});
  group.start_master();
  RawClient client(group.master.port());
  const int64_t end = log_end(group.master.port());
  const auto refused = client.call(kSend, send_fields("T", 0), "no");
  CHECK(refused.code == 1);
  CHECK_THAT(refused.remark, Contains("in-sync replicas not enough"));
  CHECK(log_end(group.master.port()) == end);
  group.start_slave();
  REQUIRE(eventually([&] { return client.call(kSend, send_fields("T", 0), "yes").code == 0; }));
  group.kill(group.slave);
  CHECK(eventually([&] { return client.call(kSend, send_fields("T", 0), "no").code == 1; }));

  RawClient admin(group.master.port());
  REQUIRE(admin.call(25, {}, "minInSyncReplicas=1\n").code == 0);
  CHECK(client.call(kSend, send_fields("T", 0), "master alone").code == 0);
}

TEST_CASE("a slave that confirms after its flush still confirms", "[e2e][replication]") {
  ReplicaGroup group({.master = "brokerRole=SYNC_MASTER\ninSyncReplicas=2\nflushDiskType=SYNC_FLUSH\n",
                      .slave = "flushDiskType=SYNC_FLUSH\nhaSlaveConfirmAfterFlush=true\n"});
  group.start();
  REQUIRE(eventually([&] { return send_some(group.master.port(), "T", "first", 1) == 1; }));
  RawClient slave(group.slave.port());
  REQUIRE(eventually([&] { return slave.call(kAllTopics).body.find("\"T\"") != std::string::npos; }));
  CHECK(send_some(group.master.port(), "T", "m", 40) == 40);
  group.kill(group.master);
  const auto kept = read_topic(group.slave.port(), "T");
  CHECK(std::count_if(kept.begin(), kept.end(), [](const auto& queue) { return queue.second.size() >= 10; }) ==
        kQueues);
}

TEST_CASE("consumers go on at the slave while the master is away, and the master hears what they committed",
          "[e2e][replication]") {
  ReplicaGroup group;
  group.start();
  RawClient consumer(group.master.port());
  REQUIRE(consumer.call(kUpdateTopic, topic_fields("T")).code == 0);
  CHECK(send_some(group.master.port(), "T", "m", 40) == 40);
  consumer.send(kHeartbeat, {}, heartbeat_of("c1", "g"), 479, 0);
  RawClient client(group.master.port());
  REQUIRE(eventually([&] { return client.call(kCommit, offset_fields(3)).code == 0; }));
  REQUIRE(caught_up(group));
  REQUIRE(eventually([&] { return committed(group.slave.port()) == "3"; }));
  const auto with_master = RawClient(group.slave.port()).call(kPull, pull_fields("T", 1, 0));
  CHECK(with_master.ext->at("suggestWhichBrokerId") == "0");
  CHECK(RawClient(group.slave.port()).call(kPull, pull_fields("T", 1, 10)).code == 20);  // back to the master

  group.kill(group.master);
  REQUIRE(eventually([&] { return figure(group.slave.port(), "haState") != "TRANSFER"; }));
  const auto empty = RawClient(group.slave.port()).call(kPull, pull_fields("T", 1, 10));
  CHECK(empty.code == 19);  // it holds, or finds nothing, as a master does
  const auto found = RawClient(group.slave.port()).call(kPull, pull_fields("T", 1, 3));
  CHECK(found.code == 0);
  const auto beyond = RawClient(group.slave.port()).call(kPull, pull_fields("T", 1, 1'000));
  CHECK(beyond.code == 21);
  CHECK(beyond.ext->at("nextBeginOffset") == "1000");  // only a master corrects
  RawClient slave(group.slave.port());
  slave.send(kHeartbeat, {}, heartbeat_of("c1", "g"), 479, 0);
  RawClient second(group.slave.port());
  REQUIRE(eventually([&] { return second.call(kCommit, offset_fields(9)).code == 0; }));

  group.start_master();
  CHECK(committed(group.slave.port()) == "9");
  CHECK(eventually([&] { return committed(group.master.port()) == "9"; }));
}

TEST_CASE("a slave that was away comes after; a master that comes back goes on", "[e2e][replication]") {
  ReplicaGroup group;
  group.start();
  CHECK(send_some(group.master.port(), "T", "a", 100) == 100);
  REQUIRE(caught_up(group));
  group.kill(group.slave);
  CHECK(send_some(group.master.port(), "T", std::string(20'000, 'b'), 200) == 200);  // four files
  group.start_slave();
  REQUIRE(caught_up(group));
  CHECK(group.slave.stop() == 0);
  group.start_slave();
  group.kill(group.master);
  group.start_master();
  CHECK(send_some(group.master.port(), "T", "c", 20) == 20);
  REQUIRE(caught_up(group));
  CHECK(shows_the_same(group, "T"));
}

TEST_CASE("exactly what a slave has and its master hasn't is cut off, and kept beside the log", "[e2e][replication]") {
  ReplicaGroup group;
  group.start();
  CHECK(send_some(group.master.port(), "T", "common", 300) == 300);
  REQUIRE(caught_up(group));
  const std::string store = group.dir() / "master/store", copy = group.dir() / "copy";
  REQUIRE(group.master.stop() == 0);
  std::filesystem::copy(store, copy, std::filesystem::copy_options::recursive);
  group.start_master();
  const int64_t common = log_end(group.master.port());
  CHECK(send_some(group.master.port(), "T", "lost with the master", 30) == 30);
  REQUIRE(caught_up(group));
  group.kill(group.master);
  // The machine comes back with an older disk, and with other messages.
  std::filesystem::remove_all(store);
  std::filesystem::rename(copy, store);
  group.link->cut(true, true);
  group.link->drop_all();
  group.start_master();
  const bool longer = GENERATE(true, false);
  CHECK(send_some(group.master.port(), "T", "new", longer ? 5 : 80) == (longer ? 5 : 80));
  group.link->heal();
  REQUIRE(caught_up(group));

  CHECK(shows_the_same(group, "T"));
  const auto queues = read_topic(group.slave.port(), "T");
  for (const auto& [queue, bodies] : queues)
    CHECK(std::none_of(bodies.begin(), bodies.end(), [](const auto& body) { return body.find("lost") == 0; }));
  std::vector<std::string> kept;
  for (const auto& entry : std::filesystem::directory_iterator(group.dir() / "slave/store/diverged"))
    kept.push_back(entry.path().filename());
  REQUIRE(kept.size() == 1);
  CHECK(std::stoll(kept[0].substr(0, 20)) == common);
  CHECK_THAT(read_file(*make_real_files(), group.dir() / "slave/store/diverged/" + kept[0]).value_or(""),
             Contains("lost with the master29"));
}

TEST_CASE("a slave copies no stranger, and keeps what it has", "[e2e][replication]") {
  SECTION("a master of another name") {
    ReplicaGroup group({.master = "", .slave = "", .slave_name = "broker-b"});
    group.start_master();
    group.set_slave_settings("haMasterAddress=127.0.0.1:" + std::to_string(group.master.port() + 1) + "\n");
    group.start_slave();
    CHECK(send_some(group.master.port(), "T", "m", 10) == 10);
    CHECK(eventually([&] {
      return figure(group.slave.port(), "haProblem").value_or("").find("is the master of broker broker-a") !=
             std::string::npos;
    }));
    CHECK(log_end(group.slave.port()) == 0);
  }
  SECTION("a master of another cluster") {
    ReplicaGroup group({.master = "brokerClusterName=elsewhere\n", .slave = ""});
    group.start_master();
    group.set_slave_settings("haMasterAddress=127.0.0.1:" + std::to_string(group.master.port() + 1) + "\n");
    group.start_slave();
    CHECK(send_some(group.master.port(), "T", "m", 10) == 10);
    CHECK(eventually([&] {
      return figure(group.slave.port(), "haProblem").value_or("").find("in cluster elsewhere") != std::string::npos;
    }));
    CHECK(log_end(group.slave.port()) == 0);
  }
  SECTION("a master that has lost everything") {
    ReplicaGroup group;
    const auto [kept, end] = lose_the_master(group, 52);
    CHECK(eventually([&] { return !figure(group.slave.port(), "haProblem").value_or("").empty(); }));
    CHECK(log_end(group.slave.port()) == end);
    CHECK(read_topic(group.slave.port(), "T") == kept);
    CHECK_FALSE(std::filesystem::exists(group.dir() / "slave/store/diverged"));
  }
  SECTION("a log that is another's") {
    ReplicaGroup group;
    const int64_t end = lose_the_master(group, 50).log_end;
    CHECK(send_some(group.master.port(), "T", "other", 80) == 80);
    CHECK(eventually([&] {
      return figure(group.slave.port(), "haProblem").value_or("").find("nothing in common") != std::string::npos;
    }));
    CHECK(log_end(group.slave.port()) == end);
    const auto kept = read_topic(group.slave.port(), "T");
    CHECK(kept.at(0).size() == 13);
    CHECK((kept.at(0).empty() ? "" : kept.at(0).front()) == "old0");
  }
}

TEST_CASE("a slave whose disk is full says so, holds what it has, and goes on when there is room",
          "[e2e][replication]") {
  ReplicaGroup group({.master = "brokerRole=SYNC_MASTER\ninSyncReplicas=2\nslaveTimeout=100\n",
                      .slave = "cleanFileForciblyEnable=false\n"});
  const std::string disk = group.dir() / "slave";
  const SmallDisk small(disk, "5m");
  if (!small) return;
  group.start();
  REQUIRE(eventually([&] { return send_some(group.master.port(), "T", "first", 1) == 1; }));
  CHECK(send_some(group.master.port(), "T", std::string(50'000, 'b'), 200) < 100);  // ten megabytes
  CHECK(eventually([&] {
    return figure(group.slave.port(), "haProblem").value_or("").find("disk is full") != std::string::npos ||
           figure(group.slave.port(), "haProblem").value_or("").find("o space") != std::string::npos;
  }));
  CHECK(log_end(group.slave.port()) > 1'000'000);
  CHECK(log_end(group.slave.port()) < log_end(group.master.port()));
  REQUIRE(std::system(("mount -o remount,size=100m " + disk).c_str()) == 0);
  CHECK(caught_up(group, std::chrono::seconds(20)));
  CHECK(shows_the_same(group, "T"));
}

TEST_CASE("an empty slave gets the whole log, or the newest file where that is asked for", "[e2e][replication]") {
  const bool last_file = GENERATE(false, true);
  ReplicaGroup group({.master = last_file ? "haEmptySlaveFromLastFile=true\n" : "", .slave = ""});
  group.start_master();
  CHECK(send_some(group.master.port(), "T", std::string(20'000, 'b'), 120) == 120);  // over two files
  group.start_slave();
  REQUIRE(caught_up(group));
  CHECK(figure(group.slave.port(), "commitLogMinOffset") == (last_file ? "2097152" : "0"));
  if (!last_file) CHECK(shows_the_same(group, "T"));
}

}  // namespace comet::test
