#include "store/retention.h"

#include <catch2/catch.hpp>

#include <fstream>
#include <thread>

#include "tests/support/faulty_files.h"
#include "tests/support/store_fixture.h"

using namespace comet;
using namespace comet::test;
using store::GetStatus;
using store::PutStatus;

namespace {

/// A store that looks at its disk all the time.
store::StoreOptions busy_cleaner(const std::string& root) {
  auto options = small_store(root);
  options.clean_interval_ms = 5;
  options.delete_files_interval_ms = 1;
  options.delete_when = "99";  // never by the hour
  options.file_reserved_hours = 72;
  options.disk_max_used_ratio = 95;
  return options;
}

size_t log_files(const std::string& root) {
  size_t count = 0;
  for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(root + "/commitlog")) ++count;
  return count;
}

int64_t really_now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

TEST_CASE("expired log files go with their queue entries, and readers get Apache's answers", "[store]") {
  TempDir dir;
  RunningStore store(busy_cleaner(dir.path()), true, make_real_files(), really_now());
  for (int i = 0; i < 400; ++i)
    REQUIRE(store.put("T", 0, std::string(500, 'x'), "", "key" + std::to_string(i)).status == PutStatus::kOk);
  const auto files_before = log_files(dir.path());
  REQUIRE(files_before > 5);
  store.clock.advance_ms(80 * 3'600'000);
  REQUIRE(eventually([&] {
    store->delete_expired_log();
    return log_files(dir.path()) <= 2;
  }));
  REQUIRE(eventually([&] { return store->min_offset({"T", QueueId(0)}).value > 300; }));
  const auto old = store->get({.topic = "T", .queue_id = QueueId(0), .offset = QueueOffset(3)});
  CHECK(old.status == GetStatus::kOffsetTooSmall);
  CHECK(old.next == store->min_offset({"T", QueueId(0)}));
  CHECK(store->max_offset({"T", QueueId(0)}, true).value == 400);
  CHECK_FALSE(store.bodies("T", 0).empty());
  CHECK(eventually([&] { return !std::filesystem::exists(dir / "commitlog.trash"); }));
  REQUIRE(store.stop());
  RunningStore again(busy_cleaner(dir.path()), true, make_real_files(), really_now());
  CHECK(again->max_offset({"T", QueueId(0)}, true).value == 400);
  CHECK_FALSE(again.bodies("T", 0).empty());
}

TEST_CASE("files that have not expired stay", "[store]") {
  TempDir dir;
  RunningStore store(busy_cleaner(dir.path()), true, make_real_files(), really_now());
  for (int i = 0; i < 200; ++i) store.put("T", 0, std::string(500, 'x'));
  const auto before = log_files(dir.path());
  store->delete_expired_log();
  store.clock.advance_ms(71 * 3'600'000);
  store->delete_expired_log();
  CHECK(store->min_offset({"T", QueueId(0)}).value == 0);
  CHECK(log_files(dir.path()) >= before);
}

TEST_CASE("a shorter reserved time takes effect while the store runs", "[store]") {
  TempDir dir;
  auto options = busy_cleaner(dir.path());
  RunningStore store(options, true, make_real_files(), really_now());
  for (int i = 0; i < 200; ++i) store.put("T", 0, std::string(500, 'x'));
  store.clock.advance_ms(71 * 3'600'000);
  store->delete_expired_log();
  CHECK(store->min_offset({"T", QueueId(0)}).value == 0);
  options.file_reserved_hours = 24;
  store->change_options(options);
  CHECK(eventually([&] {
    store->delete_expired_log();
    return store->min_offset({"T", QueueId(0)}).value > 0;
  }));
}

TEST_CASE("a full disk refuses messages with a reason and takes them again when there is space", "[store]") {
  TempDir dir;
  auto files = std::make_shared<FaultyFiles>();
  auto options = busy_cleaner(dir.path());
  options.clean_file_forcibly = false;
  RunningStore store(options, true, files, really_now());
  REQUIRE(store.put("T", 0, "a").status == PutStatus::kOk);
  files->faults.free_bytes = 1024;
  REQUIRE(eventually([&] { return !store->writable(); }));
  CHECK(store.put("T", 0, "b").status == PutStatus::kServiceNotAvailable);
  CHECK(store->figures().not_writable_reason.find("the disk is full") != std::string::npos);
  CHECK(store.bodies("T", 0).size() == 1);
  files->faults.free_bytes = int64_t{1} << 50;
  REQUIRE(eventually([&] { return store->writable(); }));
  CHECK(store.put("T", 0, "c").status == PutStatus::kOk);
}

