#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "common/message_properties.h"
#include "tests/support/cluster.h"
#include "tests/support/proof/broker_calls.h"
#include "tests/support/small_disk.h"

namespace comet::test {
namespace {

struct OneBroker {
  explicit OneBroker(const std::string& settings)
      : broker("mqbroker", folder, Cluster::broker_file(folder, settings), "The broker[broker-a, 127.0.0.1:") {
    broker.start();
    INFO(broker.output());
    REQUIRE(broker.running());
    RawClient client(broker.port());
    REQUIRE(make_topic(client, "T", 1));
  }
  std::string told(const std::string& key) {
    RawClient client(broker.port());
    return nlohmann::json::parse(client.call(call::kRuntimeInfo).body).at("table").at(key).get<std::string>();
  }

  TempDir dir{memory_folder()};
  const std::string folder = dir / "broker";
  Daemon broker;
};

/// Others' data on a disk: all that it has room for.
void fill(const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  for (size_t bytes = 1 << 20; bytes >= 512; bytes /= 2, file.clear())
    while (file << std::string(bytes, 'b') << std::flush) {
    }
}

}  // namespace

TEST_CASE("a disk that others fill to the last byte makes the broker refuse, lose nothing and go on when there is room",
          "[e2e][broker][durability][full]") {
  constexpr int32_t kSystemError = 1, kNotAvailable = 14, kQueues = 4;
  const bool sync_flush = GENERATE(false, true);
  TempDir dir;
  const std::string folder = dir / "disk";
  std::filesystem::create_directories(folder);
  const SmallDisk small(folder, "150m");
  if (!small) return;
  Daemon broker("mqbroker", folder,
                Cluster::broker_file(folder, std::string("mappedFileSizeCommitLog=262144\n"
                                                         "mappedFileSizeConsumeQueue=400\ncleanResourceInterval=100\n"
                                                         "cleanFileForciblyEnable=false\nflushDiskType=") +
                                                 (sync_flush ? "SYNC_FLUSH\n" : "ASYNC_FLUSH\n")),
                "The broker[broker-a, 127.0.0.1:");
  broker.start();
  REQUIRE(broker.running());
  RawClient client(broker.port());
  REQUIRE(make_topic(client, "T", kQueues));
  std::map<int32_t, std::vector<std::string>> sent;
  int number = 0;
  const auto send = [&] {
    const int32_t queue = number % kQueues;
    const std::string body = std::to_string(number) + std::string(number % 7 == 0 ? 3'000 : 10, 'x');
    ++number;
    const auto answer = client.call(call::kSend, send_fields("T", queue, ""), body);
    if (answer.code == 0) sent[queue].push_back(body);
    return answer;
  };
  const auto all_there = [&] {
    RawClient reader(broker.port());
    for (const auto& [queue, bodies] : sent) {
      std::vector<std::string> found;
      for (const Stored& one : read_queue(reader, "T", queue)) found.push_back(one.body);
      if (found != bodies) return false;
    }
    return true;
  };
  for (int i = 0; i < 400; ++i) REQUIRE(send().code == 0);

  fill(folder + "/ballast");
  RawClient::Answer refused;
  REQUIRE(eventually([&] { return (refused = send()).code != 0; }));
  for (int i = 0; i < 200; ++i) {
    if (refused.code != 0) {
      CHECK((refused.code == kNotAvailable || refused.code == kSystemError));
      CHECK_THAT(refused.remark, Catch::Contains("the disk is full"));
    }
    refused = send();
  }
  CHECK(refused.code == kNotAvailable);
  REQUIRE(broker.running());
  CHECK(all_there());

  std::filesystem::remove(folder + "/ballast");
  CHECK(eventually([&] { return send().code == 0; }));
  for (int i = 0; i < 400; ++i) CHECK(send().code == 0);
  CHECK(all_there());
  CHECK(broker.stop() == 0);
  broker.start();
  REQUIRE(broker.running());
  CHECK(all_there());
}

TEST_CASE("what a power cut could take is told: up to the flush interval, and nothing under SYNC_FLUSH",
          "[e2e][broker][durability]") {
  const bool sync_flush = GENERATE(false, true);
  OneBroker one(std::string("flushIntervalCommitLog=9000\nflushDiskType=") +
                (sync_flush ? "SYNC_FLUSH\n" : "ASYNC_FLUSH\n"));
  RawClient client(one.broker.port());
  REQUIRE(client.call(call::kSend, send_fields("T", 0, ""), "m").code == 0);
  if (sync_flush) {
    CHECK(one.told("dataAtRiskMillis") == "0");
    CHECK(one.told("dataAtRiskMillisMax") == "0");
  } else {
    CHECK(eventually([&] { return std::stoll(one.told("dataAtRiskMillis")) > 20; }));
    CHECK(std::stoll(one.told("dataAtRiskMillis")) <= 9'000);
    CHECK(std::stoll(one.told("dataAtRiskMillisMax")) >= 9'000);
    CHECK(std::stoll(one.told("dataAtRiskMillisMax")) < 60'000);
  }
  for (const char* key : {"deletedBeforeTimeFiles", "deletedUnreadMessages", "deletedWaitingMessages"})
    CHECK(one.told(key) == "0");
  CHECK(one.broker.stop() == 0);
}

TEST_CASE("a log file whose pages go away makes the broker refuse messages, not end", "[e2e][broker][durability]") {
  constexpr int32_t kNotAvailable = 14;
  OneBroker one("");
  RawClient client(one.broker.port());
  REQUIRE(client.call(call::kSend, send_fields("T", 0, ""), "before").code == 0);
  // As an unreadable disk does it: from the second page on a touch raises SIGBUS.
  std::filesystem::resize_file(one.folder + "/store/commitlog/00000000000000000000", 4'096);
  RawClient::Answer answer;
  for (int n = 0; n < 3 && answer.code <= 0; ++n)
    answer = client.call(call::kSend, send_fields("T", 0, ""), std::string(6'000, 'x'));
  CHECK(answer.code == kNotAvailable);
  INFO(one.broker.output());
  REQUIRE(one.broker.running());
  CHECK_THAT(one.told("storeWritable"), Catch::StartsWith("false: "));
  const auto stored = read_queue(client, "T", 0);
  REQUIRE_FALSE(stored.empty());
  CHECK(stored.front().body == "before");
  CHECK(client.call(call::kSend, send_fields("T", 0, ""), "after").code == kNotAvailable);
}

TEST_CASE("a timer log whose pages go away leaves the broker at work, and its timers come after a restart",
          "[e2e][broker][durability]") {
  OneBroker one("mappedFileSizeTimerLog=16384\ntimerPrecisionMs=100\n");
  RawClient client(one.broker.port());
  const auto send_timer = [&](const std::string& body) {
    std::string properties;
    append_property(properties, "UNIQ_KEY", body);
    append_property(properties, "TIMER_DELAY_MS", "1000");
    return client.call(call::kSend, send_fields("T", 0, properties), body).code;
  };
  REQUIRE(send_timer("first") == 0);
  REQUIRE(eventually([&] { return one.told("timerOffsetBehind") == "0"; }));
  std::filesystem::resize_file(one.folder + "/store/timerlog/00000000000000000000", 0);
  REQUIRE(send_timer("second") == 0);
  CHECK(client.call(call::kSend, send_fields("T", 0, ""), "plain").code == 0);
  REQUIRE(one.broker.running());
  CHECK(one.told("storeWritable") == "true");
  CHECK(eventually([&] {
    return one.broker.read("logs/rocketmqlogs/broker.log").find("timer messages wait") != std::string::npos;
  }));
  CHECK(one.told("timerOffsetBehind") == "1");
  (void)one.broker.stop();
  one.broker.start();
  REQUIRE(one.broker.running());
  RawClient again(one.broker.port());
  CHECK(eventually([&] {
    std::set<std::string> bodies;
    for (const Stored& stored : read_queue(again, "T", 0)) bodies.insert(stored.body);
    return bodies == std::set<std::string>{"first", "plain", "second"};
  }));
}

}  // namespace comet::test
