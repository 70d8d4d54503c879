#include "broker/name_table.h"

#include <catch2/catch.hpp>
#include <thread>

using comet::ManualClock;
using comet::broker::NameTable;

TEST_CASE("names are found, replaced and removed", "[broker]") {
  ManualClock clock;
  NameTable<int> table(clock);
  CHECK(table.find("a") == nullptr);
  table.put("a", 1);
  const int* first = table.find("a");
  REQUIRE(first != nullptr);
  table.put("a", 2);
  CHECK(*first == 1);  // a reader keeps what it saw
  CHECK(*table.find("a") == 2);
  CHECK(table.remove("a"));
  CHECK_FALSE(table.remove("a"));
  CHECK(table.find("a") == nullptr);
  table.put("a", 3);
  CHECK(*table.find("a") == 3);
}

TEST_CASE("a table grows and forgets removed names", "[broker]") {
  ManualClock clock;
  NameTable<int> table(clock);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5000; ++i) table.put("topic-" + std::to_string(i), i);
    clock.advance_ms(120'000);
    if (round < 2) {
      for (int i = 0; i < 5000; ++i) table.remove("topic-" + std::to_string(i));
      CHECK(table.size() == 0);
    }
  }
  CHECK(table.size() == 5000);
  for (int i = 0; i < 5000; ++i) REQUIRE(*table.find("topic-" + std::to_string(i)) == i);
}

TEST_CASE("an update sees the present value and may leave it", "[broker]") {
  ManualClock clock;
  NameTable<int> table(clock);
  auto one_more = [](const int* present) -> std::optional<int> { return present == nullptr ? 1 : *present + 1; };
  table.update("n", one_more);
  table.update("n", one_more);
  CHECK(*table.find("n") == 2);
  CHECK(*table.update("n", [](const int*) { return std::optional<int>(); }) == 2);
}

TEST_CASE("readers see whole values while a writer replaces them", "[broker]") {
  ManualClock clock;
  NameTable<std::pair<int, int>> table(clock);
  table.put("x", {0, 0});
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0};
  std::thread reader([&] {
    while (!stop) {
      const auto* pair = table.find("x");
      if (pair == nullptr || pair->first != pair->second) ++torn;
    }
  });
  for (int i = 1; i < 20'000; ++i) {
    table.put("x", {i, i});
    table.put("y" + std::to_string(i), {i, i});
  }
  stop = true;
  reader.join();
  CHECK(torn == 0);
}
