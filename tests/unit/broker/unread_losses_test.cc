#include "broker/unread_losses.h"

#include <catch2/catch.hpp>

#include "tests/support/list_log.h"
#include "tests/unit/broker/hot_fixture.h"

namespace comet::broker {
namespace {

/// Queue 1 of topic orders, of which the oldest messages can be taken away.
struct Losing : test::HotBroker {
  Losing() {
    for (int n = 0; n < 20; ++n) send(test::order(), std::to_string(n));
    losses.look();
  }
  void retention_takes(int64_t count) {
    auto& queue = store.queue("orders", 1);
    queue.records.erase(queue.records.begin(), queue.records.begin() + count);
    queue.min += count;
    store.log_begin = PhyOffset(store.log_begin.value + 100 * count);
    losses.look();
  }
  test::ListLog log;
  UnreadLosses losses{offsets, store, log};
};

TEST_CASE("what retention takes before a group read it is counted once for each group, and told", "[broker][offsets]") {
  Losing broker;
  broker.offsets.commit("slow", "orders", QueueId(1), QueueOffset(3));
  broker.offsets.commit("fast", "orders", QueueId(1), QueueOffset(9));
  broker.retention_takes(3);
  CHECK(broker.losses.count() == 0);
  broker.retention_takes(5);
  CHECK(broker.losses.count() == 5);
  CHECK(broker.log.count("group slow will never get 5 messages of topic orders") == 1);
  CHECK(broker.log.count("group fast") == 0);
  broker.losses.look();
  CHECK(broker.losses.count() == 5);
  broker.retention_takes(2);
  CHECK(broker.losses.count() == 8);
  CHECK(broker.log.count("group slow will never get 2 messages") == 1);
  CHECK(broker.log.count("group fast will never get 1 messages") == 1);
}

TEST_CASE("what was gone when the broker started isn't counted again", "[broker][offsets]") {
  Losing broker;
  broker.offsets.commit("slow", "orders", QueueId(1), QueueOffset(3));
  broker.retention_takes(8);
  REQUIRE(broker.losses.count() == 5);
  UnreadLosses later(broker.offsets, broker.store, broker.log);
  later.look();
  CHECK(later.count() == 0);
  broker.retention_takes(1);
  later.look();
  CHECK(later.count() == 1);
}

TEST_CASE("a group that goes on from the minimum can lose again", "[broker][offsets]") {
  Losing broker;
  broker.offsets.commit("slow", "orders", QueueId(1), QueueOffset(0));
  broker.retention_takes(5);
  CHECK(broker.losses.count() == 5);
  broker.offsets.commit("slow", "orders", QueueId(1), QueueOffset(7));
  broker.retention_takes(4);
  CHECK(broker.losses.count() == 7);
}

}  // namespace
}  // namespace comet::broker
