#pragma once

#include <uv.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/task.h"

namespace comet::remoting {

/// The timers of one loop. Delays under a second have a uv_timer each (kept for reuse); longer ones share a wheel of
/// 100 ms slots with one uv_timer, armed for the next occupied slot only, so that a wheel at rest costs no wake-ups.
///
/// A timer never fires early; on the wheel it fires at most 100 ms late. Confined to the loop's thread.
class Timers {
 public:
  using Id = uint64_t;

  explicit Timers(uv_loop_t* loop);

  Id after(int64_t delay_ms, Task task) { return add(delay_ms, 0, std::move(task)); }
  Id every(int64_t period_ms, Task task) { return add(period_ms, period_ms, std::move(task)); }
  void cancel(Id id);

  /// Destroys every task unrun and closes the handles. No timer can be added any more (after() then drops its task).
  void close();

 private:
  static constexpr int64_t kSlotMs = 100, kWheelFromMs = 1'000;
  static constexpr uint32_t kSlots = 512, kNone = UINT32_MAX;

  /// A reusable uv_timer.
  struct Fine {
    uv_timer_t handle;
    Timers* owner;
    uint32_t entry;
  };
  enum class Where : uint8_t { kFree, kWheel, kFine, kFiring };
  struct Entry {
    Task task;
    int64_t period_ms = 0;  ///< 0: once
    int64_t due_slot = 0;
    Fine* fine = nullptr;
    uint32_t generation = 1;
    uint32_t prev = kNone, next = kNone;  ///< within a slot, or `next` in the free list
    Where where = Where::kFree;
  };

  Id add(int64_t delay_ms, int64_t period_ms, Task task);
  void schedule(uint32_t index, int64_t delay_ms);
  void schedule_fine(uint32_t index, int64_t delay_ms);
  void schedule_on_wheel(uint32_t index, int64_t delay_ms);
  void unlink(uint32_t index);
  void fire(uint32_t index);
  void release(uint32_t index);
  void arm();
  void turn_wheel();
  int64_t now_ms() const { return static_cast<int64_t>(uv_now(loop_)); }

  uv_loop_t* loop_;
  uv_timer_t wheel_;
  bool closed_ = false;
  std::vector<Entry> entries_;
  uint32_t free_entry_ = kNone;
  std::vector<std::unique_ptr<Fine>> fines_;
  std::vector<Fine*> free_fines_;
  std::array<uint32_t, kSlots> slots_;
  size_t on_wheel_ = 0;
  int64_t done_slot_ = 0;    ///< every slot up to this one was looked at
  int64_t armed_slot_ = -1;  ///< -1: not armed
  std::vector<uint32_t> due_;
};

}  // namespace comet::remoting
