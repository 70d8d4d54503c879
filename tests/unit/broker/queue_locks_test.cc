#include "broker/queue_locks.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "common/rng.h"

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

TEST_CASE("leases that ran out are forgotten, living ones are kept", "[broker][locks]") {
  ManualClock clock;
  QueueLocks locks(clock);
  locks.lock("group", "one", {kFirst, kSecond});
  locks.lock("gone", "one", {kFirst});
  clock.advance_ms(60'001);
  locks.lock("group", "one", {kSecond});
  CHECK(locks.size() == 3);
  locks.expire();
  CHECK(locks.size() == 1);
  CHECK(locks.lock("group", "two", {kFirst, kSecond}) == std::vector<LockedQueue>{kFirst});
}

TEST_CASE("two clients of an orderly group never hold one queue at the same time, whatever the order of their calls",
          "[broker][locks][property]") {
  const auto seed = GENERATE(take(20, random(0u, ~0u)));
  CAPTURE(seed);
  Rng rng(seed);
  ManualClock clock;
  QueueLocks locks(clock);
  // What each client believes to hold, for the 30 s that clients trust a lock.
  std::map<LockedQueue, std::map<std::string, int64_t>> trusted_until;
  for (int step = 0; step < 2'000; ++step) {
    const std::string client = "client" + std::to_string(rng.below(3));
    const LockedQueue queue{"broker-a", QueueId(static_cast<int32_t>(rng.below(4))), "orders"};
    const int64_t now = clock.steady_ns() / 1'000'000;
    if (rng.below(4) == 0) {
      locks.unlock("group", client, {queue});
      trusted_until[queue].erase(client);
    } else if (!locks.lock("group", client, {queue}).empty()) {
      trusted_until[queue][client] = now + 30'000;
    }
    for (const auto& [held, clients] : trusted_until) {
      CHECK(std::count_if(clients.begin(), clients.end(), [now](const auto& one) { return one.second > now; }) <= 1);
    }
    if (rng.below(10) == 0) locks.expire();
    clock.advance_ms(static_cast<int64_t>(rng.below(20'000)));
  }
}

}  // namespace
}  // namespace comet::broker
