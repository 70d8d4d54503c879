#include "remoting/net/timers.h"

#include <algorithm>
#include <utility>

#include "common/assert.h"

namespace comet::remoting {

Timers::Timers(uv_loop_t* loop) : loop_(loop) {
  slots_.fill(kNone);
  COMET_ASSERT(uv_timer_init(loop_, &wheel_) == 0);
  wheel_.data = this;
}

Timers::Id Timers::add(int64_t delay_ms, int64_t period_ms, Task task) {
  if (closed_) return 0;
  uint32_t index = free_entry_;
  if (index == kNone) {
    index = static_cast<uint32_t>(entries_.size());
    entries_.emplace_back();
  } else {
    free_entry_ = entries_[index].next;
  }
  Entry& entry = entries_[index];
  entry.task = std::move(task);
  entry.period_ms = period_ms;
  schedule(index, delay_ms);
  return (static_cast<Id>(entry.generation) << 32) | index;
}

void Timers::schedule(uint32_t index, int64_t delay_ms) {
  if (delay_ms < kWheelFromMs) {
    schedule_fine(index, std::max<int64_t>(delay_ms, 0));
  } else {
    schedule_on_wheel(index, delay_ms);
  }
}

void Timers::schedule_fine(uint32_t index, int64_t delay_ms) {
  if (free_fines_.empty()) {
    auto fine = std::make_unique<Fine>();
    COMET_ASSERT(uv_timer_init(loop_, &fine->handle) == 0);
    fine->handle.data = fine.get();
    fine->owner = this;
    free_fines_.push_back(fine.get());
    fines_.push_back(std::move(fine));
  }
  Fine* fine = free_fines_.back();
  free_fines_.pop_back();
  fine->entry = index;
  entries_[index].fine = fine;
  entries_[index].where = Where::kFine;
  uv_timer_start(
      &fine->handle,
      [](uv_timer_t* handle) {
        auto* fired = static_cast<Fine*>(handle->data);
        Timers* owner = fired->owner;
        const uint32_t entry = fired->entry;
        owner->unlink(entry);
        owner->fire(entry);
      },
      static_cast<uint64_t>(delay_ms), 0);
}

void Timers::schedule_on_wheel(uint32_t index, int64_t delay_ms) {
  if (on_wheel_ == 0) done_slot_ = now_ms() / kSlotMs;
  Entry& entry = entries_[index];
  entry.where = Where::kWheel;
  entry.due_slot = (now_ms() + delay_ms + kSlotMs - 1) / kSlotMs;
  uint32_t& head = slots_[static_cast<size_t>(entry.due_slot % kSlots)];
  entry.prev = kNone;
  entry.next = head;
  if (head != kNone) entries_[head].prev = index;
  head = index;
  ++on_wheel_;
  if (armed_slot_ < 0 || entry.due_slot < armed_slot_) arm();
}

void Timers::unlink(uint32_t index) {
  Entry& entry = entries_[index];
  if (entry.where == Where::kFine) {
    uv_timer_stop(&entry.fine->handle);
    free_fines_.push_back(std::exchange(entry.fine, nullptr));
  } else if (entry.where == Where::kWheel) {
    (entry.prev == kNone ? slots_[static_cast<size_t>(entry.due_slot % kSlots)] : entries_[entry.prev].next) =
        entry.next;
    if (entry.next != kNone) entries_[entry.next].prev = entry.prev;
    --on_wheel_;
  }
  entry.where = Where::kFiring;
}

void Timers::fire(uint32_t index) {
  const uint32_t generation = entries_[index].generation;
  Task task = std::move(entries_[index].task);  // the vector may grow while it runs
  task();
  if (closed_) return;
  Entry& entry = entries_[index];
  if (entry.generation != generation) return;  // cancelled by itself
  if (entry.period_ms == 0) return release(index);
  entry.task = std::move(task);
  schedule(index, entry.period_ms);
}

void Timers::release(uint32_t index) {
  Entry& entry = entries_[index];
  Task dead = std::move(entry.task);  // dies after the entry is in order: its owner may add timers
  entry.where = Where::kFree;
  ++entry.generation;
  if (entry.generation == 0) entry.generation = 1;
  entry.next = std::exchange(free_entry_, index);
}

void Timers::cancel(Id id) {
  const auto index = static_cast<uint32_t>(id);
  if (closed_ || index >= entries_.size()) return;
  Entry& entry = entries_[index];
  if (entry.where == Where::kFree || entry.generation != static_cast<uint32_t>(id >> 32)) return;
  unlink(index);
  release(index);
  if (on_wheel_ == 0 && armed_slot_ >= 0) arm();
}

void Timers::arm() {
  if (on_wheel_ == 0) {
    armed_slot_ = -1;
    uv_timer_stop(&wheel_);
    return;
  }
  int64_t next = done_slot_ + 1;
  while (next < done_slot_ + kSlots && slots_[static_cast<size_t>(next % kSlots)] == kNone) ++next;
  armed_slot_ = next;
  const int64_t delay_ms = std::max<int64_t>(next * kSlotMs - now_ms(), 0);
  uv_timer_start(
      &wheel_, [](uv_timer_t* handle) { static_cast<Timers*>(handle->data)->turn_wheel(); },
      static_cast<uint64_t>(delay_ms), 0);
}

void Timers::turn_wheel() {
  const int64_t now_slot = now_ms() / kSlotMs;
  const int64_t last = std::min<int64_t>(now_slot, done_slot_ + kSlots);
  std::vector<uint32_t> due = std::move(due_);
  for (int64_t slot = done_slot_ + 1; slot <= last; ++slot) {
    for (uint32_t at = slots_[static_cast<size_t>(slot % kSlots)]; at != kNone;) {
      const uint32_t next = entries_[at].next;
      if (entries_[at].due_slot <= now_slot) {
        unlink(at);
        due.push_back(at);
      }
      at = next;
    }
  }
  done_slot_ = std::max(done_slot_, now_slot);
  armed_slot_ = -1;
  for (const uint32_t index : due) {
    if (!closed_ && entries_[index].where == Where::kFiring) fire(index);  // unless another one cancelled it
  }
  due.clear();
  due_ = std::move(due);
  if (!closed_) arm();
}

void Timers::close() {
  if (std::exchange(closed_, true)) return;
  std::vector<Entry> dead = std::move(entries_);
  entries_.clear();
  uv_close(reinterpret_cast<uv_handle_t*>(&wheel_), nullptr);
  for (const auto& fine : fines_) uv_close(reinterpret_cast<uv_handle_t*>(&fine->handle), nullptr);
}

}  // namespace comet::remoting
