#include <sys/stat.h>
#include <sys/time.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "store/checkpoint.h"
#include "store/consume_queue.h"
#include "store/mapped_file_queue.h"
#include "store/queue_manifest.h"
#include "tests/support/faulty_files.h"
#include "tests/support/store_fixture.h"

using namespace comet;
using namespace comet::test;
using store::Checkpoint;
using store::PutStatus;
using store::QueueManifest;

namespace {

// With its block of the allocator, its place in the table and its share of a topic an idle queue stays below 256 bytes.
static_assert(sizeof(store::ConsumeQueue) <= 184);

constexpr int kTopics = 12, kQueues = 3;
constexpr auto kMostMapped = static_cast<int64_t>(store::MappedFileQueue::kMostMapped);

/// One whose queues all count as many.
store::StoreOptions many_queues(const std::string& root) {
  auto options = small_store(root);
  options.queues_loaded_at_open = 0;
  return options;
}

std::string topic(int i) { return "T" + std::to_string(i); }

void fill(RunningStore& store, int rounds) {
  for (int round = 0; round < rounds; ++round)
    for (int i = 0; i < kTopics; ++i)
      for (int queue = 0; queue < kQueues; ++queue)
        REQUIRE(store.put(topic(i), queue, std::to_string(round) + "/" + topic(i)).status == PutStatus::kOk);
}

void check_content(RunningStore& store, int rounds) {
  for (int i = 0; i < kTopics; ++i)
    for (int queue = 0; queue < kQueues; ++queue) {
      std::vector<std::string> expected;
      for (int round = 0; round < rounds; ++round) expected.push_back(std::to_string(round) + "/" + topic(i));
      CAPTURE(i, queue);
      CHECK(store->max_offset({topic(i), QueueId(queue)}, true).value == rounds);
      CHECK(store.bodies(topic(i), queue) == expected);
    }
}

/// Mappings of this process that lie in the folder.
int64_t mappings_of(const std::string& folder) {
  std::ifstream maps("/proc/self/maps");
  int64_t count = 0;
  for (std::string line; std::getline(maps, line);)
    if (line.find(folder) != std::string::npos) ++count;
  return count;
}

std::string queue_file(const std::string& root, int i, int queue) {
  return root + "/consumequeue/" + topic(i) + "/" + std::to_string(queue) + "/00000000000000000000";
}

}  // namespace

TEST_CASE("a long log costs no more mappings than a short one, and any place of it can be read", "[store]") {
  TempDir dir;
  constexpr int kMessages = 1'500;
  std::vector<PhyOffset> places;
  {
    RunningStore store(small_store(dir / "s"));
    for (int i = 0; i < kMessages; ++i)
      places.push_back(store.put("T", 0, std::to_string(i) + std::string(900, 'x')).at);
  }
  RunningStore store(small_store(dir / "s"));
  REQUIRE(places.back().value / small_store("").commit_log_file_bytes > 2 * kMostMapped);
  CHECK(mappings_of(dir / "s/commitlog") <= 3);
  for (int round = 0; round < 2; ++round)
    for (int i = 0; i < kMessages; i += 7) {
      const auto record = store->record_at(places[static_cast<size_t>(i)]);
      REQUIRE(record);
      CHECK(decode_message(record->bytes, true)->message.body.starts_with(std::to_string(i) + "x"));
    }
  CHECK(mappings_of(dir / "s/commitlog") <= kMostMapped + 3);
}

