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