TEST_CASE("over the forcible ratio files go before their time, but never the last", "[store]") {
  TempDir dir;
  auto files = std::make_shared<FaultyFiles>();
  RunningStore store(busy_cleaner(dir.path()), true, files, really_now());
  for (int i = 0; i < 200; ++i) store.put("T", 0, std::string(500, 'x'));
  files->faults.free_bytes = 1024;
  REQUIRE(eventually([&] { return log_files(dir.path()) <= 2; }));
  files->faults.free_bytes = -1;
  CHECK_FALSE(store.bodies("T", 0).empty());
  const auto figures = store->figures();
  CHECK(figures.deleted_before_time_bytes == figures.min_offset.value);
  CHECK(figures.deleted_before_time_files * busy_cleaner("").commit_log_file_bytes == figures.min_offset.value);
}

TEST_CASE("queues whose messages are all gone can be cleaned", "[store]") {
  TempDir dir;
  RunningStore store(busy_cleaner(dir.path()), true, make_real_files(), really_now());
  store.put("Old", 0, "x");
  for (int i = 0; i < 100; ++i) store.put("T", 0, std::string(500, 'x'));
  store.clock.advance_ms(80 * 3'600'000);
  REQUIRE(eventually([&] {
    store->delete_expired_log();
    return store->min_offset({"Old", QueueId(0)}).value == 1;
  }));
  store->clean_expired_queues();
  CHECK_FALSE(store->queue_exists({"Old", QueueId(0)}));
  CHECK(store->queue_exists({"T", QueueId(0)}));
  CHECK_FALSE(std::filesystem::exists(dir / "consumequeue/Old"));
}

TEST_CASE("at the hour of deleteWhen expired files go by themselves", "[store]") {
  TempDir dir;
  auto options = busy_cleaner(dir.path());
  options.file_reserved_hours = 1;
  const int64_t later = really_now() + 2 * 3'600'000;
  const std::time_t seconds = later / 1000;
  std::tm local{};
  ::localtime_r(&seconds, &local);
  SECTION("now") { options.delete_when = "x;99;" + std::to_string(local.tm_hour); }
  SECTION("an hour later") { options.delete_when = std::to_string((local.tm_hour + 1) % 24); }
  RunningStore store(options, true, make_real_files(), later);
  for (int i = 0; i < 200; ++i) store.put("T", 0, std::string(500, 'x'));
  if (options.delete_when.starts_with("x")) {
    CHECK(eventually([&] { return log_files(dir.path()) <= 2; }));
  } else {
    const auto flushed = store->figures().max_offset;
    REQUIRE(eventually([&] { return store->durable_end() == flushed; }));
    CHECK(log_files(dir.path()) > 5);
    CHECK(store->min_offset({"T", QueueId(0)}).value == 0);
  }
}

TEST_CASE("over diskMaxUsedSpaceRatio expired files go, others stay", "[store]") {
  TempDir dir;
  auto files = std::make_shared<FaultyFiles>();
  auto options = busy_cleaner(dir.path());
  options.disk_max_used_ratio = 10;
  options.disk_clean_forcibly_ratio = 85;
  options.file_reserved_hours = 1;
  RunningStore store(options, true, files, really_now());
  for (int i = 0; i < 200; ++i) store.put("T", 0, std::string(500, 'x'));
  const auto space = files->space(dir.path()).value();
  files->faults.free_bytes = space.total_bytes / 2;
  CHECK(log_files(dir.path()) > 5);
  store.clock.advance_ms(2 * 3'600'000);
  CHECK(eventually([&] { return log_files(dir.path()) <= 2; }));
  CHECK(store->writable());
}

TEST_CASE("the index goes with the log that it pointed to", "[store]") {
  TempDir dir;
  auto options = busy_cleaner(dir.path());
  RunningStore store(options, true, make_real_files(), really_now());
  for (int i = 0; i < 900; ++i) {
    store.put("T", 0, std::string(300, 'x'), "", "key" + std::to_string(i));
    store.clock.advance_ms(1);  // a file's name is its time
  }
  auto index_files = [&] {
    size_t count = 0;
    for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(dir / "index")) ++count;
    return count;
  };
  auto hits = [&](int key) {
    return store->query({.topic = "T", .key = "key" + std::to_string(key), .end_ms = INT64_MAX}).records.size();
  };
  REQUIRE(eventually([&] { return index_files() >= 3; }));
  CHECK(hits(5) == 1);
  store.clock.advance_ms(80 * 3'600'000);
  REQUIRE(eventually([&] {
    store->delete_expired_log();
    return index_files() == 1;
  }));
  CHECK(hits(5) == 0);
  CHECK(hits(899) == 1);
}

