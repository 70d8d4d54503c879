#include "store/retention.h"

#include <catch2/catch.hpp>

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
  store->set_retention(options);
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
