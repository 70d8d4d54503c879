#include "store/flusher.h"

#include <catch2/catch.hpp>

#include "tests/support/faulty_files.h"
#include "tests/support/store_fixture.h"

using namespace comet;
using namespace comet::test;
using store::GetStatus;
using store::PutStatus;

namespace {

store::StoreOptions sync_store(const std::string& root) {
  auto options = small_store(root);
  options.flush = store::FlushMode::kSync;
  return options;
}

struct Arrivals final : store::ArrivalListener {
  void on_arrival(const store::Arrival& arrival) override {
    last_end = arrival.max_offset.value;
    if (arrival.tags_code) last_tags_code = *arrival.tags_code;
    ++count;
  }
  std::atomic<int> count{0};
  std::atomic<int64_t> last_end{-1}, last_tags_code{0};
};

}  // namespace

TEST_CASE("under SYNC_FLUSH a message is seen only when it is durable", "[store]") {
  TempDir dir;
  RunningStore store(sync_store(dir.path()), /*threads=*/false);
  Arrivals arrivals;
  store->on_arrival(&arrivals);
  store->watch({"T", QueueId(0)}, 1);
  const auto put = store.put("T", 0, "a", "TagA");
  CHECK(store->durable_end() < put.end);
  CHECK(store->max_offset({"T", QueueId(0)}, true).value == 0);
  CHECK(store->max_offset({"T", QueueId(0)}, false).value == 1);
  CHECK(store->get({.topic = "T", .queue_id = QueueId(0), .offset = QueueOffset(0)}).status ==
        GetStatus::kNoMessageInQueue);
  CHECK(arrivals.count == 0);
  std::thread flusher([&] { store->run_flusher(); });
  CHECK(eventually([&] { return arrivals.count == 1; }));
  CHECK(store->durable_end() == put.end);
  CHECK(arrivals.last_end == 1);
  CHECK(arrivals.last_tags_code == tags_code("TagA"));
  CHECK(store->get({.topic = "T", .queue_id = QueueId(0), .offset = QueueOffset(0)}).status == GetStatus::kFound);
  REQUIRE(store->stop());
  flusher.join();
}

TEST_CASE("readUnCommitted shows messages before they are durable", "[store]") {
  TempDir dir;
  auto options = sync_store(dir.path());
  options.read_uncommitted = true;
  RunningStore store(options, false);
  store.put("T", 0, "a");
  CHECK(store->max_offset({"T", QueueId(0)}, true).value == 1);
}

TEST_CASE("every SYNC_FLUSH append is told as durable", "[store]") {
  TempDir dir;
  RunningStore store(sync_store(dir.path()), false);
  std::atomic<int64_t> told{0};
  store->on_durable([&](PhyOffset end, bool failed) {
    if (!failed) told = end.value;
  });
  std::thread flusher([&] { store->run_flusher(); });
  for (int i = 0; i < 200; ++i) {
    const auto put = store.put("T", 0, std::string(300, 'x'));
    REQUIRE(put.status == PutStatus::kOk);
    if (i % 20 == 0) REQUIRE(eventually([&] { return told >= put.end.value; }));
  }
  REQUIRE(store->stop());
  flusher.join();
}

TEST_CASE("under ASYNC_FLUSH a trickle is durable after the interval, not after Apache's ten seconds", "[store]") {
  TempDir dir;
  auto options = small_store(dir.path());
  options.flush_interval_ms = 500;
  RunningStore store(options);
  for (int i = 0; i < 3; ++i) {
    const auto put = store.put("T", 0, "a");
    const auto put_at = std::chrono::steady_clock::now();
    CHECK(eventually([&] { return store->durable_end() >= put.end; }));
    CHECK(std::chrono::steady_clock::now() - put_at < std::chrono::seconds(5));
  }
}

TEST_CASE("the first failed flush ends acceptance, and nothing makes the store say that it went well", "[store]") {
  const auto mode = GENERATE(store::FlushMode::kAsync, store::FlushMode::kSync);
  TempDir dir;
  auto files = std::make_shared<FaultyFiles>();
  auto options = small_store(dir.path());
  options.flush = mode;
  RunningStore store(options, false, files);
  std::atomic<bool> failed{false};
  std::atomic<int> told{0};
  store->on_durable([&](PhyOffset, bool bad) {
    if (bad) failed = true;
    ++told;
  });
  std::thread flusher([&] { store->run_flusher(); });
  const auto good = store.put("T", 0, "good");
  REQUIRE(eventually([&] { return store->durable_end() >= good.end; }));
  files->faults.syncs_left = 0;
  const auto bad = store.put("T", 0, "bad");
  REQUIRE(bad.status == PutStatus::kOk);
  REQUIRE(eventually([&] { return failed.load(); }));
  files->faults.syncs_left = -1;
  CHECK_FALSE(store->writable());
  CHECK(store->durable_end() == good.end);
  const auto refused = store.put("T", 0, "refused");
  CHECK(refused.status == PutStatus::kServiceNotAvailable);
  CHECK(refused.problem.find("writing to the disk failed") != std::string_view::npos);
  CHECK(store->figures().not_writable_reason.find("writing to the disk failed") != std::string::npos);
  CHECK_FALSE(store->stop());
  flusher.join();
  CHECK(std::filesystem::exists(dir / "abort"));
  CHECK(told == 2);
}

TEST_CASE("without room for another CommitLog file puts are refused, and accepted again with room", "[store]") {
  TempDir dir;
  auto files = std::make_shared<FaultyFiles>();
  RunningStore store(small_store(dir.path()), false, files);
  REQUIRE(store.put("T", 0, "first").status == PutStatus::kOk);
  files->faults.creates_left = 0;
  store::PutResult put;
  int stored = 1;
  while ((put = store.put("T", 0, std::string(1000, 'x'))).status == PutStatus::kOk) ++stored;
  CHECK(put.status == PutStatus::kCreateFileFailed);
  CHECK(put.problem.find("the disk is full") != std::string_view::npos);
  CHECK(store.bodies("T", 0).size() == static_cast<size_t>(stored));
  files->faults.creates_left = -1;
  CHECK(store.put("T", 0, "again").status == PutStatus::kOk);
  CHECK(store.bodies("T", 0).size() == static_cast<size_t>(stored) + 1);
}

TEST_CASE("queue entries that could not be written stay readable and are written later", "[store]") {
  TempDir dir;
  auto files = std::make_shared<FaultyFiles>();
  {
    RunningStore store(small_store(dir / "s"), true, files);
    files->faults.writes_left = 0;
    for (int i = 0; i < 100; ++i) REQUIRE(store.put("T", 0, std::to_string(i)).status == PutStatus::kOk);
    CHECK(store.bodies("T", 0).size() == 100);
    files->faults.writes_left = -1;
    REQUIRE(store.stop());
  }
  RunningStore store(small_store(dir / "s"));
  CHECK(store.bodies("T", 0).size() == 100);
}
