#include <fmt/core.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "common/message_properties.h"

#include "tests/support/cluster.h"
#include "tests/support/proof/broker_calls.h"

/// What people and repairs do to a broker's state files between two starts.
namespace comet::test {
namespace {

namespace fs = std::filesystem;
using Change = std::function<void(const std::string& store)>;

constexpr int kMessages = 5;

struct Case {
  std::string name;
  Change change;
  std::string refusal{};  ///< the start is refused in a sentence with this in it
  std::string says{};     ///< in a line of its logs
};

void write(const std::string& path, const std::string& content) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

Change with(const std::string& name, const std::string& content) {
  return [=](const std::string& store) { write(store + "/" + name, content); };
}
/// The file and the generation before it.
Change both_with(const std::string& name, const std::string& content) {
  return [=](const std::string& store) {
    write(store + "/" + name, content);
    write(store + "/" + name + ".bak", content);
  };
}
Change gone(const std::string& name) {
  return [=](const std::string& store) { fs::remove_all(store + "/" + name); };
}
Change folder_instead_of(const std::string& name) {
  return [=](const std::string& store) {
    fs::remove_all(store + "/" + name);
    fs::create_directories(store + "/" + name);
  };
}

std::vector<Case> all_cases() {
  const std::string garbage = "\x01\x02 no JSON {";
  return {
      {"nothing changed", [](const std::string&) {}},
      {"topics.json of garbage", with("config/topics.json", garbage), "", "topics.json.bak"},
      {"topics.json missing", gone("config/topics.json"), "", "topics.json is missing or empty; taking"},
      {"topics.json and its backup of garbage", both_with("config/topics.json", garbage), "topics.json"},
      {"subscriptionGroup.json a list", both_with("config/subscriptionGroup.json", "[1]"), "must hold a JSON object"},
      {"consumerOffset.json of garbage", with("config/consumerOffset.json", garbage), "", "consumerOffset.json.bak"},
      {"consumerOffset.json and its backup of garbage", both_with("config/consumerOffset.json", garbage),
       "consumerOffset.json"},
      {"delayOffset.json and its backup of garbage", both_with("config/delayOffset.json", garbage), "delayOffset.json"},
      {"delayOffset.json without a table", both_with("config/delayOffset.json", R"({"offsetTable":7})")},
      {"consumerFilter.json and its backup of garbage", both_with("config/consumerFilter.json", garbage),
       "consumerFilter.json"},
      {"timercheck missing", gone("config/timercheck")},
      {"timercheck cut short", with("config/timercheck", "short")},
      {"a folder instead of timercheck", folder_instead_of("config/timercheck"), "timercheck"},
      {"timerwheel missing", gone("timerwheel")},
      {"timerwheel cut short", with("timerwheel", "short"), "timerwheel has 5 bytes, but a timer wheel has 38707200"},
      {"a timer log file cut short", with("timerlog/00000000000000000000", "short"),
       "has 5 bytes, but mappedFileSizeTimerLog is 65536"},
      {"foreign files in the timer log", with("timerlog/notes.txt", "x"), "", "is not a file of the timer log"},
      {"a folder instead of the lock", folder_instead_of("lock"), "lock"},
      {"a file instead of the configuration's folder",
       [](const std::string& store) {
         fs::remove_all(store + "/config");
         write(store + "/config", "x");
       },
       "config"},
  };
}

std::string all_logs(const std::string& folder) {
  std::string out;
  for (const auto& entry : fs::recursive_directory_iterator(folder + "/logs"))
    if (entry.is_regular_file()) out += read_file(*make_real_files(), entry.path().string()).value_or("");
  return out;
}

/// A topic, a group's offset and two timers, each saved twice, so that there are backups; stopped cleanly.
void write_store(Daemon& broker) {
  for (int generation = 0; generation < 2; ++generation) {
    broker.start();
    INFO(broker.output());
    REQUIRE(broker.running());
    RawClient client(broker.port());
    REQUIRE(make_topic(client, "T", 1));
    REQUIRE(make_topic(client, "%RETRY%g", generation + 1));
    REQUIRE(make_topic(client, fmt::format("T{}", generation), 1));
    for (int n = generation; n < kMessages; n += 2)
      REQUIRE(client.call(call::kSend, send_fields("T", 0, ""), fmt::format("m{}", n)).code == 0);
    std::string timer;
    append_property(timer, "TIMER_DELAY_SEC", "3600");
    REQUIRE(client.call(call::kSend, send_fields("T", 0, timer), "later").code == 0);
    constexpr int32_t kCommitOffset = 15;
    REQUIRE(client
                .call(kCommitOffset, {{"consumerGroup", "g"},
                                      {"topic", "T"},
                                      {"queueId", "0"},
                                      {"commitOffset", std::to_string(generation + 1)}})
                .code == 0);
    REQUIRE(broker.stop() == 0);
  }
}

}  // namespace

TEST_CASE("damaged, missing and foreign state files: a clear sentence, or the broker goes on",
          "[e2e][broker][foreign]") {
  TempDir dir(memory_folder());
  const std::string folder = dir / "broker", saved = dir / "saved";
  Daemon broker("mqbroker", folder, Cluster::broker_file(folder, "mappedFileSizeTimerLog=65536\n"),
                "The broker[broker-a, 127.0.0.1:");
  write_store(broker);
  fs::copy(folder + "/store", saved, fs::copy_options::recursive);
  for (const Case& one : all_cases()) {
    INFO(one.name);
    fs::remove_all(folder + "/store");
    fs::remove_all(folder + "/logs");
    fs::copy(saved, folder + "/store", fs::copy_options::recursive);
    one.change(folder + "/store");
    broker.start();
    INFO(broker.output());
    if (!one.refusal.empty()) {
      CHECK(broker.process().wait() == 1);
      CHECK_THAT(broker.output(), Catch::Contains(one.refusal) && Catch::Contains("/store/"));
      continue;
    }
    REQUIRE(broker.running());
    RawClient client(broker.port());
    CHECK(read_queue(client, "T", 0).size() == kMessages);
    CHECK(client.call(call::kSend, send_fields("T", 0, ""), "next").code == 0);
    broker.process().signal(SIGTERM);
    CHECK(broker.process().wait() == 0);
    if (!one.says.empty()) CHECK_THAT(all_logs(folder), Catch::Contains(one.says));
  }
}

TEST_CASE("a state file that can't be written keeps no other from being saved", "[e2e][broker][foreign]") {
  TempDir dir(memory_folder());
  const std::string folder = dir / "broker", config = folder + "/store/config";
  Daemon broker("mqbroker", folder, Cluster::broker_file(folder, ""), "The broker[broker-a, 127.0.0.1:");
  write_store(broker);
  fs::rename(config + "/topics.json", config + "/topics.json.bak");
  fs::create_directory(config + "/topics.json");
  broker.start();
  REQUIRE(broker.running());
  RawClient client(broker.port());
  REQUIRE(read_queue(client, "T", 0).size() == kMessages);
  REQUIRE(client.call(15, {{"consumerGroup", kJudge}, {"topic", "T"}, {"queueId", "0"}, {"commitOffset", "2"}}).code ==
          0);
  broker.process().signal(SIGTERM);
  CHECK(broker.process().wait() == 1);
  CHECK_THAT(broker.output(), Catch::Contains("topics.json"));
  std::stringstream offsets;
  offsets << std::ifstream(config + "/consumerOffset.json").rdbuf();
  CHECK_THAT(offsets.str(), Catch::Contains("T@judge"));
}

}  // namespace comet::test
