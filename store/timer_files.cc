#include "store/timer_files.h"

#include <algorithm>

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
  const Path config = parent_folder(options_.checkpoint);
  COMET_TRY_VOID(make_durable_folders(files_, options_.root));
  COMET_TRY_VOID(make_durable_folders(files_, config));
  COMET_TRY_VOID(files_.sync_folder(config));  // a killed process may have made the checkpoint without its name
  COMET_TRY(opened_at_, TimerCheckpoint::load(files_, options_.checkpoint));
  COMET_TRY(wheel_,
            TimerWheel::open(files_, options_.root + "/timerwheel", options_.precision_ms, options_.window_slots));
  COMET_TRY_VOID(timer_log_.load(opened_at_.log_flushed));
  COMET_TRY_VOID(check_precision());
  // One file more than needed, because Apache's wheel may be behind what its checkpoint says.
  const int64_t from = wheel_->is_new() ? 0 : std::max<int64_t>(0, opened_at_.log_flushed - options_.log_file_bytes);
  COMET_TRY_VOID(timer_log_.recover(from, [&](const TimerUnit& unit) { return unit.at < log_end; }));
  if (timer_log_.end() < opened_at_.log_flushed) COMET_TRY_VOID(step_back());
  COMET_TRY(const int64_t wrong_from, clear_wrong_slots());
  const auto link = [&](int64_t position, const TimerUnit& unit) { relink(position, unit); };
  COMET_TRY_VOID(timer_log_.each(std::min(from, wrong_from), link));
  const auto used = wheel_->used_from(opened_at_.read_time_ms);
  if (!used.empty()) last_slot_ms_ = *std::max_element(used.begin(), used.end());
  return {};
}

/// Durable before anything is added: the log soon reaches as far as it did, but with other units.
Result<void> TimerFiles::step_back() {
  store_log_.warn(
      "the timer log ends at {}, though config/timercheck vouches for it up to {}: messages behind its end "
      "are taken in from their queue again",
      timer_log_.end(), opened_at_.log_flushed);
  opened_at_.log_flushed = timer_log_.end();
  opened_at_.master_queue_offset = std::max(opened_at_.master_queue_offset, opened_at_.queue_offset);
  opened_at_.queue_offset = QueueOffset(0);
  return save(opened_at_);
}

/// Empties slots that don't lead to a unit of their own, and returns from where in the log they are to be filled again.
Result<int64_t> TimerFiles::clear_wrong_slots() {
  int64_t from = timer_log_.end(), count = 0;
  for (const int64_t ms : wheel_->used_from(opened_at_.read_time_ms)) {
    const TimerSlot slot = wheel_->slot(ms);
    COMET_TRY(const bool is_right, leads_to_its_own(ms, slot.last));
    if (is_right) continue;
    from = std::min({from, slot.first, opened_at_.log_flushed});
    wheel_->clear(ms);
    ++count;
  }
  if (count > 0)
    store_log_.warn("{} slots of the timer wheel lead to units that the timer log lost and are chained anew", count);
  return from;
}

Result<bool> TimerFiles::leads_to_its_own(int64_t slot_ms, int64_t position) const {
  if (position < opened_at_.log_flushed) return true;
  COMET_TRY(const auto unit, timer_log_.read(position));
  return unit && wheel_->floor(unit->due_ms()) == slot_ms;
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

/// A slot's place depends on the precision that it was written with; the newest unit's slot tells it.
Result<void> TimerFiles::check_precision() const {
  std::optional<TimerUnit> newest;
  int64_t at = -1;
  const auto note = [&](int64_t position, const TimerUnit& unit) {
    if (position >= opened_at_.log_flushed) return;
    at = position;
    newest = unit;
  };
  COMET_TRY_VOID(timer_log_.each(std::max<int64_t>(0, opened_at_.log_flushed - 1), note));
  if (!newest || wheel_->slot(newest->due_ms()).last >= at) return {};
  for (const int32_t other : {100, 200, 500, 1'000}) {
    if (other == options_.precision_ms) continue;
    COMET_TRY(const auto wheel, TimerWheel::open(files_, options_.root + "/timerwheel", other, options_.window_slots));
    if (wheel->slot(newest->due_ms()).last >= at)
      return fail(Errc::kInvalid, "timerPrecisionMs=" + std::to_string(options_.precision_ms) +
                                      ": this store's timer wheel was made with " + std::to_string(other) +
                                      "; set it so, a precision can only be chosen for a new store");
  }
  return {};
}

Result<void> TimerFiles::add(int64_t due_ms, TimerUnit unit) {
  const std::lock_guard lock(adding_);
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

Result<SlotUnits> TimerFiles::units(int64_t slot_ms, const std::function<void(const TimerUnit& unit)>& visit) const {
  return SlotUnits::open(timer_log_, wheel_->slot(slot_ms).last, visit);
}

Result<std::optional<TimerUnit>> TimerFiles::newest() const { return timer_log_.read(timer_log_.last_unit()); }

Result<int64_t> TimerFiles::flush() {
  int64_t end = 0;
  {
    const std::lock_guard lock(adding_);
    end = timer_log_.end();
  }
  COMET_TRY_VOID(timer_log_.flush());
  COMET_TRY_VOID(wheel_->flush());
  return end;
}

}  // namespace comet::store
