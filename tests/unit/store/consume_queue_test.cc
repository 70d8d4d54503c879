#include "store/consume_queue.h"

#include <catch2/catch.hpp>

#include "common/rng.h"
#include "store/checkpoint.h"
#include "store/dispatcher.h"
#include "tests/support/store_fixture.h"

using namespace comet;
using namespace comet::test;
using store::ConsumeQueue;
using store::QueueEntry;

namespace {

constexpr int64_t kAll = INT64_MAX;

struct Fixture {
  Fixture()
      : files(make_real_files()), shared{*files, null_log(), dir / "consumequeue", 32, store::FileCache(*files, 4)} {}
  std::unique_ptr<ConsumeQueue> queue() {
    return std::make_unique<ConsumeQueue>(shared, std::make_shared<const std::string>("T"), QueueId(0));
  }

  TempDir dir;
  std::unique_ptr<Files> files;
  store::QueueFiles shared;
};

QueueEntry entry_number(int64_t i) { return {PhyOffset(i * 100), 100, i * 7}; }

}  // namespace

TEST_CASE("a unit has Apache's 20 bytes", "[store]") {
  std::byte raw[20];
  store::QueueUnit::write(raw, {PhyOffset(1350), 305, -2});
  CHECK(load_be<int64_t>(raw) == 1350);
  CHECK(load_be<int32_t>(raw + 8) == 305);
  CHECK(load_be<int64_t>(raw + 12) == -2);
  CHECK(store::QueueUnit::read(raw).tags_code == -2);
}

