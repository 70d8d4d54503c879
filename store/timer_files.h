#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "common/files.h"
#include "common/log.h"
#include "store/slot_units.h"
#include "store/timer_checkpoint.h"
#include "store/timer_log.h"
#include "store/timer_wheel.h"

namespace comet::store {

struct TimerOptions {
  Path root;                                     ///< holds timerwheel and timerlog/
  Path checkpoint;                               ///< config/timercheck
  int64_t log_file_bytes = 100LL * 1024 * 1024;  ///< mappedFileSizeTimerLog
  int32_t precision_ms = 1'000;                  ///< timerPrecisionMs
  int64_t window_slots = TimerWheel::kWindowSlots;
};

/// Messages that wait for a time, in Apache's files: the wheel says what is due when, the log what that is.
///
/// The log is durable before the wheel and the wheel before the checkpoint. So the checkpoint vouches for the units
/// before its log_flushed: they stand in the log and in their slots. Behind that nothing is sure after a power cut. The
/// log keeps its units up to the first that is lost; a slot may lead behind the log's end, or to a unit that took the
/// place of a lost one, and is then chained anew. Should the log itself end before log_flushed, because it rotted or
/// because the CommitLog lost its end, then the checkpoint goes back: messages are taken in again from the newest unit
/// that is left, and what was delivered is known by read_time_ms and master_queue_offset. Threads: add() from one;
/// flush() and save() one at a time; the rest as the parts'. Source: TimerMessageStore; store.md 23.
class TimerFiles {
 public:
  /// Loads and recovers. Units of records at or behind `log_end` were never durable and are dropped. kInvalid: a size
  /// or a precision that the store wasn't written with, as a sentence.
  static Result<std::unique_ptr<TimerFiles>> open(Files& files, Log& log, const TimerOptions& options,
                                                  PhyOffset log_end);

  /// Adds a unit to the slot of `due_ms`, which may be the unit's own time or later.
  Result<void> add(int64_t due_ms, TimerUnit unit);
  /// What waits in the slot, oldest first; `visit` sees all of it once beforehand, newest first. kIo: it can't be read
  /// now.
  Result<SlotUnits> units(
      int64_t slot_ms, const std::function<void(const TimerUnit& unit)>& visit = [](const TimerUnit&) {}) const;

  TimerWheel& wheel() { return *wheel_; }
  const TimerWheel& wheel() const { return *wheel_; }
  TimerLog& log() { return timer_log_; }
  const TimerCheckpoint& opened_at() const { return opened_at_; }
  /// The newest unit at opening; nothing if the log was empty.
  Result<std::optional<TimerUnit>> newest() const;
  /// The last slot that anything was ever put into, 0 if none was.
  int64_t last_slot_ms() const { return last_slot_ms_; }

  /// Makes everything durable that was added before the call, and returns where in the log that ends.
  Result<int64_t> flush();
  Result<void> save(const TimerCheckpoint& checkpoint) { return checkpoint.save(files_, options_.checkpoint); }

 private:
  TimerFiles(Files& files, Log& log, TimerOptions options);
  Result<void> load(PhyOffset log_end);
  Result<void> step_back();
  Result<int64_t> clear_wrong_slots();
  Result<bool> leads_to_its_own(int64_t slot_ms, int64_t position) const;
  void relink(int64_t position, const TimerUnit& unit);
  Result<void> check_precision() const;

  Files& files_;
  Log& store_log_;
  const TimerOptions options_;
  TimerLog timer_log_;
  std::unique_ptr<TimerWheel> wheel_;
  std::mutex adding_;  ///< held while a unit stands in the log and not yet in its slot
  TimerCheckpoint opened_at_;
  int64_t last_slot_ms_ = 0;
};

}  // namespace comet::store
