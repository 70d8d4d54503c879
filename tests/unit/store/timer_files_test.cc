#include "store/timer_files.h"

#include <catch2/catch.hpp>
#include <map>

#include "common/message_codec.h"
#include "common/rng.h"
#include "tests/support/faulty_files.h"
#include "tests/support/temp_dir.h"

using namespace comet;
using store::TimerFiles;
using store::TimerUnit;

namespace {

constexpr int64_t kStart = 1'700'000'000'000;
constexpr int64_t kFileBytes = 1'024;  // nineteen units

/// The files of one store; reopen() is a restart after a clean flush, or after whatever was done to them.
struct TimerFolder {
  store::TimerOptions options() const { return {dir.path(), dir / "config/timercheck", file_bytes, precision_ms}; }
  Result<void> open(PhyOffset log_end = PhyOffset(1'000'000)) {
    timers.reset();
    COMET_TRY(timers, TimerFiles::open(*files, null_log(), options(), log_end));
    return {};
  }
  void add(int64_t due_ms, int64_t at, int32_t magic = TimerUnit::kDefault) {
    TimerUnit unit;
    unit.written_ms = kStart;
    unit.at = PhyOffset(at);
    unit.record_bytes = 100;
    unit.topic_hash = 7;
    unit.magic = magic;
    REQUIRE(timers->add(due_ms, unit));
  }
  void save(int64_t read_ms, int64_t flushed) {
    REQUIRE(timers->save({.read_time_ms = read_ms, .log_flushed = flushed}));
  }
  std::vector<int64_t> waiting(int64_t slot_ms) {
    std::vector<int64_t> places;
    store::SlotUnits units = timers->units(slot_ms).value();
    for (const TimerUnit* unit = units.next().value(); unit != nullptr; unit = units.next().value()) {
      places.push_back(unit->at.value);
      units.pass();
    }
    return places;
  }
  std::string bytes(const std::string& name) { return read_file(*files, dir / name).value(); }
  using Places = std::vector<int64_t>;

