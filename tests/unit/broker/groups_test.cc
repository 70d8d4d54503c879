#include "broker/groups.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "broker/processors/admin_group.h"
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

namespace {

/// Group settings as administrators send and read them.
struct Administered : BrokerState {
  explicit Administered(void (*adjust)(BrokerConfig&) = nullptr) : BrokerState(adjust) { REQUIRE(load()); }

  remoting::Reply update(const std::string& body) {
    return processor().update({head, body, channel, clock.now_ms()}, {});
  }
  nlohmann::json get(const std::string& group) {
    remoting::GetSubscriptiongroupConfigRequest request;
    request.group = group;
    return nlohmann::json::parse(processor().get({head, {}, channel, clock.now_ms()}, request).body);
  }
  remoting::Reply remove(const std::string& group, bool clean_offset) {
    remoting::DeleteSubscriptiongroupRequest request;
    request.group_name = group;
    request.clean_offset = clean_offset;
    return processor().remove({head, {}, channel, clock.now_ms()}, request);
  }
  AdminGroupProcessor processor() {
    return {tables->live,      tables->groups, tables->offsets, tables->consumers,
            tables->producers, statistics,     null_log()};
  }

  remoting::CommandHead head;
  remoting::ChannelPtr channel = std::make_shared<test::ToldChannel>(loop, 1);
  Statistics statistics{"DefaultCluster"};
};

/// Every field of SubscriptionGroupConfig, none with its default.
const std::string kAllFields =
    R"({"attributes":{"+lite.bind.topic":"T"},"brokerId":3,"consumeBroadcastEnable":false,"consumeEnable":false,)"
    R"("consumeFromMinEnable":false,"consumeMessageOrderly":true,"consumeTimeoutMinute":7,"groupName":"g",)"
    R"("groupRetryPolicy":{"customizedRetryPolicy":{"next":[1000,5000]},"type":"CUSTOMIZED"},"groupSysFlag":5,)"
    R"("notifyConsumerIdsChangedEnable":false,"retryMaxTimes":2,"retryQueueNums":4,)"
    R"("subscriptionDataSet":[{"topic":"T","expressionType":"TAG","expression":"a","version":1}],"whichBrokerWhenConsumeSlowly":2})";

}  // namespace

TEST_CASE("every field of a group's settings is kept, shown and survives a restart", "[broker][groups]") {
  Administered broker;
  const nlohmann::json wanted = nlohmann::json::parse(kAllFields);
  CHECK(broker.update(kAllFields).code == remoting::ResponseCode::kSuccess);
  CHECK(broker.get("g") == wanted);
  CHECK(broker.tables->topics.find("%RETRY%g") == nullptr);  // made by the group's first heartbeat
  broker.restart();
  CHECK(broker.get("g") == wanted);
  const auto file = nlohmann::json::parse(broker.read("subscriptionGroup.json"));
  CHECK(file["subscriptionGroupTable"]["g"] == wanted);
}

TEST_CASE("fields that an administrator leaves out have RocketMQ's defaults", "[broker][groups]") {
  Administered broker;
  CHECK(broker.update(R"({"groupName":"g"})").code == remoting::ResponseCode::kSuccess);
  CHECK(broker.get("g") ==
        nlohmann::json::parse(
            R"({"attributes":{},"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,)"
            R"("consumeFromMinEnable":true,"consumeMessageOrderly":false,"consumeTimeoutMinute":15,"groupName":"g",)"
            R"("groupRetryPolicy":{"type":"CUSTOMIZED"},"groupSysFlag":0,"notifyConsumerIdsChangedEnable":true,)"
            R"("retryMaxTimes":16,"retryQueueNums":1,"whichBrokerWhenConsumeSlowly":1})"));
}

TEST_CASE("a group's name has rules, and a refused one names itself", "[broker][groups]") {
  Administered broker;
  for (const std::string& name : {std::string("not legal!"), std::string(), std::string(256, 'g')}) {
    CAPTURE(name);
    const auto refused = broker.update(nlohmann::json{{"groupName", name}}.dump());
    CHECK(refused.code == remoting::ResponseCode::kInvalidParameter);
    CHECK_FALSE(refused.remark.empty());
    CHECK(broker.tables->groups.find(name) == nullptr);
  }
  CHECK(broker.update("no json").code == remoting::ResponseCode::kSystemError);
}

TEST_CASE("deleting a group takes its offsets along only if asked to", "[broker][groups]") {
  Administered broker;
  const auto prepare = [&] {
    broker.update(kAllFields);
    broker.tables->offsets.commit("g", "T", QueueId(0), QueueOffset(5));
  };
  prepare();
  CHECK(broker.remove("g", false).code == remoting::ResponseCode::kSuccess);
  CHECK(broker.tables->groups.find("g") == nullptr);
  CHECK(broker.tables->offsets.committed("g", "T", QueueId(0)) == QueueOffset(5));
  prepare();
  CHECK(broker.remove("g", true).code == remoting::ResponseCode::kSuccess);
  CHECK_FALSE(broker.tables->offsets.committed("g", "T", QueueId(0)));
  CHECK(broker.remove("absent", true).code == remoting::ResponseCode::kSuccess);  // as Apache's
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

TEST_CASE("the figures of a deleted group go, unless autoDeleteUnusedStats is off", "[broker][groups]") {
  const bool kept = GENERATE(false, true);
  void (*const keep)(BrokerConfig&) = [](BrokerConfig& config) { config.delete_unused_stats = false; };
  Administered broker(kept ? keep : nullptr);
  REQUIRE(broker.update(R"({"groupName":"g"})").code == remoting::ResponseCode::kSuccess);
  broker.statistics.add("GROUP_GET_NUMS", "T@g", 5);
  REQUIRE(broker.remove("g", true).code == remoting::ResponseCode::kSuccess);
  CHECK(broker.statistics.total("GROUP_GET_NUMS", "T@g") == (kept ? 5 : 0));
}
