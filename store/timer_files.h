#pragma once

#include <cstdint>
#include <memory>
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
};

/// Messages that wait for a time, in Apache's files: the wheel says what is due when, the log what that is.
///
/// The log is durable before the wheel and the wheel before the checkpoint, so that opening finds in the log what the
/// wheel doesn't hold yet and adds it. Threads: as the parts'. Source: TimerMessageStore; store.md 23.
class TimerFiles {
 public:
  /// Loads and recovers. Units of records at or behind `log_end` were never durable and are dropped. kInvalid: a size
  /// or a precision that the store wasn't written with, as a sentence.
  static Result<std::unique_ptr<TimerFiles>> open(Files& files, Log& log, const TimerOptions& options,
                                                  PhyOffset log_end);

  /// Adds a unit to the slot of `due_ms`, which may be the unit's own time or later.
  Result<void> add(int64_t due_ms, TimerUnit unit);
  /// What waits in the slot, oldest first; `visit` sees all of it once beforehand, newest first.
  SlotUnits units(
      int64_t slot_ms, const std::function<void(const TimerUnit& unit)>& visit = [](const TimerUnit&) {}) const;

  TimerWheel& wheel() { return *wheel_; }
  const TimerWheel& wheel() const { return *wheel_; }
  TimerLog& log() { return timer_log_; }
  const TimerCheckpoint& opened_at() const { return opened_at_; }
  /// The newest unit at opening; nothing if the log was empty.
  std::optional<TimerUnit> newest() const;
  /// The last slot that anything was ever put into, 0 if none was.
  int64_t last_slot_ms() const { return last_slot_ms_; }

  /// Makes log and wheel durable; then everything added before the call is.
  Result<void> flush();
  Result<void> save(const TimerCheckpoint& checkpoint) { return checkpoint.save(files_, options_.checkpoint); }

 private:
  TimerFiles(Files& files, Log& log, TimerOptions options);
  Result<void> load(PhyOffset log_end);
  void relink(int64_t position, const TimerUnit& unit);
  void mend_slots_behind_the_end();
  Result<void> check_precision() const;

  Files& files_;
  Log& store_log_;
  const TimerOptions options_;
  TimerLog timer_log_;
  std::unique_ptr<TimerWheel> wheel_;
  TimerCheckpoint opened_at_;
  int64_t last_slot_ms_ = 0;
};

}  // namespace comet::store
