#include "store/timer_files.h"

#include <algorithm>
#include <set>

namespace comet::store {

TimerFiles::TimerFiles(Files& files, Log& log, TimerOptions options)
    : files_(files),
      store_log_(log),
      options_(std::move(options)),
      timer_log_(files, log, options_.root + "/timerlog", options_.log_file_bytes) {}

Result<std::unique_ptr<TimerFiles>> TimerFiles::open(Files& files, Log& log, const TimerOptions& options,
                                                     PhyOffset log_end) {
  auto opened = std::unique_ptr<TimerFiles>(new TimerFiles(files, log, options));
  COMET_TRY_VOID(opened->load(log_end));
  return opened;
}

Result<void> TimerFiles::load(PhyOffset log_end) {
  COMET_TRY_VOID(make_durable_folders(files_, options_.root));
  COMET_TRY_VOID(make_durable_folders(files_, parent_folder(options_.checkpoint)));
  COMET_TRY(opened_at_, TimerCheckpoint::load(files_, options_.checkpoint));
  COMET_TRY(wheel_, TimerWheel::open(files_, options_.root + "/timerwheel", options_.precision_ms));
  COMET_TRY_VOID(timer_log_.load(opened_at_.log_flushed));
  COMET_TRY_VOID(check_precision());
  // One file more than needed, because Apache's wheel may be behind what its checkpoint says.
  const int64_t from = std::max<int64_t>(0, opened_at_.log_flushed - options_.log_file_bytes);
  COMET_TRY_VOID(timer_log_.recover(from, [&](int64_t position, const TimerUnit& unit) {
    if (unit.at >= log_end) return false;
    relink(position, unit);
    return true;
  }));
  mend_slots_behind_the_end();
  const auto used = wheel_->used_from(opened_at_.read_time_ms);
  if (!used.empty()) last_slot_ms_ = *std::max_element(used.begin(), used.end());
  return {};
}

/// Adds a unit of the log to its slot unless the wheel has it already, or its time has gone by: the slot may be another
/// time's by then.
void TimerFiles::relink(int64_t position, const TimerUnit& unit) {
  if (unit.due_ms() < opened_at_.read_time_ms) return;
  TimerSlot slot = wheel_->slot(unit.due_ms());
  if (slot.last >= position) return;
  if (slot.first < 0) slot.first = position;
  slot.last = position;
  slot.count += unit.deletes() ? -1 : 1;
  wheel_->put(unit.due_ms(), slot);
}

/// Slots whose chain begins behind the log's end, which happens when the log lost its tail, are chained anew.
void TimerFiles::mend_slots_behind_the_end() {
  std::set<int64_t> broken;
  int64_t from = timer_log_.end();
  for (const int64_t ms : wheel_->used_from(opened_at_.read_time_ms)) {
    const TimerSlot slot = wheel_->slot(ms);
    if (slot.last < timer_log_.end()) continue;
    broken.insert(ms);
    from = std::min(from, slot.first);
    wheel_->clear(ms);
  }
  if (broken.empty()) return;
  store_log_.warn("{} slots of the timer wheel point behind the timer log's end and are chained anew", broken.size());
  timer_log_.each(from, [&](int64_t position, const TimerUnit& unit) {
    if (broken.count(wheel_->floor(unit.due_ms())) != 0) relink(position, unit);
  });
}

/// A slot's place depends on the precision that it was written with; the newest unit's slot tells it.
Result<void> TimerFiles::check_precision() const {
  std::optional<TimerUnit> newest;
  int64_t at = -1;
  timer_log_.each(std::max<int64_t>(0, opened_at_.log_flushed - 1), [&](int64_t position, const TimerUnit& unit) {
    if (position < opened_at_.log_flushed) {
      at = position;
      newest = unit;
    }
  });
  if (!newest || wheel_->slot(newest->due_ms()).last >= at) return {};
  for (const int32_t other : {100, 200, 500, 1'000}) {
    if (other == options_.precision_ms) continue;
    COMET_TRY(const auto wheel, TimerWheel::open(files_, options_.root + "/timerwheel", other));
    if (wheel->slot(newest->due_ms()).last >= at)
      return fail(Errc::kInvalid, "timerPrecisionMs=" + std::to_string(options_.precision_ms) +
                                      ": this store's timer wheel was made with " + std::to_string(other) +
                                      "; set it so, a precision can only be chosen for a new store");
  }
  return {};
}

Result<void> TimerFiles::add(int64_t due_ms, TimerUnit unit) {
  TimerSlot slot = wheel_->slot(due_ms);
  unit.previous = slot.last;
  unit.delay_ms = static_cast<int32_t>(due_ms - unit.written_ms);
  COMET_TRY(const int64_t position, timer_log_.append(unit));
  if (slot.first < 0) slot.first = position;
  slot.last = position;
  slot.count += unit.deletes() ? -1 : 1;
  wheel_->put(due_ms, slot);
  last_slot_ms_ = std::max(last_slot_ms_, wheel_->floor(due_ms));
  return {};
}

SlotUnits TimerFiles::units(int64_t slot_ms, const std::function<void(const TimerUnit& unit)>& visit) const {
  return {timer_log_, wheel_->slot(slot_ms).last, visit};
}

std::optional<TimerUnit> TimerFiles::newest() const {
  const int64_t position = timer_log_.last_unit();
  return position < 0 ? std::nullopt : timer_log_.read(position);
}

Result<void> TimerFiles::flush() {
  COMET_TRY_VOID(timer_log_.flush());
  return wheel_->flush();
}

}  // namespace comet::store
