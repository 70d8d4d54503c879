#include "broker/groups.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/unit/broker/state_fixture.h"

using namespace comet;
using namespace comet::broker;
using test::BrokerState;

TEST_CASE("RocketMQ's own groups are there from the start", "[broker][groups]") {
  BrokerState state;
  REQUIRE(state.load());
  for (const char* name :
       {"TOOLS_CONSUMER", "FILTERSRV_CONSUMER", "SELF_TEST_C_GROUP", "CID_ONS-HTTP-PROXY", "CID_RMQ_SYS_TRANS"}) {
    CAPTURE(name);
    CHECK(state.tables->groups.find(name) != nullptr);
  }
}

TEST_CASE("a group is created when it first appears, if that is allowed and its name legal", "[broker][groups]") {
  BrokerState state;
  REQUIRE(state.load());
  Groups& groups = state.tables->groups;
  const GroupConfig* made = groups.find_or_create("billing");
  REQUIRE(made != nullptr);
  CHECK(made->retry_max_times == 16);
  CHECK(made->retry_queues == 1);
  CHECK(groups.find_or_create("bad name") == nullptr);
  CHECK(groups.find("billing") == made);

  BrokerState strict([](BrokerConfig& config) { config.auto_create_subscription_group = false; });
  REQUIRE(strict.load());
  CHECK(strict.tables->groups.find_or_create("billing") == nullptr);
  CHECK(strict.tables->groups.find_or_create("CID_RMQ_SYS_x") != nullptr);
}

TEST_CASE("Apache's subscriptionGroup.json is read and survives a restart", "[broker][groups]") {
  BrokerState state;
  state.write(
      "subscriptionGroup.json",
      R"({"dataVersion":{"counter":2,"timestamp":1700000000000},"forbiddenTable":{"billing":{"OrderPaid":4}},)"
      R"("subscriptionGroupTable":{"billing":{"brokerId":0,"consumeBroadcastEnable":false,"consumeEnable":true,)"
      R"("groupName":"billing","groupRetryPolicy":{"exponentialRetryPolicy":{"initial":1,"max":2,"multiplier":3},"type":"EXPONENTIAL"},)"
      R"("retryMaxTimes":5,"retryQueueNums":2,"attributes":{"a":"b"},"whichBrokerWhenConsumeSlowly":1}}})");
  REQUIRE(state.load());
  state.tables->groups.find_or_create("another");
  state.restart();
  const Groups& groups = state.tables->groups;
  const GroupConfig* group = groups.find("billing");
  REQUIRE(group != nullptr);
  CHECK(group->retry_max_times == 5);
  CHECK(group->retry_queues == 2);
  CHECK_FALSE(group->consume_broadcast_enable);
  CHECK(group->notify_ids_changed);
  CHECK(group->attributes.at("a") == "b");
  CHECK(nlohmann::json::parse(group->retry_policy_json)["type"] == "EXPONENTIAL");
  CHECK(groups.reading_forbidden("billing", "OrderPaid"));
  CHECK_FALSE(groups.reading_forbidden("billing", "Other"));
  CHECK(groups.find("another") != nullptr);
}

TEST_CASE("forbidding and allowing reads touches one topic only", "[broker][groups]") {
  BrokerState state;
  REQUIRE(state.load());
  Groups& groups = state.tables->groups;
  groups.set_reading_forbidden("g", "A", true);
  groups.set_reading_forbidden("g", "B", true);
  groups.set_reading_forbidden("g", "A", false);
  CHECK_FALSE(groups.reading_forbidden("g", "A"));
  CHECK(groups.reading_forbidden("g", "B"));
  state.restart();
  CHECK(state.tables->groups.reading_forbidden("g", "B"));
  state.tables->groups.remove("g");
  CHECK_FALSE(state.tables->groups.reading_forbidden("g", "B"));
}

TEST_CASE("changes are told and raise the version", "[broker][groups]") {
  BrokerState state;
  REQUIRE(state.load());
  Groups& groups = state.tables->groups;
  int told = 0;
  groups.on_change([&] { ++told; });
  GroupConfig group;
  group.name = "g";
  CHECK(groups.put(group));
  CHECK_FALSE(groups.put(group));
  CHECK(told == 1);
  const auto version = groups.version();
  CHECK(groups.remove("g"));
  CHECK_FALSE(groups.version() == version);
  CHECK(told == 2);
}
