#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "tests/support/proof/power_disk.h"
#include "tests/support/proof/waiting_story.h"

/// Stops and power cuts in the life of what keeps messages until their time: timers, delay levels, and state files.
namespace comet::test {
namespace {

int stories() { return std::getenv("COMETMQ_LONG") != nullptr ? 200 : 6; }

uint64_t seed_of_run() {
  if (const char* wanted = std::getenv("COMETMQ_SEED")) return std::strtoull(wanted, nullptr, 10);
  return static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
}

/// Before every change on the disk, and with half of each write done: judges a copy of the folder.
class JudgeEachStep final : public DiskWatcher {
 public:
  explicit JudgeEachStep(Path root) : root_(std::move(root)) {}
  void follow(const WaitingStory& story) { story_ = &story; }
  Result<void> before(const DiskStep& step) override {
    if (!step.changes() || !std::filesystem::exists(root_)) return {};
    look(step, "before ");
    if (step.kind == DiskStep::kWrite && step.bytes > 1) {
      step.do_partly(step.bytes / 2);
      look(step, "in the middle of ");
    }
    return {};
  }
  int judged = 0;

 private:
  void look(const DiskStep& step, const char* when) {
    TempDir copy(memory_folder());
    std::filesystem::copy(root_, copy / "r", std::filesystem::copy_options::recursive);
    INFO(when << step_name(step.kind) << " " << step.path);
    CHECK(judge_waiting(copy / "r", story_->now(), false) == std::vector<std::string>{});
    ++judged;
  }

  const Path root_;
  const WaitingStory* story_ = nullptr;
};

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
  JudgeEachStep watcher(dir / "r");
  WatchedFiles files(watcher);
  WaitingStory story(files, dir / "r", 7);
  watcher.follow(story);
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
