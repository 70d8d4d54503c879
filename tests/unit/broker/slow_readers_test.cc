#include "broker/slow_readers.h"

#include <catch2/catch.hpp>

#include "tests/support/list_log.h"
#include "tests/unit/broker/hot_fixture.h"

namespace comet::broker {
namespace {

using test::HotBroker;
using test::order;
using test::pull_orders;

/// Ten messages of 1 KiB in queue 1; more than 4 KiB behind is too far.
struct Reading : HotBroker {
  explicit Reading(bool enabled, bool recorded = true)
      : HotBroker([enabled, recorded](BrokerConfig& adjusted) {
          adjusted.disable_slow_consumers = enabled;
          adjusted.disk_fall_recorded = recorded;
          adjusted.slow_consumer_bytes = 4'096;
        }) {
    for (int n = 0; n < 10; ++n) send(order(), std::string(1'024, 'x'));
  }
  remoting::Response pull_as(std::string_view group, int64_t offset) {
    auto fields = pull_orders("*", offset);
    fields.consumer_group = group;
    fields.max_msg_nums = 1;
    return pull(fields);
  }
  test::ListLog log;
  SlowReaders readers{config, offsets, groups, store, clock, log};
};

TEST_CASE("groups that read too far behind are disabled, with one line each", "[broker][groups]") {
  Reading broker(true);
  broker.pull_as("far", 0);
  broker.pull_as("near", 7);
  broker.readers.look();
  CHECK_FALSE(broker.groups.find("far")->consume_enable);
  CHECK(broker.groups.find("near")->consume_enable);
  CHECK(broker.log.count("consumer group far reads") == 1);
  const auto refused = broker.pull_as("far", 1);
  CHECK(refused.code == 16);
  CHECK(refused.field("forbiddenType") == "2");
  CHECK(refused.remark == "subscription group no permission, far");
}

TEST_CASE("a group that stood still since the last look is left alone", "[broker][groups]") {
  Reading broker(true);
  broker.pull_as("readers", 8);
  broker.readers.look();
  for (int n = 0; n < 10; ++n) broker.send(order(), std::string(1'024, 'x'));
  broker.readers.look();
  CHECK(broker.groups.find("readers")->consume_enable);  // it fell behind without reading
  broker.pull_as("readers", 9);
  broker.readers.look();
  CHECK_FALSE(broker.groups.find("readers")->consume_enable);
}

TEST_CASE("nobody is disabled while disableConsumeIfConsumerReadSlowly or diskFallRecorded is off",
          "[broker][groups]") {
  const bool enabled = GENERATE(false, true);
  Reading broker(enabled, !enabled);
  broker.pull_as("far", 0);
  broker.readers.look();
  CHECK(broker.groups.find("far")->consume_enable);
}

}  // namespace
}  // namespace comet::broker