TEST_CASE("entries read the same from memory, from files, after rest and after loading", "[store]") {
  Fixture f;
  auto queue = f.queue();
  auto all_there = [&](const ConsumeQueue& q) {
    for (int64_t i = 0; i < 200; ++i) {
      const auto got = q.entry(QueueOffset(i)).value();
      if (!got || got->at != entry_number(i).at || got->tags_code != entry_number(i).tags_code) return false;
    }
    return !q.entry(QueueOffset(200)).value();
  };
  for (int64_t i = 0; i < 200; ++i) CHECK(queue->append(entry_number(i)) == i);
  CHECK(all_there(*queue));
  REQUIRE(queue->save(PhyOffset(kAll)));
  CHECK_FALSE(queue->has_unsaved());
  CHECK(all_there(*queue));
  REQUIRE(queue->sync());
  queue->rest();
  queue->rest();
  CHECK_FALSE(queue->has_ring());
  CHECK(all_there(*queue));
  auto again = f.queue();
  REQUIRE(again->load());
  CHECK(again->end_offset().value == 200);
  CHECK(again->max_phy().value == 20'000);
  CHECK(all_there(*again));
}

TEST_CASE("only entries of records under the limit are saved and seen", "[store]") {
  Fixture f;
  auto queue = f.queue();
  for (int64_t i = 0; i < 50; ++i) queue->append(entry_number(i));
  REQUIRE(queue->save(PhyOffset(4'050)));
  CHECK(queue->has_unsaved());
  CHECK(queue->visible_end(PhyOffset(4'050)).value == 40);
  CHECK(queue->visible_end(PhyOffset(kAll)).value == 50);
  auto again = f.queue();
  REQUIRE(again->load());
  CHECK(again->end_offset().value == 40);
}

TEST_CASE("a queue that begins at a later place has holes before it, and its minimum is that place", "[store]") {
  Fixture f;
  {
    auto queue = f.queue();
    queue->restore(QueueOffset(70), entry_number(1));
    CHECK(queue->min_offset().value == 70);
    CHECK(queue->end_offset().value == 71);
    REQUIRE(queue->save(PhyOffset(kAll)));
  }
  CHECK(f.files->stat(f.dir / "consumequeue/T/0/00000000000000001280"));
  std::byte raw[20];
  auto file = f.files->open(f.dir / "consumequeue/T/0/00000000000000001280", OpenMode::kRead).value();
  REQUIRE(file->read_at(0, raw));
  CHECK(load_be<int32_t>(raw + 8) == 2147483647);
  auto queue = f.queue();
  REQUIRE(queue->load());
  queue->correct_min(PhyOffset(0));
  CHECK(queue->min_offset().value == 70);
  CHECK(queue->end_offset().value == 71);
}

TEST_CASE("recovery passes over what is known, and a newer record replaces what it contradicts", "[store]") {
  Fixture f;
  auto queue = f.queue();
  for (int64_t i = 0; i < 40; ++i) queue->restore(QueueOffset(i), entry_number(i));
  queue->restore(QueueOffset(5), entry_number(5));
  CHECK(queue->end_offset().value == 40);
  // One step back alone may be a damaged offset: what stands there stays. The next one confirms it.
  CHECK_FALSE(queue->restore(QueueOffset(3), {PhyOffset(9'000), 100, 1}));
  CHECK(queue->end_offset().value == 40);
  CHECK(queue->restore(QueueOffset(4), {PhyOffset(9'100), 100, 1}));
  CHECK(queue->end_offset().value == 5);
  CHECK(queue->entry(QueueOffset(3)).value()->at.value == 9'000);
  CHECK(queue->entry(QueueOffset(4)).value()->at.value == 9'100);
  queue->restore(QueueOffset(int64_t{1} << 60), {PhyOffset(9'900), 100, 1});
  CHECK(queue->end_offset().value == 5);
  // A topic that was made anew counts from 0.
  CHECK(queue->restore(QueueOffset(0), {PhyOffset(10'000), 100, 1}));
  CHECK(queue->end_offset().value == 1);
}

TEST_CASE("a record whose offset steps back alone costs no other its place", "[store]") {
  Fixture f;
  auto queue = f.queue();
  for (int64_t i = 0; i < 20; ++i) queue->restore(QueueOffset(i), entry_number(i));
  CHECK_FALSE(queue->restore(QueueOffset(16), entry_number(20)));  // 20 with a flipped bit
  CHECK(queue->restore(QueueOffset(21), entry_number(21)));
  for (int64_t i = 0; i < 20; ++i) CHECK(queue->entry(QueueOffset(i)).value()->at == entry_number(i).at);
  CHECK_FALSE(queue->entry(QueueOffset(20)).value());
  CHECK(queue->entry(QueueOffset(21)).value()->at == entry_number(21).at);
}

TEST_CASE("a record whose offset jumps ahead alone costs no other its place", "[store]") {
  Fixture f;
  auto queue = f.queue();
  for (int64_t i = 0; i < 20; ++i) queue->restore(QueueOffset(i), entry_number(i));
  CHECK(queue->restore(QueueOffset(52), entry_number(20)));  // 20 with a flipped bit
  CHECK(queue->end_offset().value == 53);
  CHECK(queue->restore(QueueOffset(21), entry_number(21)));
  CHECK(queue->end_offset().value == 22);
  for (int64_t i = 0; i < 22; ++i) CHECK(queue->entry(QueueOffset(i)).value()->at == entry_number(i).at);
  // Where the next one goes on from there, what is between is gone.
  CHECK(queue->restore(QueueOffset(30), entry_number(30)));
  CHECK(queue->restore(QueueOffset(31), entry_number(31)));
  CHECK_FALSE(queue->restore(QueueOffset(23), entry_number(32)));
  CHECK(queue->end_offset().value == 32);
}

TEST_CASE("what is cut off leaves no trace in the files", "[store]") {
  Fixture f;
  {
    auto queue = f.queue();
    for (int64_t i = 0; i < 100; ++i) queue->append(entry_number(i));
    REQUIRE(queue->save(PhyOffset(kAll)));
  }
  {
    auto queue = f.queue();
    REQUIRE(queue->load());
    queue->cut_behind(PhyOffset(4'000));
    CHECK(queue->end_offset().value == 40);
    CHECK(queue->max_phy().value == 4'000);
    REQUIRE(queue->clear_behind_end());
  }
  auto queue = f.queue();
  REQUIRE(queue->load());
  CHECK(queue->end_offset().value == 40);
}

TEST_CASE("the minimum follows the log, over holes in the middle too", "[store]") {
  Fixture f;
  auto queue = f.queue();
  for (int64_t i = 0; i < 10; ++i) queue->restore(QueueOffset(i), entry_number(i));
  queue->restore(QueueOffset(30), entry_number(30));
  queue->correct_min(PhyOffset(0));
  CHECK(queue->min_offset().value == 0);
  queue->correct_min(PhyOffset(500));
  CHECK(queue->min_offset().value == 5);
  queue->correct_min(PhyOffset(2'000));
  CHECK(queue->min_offset().value == 30);
  queue->correct_min(PhyOffset(100'000));
  CHECK(queue->min_offset().value == 31);
}

TEST_CASE("the checkpoint keeps its times and the clean end, and a damaged clean end is none", "[store]") {
  TempDir dir;
  auto files = make_real_files();
  {
    auto checkpoint = store::Checkpoint::open(*files, dir / "checkpoint").value();
    checkpoint->set({1, 2, 3, 0, 5});
    checkpoint->set_master_flushed(4);
    checkpoint->set({1, 2, 3, 0, 5});  // by the keeper, who knows nothing of it
    checkpoint->set_clean_end(store::CleanEnd{PhyOffset(100), PhyOffset(50), PhyOffset(90), true});
    REQUIRE(checkpoint->flush());
  }
  {
    auto checkpoint = store::Checkpoint::open(*files, dir / "checkpoint").value();
    CHECK(checkpoint->times() == store::CheckpointTimes{1, 2, 3, 4, 5});
    REQUIRE(checkpoint->clean_end());
    CHECK(checkpoint->clean_end()->log_end.value == 100);
    CHECK(checkpoint->clean_end()->has_index);
  }
  auto file = files->open(dir / "checkpoint", OpenMode::kReadWrite).value();
  CHECK(file->size().value() == 4096);
  const std::byte rot{0x55};
  REQUIRE(file->write_at(2060, ByteView(&rot, 1)));
  CHECK_FALSE(store::Checkpoint::open(*files, dir / "checkpoint").value()->clean_end());
}

TEST_CASE("delay levels are read as Apache's", "[store]") {
  CHECK(store::parse_delay_levels("1s 5s 10m 2h 1d") ==
        std::vector<int64_t>{1'000, 5'000, 600'000, 7'200'000, 86'400'000});
  CHECK(store::parse_delay_levels("1s x 3") == std::vector<int64_t>{1'000, 1'000, 1'000});
}
