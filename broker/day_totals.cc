#include "broker/day_totals.h"

#include <ctime>

namespace comet::broker {

int64_t DayTotals::day_of(int64_t now_ms) {
  const std::time_t seconds = now_ms / 1000;
  std::tm local{};
  localtime_r(&seconds, &local);
  return int64_t{local.tm_year} * 366 + local.tm_yday;
}

void DayTotals::tick(int64_t now_ms, int64_t puts, int64_t gets) {
  const int64_t day = day_of(now_ms);
  std::lock_guard lock(mu_);
  if (day == today_) return;
  today_ = day;
  puts_ = {puts_.today_morning, puts};
  gets_ = {gets_.today_morning, gets};
}

DayTotals::Figures DayTotals::puts() const {
  std::lock_guard lock(mu_);
  return puts_;
}

DayTotals::Figures DayTotals::gets() const {
  std::lock_guard lock(mu_);
  return gets_;
}

}  // namespace comet::broker
