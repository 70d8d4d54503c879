#include "store/slot_units.h"

namespace comet::store {

/// From the unit at `from` back, until `visit` says false.
template <class Visit>
Result<void> SlotUnits::walk(int64_t from, Visit visit) const {
  for (int64_t position = from; position >= 0;) {
    COMET_TRY(const auto unit, log_.read(position));
    if (!unit || !visit(position, *unit) || unit->previous >= position) return {};
    position = unit->previous;
  }
  return {};
}

Result<SlotUnits> SlotUnits::open(const TimerLog& log, int64_t last,
                                  const std::function<void(const TimerUnit& unit)>& visit) {
  SlotUnits out(log);
  size_t count = 0;
  COMET_TRY_VOID(out.walk(last, [&](int64_t position, const TimerUnit& unit) {
    if (count++ % kPiece == 0) out.heads_.push_back(position);
    visit(unit);
    return true;
  }));
  return out;
}

Result<const TimerUnit*> SlotUnits::next() {
  if (piece_.empty() && !heads_.empty()) {
    const auto read = walk(heads_.back(), [this](int64_t, const TimerUnit& unit) {
      piece_.push_back(unit);
      return piece_.size() < kPiece;
    });
    if (!read) {
      piece_.clear();
      return tl::unexpected(read.error());
    }
    heads_.pop_back();
  }
  return piece_.empty() ? nullptr : &piece_.back();
}

}  // namespace comet::store
