#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <fstream>

#include "store/checkpoint.h"
#include "tests/support/proof/power_disk.h"
#include "tests/support/proof/store_story.h"

/// What the store promises about its disk, rule by rule.
namespace comet::test {
namespace {

using Clock = std::chrono::steady_clock;
using store::PutStatus;

struct ErrorLines final : Log {
  void write(LogLevel level, std::string_view line) override {
    const std::lock_guard lock(mu);
    if (level == LogLevel::kError) lines.emplace_back(line);
  }
  bool enabled(LogLevel) const override { return true; }
  std::mutex mu;
  std::vector<std::string> lines;
};

/// A store whose threads' turns the test takes itself.
struct SteppedStore {
  SteppedStore(DiskWatcher& watcher, store::StoreOptions options)
      : files(watcher), store(files, clock, log, std::move(options)) {
    REQUIRE(store.start());
  }
  store::PutResult put(std::string_view topic, std::string_view body, std::string_view properties = "") {
    return store.put(RunningStore::request(topic, 0, body, properties));
  }
  Result<void> turn(int64_t seconds) {
    clock.advance_ms(seconds * 1000);
    return store.turn(time += std::chrono::seconds(seconds));
  }

  WatchedFiles files;
  ManualClock clock{1'700'000'000'000};
  ErrorLines log;
  Clock::time_point time = Clock::now();
  store::Engine store;
};

/// The first flush of the log takes until the test says so.
struct SlowFirstFlush final : DiskWatcher {
  Result<void> before(const DiskStep& step) override {
    if (step.kind != DiskStep::kSyncRange) return {};
    std::unique_lock lock(mu);
    begins.push_back(Clock::now());
    changed.notify_all();
    if (begins.size() == 1) changed.wait_for(lock, std::chrono::seconds(20), [&] { return released; });
    return {};
  }
  bool wait_for_begin(size_t number) {
    std::unique_lock lock(mu);
    return changed.wait_for(lock, std::chrono::seconds(20), [&] { return begins.size() >= number; });
  }
  std::mutex mu;
  std::condition_variable changed;
  std::vector<Clock::time_point> begins;
  bool released = false;
};

}  // namespace

TEST_CASE("a flush begins in time also for what came while another one ran", "[proof][durable]") {
  constexpr auto kInterval = std::chrono::milliseconds(600);
  TempDir dir(memory_folder());
  auto options = small_store(dir / "s");
  options.flush_interval_ms = kInterval.count();
  SlowFirstFlush watcher;
  RunningStore store(options, true, std::make_shared<WatchedFiles>(watcher));
  store.put("T", 0, "first");
  REQUIRE(watcher.wait_for_begin(1));
  store.put("T", 0, "second");
  const auto due = Clock::now() + kInterval;
  CHECK(eventually([&] { return Clock::now() >= due; }));
  CHECK(store->figures().oldest_not_flushed_ms >= kInterval.count());
  {
    const std::lock_guard lock(watcher.mu);
    watcher.released = true;
  }
  watcher.changed.notify_all();
  const auto released = Clock::now();
  REQUIRE(watcher.wait_for_begin(2));
  CHECK(watcher.begins[1] - released < kInterval * 3 / 4);  // at once, not after another interval
  CHECK(eventually([&] { return store->figures().bytes_not_flushed == 0; }));
  CHECK(store->figures().oldest_not_flushed_ms == 0);
  // At risk is the wait and one flush, and the first one took this long.
  CHECK(store->figures().at_risk_ms >= 2 * kInterval.count());
}

TEST_CASE("nothing is at risk under SYNC_FLUSH", "[proof][durable]") {
  TempDir dir(memory_folder());
  auto options = small_store(dir / "s");
  options.flush = store::FlushMode::kSync;
  SteppedStore s(nobody(), options);
  s.put("T", "x");
  REQUIRE(s.turn(1));
  CHECK(s.store.figures().at_risk_ms == 0);
}

TEST_CASE("a queue file that can't be made durable ends acceptance, and is not tried again", "[proof][durable]") {
  struct Fails final : DiskWatcher {
    Result<void> before(const DiskStep& step) override {
      const bool hit = (step.kind == wanted) && step.path.find("consumequeue/") != std::string::npos;
      if (!hit) return {};
      return ++hits == 1 ? comet::fail(Errc::kIo, "the fake disk says no to " + step.path) : Result<void>();
    }
    DiskStep::Kind wanted;
    int hits = 0;
  };
  Fails watcher;
  watcher.wanted = GENERATE(DiskStep::kSync, DiskStep::kSyncFolder, DiskStep::kWrite);
  TempDir dir(memory_folder());
  SteppedStore s(watcher, small_store(dir / "s"));
  bool told_failure = false;
  s.store.on_durable([&](PhyOffset, bool failed) { told_failure |= failed; });
  REQUIRE(s.put("T", "one").status == PutStatus::kOk);
  for (int i = 0; i < 15; ++i) (void)s.turn(1);

  CHECK(watcher.hits == 1);
  CHECK(told_failure);
  REQUIRE(s.log.lines.size() == 1);
  CHECK_THAT(s.log.lines[0], Catch::Contains("no message is accepted from now on") &&
                                 Catch::Contains("consumequeue/T/0") && Catch::Contains("restart"));
  const auto refused = s.put("T", "two");
  CHECK(refused.status == PutStatus::kServiceNotAvailable);
  CHECK(refused.problem.find("writing to the disk failed") != std::string_view::npos);
  CHECK_FALSE(s.store.stop());
  CHECK(std::filesystem::exists(dir / "s/abort"));
  CHECK(store::Checkpoint::open(s.files, dir / "s/checkpoint").value()->times().queues_ms == 0);
}

TEST_CASE("a CommitLog file whose name can't be made durable ends acceptance", "[proof][durable]") {
  struct Fails final : DiskWatcher {
    Result<void> before(const DiskStep& step) override {
      if (!armed || step.kind != DiskStep::kSyncFolder || !step.path.ends_with("/commitlog")) return {};
      armed = false;
      return comet::fail(Errc::kIo, "the fake disk says no");
    }
    bool armed = false;
  } watcher;
  TempDir dir(memory_folder());
  SteppedStore s(watcher, small_store(dir / "s"));
  REQUIRE(s.put("T", "one").status == PutStatus::kOk);
  REQUIRE(s.turn(1));
  watcher.armed = true;
  REQUIRE(s.put("T", std::string(8'000, 'x')).status == PutStatus::kOk);
  REQUIRE(s.put("T", std::string(7'000, 'x')).status == PutStatus::kOk);
  (void)s.turn(1);
  CHECK_FALSE(watcher.armed);
  CHECK(s.put("T", "two").status == PutStatus::kServiceNotAvailable);
  CHECK(s.log.lines.size() == 1);
}

TEST_CASE("the checkpoint says that queues are durable only after their files and folders are", "[proof][durable]") {
  struct Order final : DiskWatcher {
    void after(const DiskStep& step) override {
      if (step.path.find("consumequeue/T/0/") != std::string::npos && step.kind == DiskStep::kWrite) file = false;
      if (step.path.find("consumequeue/T/0/") != std::string::npos && step.kind == DiskStep::kSync) file = true;
      if (step.path.ends_with("consumequeue/T/0") && step.kind == DiskStep::kSyncFolder) folder = true;
      if (step.path.ends_with("consumequeue/T") && step.kind == DiskStep::kSyncFolder) topic = true;
      if (!step.path.ends_with("/checkpoint") || step.kind != DiskStep::kWrite || step.from != 0) return;
      if (load_be<int64_t>(step.data.data() + 8) == 0) return;
      advanced = true;
      too_early = too_early || !file || !folder || !topic;
    }
    bool file = false, folder = false, topic = false, advanced = false, too_early = false;
  } watcher;
  TempDir dir(memory_folder());
  SteppedStore s(watcher, small_store(dir / "s"));
  REQUIRE(s.put("T", "one").status == PutStatus::kOk);
  // The queue falls idle before the disk is asked; another one stays busy.
  for (int i = 0; i < 30; ++i) {
    REQUIRE(s.turn(1));
    REQUIRE(s.put("Busy", "x").status == PutStatus::kOk);
  }
  CHECK(watcher.advanced);
  CHECK_FALSE(watcher.too_early);
}

TEST_CASE("zeros in properties outlive a crash, a sector of zeros that was never written doesn't", "[proof][durable]") {
  TempDir dir(memory_folder());
  const std::string zeros = property_text("z", std::string(1'500, '\0'));
  const bool torn = GENERATE(false, true);
  int64_t tail = 0;
  {
    SteppedStore s(nobody(), small_store(dir / "s"));
    REQUIRE(s.put("T", "one", zeros).status == PutStatus::kOk);
    tail = s.put("T", "two", property_text("p", std::string(1'500, 'p'))).end.value;
    copy_folder(dir / "s", dir / "k");
  }
  if (torn) {
    std::fstream file(dir / "k/commitlog/00000000000000000000", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp((tail - 600) / 512 * 512);
    file.write(std::string(512, '\0').data(), 512);
  }
  RunningStore store(small_store(dir / "k"), false);
  REQUIRE(store);
  CHECK(store.bodies("T", 0) == (torn ? std::vector<std::string>{"one"} : std::vector<std::string>{"one", "two"}));
  const auto entry = store->entry({"T", QueueId(0)}, QueueOffset(0)).value();
  const auto record = decode_message(store->record_at(entry->at)->bytes, true);
  CHECK(std::string(record->message.properties).starts_with(zeros));
}

TEST_CASE("replacing a state file leaves one that is whole at every power cut", "[proof][durable]") {
  struct Cuts final : DiskWatcher {
    explicit Cuts(std::string folder) : root(folder), disk(std::move(folder), 7) {}
    Result<void> before(const DiskStep& step) override {
      if (judging) look();
      return disk.before(step);
    }
    void after(const DiskStep& step) override { disk.after(step); }
    void look() {
      for (int i = 0; i < 40; ++i) {
        TempDir image(memory_folder());
        disk.cut(image / "s", rng);
        const auto real = make_real_files();
        const auto main = read_file(*real, image / "s/topics.json"),
                   backup = read_file(*real, image / "s/topics.json.bak");
        const bool main_good = main && main->ends_with("}"), backup_good = backup && backup->ends_with("}");
        CHECK((main_good || backup_good));
        if (!acknowledged.empty() && main_good) CHECK(main->find(acknowledged) != std::string::npos);
        ++looked;
      }
    }
    const std::string root;
    PowerDisk disk;
    Rng rng{11};
    bool judging = false;
    std::string acknowledged;
    int looked = 0;
  };
  TempDir dir(memory_folder());
  Cuts watcher(dir / "s");
  WatchedFiles files(watcher);
  REQUIRE(make_durable_folders(files, dir / "s"));
  const auto generation = [](int number) { return "{" + std::string(5'000, 'x') + std::to_string(number) + "}"; };
  REQUIRE(replace_file(files, dir / "s/topics.json", generation(1)));
  REQUIRE(replace_file(files, dir / "s/topics.json", generation(2)));
  const bool garbage = GENERATE(false, true);  // the main file rotted; the good one is the .bak
  if (garbage)
    REQUIRE(
        files.open(dir / "s/topics.json", OpenMode::kReadWrite).value()->write_at(4'990, as_bytes("garbage-garbage-")));
  if (garbage) REQUIRE(files.open(dir / "s/topics.json", OpenMode::kReadWrite).value()->sync());
  watcher.judging = true;
  REQUIRE(replace_file(files, dir / "s/topics.json", generation(3)));
  watcher.acknowledged = "3}";
  watcher.look();
  CHECK(watcher.looked > 300);
}

}  // namespace comet::test