  test::TempDir dir;
  std::unique_ptr<Files> files = make_real_files();
  int32_t precision_ms = 1'000;
  int64_t file_bytes = kFileBytes;
  std::unique_ptr<TimerFiles> timers;
};

TEST_CASE("a crowded slot is read piece by piece, in order, and seen once beforehand", "[store][timer]") {
  TimerFolder folder;
  folder.file_bytes = 1 << 20;
  REQUIRE(folder.open());
  const auto count = static_cast<int64_t>(GENERATE(0u, 1u, store::SlotUnits::kPiece - 1, store::SlotUnits::kPiece,
                                                   store::SlotUnits::kPiece + 1, 3 * store::SlotUnits::kPiece + 7));
  CAPTURE(count);
  TimerFolder::Places added;
  for (int64_t n = 0; n < count; ++n) {
    folder.add(kStart + 8'000, 100 + n);
    folder.add(kStart + 9'000, 500'000 + n);  // another slot's between
    added.push_back(100 + n);
  }
  int64_t seen = 0;
  (void)folder.timers->units(kStart + 8'000,
                             [&](const TimerUnit& unit) { CHECK(unit.at.value == 100 + count - ++seen); });
  CHECK(seen == count);
  CHECK(folder.waiting(kStart + 8'000) == added);
}

TEST_CASE("wheel, log and checkpoint have Apache's bytes", "[store][timer]") {
  TimerFolder folder;
  REQUIRE(folder.open());
  folder.add(kStart + 8'000, 1350);
  REQUIRE(folder.timers->flush());
  folder.save(kStart, 52);

  const std::string log = folder.bytes("timerlog/00000000000000000000");
  REQUIRE(log.size() == kFileBytes);
  CHECK(load_be<int32_t>(log.data()) == 52);
  CHECK(load_be<int64_t>(log.data() + 4) == -1);
  CHECK(load_be<int32_t>(log.data() + 12) == 1);
  CHECK(load_be<int64_t>(log.data() + 16) == kStart);
  CHECK(load_be<int32_t>(log.data() + 24) == 8'000);
  CHECK(load_be<int64_t>(log.data() + 28) == 1350);
  CHECK(load_be<int32_t>(log.data() + 36) == 100);
  CHECK(load_be<int32_t>(log.data() + 40) == 7);
  CHECK(load_be<int64_t>(log.data() + 44) == 0);

  const std::string wheel = folder.bytes("timerwheel");
  REQUIRE(wheel.size() == 38'707'200);
  const char* slot = wheel.data() + (kStart + 8'000) / 1'000 % 1'209'600 * 32;
  CHECK(load_be<int64_t>(slot) == (kStart + 8'000) / 1'000);
  CHECK(load_be<int64_t>(slot + 8) == 0);
  CHECK(load_be<int64_t>(slot + 16) == 0);
  CHECK(load_be<int32_t>(slot + 24) == 1);

  const std::string check = folder.bytes("config/timercheck");
  REQUIRE(check.size() == 4'096);
  CHECK(load_be<int64_t>(check.data()) == kStart);
  CHECK(load_be<int64_t>(check.data() + 8) == 52);
}

TEST_CASE("a slot's messages come oldest first, over several files, each closed by a blank", "[store][timer]") {
  TimerFolder folder;
  REQUIRE(folder.open());
  TimerFolder::Places even, odd;
  for (int64_t n = 0; n < 60; ++n) {
    folder.add(kStart + 1'000 + n % 2 * 1'000, 100 + n);
    (n % 2 == 0 ? even : odd).push_back(100 + n);
  }
  CHECK(folder.waiting(kStart + 1'000) == even);
  CHECK(folder.waiting(kStart + 2'500) == odd);
  CHECK(folder.waiting(kStart + 3'000).empty());
  const std::string first = folder.bytes("timerlog/00000000000000000000");
  CHECK(load_be<int32_t>(first.data() + 19 * 52) == kFileBytes - 19 * 52);
  CHECK(load_be<int32_t>(first.data() + 19 * 52 + 12) == kBlankMagic);
  CHECK(folder.timers->last_slot_ms() == kStart + 2'000);
}

TEST_CASE("everything that waits is there after a clean restart", "[store][timer]") {
  TimerFolder folder;
  REQUIRE(folder.open());
  for (int64_t n = 0; n < 60; ++n) folder.add(kStart + 1'000 + n % 3 * 1'000, n);
  REQUIRE(folder.timers->flush());
  folder.save(kStart, folder.timers->log().end());
  const int64_t end = folder.timers->log().end();
  const auto slot = folder.waiting(kStart + 2'000);
  REQUIRE(folder.open());
  CHECK(folder.timers->log().end() == end);
  CHECK(folder.waiting(kStart + 2'000) == slot);
  CHECK(folder.timers->wheel().count_from(kStart) == 60);
  CHECK(folder.timers->wheel().count_from(kStart + 3'000) == 20);
  CHECK(folder.timers->newest().value()->at == PhyOffset(59));
  CHECK(folder.timers->last_slot_ms() == kStart + 3'000);
  folder.add(kStart + 2'000, 999);
  CHECK(folder.waiting(kStart + 2'000).back() == 999);
}

TEST_CASE("a kill loses nothing: what the wheel doesn't hold yet is found in the log", "[store][timer]") {
  TimerFolder folder;
  REQUIRE(folder.open());
  for (int64_t n = 0; n < 10; ++n) folder.add(kStart + 1'000, n);
  REQUIRE(folder.timers->flush());
  folder.save(kStart, folder.timers->log().end());
  for (int64_t n = 10; n < 30; ++n) folder.add(kStart + 1'000 + n % 2 * 1'000, n);
  folder.add(kStart + 1'000, 30, TimerUnit::kDefault | TimerUnit::kDelete);
  REQUIRE(folder.open());  // the wheel was never written: only its file counts
  CHECK(folder.waiting(kStart + 1'000).size() == 21);
  CHECK(folder.waiting(kStart + 2'000).size() == 10);
  CHECK(folder.timers->wheel().slot(kStart + 1'000).count == 19);
  CHECK(folder.timers->newest().value()->at == PhyOffset(30));
}

TEST_CASE("units of messages that the log lost in a power cut are dropped, and their slots end before them",
          "[store][timer]") {
  TimerFolder folder;
  REQUIRE(folder.open());
  for (int64_t n = 0; n < 30; ++n) folder.add(kStart + 1'000, 100 * n);
  folder.add(kStart + 2'000, 2'950);
  REQUIRE(folder.timers->flush());
  folder.save(kStart, 10 * 52);
  REQUIRE(folder.open(PhyOffset(2'500)));
  CHECK(folder.waiting(kStart + 1'000).size() == 25);
  CHECK(folder.waiting(kStart + 1'000).back() == 2'400);
  CHECK(folder.waiting(kStart + 2'000).empty());
  CHECK(folder.timers->wheel().count_from(kStart) == 25);
  folder.add(kStart + 1'000, 2'500);  // stale bytes behind the end must not come back
  REQUIRE(folder.open(PhyOffset(1'000'000)));
  CHECK(folder.waiting(kStart + 1'000).size() == 26);
  CHECK(folder.waiting(kStart + 2'000).empty());
}

TEST_CASE("the log ends before a file without bytes or a gap, and what follows goes", "[store][timer]") {
  TimerFolder folder;
  REQUIRE(folder.open());
  for (int n = 0; n < 50; ++n) folder.add(kStart + 8'000, 1000 + n);
  folder.timers.reset();
  const int64_t damaged = GENERATE(0, 1, 2);
  const Path file = folder.dir / ("timerlog/" + store::MappedFile::name_of(damaged * kFileBytes));
  if (GENERATE(true, false)) {
    REQUIRE(folder.files->remove(file));
  } else {
    REQUIRE(folder.files->open(file, OpenMode::kReadWrite).value()->resize(0));
  }
  REQUIRE(folder.open());
  CHECK(folder.waiting(kStart + 8'000).size() == static_cast<size_t>(19 * damaged));
  const auto newest = folder.timers->newest().value();
  CHECK((newest ? newest->at : PhyOffset(999)) == PhyOffset(999 + 19 * damaged));
  CHECK_FALSE(folder.files->stat(folder.dir / ("timerlog/" + store::MappedFile::name_of(3 * kFileBytes))));
  folder.add(kStart + 8'000, 5'000);
  CHECK(folder.waiting(kStart + 8'000).back() == 5'000);
}

TEST_CASE("a log that ends before what the checkpoint vouches for takes the checkpoint back, durably",
          "[store][timer]") {
  TimerFolder folder;
  REQUIRE(folder.open());
  for (int n = 0; n < 30; ++n) folder.add(kStart + 8'000, 1000 + n);
  REQUIRE(folder.timers->flush().value() == kFileBytes + 11 * TimerUnit::kBytes);
  REQUIRE(folder.timers->save({.read_time_ms = kStart,
                               .log_flushed = kFileBytes + 11 * TimerUnit::kBytes,
                               .queue_offset = QueueOffset(30),
                               .master_queue_offset = QueueOffset(30)}));
  folder.timers.reset();
  const std::byte rotten[4] = {};  // the sixth unit's size
  REQUIRE(folder.files->open(folder.dir / "timerlog/00000000000000000000", OpenMode::kReadWrite)
              .value()
              ->write_at(5 * TimerUnit::kBytes, rotten));
  for (int restarts = 0; restarts < 2; ++restarts) {
    REQUIRE(folder.open());
    CHECK(folder.timers->opened_at().queue_offset == QueueOffset(0));
    CHECK(folder.timers->opened_at().master_queue_offset == QueueOffset(30));
    CHECK(folder.timers->opened_at().log_flushed == 5 * TimerUnit::kBytes);
    CHECK(folder.timers->opened_at().read_time_ms == kStart);
    CHECK(folder.timers->newest().value()->at == PhyOffset(1'004));
    CHECK(folder.waiting(kStart + 8'000) == TimerFolder::Places{1'000, 1'001, 1'002, 1'003, 1'004});
    folder.timers.reset();
  }
}

TEST_CASE("a page of the timer log that can't be read is neither its end nor a slot's", "[store][timer][unreadable]") {
  TimerFolder folder;
  folder.file_bytes = 8'192;
  auto faulty = std::make_unique<test::FaultyFiles>();
  test::Faults& faults = faulty->faults;
  folder.files = std::move(faulty);
  REQUIRE(folder.open());
  for (int64_t n = 0; n < 100; ++n) folder.add(kStart + 8'000, n);
  folder.save(kStart, folder.timers->flush().value());
  folder.timers.reset();
  const std::string name = "timerlog/00000000000000000000", content = folder.bytes(name);

  faults.lost_behind = 4'096;
  const auto refused = folder.open();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kIo);
  folder.timers.reset();

  CHECK(folder.bytes(name) == content.substr(0, 4'096));  // nothing of it was cleared

  faults.lost_behind = -1;
  const auto file = folder.files->open(folder.dir / name, OpenMode::kReadWrite).value();
  REQUIRE(file->write_at(0, as_bytes(content)));
  REQUIRE(folder.open());
  CHECK(folder.waiting(kStart + 8'000).size() == 100);

  REQUIRE(file->resize(4'096));  // while it is mapped
  const auto units = folder.timers->units(kStart + 8'000);
  REQUIRE_FALSE(units);
  CHECK(units.error().code == Errc::kIo);
}

TEST_CASE("half a unit at the end is none", "[store][timer]") {
  TimerFolder folder;
  REQUIRE(folder.open());
  folder.add(kStart + 8'000, 1'000);
  folder.add(kStart + 8'000, 2'000);
  folder.timers.reset();
  const int64_t kept = GENERATE(4, 12, 16, 20, 24, 28, 32, 36);
  const std::vector<std::byte> lost(static_cast<size_t>(TimerUnit::kBytes - kept));
  REQUIRE(folder.files->open(folder.dir / "timerlog/00000000000000000000", OpenMode::kReadWrite)
              .value()
              ->write_at(TimerUnit::kBytes + kept, lost));
  REQUIRE(folder.open());
  CHECK(folder.waiting(kStart + 8'000) == TimerFolder::Places{1'000});
  CHECK(folder.timers->wheel().count_from(0) == 1);
  CHECK(folder.timers->log().end() == TimerUnit::kBytes);
}

TEST_CASE("a slot that leads to a unit in place of a lost one is chained anew", "[store][timer]") {
  TimerFolder folder;
  REQUIRE(folder.open());
  folder.add(kStart + 1'000, 100);
  folder.add(kStart + 2'000, 200);
  folder.add(kStart + 3'000, 300);
  REQUIRE(folder.timers->flush());  // the wheel is durable, the checkpoint isn't, nor is the log in what follows
  folder.timers.reset();
  REQUIRE(folder.files->remove(folder.dir / "timerlog/00000000000000000000"));
  const std::string wheel = folder.bytes("timerwheel");
  REQUIRE(folder.open());
  folder.add(kStart + 3'000, 300);
  folder.add(kStart + 1'000, 100);
  folder.add(kStart + 1'000, 101);
  REQUIRE(folder.timers->flush());
  folder.timers.reset();
  REQUIRE(folder.files->open(folder.dir / "timerwheel", OpenMode::kReadWrite).value()->write_at(0, as_bytes(wheel)));
  REQUIRE(folder.open());
  CHECK(folder.waiting(kStart + 1'000) == TimerFolder::Places{100, 101});
  CHECK(folder.waiting(kStart + 2'000).empty());
  CHECK(folder.waiting(kStart + 3'000) == TimerFolder::Places{300});
  CHECK(folder.timers->wheel().count_from(kStart) == 3);
}

TEST_CASE("a wheel that is gone is filled again from all of the log", "[store][timer]") {
  TimerFolder folder;
  REQUIRE(folder.open());
  for (int64_t n = 0; n < 90; ++n) folder.add(kStart + 1'000 + n % 3 * 1'000, n);
  folder.save(kStart, folder.timers->flush().value());
  folder.timers.reset();
  REQUIRE(folder.files->remove(folder.dir / "timerwheel"));
  REQUIRE(folder.open());
  CHECK(folder.waiting(kStart + 1'000).size() == 30);
  CHECK(folder.waiting(kStart + 3'000).size() == 30);
}

TEST_CASE("a slot's place is used again two weeks later", "[store][timer]") {
  TimerFolder folder;
  REQUIRE(folder.open());
  folder.add(kStart + 1'000, 1);
  const int64_t later = kStart + 1'000 + folder.timers->wheel().slots() * 1'000;
  CHECK(folder.waiting(later).empty());
  folder.timers->wheel().put(later, {});
  CHECK(folder.waiting(kStart + 1'000).empty());
}

TEST_CASE("the next slot in which something waits is found across empty pages", "[store][timer]") {
  TimerFolder folder;
  REQUIRE(folder.open());
  folder.add(kStart + 500'000, 1);
  const auto& wheel = folder.timers->wheel();
  CHECK(wheel.next_used(kStart, kStart + 1'000'000) == kStart + 500'000);
  CHECK(wheel.next_used(kStart + 501'000, kStart + 1'000'000) == kStart + 1'000'000);
  CHECK(wheel.used_from(kStart) == std::vector<int64_t>{kStart + 500'000});
  CHECK(wheel.used_from(kStart + 501'000).empty());
}

TEST_CASE("a precision or a file size that the store wasn't made with is refused with a sentence", "[store][timer]") {
  TimerFolder folder;
  REQUIRE(folder.open());
  folder.add(kStart + 1'000, 1);
  REQUIRE(folder.timers->flush());
  folder.save(kStart, 52);
  folder.precision_ms = 100;
  const auto refused = folder.open();
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().what, Catch::Contains("timerPrecisionMs=100") && Catch::Contains("made with 1000"));
  folder.precision_ms = 1'000;
  CHECK(folder.open());

  REQUIRE(folder.files->open(folder.dir / "timerwheel", OpenMode::kReadWrite).value()->resize(32));
  const auto short_wheel = folder.open();
  REQUIRE_FALSE(short_wheel);
  CHECK_THAT(short_wheel.error().what, Catch::Contains("timerwheel has 32 bytes"));
}

TEST_CASE("log files go when all that they point to is gone, but never the last", "[store][timer]") {
  TimerFolder folder;
  REQUIRE(folder.open());
  for (int64_t n = 0; n < 50; ++n) folder.add(kStart + 1'000, n);
  REQUIRE(folder.timers->log().expire(PhyOffset(18)));
  CHECK(folder.timers->log().begin() == 0);
  REQUIRE(folder.timers->log().expire(PhyOffset(19)));
  CHECK(folder.timers->log().begin() == kFileBytes);
  REQUIRE(folder.timers->log().expire(PhyOffset(1'000)));
  CHECK(folder.timers->log().begin() == 2 * kFileBytes);
  CHECK(folder.waiting(kStart + 1'000).size() == 12);
}

TEST_CASE("an old peer's checkpoint has four numbers", "[store][timer]") {
  const store::TimerCheckpoint checkpoint{.read_time_ms = 1,
                                          .log_flushed = 2,
                                          .queue_offset = QueueOffset(3),
                                          .master_queue_offset = QueueOffset(4),
                                          .state_version = 5,
                                          .version_ms = 6,
                                          .version_counter = 7};
  const auto bytes = checkpoint.bytes();
  CHECK(store::TimerCheckpoint::parse(bytes).value() == checkpoint);
  const auto old = store::TimerCheckpoint::parse(ByteView(bytes).first(32));
  REQUIRE(old);
  CHECK(old->master_queue_offset == QueueOffset(4));
  CHECK(old->version_counter == 0);
  CHECK_FALSE(store::TimerCheckpoint::parse(ByteView(bytes).first(31)));
}

TEST_CASE("whatever a kill or a power cut leaves, each message that waits is found once and in order",
          "[store][timer][property]") {
  const auto seed = GENERATE(take(40, random(0u, ~0u)));
  CAPTURE(seed);
  Rng rng(seed);
  TimerFolder folder;
  REQUIRE(folder.open());
  struct Added {
    int64_t slot_ms, at, position;
  };
  std::vector<Added> added;
  int64_t flushed_position = 0, durable_log = 0;
  for (uint64_t n = 0, count = rng.below(200); n < count; ++n) {
    const int64_t slot_ms = kStart + 1'000 * static_cast<int64_t>(1 + rng.below(12));
    const auto at = static_cast<int64_t>(10 * n);
    folder.add(slot_ms, at);
    added.push_back({slot_ms, at, folder.timers->log().last_unit()});
    if (rng.below(20) != 0) continue;
    REQUIRE(folder.timers->flush());  // a flush, of which the checkpoint may have come to the disk or not
    durable_log = at + 10;
    if (rng.below(2) == 0) continue;
    flushed_position = folder.timers->log().end();
    folder.save(kStart, flushed_position);
  }
  const bool power_cut = rng.below(2) == 0;
  int64_t log_end = 1'000'000;
  if (power_cut) log_end = durable_log + static_cast<int64_t>(rng.below(1'000));
  REQUIRE(folder.open(PhyOffset(log_end)));

  std::map<int64_t, TimerFolder::Places> expected;
  for (const Added& one : added) {
    if (one.at < log_end) expected[one.slot_ms].push_back(one.at);
  }
  int64_t waiting = 0;
  for (const auto& [slot_ms, places] : expected) {
    CHECK(folder.waiting(slot_ms) == places);
    CHECK(folder.timers->wheel().slot(slot_ms).count == static_cast<int32_t>(places.size()));
    waiting += static_cast<int64_t>(places.size());
  }
  CHECK(folder.timers->wheel().count_from(kStart) == waiting);
}

}  // namespace