TEST_CASE("files that were written and are durable are unmapped like old ones", "[store]") {
  TempDir dir;
  RunningStore store(small_store(dir / "s"));
  for (int i = 0; i < 1'500; ++i) REQUIRE(store.put("T", 0, std::string(900, 'x')).status == PutStatus::kOk);
  CHECK(eventually([&] { return mappings_of(dir / "s/commitlog") <= kMostMapped + 3; }));
  CHECK(store.bodies("T", 0).size() == 1'500);
}

TEST_CASE("a clean start takes the queues from the manifest and doesn't look at their files", "[store]") {
  TempDir dir;
  {
    RunningStore store(many_queues(dir / "s"));
    fill(store, 5);
  }
  REQUIRE(std::filesystem::exists(dir / "s/queues.manifest"));
  SECTION("as it was left") {
    RunningStore store(many_queues(dir / "s"));
    check_content(store, 5);
    fill(store, 1);
    CHECK(store->max_offset({topic(0), QueueId(0)}, true).value == 6);
    CHECK_FALSE(std::filesystem::exists(dir / "s/queues.manifest"));  // good for one start
  }
  SECTION("a file that nobody should have taken isn't missed before it is read") {
    std::filesystem::remove(queue_file(dir / "s", 3, 1));
    RunningStore store(many_queues(dir / "s"));
    CHECK(store->max_offset({topic(3), QueueId(1)}, true).value == 5);
    CHECK(store.put(topic(3), 1, "next").queue_offset.value == 5);
  }
}

TEST_CASE("a manifest is ignored once somebody else has had the store", "[store]") {
  TempDir dir;
  {
    RunningStore store(many_queues(dir / "s"));
    fill(store, 5);
  }
  std::filesystem::remove(queue_file(dir / "s", 3, 1));
  SECTION("a broker that took the lock") {
    const timeval times[2] = {{1'700'000'000, 0}, {1'700'000'000, 0}};
    REQUIRE(::utimes((dir / "s/lock").c_str(), times) == 0);
  }
  SECTION("a topic that is gone") { std::filesystem::remove_all(dir / "s/consumequeue/T7"); }
  SECTION("a damaged manifest") {
    std::fstream file(dir / "s/queues.manifest", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file.put('!');
  }
  SECTION("a crash") { std::ofstream(dir / "s/abort") << "1"; }
  RunningStore store(many_queues(dir / "s"));
  INFO(store.problem.what);
  REQUIRE(store);
  const auto seen = store->max_offset({topic(3), QueueId(1)}, true).value;
  CHECK((seen == 0 || store.bodies(topic(3), 1).size() == 5));  // gone, or built again from the log
  CHECK(store.bodies(topic(2), 1).size() == 5);
}

TEST_CASE("after a crash queues are loaded when they are needed, and those in the log's end are built again",
          "[store]") {
  TempDir dir;
  {
    RunningStore store(many_queues(dir / "s"));
    fill(store, 30);
  }
  {
    RunningStore store(many_queues(dir / "s"), /*threads=*/false);
    for (int queue = 0; queue < kQueues; ++queue) REQUIRE(store.put(topic(1), queue, "late").queue_offset.value == 30);
    copy_folder(dir / "s", dir / "k");
  }
  RunningStore store(many_queues(dir / "k"));
  REQUIRE(store);
  for (int queue = 0; queue < kQueues; ++queue) {
    CHECK(store.bodies(topic(1), queue).back() == "late");
    CHECK(store->max_offset({topic(1), QueueId(queue)}, true).value == 31);
    CHECK(store.put(topic(4), queue, "next").queue_offset.value == 30);
  }
  CHECK(store.bodies(topic(2), 2).size() == 30);
  REQUIRE(store.stop());
  RunningStore again(many_queues(dir / "k"));  // a manifest with queues that nobody looked at
  for (int i = 5; i < kTopics; ++i)
    for (int queue = 0; queue < kQueues; ++queue) CHECK(again.bodies(topic(i), queue).size() == 30);
}

TEST_CASE("a queue that can't be loaded now says so, and takes no message until it can", "[store]") {
  TempDir dir;
  {
    RunningStore store(many_queues(dir / "s"));
    fill(store, 30);
  }
  std::filesystem::remove(dir / "s/queues.manifest");
  const auto files = std::make_shared<FaultyFiles>();
  RunningStore store(many_queues(dir / "s"), /*threads=*/false, files);
  REQUIRE(store);
  const std::string name = topic(2);
  const store::QueueKeyView queue{name, QueueId(2)};
  files->faults.reads_left = 0;
  const auto readable = store->queue_readable(queue);
  REQUIRE_FALSE(readable);
  CHECK(readable.error().code == Errc::kIo);
  CHECK_THAT(readable.error().what, Catch::Contains("can't be read now"));
  CHECK(store.put(topic(2), 2, "refused").status == store::PutStatus::kServiceNotAvailable);
  CHECK(store->queue_readable({"nowhere", QueueId(0)}));
  files->faults.reads_left = -1;
  CHECK(store->queue_readable(queue));
  CHECK(store->max_offset(queue, true).value == 30);
  CHECK(store.put(topic(2), 2, "next").queue_offset.value == 30);
}

TEST_CASE("many queues without a manifest, cleanly stopped, miss nothing", "[store]") {
  TempDir dir;
  {
    RunningStore store(many_queues(dir / "s"));
    fill(store, 30);
  }
  // As an Apache broker leaves it: no end is noted, the next file stands there empty.
  std::filesystem::remove(dir / "s/queues.manifest");
  std::filesystem::remove(dir / "s/checkpoint");
  int64_t limit = 0;
  for (const auto& file : std::filesystem::directory_iterator(dir / "s/commitlog"))
    limit = std::max<int64_t>(limit, std::stoll(file.path().filename().string()) + 16 * 1024);
  char name[32];
  std::snprintf(name, sizeof name, "/%020lld", static_cast<long long>(limit));
  std::ofstream(dir / "s/commitlog" + name) << std::string(16 * 1024, '\0');
  RunningStore store(many_queues(dir / "s"));
  check_content(store, 30);
  fill(store, 1);
  CHECK(store->max_offset({topic(11), QueueId(2)}, true).value == 31);
}

TEST_CASE("the manifest gives back what was written, for the same stamp only", "[store]") {
  TempDir dir;
  const auto files = make_real_files();
  const QueueManifest::Stamp stamp{PhyOffset(4096), PhyOffset(70'000), 1'700'000'000'123, 300'000, 2};
  QueueManifest out;
  const std::vector<QueueManifest::Queue> first{{QueueId(0), store::QueueExtent{0, 300'000, 7, 300'123, 69'999}},
                                                {QueueId(5), std::nullopt}};
  out.add("TopicA", first);
  out.add("B", std::vector<QueueManifest::Queue>{{QueueId(1), store::QueueExtent{0, 0, 0, 1, 50}}});
  REQUIRE(out.write(*files, dir / "m", stamp));

  const auto in = QueueManifest::read(*files, dir / "m", stamp);
  REQUIRE(in);
  CHECK(in->queues() == 3);
  int topics = 0;
  in->each_topic([&](std::string_view name, std::span<const QueueManifest::Queue> queues) {
    ++topics;
    if (name == "B") {
      CHECK(queues.size() == 1);
      CHECK(queues[0].extent->end == 1);
      return;
    }
    CHECK(name == "TopicA");
    REQUIRE(queues.size() == 2);
    CHECK(queues[0].extent->last_file == 300'000);
    CHECK(queues[0].extent->min == 7);
    CHECK(queues[0].extent->max_phy == 69'999);
    CHECK(queues[1].id == QueueId(5));
    CHECK_FALSE(queues[1].extent);
  });
  CHECK(topics == 2);
  auto other = stamp;
  other.lock_ms += 1;
  CHECK_FALSE(QueueManifest::read(*files, dir / "m", other));
  CHECK_FALSE(QueueManifest::read(*files, dir / "absent", stamp));
}

TEST_CASE("the queues' end is noted when it is 3 s old, and void under other times", "[store]") {
  TempDir dir;
  const auto files = make_real_files();
  auto open = [&] { return Checkpoint::open(*files, dir / "checkpoint").value(); };
  auto checkpoint = open();
  auto save = [&](int64_t phy, int64_t ms) {
    auto times = checkpoint->times();
    times.log_ms = times.queues_ms = ms;
    checkpoint->set(times);
    checkpoint->set_queues_end(PhyOffset(phy), ms);
    REQUIRE(checkpoint->flush());
  };
  save(1'000, 10'000);
  CHECK_FALSE(open()->queues_end());
  save(2'000, 12'000);
  CHECK_FALSE(open()->queues_end());
  save(3'000, 20'000);
  CHECK(open()->queues_end() == PhyOffset(1'000));
  save(4'000, 30'000);
  CHECK(open()->queues_end() == PhyOffset(3'000));
  {
    std::fstream file(dir / "checkpoint", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(7);
    file.put('\1');  // another broker's time of the log
  }
  CHECK_FALSE(open()->queues_end());
}

TEST_CASE("after a crash the log is read from the queues' noted end on", "[store]") {
  TempDir dir;
  PhyOffset noted;
  {
    RunningStore store(small_store(dir / "s"));
    for (int i = 0; i < 40; ++i) store.put("T", 0, std::to_string(i));
    noted = store.put("T", 0, "40").at;
    store.put("T", 0, "41");
    REQUIRE(store.stop());  // all entries are in the queue's files
    copy_folder(dir / "s", dir / "k");
    std::ofstream(dir / "k/abort") << "1";
  }
  {
    const auto files = make_real_files();
    auto checkpoint = Checkpoint::open(*files, dir / "k/checkpoint").value();
    auto times = checkpoint->times();
    times.log_ms = times.queues_ms = 1'700'000'010'000;
    checkpoint->set(times);
    checkpoint->set_queues_end(noted, 1'700'000'000'000);
    checkpoint->set_queues_end(noted, 1'700'000'010'000);
    REQUIRE(checkpoint->flush());
  }
  struct Lines final : Log {
    void write(LogLevel, std::string_view line) override { text.append(line) += '\n'; }
    bool enabled(LogLevel) const override { return true; }
    std::string text;
  } log;
  SECTION("a record stands there") {
    RunningStore store(small_store(dir / "k"), false, make_real_files(), 1'700'000'000'000, log);
    REQUIRE(store);
    CHECK(log.text.find("found by reading 2 records") != std::string::npos);
    CHECK(store.bodies("T", 0).size() == 42);
  }
  SECTION("queues that lack what came before are built again from further back") {
    std::filesystem::remove_all(dir / "k/consumequeue");
    RunningStore store(small_store(dir / "k"), false, make_real_files(), 1'700'000'000'000, log);
    REQUIRE(store);
    CHECK(log.text.find("a ConsumeQueue lacks entries") != std::string::npos);
    CHECK(store->min_offset({"T", QueueId(0)}).value == 0);
    CHECK(store.bodies("T", 0).size() == 42);
  }
  SECTION("no record stands there: the times say where to begin") {
    std::filesystem::remove_all(dir / "k/consumequeue");
    std::fstream file(dir / "k/commitlog/00000000000000000000", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(noted.value + 4);
    file.put('\0');
    file.close();
    RunningStore store(small_store(dir / "k"));
    REQUIRE(store);
    CHECK(store.bodies("T", 0).size() == 41);
    CHECK(store.bodies("T", 0).front() == "0");
  }
}

TEST_CASE("a store with queues of batches is refused, and says which", "[store]") {
  TempDir dir;
  std::filesystem::create_directories(dir / "s/batchconsumequeue/Batches/0");
  RunningStore store(small_store(dir / "s"));
  REQUIRE_FALSE(store);
  CHECK(store.problem.what.find("batchconsumequeue holds queues of batches, Batches among them") != std::string::npos);
}

TEST_CASE("an entry with an address in consumequeue_ext is filtered by its record's tag", "[store]") {
  struct OneTag final : store::MessageFilter {
    bool matches_tags_code(int64_t code) const override { return code == tags_code("A"); }
  } filter;
  TempDir dir;
  {
    RunningStore store(small_store(dir / "s"));
    for (int i = 0; i < 10; ++i) store.put("T", 0, std::to_string(i), i % 2 == 0 ? "A" : "B");
  }
  {
    std::fstream file(dir / "s/consumequeue/T/0/00000000000000000000", std::ios::in | std::ios::out | std::ios::binary);
    for (int i = 0; i < 10; ++i) {  // as Apache's broker with enableConsumeQueueExt writes them
      std::byte address[8];
      store_be<int64_t>(address, INT64_MIN + i * 20);
      file.seekp(i * 20 + 12);
      file.write(reinterpret_cast<const char*>(address), 8);
    }
  }
  RunningStore store(small_store(dir / "s"));
  REQUIRE(store);
  store::GetRequest get{.topic = "T", .queue_id = QueueId(0), .offset = QueueOffset(0), .filter = &filter};
  CHECK(store->get(get).status == store::GetStatus::kWouldBlock);  // a record must be read: not on a loop
  get.may_block = true;
  const auto got = store->get(get);
  CHECK(got.status == store::GetStatus::kFound);
  CHECK(got.count == 5);
  CHECK(got.next == QueueOffset(9 + 1));
  CHECK(store->entry({"T", QueueId(0)}, QueueOffset(1)).value()->tags_code == tags_code("B"));
}
