#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "store/timer_log.h"

namespace comet::store {

/// The units of one slot of the timer wheel, oldest first. The timer log chains them from the newest back and a slot
/// may hold a million, so they are read back a piece at a time from places that a first walk noted: 8 bytes of memory
/// for each piece, and one piece.
///
/// One thread. Units that come into the slot later are not seen. A unit whose file is gone ends the chain: the message
/// that it points to is gone with it.
class SlotUnits {
 public:
  static constexpr size_t kPiece = 4'096;  ///< units held at once

  /// `last`: position of the slot's newest unit, -1 if it has none. `visit` sees every unit once, newest first. kIo:
  /// one of them can't be read now.
  static Result<SlotUnits> open(const TimerLog& log, int64_t last,
                                const std::function<void(const TimerUnit& unit)>& visit);

  /// The oldest unit that was not passed yet, until pass(); null behind the newest. kIo: it can't be read now, and
  /// comes with a later call.
  Result<const TimerUnit*> next();
  void pass() { piece_.pop_back(); }

 private:
  explicit SlotUnits(const TimerLog& log) : log_(log) {}
  template <class Visit>
  Result<void> walk(int64_t from, Visit visit) const;

  const TimerLog& log_;
  std::vector<int64_t> heads_{};    ///< the newest unit of each piece that is left; the oldest piece's last
  std::vector<TimerUnit> piece_{};  ///< what is left of the present piece, its oldest unit last
};

}  // namespace comet::store
