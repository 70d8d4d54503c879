#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "common/files.h"

namespace comet::store {

/// What waits for one tick of the wheel: a chain of units in the timer log, from the last one back to the first.
struct TimerSlot {
  int64_t first = -1, last = -1;  ///< positions in the timer log; -1: nothing waits
  int32_t count = 0;              ///< messages less those that are taken back
};

/// The file timerwheel: two weeks of slots at a second each (less at a finer precision), used in a circle. A slot is
/// valid only for the time that stands in it.
///
///     slot, 32 bytes: i64 time / precision, i64 first, i64 last, i32 count, i32 0
/// Kept in memory, in pages that exist only where something was ever put, and written out by flush(): a store into a
/// mapped wheel could reach the disk before the units that it points to. Thread-safe. Source: TimerWheel; store.md 23.
class TimerWheel {
 public:
  static constexpr int64_t kWindowSlots = 7LL * 86'400;  ///< Apache's: the farthest that a slot may be ahead
  static constexpr int64_t kSlotBytes = 32;
  static constexpr int64_t kPageBytes = 4096, kPageSlots = kPageBytes / kSlotBytes;

  /// Reads the file, or makes it, and waits until what it read is durable: a process that was killed may have left it
  /// in memory. `window_slots` is a multiple of kPageSlots; the file has twice as many. kInvalid: it has another size.
  static Result<std::unique_ptr<TimerWheel>> open(Files& files, const Path& path, int32_t precision_ms,
                                                  int64_t window_slots = kWindowSlots);

  int32_t precision_ms() const { return precision_ms_; }
  int64_t slots() const { return slots_; }
  /// open() made the file: whatever the timer log holds isn't in it.
  bool is_new() const { return is_new_; }
  int64_t floor(int64_t ms) const { return ms / precision_ms_ * precision_ms_; }

  TimerSlot slot(int64_t ms) const;
  void put(int64_t ms, const TimerSlot& slot);
  /// Makes the slot empty for any time.
  void clear(int64_t ms);

  /// The first slot from `from_ms` on, and before `until_ms`, in which something waits; `until_ms` if there is none.
  int64_t next_used(int64_t from_ms, int64_t until_ms) const;
  /// The times of all slots from `from_ms` on in which something waits, unsorted.
  std::vector<int64_t> used_from(int64_t from_ms) const;
  /// Messages that wait in slots from `from_ms` on.
  int64_t count_from(int64_t from_ms) const;

  /// Writes changed pages and waits until they are durable. One at a time.
  Result<void> flush();

 private:
  using Page = std::array<std::byte, kPageBytes>;

  TimerWheel(std::unique_ptr<File> file, int32_t precision_ms, int64_t slots, bool is_new);
  Result<void> load();
  Result<void> write_pages(const std::vector<size_t>& places);
  const std::byte* find(int64_t tick) const;  ///< its slot if the page exists; under mu_
  void mark(size_t place);
  std::byte* make(int64_t tick);  ///< the same, page made and marked as changed
  template <class Visit>
  void each_used(int64_t from_ms, Visit visit) const;  ///< visit(time in ms, count), under mu_

  const std::unique_ptr<File> file_;
  const int32_t precision_ms_;
  const int64_t slots_;
  const bool is_new_;
  mutable std::mutex mu_;  // guards all below
  std::vector<std::unique_ptr<Page>> pages_;
  std::vector<bool> changed_;
  std::vector<size_t> changes_;  ///< which of them are, in the order of their first change
};

}  // namespace comet::store
