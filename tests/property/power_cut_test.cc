#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "tests/support/proof/power_disk.h"
#include "tests/support/proof/run.h"
#include "tests/support/proof/store_story.h"

namespace comet::test {
namespace {

int images() { return is_long_run() ? 5'000 : 100; }

/// Cuts the power before some of the steps and judges what is left.
class CutAtSteps final : public DiskWatcher {
 public:
  /// `cuts`: before which changes of the disk, counted from 0, and with what luck.
  CutAtSteps(store::StoreOptions options, std::multimap<int64_t, uint64_t> cuts, const StoreStory* ending)
      : disk(options.root, 1), options_(std::move(options)), cuts_(std::move(cuts)), ending_(ending) {}

  void follow(const StoreStory& story) { story_ = &story; }
  Result<void> before(const DiskStep& step) override {
    if (!step.changes()) return disk.before(step);
    const auto [first, last] = cuts_.equal_range(steps);
    for (auto at = first; at != last; ++at) cut(step, at->second);
    ++steps;
    return disk.before(step);
  }
  void after(const DiskStep& step) override { disk.after(step); }

  PowerDisk disk;
  int64_t steps = 0, judged = 0;

 private:
  void cut(const DiskStep& step, uint64_t luck) {
    TempDir dir(memory_folder());
    auto image = options_;
    image.root = dir / "s";
    Rng rng(luck);
    disk.cut(image.root, rng);
    const Chapter chapter = story_->now();
    INFO(fmt::format("luck {} before step {}: {} {}", luck, steps, step_name(step.kind), step.path));
    CHECK(judge(image, {ending_->taken(), chapter.taken, chapter.durable, ending_->deleted_below()}) ==
          std::vector<std::string>{});
    ++judged;
  }

  const store::StoreOptions options_;
  const std::multimap<int64_t, uint64_t> cuts_;
  const StoreStory* const ending_;
  const StoreStory* story_ = nullptr;
};

}  // namespace

TEST_CASE("a power cut takes nothing that was durable, and only the log's end of what was not", "[proof][power]") {
  const auto mode = GENERATE(store::FlushMode::kAsync, store::FlushMode::kSync);
  const uint64_t seed = seed_of_run();
  INFO("COMETMQ_SEED=" << seed);
  TempDir dir(memory_folder());
  auto options = small_store(dir / "first");
  options.flush = mode;
  CutAtSteps counter(options, {}, nullptr);
  WatchedFiles plain(counter);
  StoreStory ending(plain, options);
  ending.tell();
  REQUIRE(ending.problems() == std::vector<std::string>{});
  for (const Path& path : counter.disk.mapped()) CHECK(path.find("consumequeue") == std::string::npos);

  Rng rng(seed);
  std::multimap<int64_t, uint64_t> cuts;
  for (int i = 0; i < images(); ++i) cuts.emplace(rng.between(0, counter.steps - 1), rng.next());
  options.root = dir / "s";
  CutAtSteps watcher(options, std::move(cuts), &ending);
  WatchedFiles files(watcher);
  StoreStory story(files, options);
  watcher.follow(story);
  story.tell();
  CHECK(watcher.judged == images());
}

}  // namespace comet::test