TEST_CASE("who still reads a deleted file keeps its bytes, and only those", "[store]") {
  TempDir dir;
  RunningStore store(busy_cleaner(dir.path()), true, make_real_files(), really_now());
  const PhyOffset at = store.put("T", 0, "the first of all").at;
  for (int i = 0; i < 200; ++i) store.put("T", 0, std::string(500, 'x'));
  auto held = store->record_at(at);
  REQUIRE(held);
  store.clock.advance_ms(80 * 3'600'000);
  REQUIRE(eventually([&] {
    store->delete_expired_log();
    return log_files(dir.path()) <= 2;
  }));
  const std::string in_trash = dir / "commitlog.trash/00000000000000000000";
  REQUIRE(eventually([&] {  // all but the one that is read
    return std::distance(std::filesystem::directory_iterator(dir / "commitlog.trash"), {}) == 1;
  }));
  CHECK(std::filesystem::file_size(in_trash) == 16 * 1024);
  CHECK(decode_message(held->bytes, true)->message.body == "the first of all");
  CHECK_FALSE(store->record_at(at));
  held = fail(Errc::kNotFound, "let go");
  CHECK(eventually([&] { return !std::filesystem::exists(dir / "commitlog.trash"); }));
}

TEST_CASE("a reader whose queue files are deleted while it walks over them is told where the queue begins now",
          "[store]") {
  /// Matches nothing, and deletes what it has passed and what comes next.
  struct Deletes final : store::MessageFilter {
    Deletes(RunningStore& its_store, std::string its_root) : store(its_store), root(std::move(its_root)) {}
    bool matches_tags_code(int64_t) const override {
      if (deleted) return false;
      deleted = true;
      store.clock.advance_ms(80 * 3'600'000);
      CHECK(eventually([&] {
        store->delete_expired_log();
        return log_files(root) <= 2 && store->min_offset({"T", QueueId(0)}).value > 64;
      }));
      return false;
    }
    RunningStore& store;
    const std::string root;
    mutable bool deleted = false;
  };
  TempDir dir;
  auto options = busy_cleaner(dir.path());
  options.travel_queue_files = 3;
  options.flush_consume_queue_interval_ms = 1;
  RunningStore store(options, true, make_real_files(), really_now());
  for (int i = 0; i < 200; ++i) store.put("T", 0, std::string(500, 'x'), "tag");
  const Deletes filter(store, dir.path());
  const auto got = store->get({.topic = "T", .queue_id = QueueId(0), .offset = QueueOffset(1), .filter = &filter});
  CHECK(got.status == GetStatus::kOffsetTooSmall);
  CHECK(got.next == store->min_offset({"T", QueueId(0)}));
}

TEST_CASE("what a crash left in the trash is found at the start; big files go in slices", "[store]") {
  TempDir dir;
  const auto files = make_real_files();
  const std::string left = dir / "commitlog.trash/00000000000000000000";
  REQUIRE(files->make_folders(dir / "commitlog.trash"));
  constexpr int64_t kMiB = 1024 * 1024;
  REQUIRE(files->open(left, OpenMode::kCreate).value()->resize(130 * kMiB));
  store::Trash trash(*files, null_log());
  trash.take_left_over(dir / "commitlog");
  REQUIRE_FALSE(trash.empty());
  CHECK(trash.step());
  CHECK(std::filesystem::file_size(left) == 66 * kMiB);
  CHECK(trash.step());
  CHECK(std::filesystem::file_size(left) == 2 * kMiB);
  CHECK(trash.step());
  CHECK_FALSE(std::filesystem::exists(dir / "commitlog.trash"));
  CHECK(trash.empty());
}

TEST_CASE("a log file goes only when its queue entries are durable, so that a kill gives no offset twice", "[store]") {
  TempDir dir;
  auto options = busy_cleaner(dir.path());
  options.file_reserved_hours = 0;
  options.flush_consume_queue_interval_ms = 3'600'000;
  auto files = std::make_unique<FaultyFiles>();
  Faults& faults = files->faults;
  RunningStore store(options, true, std::move(files), really_now() + 3'600'000);
  REQUIRE(store.put("T", 0, "first").status == PutStatus::kOk);
  REQUIRE(eventually([&] { return store->durable_end() > PhyOffset(0); }));
  faults.writes_left = 0;  // queue entries can't be written
  for (int i = 0; i < 200; ++i) REQUIRE(store.put("T", 0, std::string(500, 'x')).status == PutStatus::kOk);
  for (int i = 0; i < 20; ++i) {
    store->delete_expired_log();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(store->figures().min_offset == PhyOffset(0));
  faults.writes_left = -1;
  CHECK(eventually([&] {
    store->delete_expired_log();
    return store->figures().min_offset > PhyOffset(0);
  }));
}

TEST_CASE("what a deletion before a crash left in the trash is gone after the start", "[store]") {
  TempDir dir;
  for (const char* name : {"commitlog.trash", "index.trash"}) {
    std::filesystem::create_directories(dir / name);
    std::ofstream(dir / name + "/00000000000000000000") << std::string(100'000, 'x');
  }
  RunningStore store(busy_cleaner(dir.path()), true, make_real_files(), really_now());
  CHECK(eventually([&] {
    return !std::filesystem::exists(dir / "commitlog.trash") && !std::filesystem::exists(dir / "index.trash");
  }));
}
