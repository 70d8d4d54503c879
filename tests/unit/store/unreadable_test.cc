#include <catch2/catch.hpp>

#include "tests/support/faulty_files.h"
#include "tests/support/store_fixture.h"

/// A disk that gives something not now: that is neither passed over nor taken for the end.
using namespace comet;
using namespace comet::test;
using store::GetStatus;

namespace {

constexpr store::QueueKeyView kQueue{"T", QueueId(0)};
constexpr int64_t kPage = 4096;

store::GetRequest pull_from(int64_t offset) {
  return {.topic = "T", .queue_id = QueueId(0), .offset = QueueOffset(offset), .may_block = true};
}

}  // namespace

TEST_CASE("an entry that can't be read now is no hole: a pull waits for it and skips nothing", "[store][unreadable]") {
  TempDir dir;
  {
    RunningStore store(small_store(dir / "s"));
    for (int i = 0; i < 100; ++i) store.put("T", 0, std::to_string(i));
  }
  const auto files = std::make_shared<FaultyFiles>();
  RunningStore store(small_store(dir / "s"), /*threads=*/false, files);
  REQUIRE(store->entry(kQueue, QueueOffset(40)).value());
  CHECK_FALSE(store->entry(kQueue, QueueOffset(100)).value());

  files->faults.reads_left = 0;
  const auto entry = store->entry(kQueue, QueueOffset(40));
  REQUIRE_FALSE(entry);
  CHECK(entry.error().code == Errc::kIo);
  const auto got = store->get(pull_from(40));
  CHECK(got.status == GetStatus::kWouldBlock);
  CHECK(got.next == QueueOffset(40));

  files->faults.reads_left = -1;
  CHECK(store->get(pull_from(40)).status == GetStatus::kFound);
  CHECK(store.bodies("T", 0).size() == 100);
}

TEST_CASE("a record whose file can't be mapped now is told from one that isn't there", "[store][unreadable]") {
  TempDir dir;
  PhyOffset at;
  {
    RunningStore store(small_store(dir / "s"));
    for (int i = 0; i < 100; ++i) {
      const auto put = store.put("T", 0, std::string(1'000, 'x'));
      if (i == 3) at = put.at;
    }
  }
  const auto files = std::make_shared<FaultyFiles>();
  RunningStore store(small_store(dir / "s"), /*threads=*/false, files);
  files->faults.maps_left = 0;
  const auto unmapped = store->record_at(at);
  REQUIRE_FALSE(unmapped);
  CHECK(unmapped.error().code == Errc::kIo);
  CHECK(store->replicated_log()->record_at(at).error().code == Errc::kIo);

  files->faults.maps_left = -1;
  REQUIRE(store->record_at(at));
  CHECK(decode_message(store->record_at(at)->bytes, true)->message.queue_offset == QueueOffset(3));
  CHECK(store->record_at(at + 1).error().code == Errc::kNotFound);
  CHECK(store->record_at(store->figures().max_offset).error().code == Errc::kNotFound);
  CHECK(store->writable());
}

TEST_CASE("a page of the CommitLog that can't be read is no end to cut at", "[store][unreadable][sigbus]") {
  TempDir dir;
  auto options = small_store(dir / "s");
  options.commit_log_file_bytes = 16 * kPage;
  {
    RunningStore store(options);
    for (int i = 0; i < 40; ++i) store.put("T", 0, std::string(1'000, 'x'));
    copy_folder(dir / "s", dir / "killed");
  }
  copy_folder(dir / "killed", dir / "read again");
  options.root = dir / "killed";
  const auto files = std::make_shared<FaultyFiles>();
  files->faults.lost_behind = 4 * kPage;
  {
    RunningStore store(options, /*threads=*/false, files);
    REQUIRE_FALSE(store);
    CHECK(store.problem.code == Errc::kIo);
    CHECK_THAT(store.problem.what, Catch::Contains("can't be read"));
  }
  files->faults.lost_behind = -1;
  options.root = dir / "read again";
  RunningStore store(options, /*threads=*/false, files);
  INFO(store.problem.what);
  REQUIRE(store);
  CHECK(store.bodies("T", 0).size() == 40);
}
