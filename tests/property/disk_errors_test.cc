#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/support/proof/store_story.h"
#include "tests/support/proof/watched_files.h"

namespace comet::test {
namespace {

/// One step fails: once, or it and all of its kind from then on.
class FailingStep final : public DiskWatcher {
 public:
  FailingStep(int64_t at, Errc code, bool short_write) : at_(at), code_(code), short_write_(short_write) {}

  Result<void> before(const DiskStep& step) override {
    if (count_++ != at_) return {};
    failed = std::string(step_name(step.kind)) + " " + step.path;
    if (short_write_ && step.kind == DiskStep::kWrite) step.do_partly(step.bytes / 2);
    return comet::fail(code_, failed + ": the fake disk says no");
  }
  int64_t count() const { return count_; }
  std::string failed;

 private:
  const int64_t at_;
  const Errc code_;
  const bool short_write_;
  int64_t count_ = 0;
};

}  // namespace

TEST_CASE("an error at any one step on the disk never loses what was acknowledged", "[proof][errors]") {
  struct Fault {
    Errc code;
    bool short_write;
    store::FlushMode mode;
  };
  using store::FlushMode;
  const auto fault = GENERATE(values<Fault>({{Errc::kIo, false, FlushMode::kSync},
                                             {Errc::kNoSpace, true, FlushMode::kAsync},
                                             {Errc::kIo, false, FlushMode::kAsync},
                                             {Errc::kNoSpace, true, FlushMode::kSync}}));
  const FlushMode mode = fault.mode;
  CAPTURE(static_cast<int>(fault.code), static_cast<int>(mode));
  for (int64_t at = 0;; ++at) {
    TempDir dir(memory_folder());
    auto options = small_store(dir / "s");
    options.flush = mode;
    FailingStep watcher(at, fault.code, fault.short_write);
    WatchedFiles files(watcher);
    StoreStory story(files, options);
    story.tell();
    if (watcher.count() <= at) {
      REQUIRE(at > 300);
      break;
    }
    CAPTURE(at, watcher.failed, story.problems());
    const Chapter end = story.now();
    const int64_t acknowledged = mode == store::FlushMode::kSync ? end.durable : -1;
    REQUIRE(judge(options, {story.taken(), end.taken, acknowledged, story.deleted_below()}) ==
            std::vector<std::string>{});
  }
}

}  // namespace comet::test
