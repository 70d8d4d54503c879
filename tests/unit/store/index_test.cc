#include "store/index.h"

#include <catch2/catch.hpp>

#include "tests/support/store_fixture.h"

using namespace comet;
using namespace comet::test;

namespace {

size_t hits(RunningStore& store, std::string_view key, int64_t begin = 0, int64_t end = INT64_MAX) {
  return store->query({.topic = "T", .key = key, .max_messages = 32, .begin_ms = begin, .end_ms = end}).records.size();
}

}  // namespace

TEST_CASE("index keys hash as Java's do, without a sign", "[store]") {
  CHECK(store::IndexFile::hash_of("TopicA", "k1") == 1903240649);
}

TEST_CASE("an index file holds one entry less than its number says, and chains what shares a slot", "[store]") {
  TempDir dir;
  auto files = make_real_files();
  auto file = store::IndexFile::create(*files, dir / "20240101000000000", 2, 10, nullptr).value();
  for (int i = 1; i <= 9; ++i) REQUIRE(file->put(i % 3, PhyOffset(i * 100), 1'700'000'000'000 + i * 1000));
  CHECK(file->full());
  CHECK_FALSE(file->put(1, PhyOffset(1000), 1'700'000'020'000));
  std::vector<int64_t> found;
  file->find(1, 0, INT64_MAX, [&](PhyOffset at) { return found.push_back(at.value), true; });
  CHECK(found == std::vector<int64_t>{700, 400, 100});
  CHECK(file->begin_phy().value == 100);
  CHECK(file->end_phy().value == 900);
  auto again = store::IndexFile::open(*files, dir / "20240101000000000", 2, 10);
  REQUIRE(again);
  CHECK((*again)->end_phy().value == 900);
  CHECK(store::IndexFile::open(*files, dir / "20240101000000000", 3, 10).error().what.find("maxHashSlotNum 3") !=
        std::string::npos);
}

TEST_CASE("messages are found by each of their keys and by nobody else's, over many index files", "[store]") {
  TempDir dir;
  {
    RunningStore store(small_store(dir.path()));
    for (int i = 0; i < 600; ++i)
      store.put("T", i % 4, "body", "", "k" + std::to_string(i) + " even" + std::to_string(i % 2));
    CHECK(hits(store, "k0") == 1);
    CHECK(hits(store, "k599") == 1);
    CHECK(hits(store, "k600") == 0);
    CHECK(hits(store, "even0") == 32);
    REQUIRE(store.stop());
  }
  RunningStore store(small_store(dir.path()));
  CHECK(hits(store, "k17") == 1);
  CHECK(hits(store, "k598") == 1);
}

TEST_CASE("a look-up keeps to its times", "[store]") {
  TempDir dir;
  RunningStore store(small_store(dir.path()));
  const int64_t start = store.clock.now_ms();
  for (int i = 0; i < 10; ++i) {
    store.put("T", 0, "body", "", "k");
    store.clock.advance_ms(10'000);
  }
  CHECK(hits(store, "k") == 10);
  CHECK(hits(store, "k", start + 50'000, start + 60'000) == 2);
  CHECK(hits(store, "k", start + 200'000, start + 300'000) == 0);
}

TEST_CASE("a kill loses no look-up: the index is built again from the log", "[store]") {
  TempDir dir;
  RunningStore running(small_store(dir / "s"));
  for (int i = 0; i < 300; ++i) running.put("T", 0, "body", "", "k" + std::to_string(i));
  CHECK(hits(running, "k299") == 1);
  copy_folder(dir / "s", dir / "k");
  RunningStore store(small_store(dir / "k"));
  for (int i = 0; i < 300; ++i) REQUIRE(hits(store, "k" + std::to_string(i)) == 1);
}
