#include "broker/queue_locks.h"

#include <catch2/catch.hpp>

namespace comet::broker {
namespace {

const LockedQueue kFirst{"broker-a", QueueId(0), "orders"};
const LockedQueue kSecond{"broker-a", QueueId(1), "orders"};

TEST_CASE("a queue is lent to the first client that asks, and its group alone", "[broker][locks]") {
  ManualClock clock;
  QueueLocks locks(clock);
  CHECK(locks.lock("group", "one", {kFirst, kSecond}) == std::vector<LockedQueue>{kFirst, kSecond});
  CHECK(locks.lock("group", "two", {kFirst, kSecond}).empty());
  CHECK(locks.lock("other", "two", {kFirst}) == std::vector<LockedQueue>{kFirst});
}

TEST_CASE("a lease of 60 s is renewed by asking again, and taken over when it ran out", "[broker][locks]") {
  ManualClock clock;
  QueueLocks locks(clock);
  locks.lock("group", "one", {kFirst, kSecond});
  clock.advance_ms(50'000);
  locks.lock("group", "one", {kFirst});
  clock.advance_ms(10'001);
  CHECK(locks.lock("group", "two", {kFirst, kSecond}) == std::vector<LockedQueue>{kSecond});
  CHECK(locks.lock("group", "one", {kFirst, kSecond}) == std::vector<LockedQueue>{kFirst});
}

TEST_CASE("only the owner gives a queue back", "[broker][locks]") {
  ManualClock clock;
  QueueLocks locks(clock);
  locks.lock("group", "one", {kFirst});
  locks.unlock("group", "two", {kFirst});
  CHECK(locks.lock("group", "two", {kFirst}).empty());
  locks.unlock("group", "one", {kFirst});
  CHECK(locks.lock("group", "two", {kFirst}).size() == 1);
  locks.unlock("nobody", "two", {kFirst});
}

TEST_CASE("a group holds locks until the last lease ran out", "[broker][locks]") {
  ManualClock clock;
  QueueLocks locks(clock);
  CHECK_FALSE(locks.any_held("group"));
  locks.lock("group", "one", {kFirst});
  CHECK(locks.any_held("group"));
  clock.advance_ms(60'000);
  CHECK(locks.any_held("group"));
  clock.advance_ms(1);
  CHECK_FALSE(locks.any_held("group"));
}

}  // namespace
}  // namespace comet::broker
