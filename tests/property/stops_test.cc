#include <catch2/catch.hpp>

#include "tests/support/proof/each_step.h"
#include "tests/support/proof/store_story.h"

/// Fail-points: the process ends between any two changes of its disk, and in the middle of each write. What it stored
/// stays, as after kill -9.
namespace comet::test {
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
  const StoreStory* told = nullptr;
  JudgeEachStep watcher(options.root, [&](const Path& copy) {
    auto at = options;
    at.root = copy;
    return judge(at, {ending.taken(), told->now().taken, -1, ending.deleted_below()});
  });
  WatchedFiles files(watcher);
  StoreStory story(files, options);
  told = &story;
  story.tell();
  CHECK(watcher.judged > 200);
}

}  // namespace comet::test
