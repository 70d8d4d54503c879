#include <catch2/catch.hpp>

#include "tests/support/proof/store_story.h"
#include "tests/support/proof/watched_files.h"

/// Fail-points: the process ends between any two changes of its disk, and in the middle of each write. What it stored
/// stays, as after kill -9.
namespace comet::test {
namespace {

/// Before every change, and with half of each write done: copies the disk and judges the copy.
class JudgeEachStep final : public DiskWatcher {
 public:
  JudgeEachStep(store::StoreOptions options, const StoreStory& ending)
      : options_(std::move(options)), ending_(ending) {}

  void follow(const StoreStory& story) { story_ = &story; }
  Result<void> before(const DiskStep& step) override {
    if (!step.changes() || !std::filesystem::exists(options_.root)) return {};
    look(step, "before ");
    if (step.kind == DiskStep::kWrite && step.bytes > 1) {
      step.do_partly(step.bytes / 2);
      look(step, "in the middle of ");
    }
    return {};
  }
  int judged = 0;

 private:
  void look(const DiskStep& step, const std::string& when) {
    TempDir dir(memory_folder());
    auto copy = options_;
    copy.root = dir / "s";
    copy_folder(options_.root, copy.root);
    INFO(when << step_name(step.kind) << " " << step.path);
    CHECK(judge(copy, {ending_.taken(), story_->now().taken, -1, ending_.deleted_below()}) ==
          std::vector<std::string>{});
    ++judged;
  }

  const store::StoreOptions options_;
  const StoreStory& ending_;
  const StoreStory* story_ = nullptr;
};

}  // namespace

TEST_CASE("a process that ends between any two steps on its disk loses nothing it took", "[proof][stops]") {
  const auto mode = GENERATE(store::FlushMode::kAsync, store::FlushMode::kSync);
  TempDir dir(memory_folder());
  auto options = small_store(dir / "first");
  options.flush = mode;
  WatchedFiles plain(nobody());
  StoreStory ending(plain, options);
  ending.tell();
  REQUIRE(ending.problems() == std::vector<std::string>{});
  options.root = dir / "s";
  JudgeEachStep watcher(options, ending);
  WatchedFiles files(watcher);
  StoreStory story(files, options);
  watcher.follow(story);
  story.tell();
  CHECK(watcher.judged > 200);
}

}  // namespace comet::test
