#include "broker/pulled_subscriptions.h"

#include <catch2/catch.hpp>

#include "broker/processors/admin_group.h"
#include "broker/producers.h"
#include "remoting/protocol/bodies/heartbeat.h"
#include "tests/support/allocations.h"
#include "tests/unit/broker/hot_fixture.h"

namespace comet::broker {
namespace {

using test::HotBroker;
using test::order;
using test::pull_orders;

struct Pulled : HotBroker {
  Producers producers{clock, config};
  AdminGroupProcessor admin{config, groups, offsets, consumers, producers, statistics, null_log()};

  /// What QUERY_SUBSCRIPTION_BY_CONSUMER answers.
  std::optional<remoting::SubscriptionData> shown() {
    remoting::QuerySubscriptionByConsumerRequest request;
    request.group = "readers";
    request.topic = "orders";
    const remoting::CommandHead head;
    const auto reply = admin.subscription_of({head, {}, channel, clock.now_ms()}, request);
    return remoting::parse_group_subscription(reply.body).value().subscription;
  }
};

TEST_CASE("a subscription that came with a pull is shown, and the latest one counts", "[broker][pull]") {
  Pulled broker;
  broker.send(order());
  CHECK_FALSE(broker.shown());
  broker.pull(pull_orders("TagA || TagB"));
  REQUIRE(broker.shown());
  CHECK(broker.shown()->expression == "TagA || TagB");
  CHECK(broker.shown()->tags == std::vector<std::string>{"TagA", "TagB"});
  CHECK(broker.shown()->codes == std::vector<int32_t>{2598919, 2598920});
  CHECK(broker.shown()->expression_type == "TAG");
  broker.pull(pull_orders("*"));
  CHECK(broker.shown()->expression == "*");
  CHECK(broker.shown()->tags.empty());
}

TEST_CASE("a heartbeat's subscription stands before a pull's, and pulls without their own see it alone",
          "[broker][pull]") {
  Pulled broker;
  broker.pull(pull_orders("TagA"));
  auto without = pull_orders();
  without.sys_flag = 0;
  without.subscription.reset();
  CHECK(broker.pull(without).code == 24);  // SUBSCRIPTION_NOT_EXIST: what a pull brought decides no other
  ClientInfo client;
  client.channel = broker.channel;
  client.client_id = "c";
  ConsumerRegistration registration;
  registration.group = "readers";
  Subscription& wanted = registration.subscriptions.emplace_back();
  wanted.topic = "orders";
  wanted.expression = "TagC";
  broker.consumers.register_client(client, registration);
  CHECK(broker.shown()->expression == "TagC");
}

TEST_CASE("it is forgotten when nobody used it for subscriptionExpiredTimeout", "[broker][pull]") {
  Pulled broker;
  broker.pull(pull_orders("TagA"));
  broker.clock.advance_ms(500'000);
  broker.pull(pull_orders("TagA"));
  broker.clock.advance_ms(599'000);
  broker.consumers.pulled().expire();
  CHECK(broker.shown());
  broker.clock.advance_ms(1'001);
  broker.consumers.pulled().expire();
  CHECK_FALSE(broker.shown());
}

TEST_CASE("noting a subscription that is known allocates nothing", "[broker][pull]") {
  Pulled broker;
  PulledSubscriptions& pulled = broker.consumers.pulled();
  pulled.note("readers", "orders", "TagA || TagB", "TAG");
  const int64_t before = comet::test::allocations();
  for (int n = 0; n < 100; ++n) pulled.note("readers", "orders", "TagA || TagB", "");
  CHECK(comet::test::allocations() == before);
}

TEST_CASE("strangers' topics don't fill the memory", "[broker][pull]") {
  Pulled broker;
  PulledSubscriptions& pulled = broker.consumers.pulled();
  for (size_t n = 0; n < PulledSubscriptions::kMaxTopics + 10; ++n) pulled.note("g", std::to_string(n), "*", "");
  CHECK(pulled.find("g", "0") != nullptr);
  CHECK(pulled.find("g", std::to_string(PulledSubscriptions::kMaxTopics)) == nullptr);
}

}  // namespace
}  // namespace comet::broker
