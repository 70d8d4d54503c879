#include "client/unique_ids.h"

#include <catch2/catch.hpp>
#include <set>

using namespace comet;
using client::UniqueIds;

TEST_CASE("a UNIQ_KEY holds address, process, time since the month began and a counter", "[client]") {
  ManualClock clock;
  Rng rng(1);
  UniqueIds ids({192, 0, 2, 1}, 0x1234, clock, rng);

  const std::string id = ids.next();

  REQUIRE(id.size() == 32);
  CHECK(id.substr(0, 12) == "C00002011234");
  CHECK(id.find_first_not_of("0123456789ABCDEF") == std::string::npos);
  const std::string next = ids.next();
  CHECK(next.substr(0, 28) == id.substr(0, 28));
  CHECK(((std::stoi(id.substr(28), nullptr, 16) + 1) & 0xFFFF) == std::stoi(next.substr(28), nullptr, 16));
}

TEST_CASE("ids differ between producers of one process and go with the clock", "[client]") {
  ManualClock clock;
  Rng rng(1);
  UniqueIds first({10, 0, 0, 1}, 1, clock, rng), second({10, 0, 0, 1}, 1, clock, rng);
  std::set<std::string> all;
  for (int n = 0; n < 1000; ++n) {
    all.insert(first.next());
    all.insert(second.next());
  }
  CHECK(all.size() == 2000);

  const std::string before = first.next();
  clock.advance_ms(5);
  const std::string after = first.next();
  CHECK(std::stoul(after.substr(20, 8), nullptr, 16) == std::stoul(before.substr(20, 8), nullptr, 16) + 5);
}

TEST_CASE("the time in an id starts anew with the month", "[client]") {
  ManualClock clock;
  Rng rng(1);
  UniqueIds ids({10, 0, 0, 1}, 1, clock, rng);
  const unsigned long long month_ms = 32ull * 24 * 3600 * 1000;
  for (int month = 0; month < 4; ++month) {
    CHECK(std::stoul(ids.next().substr(20, 8), nullptr, 16) < month_ms);
    clock.advance_ms(static_cast<int64_t>(31) * 24 * 3600 * 1000);
  }
}
