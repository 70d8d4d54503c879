#include "replication/slaves.h"

#include <catch2/catch.hpp>
#include <limits>

namespace comet::replication {
namespace {

std::shared_ptr<Slave> slave_at(Slaves& slaves, int64_t acked) {
  auto slave = std::make_shared<Slave>("10.0.0.1:1");
  slave->acked = acked;
  slaves.add(slave);
  return slave;
}

}  // namespace

TEST_CASE("what several brokers hold is what the slowest of the fastest has", "[replication]") {
  Slaves slaves;
  CHECK(slaves.held_by(1).value == std::numeric_limits<int64_t>::max());
  CHECK(slaves.held_by(2).value == -1);
  slave_at(slaves, 100);
  slave_at(slaves, -1);  // connected, but it has said nothing
  const auto fast = slave_at(slaves, 300);
  slave_at(slaves, 300);
  CHECK(slaves.held_by(2).value == 300);
  CHECK(slaves.held_by(3).value == 300);
  CHECK(slaves.held_by(4).value == 100);
  CHECK(slaves.held_by(5).value == -1);
  slaves.remove(fast);
  CHECK(slaves.held_by(3).value == 100);
}

TEST_CASE("a slave is in sync while it lacks less than the gap", "[replication]") {
  Slaves slaves;
  CHECK(slaves.in_sync(PhyOffset(1'000), 100) == 1);
  slave_at(slaves, 901);
  slave_at(slaves, 900);
  slave_at(slaves, -1);
  CHECK(slaves.in_sync(PhyOffset(1'000), 100) == 2);
}

}  // namespace comet::replication
