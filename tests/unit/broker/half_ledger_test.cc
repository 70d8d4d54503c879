#include "broker/half_ledger.h"

#include <catch2/catch.hpp>
#include <set>

#include "common/rng.h"

namespace comet::broker {
namespace {

using Claim = HalfLedger::Claim;
using Purpose = HalfLedger::Purpose;

void settle(HalfLedger& ledger, int64_t half) {
  REQUIRE(ledger.claim(QueueOffset(half), Purpose::kDecide) == Claim::kTaken);
  ledger.settle(QueueOffset(half));
}

TEST_CASE("a half message is decided by one caller", "[broker][transactions]") {
  HalfLedger ledger;
  ledger.open_at(QueueOffset(0));
  CHECK(ledger.claim(QueueOffset(3), Purpose::kDecide) == Claim::kTaken);
  CHECK(ledger.claim(QueueOffset(3), Purpose::kDecide) == Claim::kSettled);
  CHECK(ledger.claim(QueueOffset(4), Purpose::kDecide) == Claim::kTaken);
  CHECK(ledger.is_open(QueueOffset(3)));
  ledger.settle(QueueOffset(3));
  CHECK_FALSE(ledger.is_open(QueueOffset(3)));
  CHECK(ledger.claim(QueueOffset(3), Purpose::kDecide) == Claim::kSettled);

  ledger.release(QueueOffset(4));
  CHECK(ledger.is_open(QueueOffset(4)));
  CHECK(ledger.claim(QueueOffset(4), Purpose::kDecide) == Claim::kTaken);
}

TEST_CASE("who comes while a copy is appended is told to wait", "[broker][transactions]") {
  HalfLedger ledger;
  ledger.open_at(QueueOffset(0));
  REQUIRE(ledger.claim(QueueOffset(0), Purpose::kMove) == Claim::kTaken);
  CHECK(ledger.claim(QueueOffset(0), Purpose::kDecide) == Claim::kMoving);
  ledger.settle(QueueOffset(0));
  CHECK(ledger.claim(QueueOffset(0), Purpose::kDecide) == Claim::kSettled);
}

TEST_CASE("everything below the base is settled", "[broker][transactions]") {
  HalfLedger ledger;
  ledger.open_at(QueueOffset(100));
  CHECK(ledger.claim(QueueOffset(99), Purpose::kDecide) == Claim::kSettled);
  CHECK(ledger.next_open(QueueOffset(0)) == QueueOffset(100));
  settle(ledger, 100);
  settle(ledger, 300);
  ledger.advance(QueueOffset(250));
  CHECK(ledger.base() == QueueOffset(250));
  CHECK_FALSE(ledger.is_open(QueueOffset(200)));
  CHECK(ledger.is_open(QueueOffset(299)));
  CHECK_FALSE(ledger.is_open(QueueOffset(300)));
  ledger.advance(QueueOffset(1'000));
  CHECK(ledger.next_open(QueueOffset(0)) == QueueOffset(1'000));
  ledger.replay(QueueOffset(5));  // an op record may name what is long over
  CHECK(ledger.is_open(QueueOffset(1'000)));
}

TEST_CASE("the ledger agrees with a set of decided offsets", "[broker][transactions][property]") {
  const auto seed = GENERATE(take(20, random(0u, ~0u)));
  CAPTURE(seed);
  Rng rng(seed);
  HalfLedger ledger;
  int64_t base = static_cast<int64_t>(rng.below(200));
  ledger.open_at(QueueOffset(base));
  std::set<int64_t> settled;
  for (int step = 0; step < 2'000; ++step) {
    const int64_t half = base + static_cast<int64_t>(rng.below(300));
    if (rng.below(10) == 0) {
      while (settled.count(base) != 0) ++base;
      ledger.advance(QueueOffset(base));
    } else if (settled.count(half) == 0) {
      ledger.replay(QueueOffset(half));
      settled.insert(half);
    }
    int64_t next = base + static_cast<int64_t>(rng.below(300));
    const QueueOffset found = ledger.next_open(QueueOffset(next));
    while (settled.count(next) != 0) ++next;
    REQUIRE(found == QueueOffset(next));
  }
}

TEST_CASE("op records are due in order, and fit a size", "[broker][transactions]") {
  HalfLedger ledger;
  ledger.open_at(QueueOffset(0));
  CHECK_FALSE(ledger.take_due(4'096));
  for (const int64_t half : {3, 1, 12, 7}) settle(ledger, half);
  const auto first = ledger.take_due(4);
  REQUIRE(first);
  CHECK(first->body == "3,1,");
  CHECK(first->highest == QueueOffset(3));
  ledger.give_back(*first);
  const auto all = ledger.take_due(4'096);
  REQUIRE(all);
  CHECK(all->body == "12,7,3,1,");
  CHECK(all->highest == QueueOffset(12));
  CHECK_FALSE(ledger.take_due(4'096));
}

TEST_CASE("a transaction that was given up is taken once", "[broker][transactions]") {
  HalfLedger ledger;
  ledger.open_at(QueueOffset(0));
  ledger.trace(77, {QueueOffset(4)});
  CHECK_FALSE(ledger.take_discarded(77));
  ledger.trace(77, {QueueOffset(9), true});
  CHECK(ledger.find(77)->newest == QueueOffset(9));
  CHECK(ledger.take_discarded(77));
  CHECK_FALSE(ledger.take_discarded(77));
  CHECK_FALSE(ledger.find(77));
}

TEST_CASE("the number of traced transactions is bounded", "[broker][transactions]") {
  HalfLedger ledger;
  ledger.open_at(QueueOffset(0));
  for (uint64_t n = 0; n < HalfLedger::kMostTraced + 10; ++n) ledger.trace(n, {QueueOffset(1)});
  CHECK(ledger.traced() == HalfLedger::kMostTraced);
  ledger.trace(5, {QueueOffset(2)});  // one that is known goes on
  CHECK(ledger.find(5)->newest == QueueOffset(2));
}

TEST_CASE("op records are needed until all that they name is below the base", "[broker][transactions]") {
  OpProgress ops;
  ops.open_at(QueueOffset(10));
  CHECK(ops.needed(QueueOffset(1'000)) == QueueOffset(10));
  ops.wrote(QueueOffset(10), QueueOffset(5));
  ops.wrote(QueueOffset(11), QueueOffset(3));
  ops.wrote(QueueOffset(12), QueueOffset(8));
  CHECK(ops.needed(QueueOffset(5)) == QueueOffset(10));
  CHECK(ops.needed(QueueOffset(6)) == QueueOffset(12));
  CHECK(ops.needed(QueueOffset(9)) == QueueOffset(13));
}

TEST_CASE("very many op records are kept together, and none is given up early", "[broker][transactions]") {
  OpProgress ops;
  ops.open_at(QueueOffset(0));
  for (int64_t n = 0; n < 50'000; ++n) ops.wrote(QueueOffset(n), QueueOffset(n));
  for (int64_t base = 0; base < 50'000; base += 777) {
    const QueueOffset needed = ops.needed(QueueOffset(base));
    REQUIRE(needed.value <= base);
    REQUIRE(needed.value >= base - 64);
  }
  CHECK(ops.needed(QueueOffset(50'000)) == QueueOffset(50'000));
}

}  // namespace
}  // namespace comet::broker
