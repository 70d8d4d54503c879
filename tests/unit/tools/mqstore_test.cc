#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/store_fixture.h"
#include "tools/mqstore/dump.h"
#include "tools/mqstore/rebuild.h"
#include "tools/mqstore/verify.h"

namespace comet::tools {
namespace {

using test::RunningStore;
using test::TempDir;

/// Changes one byte of a file.
void flip(const std::string& path, int64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  REQUIRE(file);
  file.seekg(at);
  const char byte = static_cast<char>(file.get() ^ 0x20);
  file.seekp(at);
  file.put(byte);
}

std::string first_file(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().string());
  std::sort(names.begin(), names.end());
  REQUIRE_FALSE(names.empty());
  return names.front();
}

/// A store that ours wrote, or one of Apache's, and what the tools say of it.
struct Subject {
  std::unique_ptr<TempDir> dir = std::make_unique<TempDir>();
  std::unique_ptr<Files> files = make_real_files();
  store::StoreOptions options;

  std::string root() const { return *dir / "store"; }
  std::string log_file() const { return first_file(root() + "/commitlog"); }
  std::string queue_file(const std::string& queue) const { return first_file(root() + "/consumequeue/" + queue); }

  static Subject written() {
    Subject subject;
    subject.options = test::small_store(subject.root());
    RunningStore store(subject.options);
    for (int n = 0; n < 60; ++n)
      store.put(n % 3 == 0 ? "odd" : "orders", n % 2, "body " + std::to_string(n), "T" + std::to_string(n % 4),
                "key" + std::to_string(n));
    REQUIRE(store.stop());
    return subject;
  }
  static Subject of_apache(const std::string& name) {
    Subject subject;
    REQUIRE(
        std::system(("tar xzf " COMETMQ_SOURCE_DIR "/tests/golden/store/" + name + ".tar.gz -C " + subject.dir->path())
                        .c_str()) == 0);
    subject.options.root = subject.root();
    subject.options.index_slots = 500;
    subject.options.index_entries = 2'000;
    subject.options.max_message_bytes = 65'536;
    return subject;
  }

  Result<std::unique_ptr<StoreFolder>> open() const {
    store::StoreOptions detected = options;
    detected.commit_log_file_bytes = detected.consume_queue_file_bytes = 0;  // as the program does
    return StoreFolder::open(*files, null_log(), detected);
  }
  StoreReport verify() {
    faults.clear();
    const auto folder = open();
    REQUIRE(folder);
    const auto report = verify_store(
        **folder, [this](const std::string& fault) { faults.push_back(fault); }, [](int64_t) {});
    REQUIRE(report);
    CHECK(report->faults == static_cast<int64_t>(faults.size()));
    return *report;
  }
  bool told(std::string_view part) const {
    for (const std::string& fault : faults) {
      if (fault.find(part) != std::string::npos) return true;
    }
    return false;
  }
  std::vector<std::string> dump(DumpOptions what) const {
    const auto folder = open();
    REQUIRE(folder);
    std::ostringstream out, problems;
    const auto shown = dump_store(**folder, what, out, problems);
    REQUIRE(shown);
    std::istringstream lines(out.str());
    std::vector<std::string> all;
    for (std::string line; std::getline(lines, line);) all.push_back(line);
    CHECK(*shown == static_cast<int64_t>(all.size()));
    return all;
  }
  void rebuild() const {
    const auto folder = open();
    REQUIRE(folder);
    const SystemClock clock;
    const auto rebuilt = rebuild_store(**folder, clock, null_log(), [](int64_t) {});
    INFO((rebuilt ? "" : rebuilt.error().what));
    REQUIRE(rebuilt);
  }

