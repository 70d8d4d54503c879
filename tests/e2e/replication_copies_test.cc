#include <filesystem>

#include "tests/support/replica_group.h"

/// What a slave copies from its master besides messages, and what it hands back.
namespace comet::test {
namespace {

using namespace replica;  // NOLINT(google-build-using-namespace)
using Catch::Matchers::Contains;

constexpr int32_t kQueryOffset = 14, kCommit = 15, kAllTopics = 21, kHeartbeat = 34, kAllOffsets = 43,
                  kAllDelayOffsets = 45, kTimerCheckpoint = 60, kTimerMetrics = 61, kUpdateGroup = 200,
                  kAllGroups = 201, kDeleteGroup = 207, kDeleteTopic = 215, kSetMode = 401, kAllModes = 402;

std::string mode_of(const std::string& group, int32_t share) {
  return R"({"topic":"T","consumerGroup":")" + group + R"(","mode":"PULL","popShareQueueNum":)" +
         std::to_string(share) + "}";
}

/// A group as administrators make it.
std::string group_text(const std::string& name, int32_t retries) {
  return R"({"groupName":")" + name + R"(","consumeEnable":true,"retryMaxTimes":)" + std::to_string(retries) + "}";
}

RawClient::Ext offset_fields(const std::string& group, int64_t offset) {
  return {{"consumerGroup", group}, {"topic", "T"}, {"queueId", "1"}, {"commitOffset", std::to_string(offset)}};
}

std::string committed(int32_t port, const std::string& group) {
  const auto answer = RawClient(port).call(kQueryOffset, {{"consumerGroup", group}, {"topic", "T"}, {"queueId", "1"}});
  return answer.code == 0 ? answer.ext->at("offset") : "";
}

/// A master with topic T and group g, and its slave that has both.
struct Copied : ReplicaGroup {
  explicit Copied(const ReplicaSettings& settings = {}) : ReplicaGroup(settings) {
    start();
    REQUIRE(at_master(kUpdateTopic, topic_fields("T")).code == 0);
    REQUIRE(at_master(kUpdateGroup, {}, group_text("g", 3)).code == 0);
    REQUIRE(slave_shows(kAllTopics, "\"T\""));
    REQUIRE(slave_shows(kAllGroups, "\"g\""));
  }
  RawClient::Answer at_master(int32_t code, const RawClient::Ext& ext = {}, const std::string& body = {}) {
    return RawClient(master.port()).call(code, ext, body);
  }
  std::string at_slave(int32_t code) { return RawClient(slave.port()).call(code).body; }
  bool slave_shows(int32_t code, const std::string& text) {
    return eventually([&] { return at_slave(code).find(text) != std::string::npos; });
  }
  bool slave_answers_like_its_master(int32_t code) {
    return eventually([&] { return at_slave(code) == at_master(code).body; });
  }
  std::string slave_file(const std::string& name) { return slave.read("store/config/" + name); }
};

}  // namespace

TEST_CASE("a slave has its master's message request modes, in memory and on disk", "[e2e][replication]") {
  Copied group;
  REQUIRE(group.at_master(kSetMode, {}, mode_of("g", 0)).code == 0);
  REQUIRE(group.slave_shows(kAllModes, R"("g":{)"));
  CHECK(group.slave_answers_like_its_master(kAllModes));

  // What is set at the slave neither wins nor takes anything of the copy away.
  REQUIRE(group.at_master(kUpdateGroup, {}, group_text("other", 3)).code == 0);
  REQUIRE(group.slave_shows(kAllGroups, "\"other\""));
  REQUIRE(RawClient(group.slave.port()).call(kSetMode, {}, mode_of("other", 0)).code == 0);
  CHECK_THAT(group.slave_file("messageRequestMode.json"), Contains("\"g\""));
  CHECK(group.slave_answers_like_its_master(kAllModes));

  // A master that has none any more, as after its file was taken away.
  REQUIRE(group.master.stop() == 0);
  std::filesystem::remove(group.master.folder() + "/store/config/messageRequestMode.json");
  std::filesystem::remove(group.master.folder() + "/store/config/messageRequestMode.json.bak");
  group.start_master();
  CHECK(eventually([&] { return group.at_slave(kAllModes) == R"({"messageRequestModeMap":{}})"; }));
  CHECK(group.slave_file("messageRequestMode.json") == R"({"messageRequestModeMap":{}})");
}

TEST_CASE("what consumers committed at a slave reaches the master although the slave starts anew meanwhile",
          "[e2e][replication]") {
  Copied group({.master = "", .slave = "flushConsumerOffsetInterval=100\n"});
  REQUIRE(group.at_master(kCommit, offset_fields("g", 3)).code == 0);
  REQUIRE(eventually([&] { return committed(group.slave.port(), "g") == "3"; }));
  group.kill(group.master);
  RawClient slave(group.slave.port());
  REQUIRE(slave.call(kCommit, offset_fields("g", 9)).code == 0);
  // A group of which the master hears only later.
  REQUIRE(slave.call(kUpdateGroup, {}, group_text("new", 3)).code == 0);
  REQUIRE(slave.call(kCommit, offset_fields("new", 5)).code == 0);
  REQUIRE(eventually([&] {
    const std::string kept = group.slave_file("slaveCommits.json");
    return kept.find(R"("T@g":{"1":9)") != std::string::npos && kept.find(R"("T@new":{"1":5)") != std::string::npos;
  }));
  group.kill(group.slave);
  group.start_slave();
  CHECK(committed(group.slave.port(), "g") == "9");

  group.start_master();
  CHECK(committed(group.master.port(), "g") != "9");
  register_anew(group.slave.port());
  CHECK(eventually([&] { return committed(group.master.port(), "g") == "9"; }));
  CHECK(committed(group.slave.port(), "g") == "9");
  CHECK(committed(group.master.port(), "new") != "5");
  REQUIRE(group.at_master(kUpdateGroup, {}, group_text("new", 3)).code == 0);
  CHECK(eventually([&] { return committed(group.master.port(), "new") == "5"; }));
  CHECK(eventually([&] { return group.slave_file("slaveCommits.json") == R"({"offsetTable":{}})"; }));
}

TEST_CASE("delay offsets and the timers' progress and counts are copied", "[e2e][replication]") {
  Copied group({.master = "flushDelayOffsetInterval=100\ntimerFlushIntervalMs=100\n", .slave = ""});
  RawClient client(group.master.port());
  auto delayed = send_fields("T", 0);
  delayed["properties"] =
      "DELAY\1"
      "1\2";
  auto far = send_fields("T", 1);
  far["properties"] =
      "TIMER_DELAY_SEC\1"
      "3600\2";
  REQUIRE(client.call(kSend, delayed, "in a second").code == 0);
  REQUIRE(client.call(kSend, far, "in an hour").code == 0);
  REQUIRE(eventually([&] { return group.at_master(kAllDelayOffsets).body.find("1:1") != std::string::npos; }));
  REQUIRE(eventually([&] { return group.at_master(kTimerMetrics).body.find(R"("T")") != std::string::npos; }));

  CHECK(group.slave_shows(kAllDelayOffsets, "1:1"));
  CHECK(group.slave_answers_like_its_master(kTimerMetrics));
  // Its bytes 8 × 0: up to when slots are delivered; 8 × 3: the next entry of the master's timer queue.
  const auto number = [](const std::string& bytes, size_t at) {
    return bytes.size() == 56 ? load_be<int64_t>(bytes.data() + 8 * at) : -1;
  };
  CHECK(eventually([&] {
    const std::string here = group.at_slave(kTimerCheckpoint), there = group.at_master(kTimerCheckpoint).body;
    return number(here, 3) == 1 && number(there, 2) == 1 && number(here, 0) > 0 &&
           std::abs(number(there, 0) - number(here, 0)) < 10'000;
  }));
}

TEST_CASE("a group that is changed or deleted, and a topic that is deleted, are so at the slave",
          "[e2e][replication]") {
  Copied group;
  REQUIRE(group.at_master(kUpdateGroup, {}, group_text("g", 7)).code == 0);
  REQUIRE(group.at_master(kUpdateTopic, topic_fields("Kept")).code == 0);
  REQUIRE(group.slave_shows(kAllTopics, "\"Kept\""));
  CHECK(group.slave_shows(kAllGroups, R"("retryMaxTimes":7)"));
  CHECK(send_some(group.master.port(), "T", "m", 20) == 20);
  REQUIRE(caught_up(group));
  REQUIRE(shows_the_same(group, "T"));

  REQUIRE(group.at_master(kDeleteGroup, {{"groupName", "g"}, {"cleanOffset", "true"}}).code == 0);
  REQUIRE(group.at_master(kDeleteTopic, {{"topic", "T"}}).code == 0);
  CHECK(eventually([&] { return group.at_slave(kAllGroups).find("\"g\"") == std::string::npos; }));
  CHECK(eventually([&] { return group.at_slave(kAllTopics).find("\"T\"") == std::string::npos; }));
  CHECK_THAT(group.at_slave(kAllTopics), Contains("\"Kept\""));
  CHECK(RawClient(group.slave.port()).call(kPull, pull_fields("T", 0, 0)).code == 17);
  CHECK(eventually([&] { return group.slave_file("topics.json").find("\"T\"") == std::string::npos; }));

  // A topic of the same name is a new one on both.
  REQUIRE(group.at_master(kUpdateTopic, topic_fields("T")).code == 0);
  CHECK(send_some(group.master.port(), "T", "second life", 4) == 4);
  REQUIRE(caught_up(group));
  CHECK(shows_the_same(group, "T"));
}

}  // namespace comet::test
