#include <catch2/catch.hpp>

#include <algorithm>
#include <thread>

#include "store/commit_log.h"
#include "tests/support/faulty_files.h"
#include "tests/support/store_fixture.h"

using namespace comet;
using namespace comet::test;

namespace {

/// A log whose first file is there, with nobody but the test to store into it.
struct BareLog {
  TempDir dir;
  FaultyFiles files;
  ManualClock clock{1};
  const store::StoreOptions options = small_store(dir.path());
  store::CommitLog log{files, clock, null_log(), options};

  BareLog() {
    REQUIRE(files.make_folders(dir / "commitlog"));
    REQUIRE(log.load(0));
    REQUIRE(log.start_at(PhyOffset(0), 0, false));
  }
  void store(int64_t bytes, char content) {
    const std::lock_guard lock(log.append_lock());
    const auto place = log.reserve(bytes);
    std::fill_n(reinterpret_cast<char*>(place.value().data), bytes, content);
    log.publish(place.value().at + bytes);
  }
  int64_t count(int64_t from, int64_t to, char content) {
    const char* bytes = reinterpret_cast<const char*>(log.segments().last()->data());
    return std::count(bytes + from, bytes + to, content);
  }
  bool fill(int64_t from, int64_t bytes) { return log.fill(*log.segments().last(), PhyOffset(from), bytes); }
};

}  // namespace

TEST_CASE("zeros are written ahead only where nobody stores, nor a file's blank goes", "[store]") {
  BareLog bare;
  bare.store(4000, 'x');
  CHECK_FALSE(bare.fill(0, 8192));
  CHECK_FALSE(bare.fill(4000, 4192));
  CHECK_FALSE(bare.fill(4007, 4192));
  CHECK(bare.files.faults.fills == 0);
  CHECK(bare.fill(4008, 4192));
  CHECK(bare.files.faults.fills == 1);
  CHECK(bare.count(0, 16 * 1024, 'x') == 4000);
}

TEST_CASE("a store waits for the zeros ahead of it, one before them doesn't", "[store]") {
  BareLog bare;
  bare.store(1000, 'x');
  bare.files.faults.fills_stall = true;
  std::thread keeper([&] { CHECK(bare.fill(4096, 4096)); });
  REQUIRE(eventually([&] { return bare.files.faults.fills == 1; }));
  bare.store(4096 - 1000 - 8, 'x');
  std::atomic<bool> stored{false};
  std::thread writer([&] {
    bare.store(3000, 'y');
    stored = true;
  });
  for (int i = 0; i < 50 && !stored; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK_FALSE(stored);
  bare.files.faults.let_fills_go();
  keeper.join();
  writer.join();
  CHECK(bare.count(0, 16 * 1024, 'x') == 4088);
  CHECK(bare.count(4088, 7088, 'y') == 3000);
}

TEST_CASE("what a replica may store into is not filled meanwhile, and the other way round", "[store]") {
  BareLog bare;
  auto room = bare.log.receive_room();
  REQUIRE(room);
  CHECK(room->size() == 16 * 1024);
  CHECK_FALSE(bare.fill(8192, 4096));
  std::fill(room->begin(), room->end(), std::byte{'r'});
  bare.log.received(16 * 1024);
  bare.log.publish_received(PhyOffset(16 * 1024), 1);
  REQUIRE(bare.log.prepare_next_file());
  const auto next = bare.log.prepared_file();
  bare.files.faults.fills_stall = true;
  std::thread keeper([&] { CHECK(bare.log.fill(*next, PhyOffset(20 * 1024), 4096)); });
  REQUIRE(eventually([&] { return bare.files.faults.fills == 1; }));
  std::atomic<bool> stored{false};
  std::thread receiver([&] {
    auto behind = bare.log.receive_room();
    std::fill(behind->begin(), behind->end(), std::byte{'r'});
    stored = true;
  });
  for (int i = 0; i < 50 && !stored; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK_FALSE(stored);
  bare.files.faults.let_fills_go();
  keeper.join();
  receiver.join();
  CHECK(bare.count(0, 16 * 1024, 'r') == 16 * 1024);
}
