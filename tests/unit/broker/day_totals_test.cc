#include "broker/day_totals.h"

#include <catch2/catch.hpp>

using comet::broker::DayTotals;

TEST_CASE("a new day moves this morning's counts to yesterday's", "[broker]") {
  constexpr int64_t noon_ms = 1'700'000'000'000, day_ms = 86'400'000;
  DayTotals days(noon_ms);
  days.tick(noon_ms, 5, 3);
  CHECK(days.puts().today_morning == 0);

  days.tick(noon_ms + day_ms, 100, 70);
  CHECK(days.puts().today_morning == 100);
  CHECK(days.puts().yesterday_morning == 0);
  CHECK(days.gets().today_morning == 70);

  days.tick(noon_ms + day_ms + 1, 150, 90);  // the same day: nothing moves
  CHECK(days.puts().today_morning == 100);

  days.tick(noon_ms + 2 * day_ms, 300, 200);
  CHECK(days.puts().yesterday_morning == 100);
  CHECK(days.puts().today_morning == 300);
  CHECK(days.gets().yesterday_morning == 70);
  CHECK(days.gets().today_morning == 200);
}
