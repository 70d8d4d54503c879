#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <set>
#include <thread>

#include "tests/support/proof/watched_files.h"
#include "tests/support/store_fixture.h"

namespace comet::test {
namespace {

/// Which threads removed, renamed or shrank something.
class WhoDeletes final : public DiskWatcher {
 public:
  void after(const DiskStep& step) override {
    const std::lock_guard lock(mu_);
    // Before its first byte a new file is made empty, too.
    const bool deletes = step.kind == DiskStep::kRemove || (step.kind == DiskStep::kRename && is_log(step.path)) ||
                         (step.kind == DiskStep::kResize && step.path.find(".trash") != std::string::npos);
    if (deletes) threads_.insert(std::this_thread::get_id());
    removed_logs += step.kind == DiskStep::kRemove && is_log(step.path);
  }
  std::set<std::thread::id> threads() const {
    const std::lock_guard lock(mu_);
    return threads_;
  }
  std::atomic<int> removed_logs{0};

 private:
  static bool is_log(const Path& path) { return path.find("/commitlog") != std::string::npos; }

  mutable std::mutex mu_;
  std::set<std::thread::id> threads_;  // under mu_
};

}  // namespace

TEST_CASE("whoever sends never deletes: log, queue and index files go on the keeper's thread", "[proof][deletion]") {
  TempDir dir(memory_folder());
  auto options = small_store(dir / "s");
  options.clean_interval_ms = 1;
  options.delete_files_interval_ms = 1;
  options.delete_when = "0;1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18;19;20;21;22;23";
  options.file_reserved_hours = -24 * 365 * 100;  // whatever the file system's clock says, all are old
  WhoDeletes watcher;
  RunningStore store(options, true, std::make_shared<WatchedFiles>(watcher));
  INFO(store.problem.what);
  REQUIRE(store);
  REQUIRE(eventually([&] {
    store.put("T", 0, std::string(800, 'x'), "", "key");
    return watcher.removed_logs > 8;
  }));
  CHECK(store->min_offset({"T", QueueId(0)}).value > 0);
  CHECK(watcher.threads().size() == 1);
  CHECK(watcher.threads().count(std::this_thread::get_id()) == 0);
}

}  // namespace comet::test
