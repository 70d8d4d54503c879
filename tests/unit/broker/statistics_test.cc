#include "broker/statistics.h"

#include <catch2/catch.hpp>
#include <string>

namespace comet::broker {
namespace {

constexpr int64_t kStart = 1'700'000'000'000;

/// A broker's statistics and the 10-second timer that samples them.
struct Sampled {
  Statistics stats{"DefaultCluster"};
  int64_t now_ms = kStart;
  int64_t store_puts = 0;

  void tick(int count = 1) {
    for (int n = 0; n < count; ++n) {
      now_ms += Statistics::kSampleIntervalMs;
      stats.sample(now_ms, store_puts);
    }
  }
};

TEST_CASE("an item that was never counted is not there", "[broker][statistics]") {
  Sampled broker;
  CHECK_FALSE(broker.stats.view("TOPIC_PUT_NUMS", "orders"));
  broker.tick();
  CHECK_FALSE(broker.stats.view("TOPIC_PUT_NUMS", "orders"));
}

TEST_CASE("the minute window says sum, rate and value per addition", "[broker][statistics]") {
  Sampled broker;
  const auto puts = broker.stats.topic_puts("orders");
  broker.tick();
  for (int n = 0; n < 300; ++n) {
    puts->nums.add(1);
    puts->size.add(1024);
  }
  broker.tick();
  const auto nums = broker.stats.view("TOPIC_PUT_NUMS", "orders");
  const auto size = broker.stats.view("TOPIC_PUT_SIZE", "orders");
  REQUIRE(nums);
  REQUIRE(size);
  CHECK(nums->minute.sum == 300);
  CHECK(nums->minute.tps == Approx(30));
  CHECK(nums->minute.avgpt == Approx(1));
  CHECK(size->minute.sum == 300 * 1024);
  CHECK(size->minute.avgpt == Approx(1024));
}

TEST_CASE("what happened over a minute ago leaves the minute window and stays in the hour's", "[broker][statistics]") {
  Sampled broker;
  broker.tick();  // hours and days take their first sample
  broker.stats.add("SNDBCK_PUT_NUMS", "orders@group", 5);
  broker.tick(6);
  CHECK(broker.stats.view("SNDBCK_PUT_NUMS", "orders@group")->minute.sum == 5);
  broker.tick(1);
  CHECK(broker.stats.view("SNDBCK_PUT_NUMS", "orders@group")->minute.sum == 0);
  broker.tick(60);
  CHECK(broker.stats.view("SNDBCK_PUT_NUMS", "orders@group")->hour.sum == 5);
  CHECK(broker.stats.view("SNDBCK_PUT_NUMS", "orders@group")->day.sum == 0);
  broker.tick(360);
  CHECK(broker.stats.view("SNDBCK_PUT_NUMS", "orders@group")->day.sum == 5);
}

TEST_CASE("an item that rests for hours counts its next burst over the last interval only", "[broker][statistics]") {
  Sampled broker;
  const auto gets = broker.stats.group_gets("orders", "group");
  gets->nums.add(100);
  broker.tick(700);
  CHECK(broker.stats.view("GROUP_GET_NUMS", "orders@group")->minute.sum == 0);
  gets->nums.add(20);
  broker.tick();
  const auto view = broker.stats.view("GROUP_GET_NUMS", "orders@group");
  CHECK(view->minute.sum == 20);
  CHECK(view->minute.tps == Approx(2));
}

TEST_CASE("several threads' tallies of one item add up, and what a gone thread counted stays", "[broker][statistics]") {
  Sampled broker;
  const auto first = broker.stats.topic_puts("orders");
  auto second = broker.stats.topic_puts("orders");
  first->nums.add(3);
  second->nums.add(4);
  CHECK(broker.stats.total("TOPIC_PUT_NUMS", "orders") == 7);
  second.reset();
  broker.tick(3);
  CHECK(broker.stats.total("TOPIC_PUT_NUMS", "orders") == 7);
  first->nums.add(1);
  CHECK(broker.stats.total("TOPIC_PUT_NUMS", "orders") == 8);
}

TEST_CASE("a deleted topic takes its items along, of groups too", "[broker][statistics]") {
  Sampled broker;
  broker.stats.topic_puts("orders")->nums.add(1);
  broker.stats.group_gets("orders", "group")->nums.add(1);
  broker.stats.tally("TOPIC_PUT_LATENCY", "3@orders")->add(1);
  broker.stats.topic_puts("order")->nums.add(1);
  broker.stats.delete_topic("orders");
  CHECK_FALSE(broker.stats.view("TOPIC_PUT_NUMS", "orders"));
  CHECK_FALSE(broker.stats.view("GROUP_GET_NUMS", "orders@group"));
  CHECK_FALSE(broker.stats.view("TOPIC_PUT_LATENCY", "3@orders"));
  CHECK(broker.stats.view("TOPIC_PUT_NUMS", "order"));
}

TEST_CASE("a deleted group takes its own items along only", "[broker][statistics]") {
  Sampled broker;
  broker.stats.group_gets("orders", "group")->nums.add(1);
  broker.stats.group_gets("orders", "other")->nums.add(1);
  broker.stats.add("QUEUE_GET_NUMS", "orders@0@group", 1);
  broker.stats.add("SNDBCK_PUT_NUMS", "orders@group", 1);
  broker.stats.add("TOPIC_PUT_LATENCY", "0@group", 1);  // a topic of the same name
  broker.stats.delete_group("group");
  CHECK_FALSE(broker.stats.view("QUEUE_GET_NUMS", "orders@0@group"));
  CHECK_FALSE(broker.stats.view("SNDBCK_PUT_NUMS", "orders@group"));
  CHECK(broker.stats.view("TOPIC_PUT_LATENCY", "0@group"));
  CHECK_FALSE(broker.stats.view("GROUP_GET_NUMS", "orders@group"));
  CHECK(broker.stats.view("GROUP_GET_NUMS", "orders@other"));
}

TEST_CASE("throughput is told over 10, 60 and 600 seconds, up to this very moment", "[broker][statistics]") {
  Sampled broker;
  const auto totals = broker.stats.broker_totals();
  broker.tick(60);
  for (int n = 0; n < 6; ++n) {
    totals->pulls_found.add(10);
    totals->gets.add(320);
    totals->pulls_missed.add(1);
    broker.store_puts += 1000;
    if (n < 5) broker.tick();
  }
  const ThroughputFigures figures = broker.stats.throughput(broker.now_ms + 10'000, broker.store_puts);
  CHECK(figures.put[0] == Approx(100));
  CHECK(figures.put[1] == Approx(100));
  CHECK(figures.put[2] == Approx(10));
  CHECK(figures.get_found[0] == Approx(1));
  CHECK(figures.get_missed[0] == Approx(0.1));
  CHECK(figures.get_total[0] == Approx(1.1));
  CHECK(figures.get_transferred[0] == Approx(32));
}

TEST_CASE("a broker that has just started reports no rates", "[broker][statistics]") {
  Sampled broker;
  CHECK(broker.stats.throughput(kStart, 5).put[0] == 0);
  broker.stats.sample(kStart, 5);
  CHECK(broker.stats.throughput(kStart, 5).put[0] == 0);
}

TEST_CASE("items that stood still for long enough are forgotten, the others stay", "[broker][statistics]") {
  Sampled broker;
  const auto idle = broker.stats.tally("GROUP_GET_LATENCY", "0@idle@g");
  const auto busy = broker.stats.tally("GROUP_GET_LATENCY", "0@busy@g");
  idle->add(1);
  for (int minute = 0; minute < 30; ++minute) {
    busy->add(1);
    broker.tick(6);
  }
  const uint64_t deletions = broker.stats.deletions();
  broker.stats.delete_idle(broker.now_ms, 31 * 60'000);
  CHECK(broker.stats.view("GROUP_GET_LATENCY", "0@idle@g"));
  CHECK(broker.stats.deletions() == deletions);
  broker.stats.delete_idle(broker.now_ms, 29 * 60'000);
  CHECK_FALSE(broker.stats.view("GROUP_GET_LATENCY", "0@idle@g"));
  CHECK(broker.stats.view("GROUP_GET_LATENCY", "0@busy@g"));
  CHECK(broker.stats.deletions() == deletions + 1);  // whoever holds a tally asks for it anew
}

}  // namespace
}  // namespace comet::broker
