#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/support/proof/each_step.h"
#include "tests/support/proof/power_disk.h"
#include "tests/support/proof/run.h"
#include "tests/support/proof/waiting_story.h"

/// Stops and power cuts in the life of what keeps messages until their time: timers, delay levels, and state files.
namespace comet::test {
namespace {

int stories() { return is_long_run() ? 200 : 6; }

/// Before some of the changes: judges a disk that a power cut there may leave.
class CutAtSomeSteps final : public DiskWatcher {
 public:
  CutAtSomeSteps(Path root, uint64_t seed) : disk(std::move(root), seed), rng_(seed) {}
  void follow(const WaitingStory& story) { story_ = &story; }
  Result<void> before(const DiskStep& step) override {
    if (step.changes() && rng_.below(5) == 0) cut(step);
    return disk.before(step);
  }
  void after(const DiskStep& step) override { disk.after(step); }

  PowerDisk disk;
  int judged = 0;

 private:
  void cut(const DiskStep& step) {
    TempDir dir(memory_folder());
    disk.cut(dir / "r", rng_);
    INFO("before " << step_name(step.kind) << " " << step.path);
    CHECK(judge_waiting(dir / "r", story_->now(), true) == std::vector<std::string>{});
    ++judged;
  }

  Rng rng_;
  const WaitingStory* story_ = nullptr;
};

/// A disk on which the syncs of one file fail as long as the test wants.
class NoSyncOf final : public PowerDisk {
 public:
  NoSyncOf(Path root, Path path) : PowerDisk(std::move(root), 1), path_(std::move(path)) {}
  Result<void> before(const DiskStep& step) override {
    if (fails && step.kind == DiskStep::kSync && step.path == path_) return fail(Errc::kIo, "no sync in this test");
    return PowerDisk::before(step);
  }
  bool fails = false;

 private:
  const Path path_;
};

/// Timer files of 19 units each.
Result<std::unique_ptr<store::TimerFiles>> open_timers(Files& files, const Path& root) {
  return store::TimerFiles::open(files, null_log(), {root, root + "/config/timercheck", 1'024, 100, 128},
                                 PhyOffset(1'000'000));
}

}  // namespace

TEST_CASE("a broker that ends between any two steps on its disk delivers all that waits, and keeps its topics",
          "[proof][waiting][stops]") {
  TempDir dir(memory_folder());
  const WaitingStory* told = nullptr;
  JudgeEachStep watcher(dir / "r", [&](const Path& copy) { return judge_waiting(copy, told->now(), false); });
  WatchedFiles files(watcher);
  WaitingStory story(files, dir / "r", 7);
  told = &story;
  story.tell();
  CHECK(story.problems() == std::vector<std::string>{});
  CHECK(watcher.judged > 200);
}

TEST_CASE("slots that a killed process wrote and never synced are durable before the checkpoint vouches for them",
          "[proof][waiting][power]") {
  constexpr int64_t kStart = 1'700'000'000'000, kSlots = 3, kUnits = 90;  // nearly five files
  TempDir dir(memory_folder());
  NoSyncOf disk(dir / "r", dir / "r/timerwheel");
  WatchedFiles files(disk);
  {
    auto timers = open_timers(files, dir / "r").value();
    for (int64_t n = 0; n < kUnits; ++n) {
      store::TimerUnit unit;
      unit.written_ms = kStart;
      unit.at = PhyOffset(n);
      unit.record_bytes = 100;
      REQUIRE(timers->add(kStart + 100 * (1 + n % kSlots), unit));
    }
    disk.fails = true;  // killed between its write and its sync
    REQUIRE_FALSE(timers->flush());
    disk.fails = false;
  }
  auto again = open_timers(files, dir / "r").value();
  const auto end = again->flush();
  REQUIRE(end);
  REQUIRE(again->save({.read_time_ms = kStart, .log_flushed = *end}));
  for (uint64_t luck = 0; luck < 16; ++luck) {  // among them a disk on which nothing is that wasn't synced
    INFO("luck " << luck);
    TempDir image(memory_folder());
    Rng rng(luck);
    disk.cut(image / "r", rng);
    WatchedFiles left(nobody());
    const auto opened = open_timers(left, image / "r");
    REQUIRE(opened);
    CHECK((*opened)->wheel().count_from(kStart) == kUnits);
    for (int64_t slot = 1; slot <= kSlots; ++slot) {
      int64_t chained = 0;
      (void)(*opened)->units(kStart + 100 * slot, [&](const store::TimerUnit&) { ++chained; });
      CHECK(chained == kUnits / kSlots);
    }
  }
}

TEST_CASE("a power cut takes no message that waits, whichever of its timers' files are old, new or torn",
          "[proof][waiting][power]") {
  const uint64_t seed = seed_of_run();
  Rng rng(seed);
  int judged = 0;
  for (int n = 0; n < stories(); ++n) {
    INFO("COMETMQ_SEED=" << seed << ", story " << n);
    TempDir dir(memory_folder());
    const uint64_t luck = rng.next();
    CutAtSomeSteps watcher(dir / "r", luck);
    WatchedFiles files(watcher);
    WaitingStory story(files, dir / "r", luck, [&](Rng& more) { watcher.disk.restart(more); });
    watcher.follow(story);
    story.tell();
    CHECK(story.problems() == std::vector<std::string>{});
    judged += watcher.judged;
  }
  CHECK(judged > 20 * stories());
}

}  // namespace comet::test