  std::vector<std::string> faults;
};

TEST_CASE("a sound store has no faults", "[tools][mqstore]") {
  Subject subject = Subject::written();
  const StoreReport report = subject.verify();
  CAPTURE(subject.faults);
  CHECK(report.faults == 0);
  CHECK(report.records == 60);
  CHECK(report.queues == 4);
  CHECK(report.queue_entries == 60);
  CHECK(report.index_keys == 60);
  CHECK(report.to_be_made == 0);
}

TEST_CASE("Apache's stores have no faults, stopped cleanly or killed", "[tools][mqstore][golden]") {
  for (const char* name :
       {"apache-5.3.3-clean", "apache-5.3.3-crashed", "apache-4.9.7-clean", "apache-4.9.7-crashed"}) {
    CAPTURE(name);
    Subject subject = Subject::of_apache(name);
    const StoreReport report = subject.verify();
    CAPTURE(subject.faults);
    CHECK(report.faults == 0);
    CHECK(report.records > 100);
    CHECK(report.index_keys > 100);
  }
}

TEST_CASE("each damaged byte is named with its file and place", "[tools][mqstore]") {
  constexpr int64_t kBodyByte = 88 + 4;  // of the first record: the fixed part, then inside the body
  SECTION("in a body") {
    Subject subject = Subject::written();
    flip(subject.log_file(), kBodyByte);
    CHECK(subject.verify().faults > 0);
    CHECK(subject.told(subject.log_file() + " byte 0: "));
    CHECK(subject.told("CRC"));
  }
  SECTION("in a queue entry's place, size and tag") {
    for (const int64_t byte : {20 + 7, 20 + 11, 20 + 19}) {
      CAPTURE(byte);
      Subject subject = Subject::written();
      flip(subject.queue_file("orders/0"), byte);
      CHECK(subject.verify().faults > 0);
      CHECK(subject.told(subject.queue_file("orders/0") + " byte 20"));
    }
  }
  SECTION("in the key index") {
    Subject subject = Subject::written();
    const std::string index = first_file(subject.root() + "/index");
    flip(index, 40 + 4 * 64 + 20 * 5 + 11);  // the place that the fifth entry leads to
    CHECK(subject.verify().faults == 2);
    CHECK(subject.told(index + " entry 5 leads to"));
    CHECK(subject.told("key4"));
  }
}

TEST_CASE("a missing file, an entry behind the log and an offset behind its queue are faults", "[tools][mqstore]") {
  SECTION("a queue's folder") {
    Subject subject = Subject::written();
    std::filesystem::remove_all(subject.root() + "/consumequeue/odd/1");
    CHECK(subject.verify().faults == 10);
    CHECK(subject.told("consumequeue/odd/1 holds no entry"));
  }
  SECTION("an entry behind the log") {
    Subject subject = Subject::written();
    flip(subject.queue_file("orders/0"), 3);  // the first entry's place: many GiB further
    CHECK(subject.verify().faults > 0);
    CHECK(subject.told("behind the log's end"));
  }
  SECTION("an index entry of no record") {
    Subject subject = Subject::written();
    flip(first_file(subject.root() + "/index"), 40 + 4 * 64 + 20 * 7 + 3);  // the seventh entry's hash
    CHECK(subject.verify().faults >= 1);
    CHECK(subject.told(" entry 7 leads to"));
    CHECK(subject.told("another one is there"));
  }
  SECTION("offsets") {
    Subject subject = Subject::written();
    std::filesystem::create_directories(subject.root() + "/config");
    std::ofstream(subject.root() + "/config/consumerOffset.json")
        << "{\"offsetTable\":{\"orders@good\":{0:20,1:20},\"orders@ahead\":{0:21},\"nowhere@g\":{0:1}}}";
    std::ofstream(subject.root() + "/config/delayOffset.json") << "{\"offsetTable\":{3:7}}";
    CHECK(subject.verify().faults == 3);
    CHECK(subject.told("consumerOffset.json: group ahead: offset 21 in queue 0 of orders, which ends at 20"));
    CHECK(subject.told("queue 0 of nowhere"));
    CHECK(subject.told("delayOffset.json: level 3: offset 7 in queue 2 of SCHEDULE_TOPIC_XXXX"));
  }
}

TEST_CASE("records are shown by range, topic and queue", "[tools][mqstore]") {
  const Subject subject = Subject::written();
  CHECK(subject.dump({}).size() == 60);
  CHECK(subject.dump({.topic = "orders"}).size() == 40);
  CHECK(subject.dump({.topic = "orders", .queue = 1}).size() == 20);
  CHECK(subject.dump({.limit = 7}).size() == 7);

  const auto lines = subject.dump({.topic = "orders", .queue = 1, .json = true});
  const auto first = nlohmann::json::parse(lines.front());
  CHECK(first["topic"] == "orders");
  CHECK(first["body"] == "body 1");
  const int64_t second = nlohmann::json::parse(lines.at(1))["commitLogOffset"].get<int64_t>();
  CHECK(subject.dump({.from = second, .topic = "orders", .queue = 1}).size() == 19);
  CHECK(subject.dump({.from = second + 1, .topic = "orders", .queue = 1}).size() == 18);
  CHECK(subject.dump({.to = second, .topic = "orders", .queue = 1}).size() == 1);
}

TEST_CASE("queues and index are made again from the log, around damage in it", "[tools][mqstore]") {
  Subject subject = Subject::written();
  std::filesystem::remove_all(subject.root() + "/consumequeue/odd");
  flip(subject.queue_file("orders/0"), 27);
  flip(first_file(subject.root() + "/index"), 45);
  REQUIRE(subject.verify().faults > 0);
  subject.rebuild();
  CHECK(subject.verify().faults == 0);
  {
    RunningStore store(subject.options);
    REQUIRE(store);
    CHECK(store.bodies("orders", 0).size() == 20);
    CHECK(store.bodies("odd", 1).size() == 10);
    REQUIRE(store.stop());
  }

  flip(subject.log_file(), 92);
  subject.rebuild();
  const StoreReport report = subject.verify();
  CHECK(report.records == 59);
  CHECK(report.faults == 1);  // the damage itself
  CHECK(subject.told("byte 0"));
}

TEST_CASE("Apache's stores can be made again", "[tools][mqstore][golden]") {
  for (const char* name : {"apache-5.3.3-clean", "apache-5.3.3-crashed"}) {
    CAPTURE(name);
    Subject subject = Subject::of_apache(name);
    const int64_t records = subject.verify().records;
    subject.rebuild();
    const StoreReport report = subject.verify();
    CAPTURE(subject.faults);
    CHECK(report.faults == 0);
    CHECK(report.records == records);
    CHECK(report.to_be_made == 0);
  }
}

TEST_CASE("a store in use and a folder without a store are refused", "[tools][mqstore]") {
  Subject subject = Subject::written();
  Subject empty;
  empty.options.root = empty.root();
  const auto nothing = empty.open();
  REQUIRE_FALSE(nothing);
  CHECK(nothing.error().code == Errc::kNotFound);
  const auto first = subject.open();
  REQUIRE(first);
  const auto second = subject.open();
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::kExists);
  CHECK(second.error().what.find("is in use") != std::string::npos);
}

}  // namespace
}  // namespace comet::tools
