#include "store/slot_units.h"

namespace comet::store {

/// From the unit at `from` back, until `visit` says false.
template <class Visit>
void SlotUnits::walk(int64_t from, Visit visit) const {
  for (int64_t position = from; position >= 0;) {
    const auto unit = log_.read(position);
    if (!unit || !visit(position, *unit) || unit->previous >= position) return;
    position = unit->previous;
  }
}

SlotUnits::SlotUnits(const TimerLog& log, int64_t last, const std::function<void(const TimerUnit& unit)>& visit)
    : log_(log) {
  size_t count = 0;
  walk(last, [&](int64_t position, const TimerUnit& unit) {
    if (count++ % kPiece == 0) heads_.push_back(position);
    visit(unit);
    return true;
  });
}

const TimerUnit* SlotUnits::next() {
  if (piece_.empty() && !heads_.empty()) {
    walk(heads_.back(), [this](int64_t, const TimerUnit& unit) {
      piece_.push_back(unit);
      return piece_.size() < kPiece;
    });
    heads_.pop_back();
  }
  return piece_.empty() ? nullptr : &piece_.back();
}

}  // namespace comet::store
