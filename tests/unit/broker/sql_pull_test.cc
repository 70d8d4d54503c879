#include <catch2/catch.hpp>
#include <string>

#include "tests/unit/broker/hot_fixture.h"

/// Pulls by SQL92: whose filter counts, what is refused, what is delivered, when held pulls wake.
namespace comet::broker {
namespace {

using test::HotBroker;
using test::order;
using test::properties;
using test::pull_orders;

void enable(BrokerConfig& config) { config.enable_property_filter = true; }

void send_with(HotBroker& broker, const std::vector<std::pair<std::string, std::string>>& pairs,
               std::string_view topic = "orders") {
  auto fields = order();
  fields.topic = topic;
  const std::string text = properties(pairs);
  fields.properties = text;
  broker.send(fields);
  REQUIRE(broker.channel->last().code == 0);
  broker.channel->forget();
}

remoting::PullFields sql_pull(std::string_view expression, int64_t offset = 0) {
  auto fields = pull_orders(expression, offset);
  fields.expression_type = "SQL92";
  return fields;
}

/// A pull that leaves the expression to the heartbeat.
remoting::PullFields pull_as_registered(int64_t sub_version = 5) {
  auto fields = pull_orders();
  fields.sys_flag = 0;
  fields.sub_version = sub_version;
  return fields;
}

std::vector<Subscription> sql_subscription(std::string expression, int64_t version = 5, std::string topic = "orders") {
  Subscription subscription;
  subscription.topic = std::move(topic);
  subscription.expression = std::move(expression);
  subscription.expression_type = "SQL92";
  subscription.version = version;
  return {subscription};
}

void heartbeat(HotBroker& broker, const std::vector<Subscription>& subscriptions) {
  ConsumerRegistration registration;
  registration.group = "readers";
  registration.subscriptions = subscriptions;
  broker.groups.find_or_create("readers");
  broker.consumers.register_client({broker.channel, "client", remoting::Language::kJava, 479, 0}, registration);
  broker.filters.heard("readers", subscriptions);
}

std::string values_of_a(const remoting::Response& answer) {
  std::string values;
  std::string_view rest = answer.body;
  while (!rest.empty()) {
    const auto decoded = decode_message(as_bytes(rest), true).value();
    values += std::string(find_property(decoded.message.properties, "a").value_or("-")) + " ";
    rest.remove_prefix(static_cast<size_t>(decoded.record_bytes));
  }
  return values;
}

TEST_CASE("a pull's own SQL92 expression chooses by properties", "[broker][sql_pull]") {
  HotBroker broker(enable);
  for (const char* value : {"3", "7", "x", "12"}) send_with(broker, {{"a", value}, {"TAGS", "T"}});
  send_with(broker, {{"b", "1"}});
  const auto answer = broker.pull(sql_pull("a > 5 AND TAGS = 'T'"));
  CHECK(answer.code == 0);
  CHECK(values_of_a(answer) == "7 12 ");
  CHECK(answer.field("nextBeginOffset") == "5");
  const auto none = broker.pull(sql_pull("a = 99"));
  CHECK(none.code == 20);
  CHECK(none.remark == "NO_MATCHED_MESSAGE");
  CHECK(none.field("nextBeginOffset") == "5");
}

TEST_CASE("a slave filters as its master does", "[broker][sql_pull]") {
  HotBroker broker([](BrokerConfig& config) {
    enable(config);
    config.broker_role = "SLAVE";
    config.broker_id = 1;
    config.slave_read = true;
  });
  heartbeat(broker, sql_subscription("a > 5"));
  for (const char* value : {"3", "7"}) {
    const std::string text = properties({{"a", value}});
    store::PutRequest put;
    put.message.topic = "orders";
    put.message.queue_id = QueueId(1);
    put.message.properties = text;
    broker.store.put(put);
  }
  CHECK(values_of_a(broker.pull(pull_as_registered())) == "7 ");
  CHECK(values_of_a(broker.pull(sql_pull("a < 5"))) == "3 ");
}

TEST_CASE("SQL92 is refused while enablePropertyFilter is off, and never answered unfiltered", "[broker][sql_pull]") {
  HotBroker broker;
  send_with(broker, {{"a", "1"}});
  const auto own = broker.pull(sql_pull("a > 5"));
  CHECK(own.code == 1);
  CHECK(own.remark == "The broker does not support consumer to filter message by SQL92");
  CHECK(own.body.empty());
  heartbeat(broker, sql_subscription("a > 5"));
  const auto registered = broker.pull(pull_as_registered());
  CHECK(registered.code == 1);
  CHECK(registered.body.empty());
}

TEST_CASE("an expression in a pull that isn't of the language filters nothing, one that is too much is refused",
          "[broker][sql_pull]") {
  HotBroker broker(enable);
  send_with(broker, {{"a", "1"}});
  CHECK(values_of_a(broker.pull(sql_pull("a >"))) == "1 ");
  auto unknown = sql_pull("a > 5");
  unknown.expression_type = "XPATH";
  CHECK(values_of_a(broker.pull(unknown)) == "1 ");
  const std::string deep(101, '(');
  const auto refused = broker.pull(sql_pull(deep));
  CHECK(refused.code == 23);
  CHECK(refused.remark ==
        "parse the consumer's subscription failed: the expression has more than 100 parentheses within each other");
  CHECK(broker.pull(sql_pull("")).code == 23);
}

TEST_CASE("the heartbeat's filter is used; without one, or with an older one, the pull is refused",
          "[broker][sql_pull]") {
  HotBroker broker(enable);
  for (const char* value : {"3", "7"}) send_with(broker, {{"a", value}});
  heartbeat(broker, sql_subscription("a >", 5));
  const auto none = broker.pull(pull_as_registered());
  CHECK(none.code == 27);
  CHECK(none.remark == "The broker's consumer filter data is not exist!Your expression may be wrong!");

  heartbeat(broker, sql_subscription("a > 5", 6));
  CHECK(values_of_a(broker.pull(pull_as_registered(6))) == "7 ");

  // The group's subscription is new, the filter isn't yet.
  ConsumerRegistration newer;
  newer.group = "readers";
  newer.subscriptions = sql_subscription("a > 1", 9);
  broker.consumers.register_client({broker.channel, "client", remoting::Language::kJava, 479, 0}, newer);
  const auto old = broker.pull(pull_as_registered(9));
  CHECK(old.code == 28);
  CHECK(old.remark == "the consumer's consumer filter data not latest");
  broker.filters.heard("readers", newer.subscriptions);
  CHECK(values_of_a(broker.pull(pull_as_registered(9))) == "3 7 ");
}

TEST_CASE("a held SQL92 pull wakes for a match only", "[broker][sql_pull][pull_holds]") {
  HotBroker broker(enable);
  auto fields = sql_pull("a > 5");
  fields.sys_flag |= remoting::pull_flag::kSuspend;
  broker.pull(fields);
  broker.turn([&] {
    send_with(broker, {{"a", "1"}});
    send_with(broker, {{"a", "2"}});
  });
  CHECK(broker.channel->answers() == 0);
  CHECK(broker.holds.held() == 1);
  broker.turn([&] { send_with(broker, {{"a", "9"}}); });
  REQUIRE(broker.channel->answers() == 1);
  CHECK(values_of_a(broker.channel->last()) == "9 ");
  CHECK(broker.channel->last().field("nextBeginOffset") == "3");
}

TEST_CASE("several arrivals told as one wake a SQL92 pull for a match among them only",
          "[broker][sql_pull][pull_holds]") {
  HotBroker broker(enable);
  auto fields = sql_pull("a > 5");
  fields.sys_flag |= remoting::pull_flag::kSuspend;
  broker.pull(fields);
  const auto from_elsewhere = [&](std::initializer_list<const char*> values) {
    broker.turn([&] {
      std::thread([&] {
        for (const char* value : values) {
          const std::string text = properties({{"a", value}});
          store::PutRequest put;
          put.message.topic = "orders";
          put.message.queue_id = QueueId(1);
          put.message.properties = text;
          broker.store.put(put);
        }
      }).join();
    });
    broker.turn();
  };
  from_elsewhere({"1", "2", "3"});
  CHECK(broker.channel->answers() == 0);
  from_elsewhere({"4", "8", "5"});
  REQUIRE(broker.channel->answers() == 1);
  CHECK(values_of_a(broker.channel->last()) == "8 ");
}

TEST_CASE("a message that comes between the look and the watch wakes a SQL92 pull if it matches",
          "[broker][sql_pull][pull_holds]") {
  for (const bool matches : {false, true}) {
    CAPTURE(matches);
    HotBroker broker(enable);
    broker.store.before_watch = [&] {
      const std::string text = properties({{"a", matches ? "9" : "1"}});
      store::PutRequest put;
      put.message.topic = "orders";
      put.message.queue_id = QueueId(1);
      put.message.properties = text;
      broker.store.put(put);
    };
    auto fields = sql_pull("a > 5");
    fields.sys_flag |= remoting::pull_flag::kSuspend;
    broker.turn([&] { broker.pull(fields); });
    CHECK(broker.channel->answers() == (matches ? 1 : 0));
    CHECK(broker.holds.held() == (matches ? 0 : 1));
  }
}

TEST_CASE("a held SQL92 pull whose time is up says how far it looked", "[broker][sql_pull][pull_holds]") {
  HotBroker broker(enable);
  auto fields = sql_pull("a > 5");
  fields.sys_flag |= remoting::pull_flag::kSuspend;
  fields.suspend_timeout_ms = 250;
  broker.pull(fields);
  broker.turn([&] { send_with(broker, {{"a", "1"}}); });
  broker.turn([&] { broker.clock.advance_ms(400); });
  broker.turn_until_answers(1);
  REQUIRE(broker.channel->answers() == 1);
  CHECK(broker.channel->last().code == 20);
  CHECK(broker.channel->last().field("nextBeginOffset") == "1");
}

TEST_CASE("with filterSupportRetry a SQL92 subscription to the retry topic asks where each message came from",
          "[broker][sql_pull]") {
  for (const bool by_origin : {false, true}) {
    CAPTURE(by_origin);
    HotBroker broker([by_origin](BrokerConfig& config) {
      config.enable_property_filter = true;
      config.filter_support_retry = by_origin;
    });
    TopicConfig retry;
    retry.name = "%RETRY%readers";
    broker.topics.put(retry);
    auto subscriptions = sql_subscription("a > 5");
    subscriptions.push_back(sql_subscription("a > 0", 5, "%RETRY%readers").front());
    heartbeat(broker, subscriptions);
    for (const auto& [value, origin] : {std::pair("3", "orders"), {"7", "orders"}, {"4", "elsewhere"}}) {
      const std::string text = properties({{"a", value}, {"RETRY_TOPIC", origin}});
      store::PutRequest put;
      put.message.topic = "%RETRY%readers";
      put.message.queue_id = QueueId(0);
      put.message.properties = text;
      broker.store.put(put);
    }
    auto fields = pull_as_registered();
    fields.topic = "%RETRY%readers";
    fields.queue_id = QueueId(0);
    CHECK(values_of_a(broker.pull(fields)) == (by_origin ? "7 4 " : "3 7 4 "));
  }
}

TEST_CASE("a walk whose evaluations cost too much ends early, but not before its first message", "[broker][sql_pull]") {
  std::string dear = "a CONTAINS 'y'";
  for (int n = 1; n < 25; ++n) dear += " OR a CONTAINS 'y'";
  SubscriptionFilter filter(SqlFilter::compile(dear).value());
  Message message;
  message.topic = "orders";
  const std::string text = properties({{"a", std::string(30'000, 'x')}});
  message.properties = text;
  std::vector<std::byte> record(static_cast<size_t>(encoded_size(message)));
  encode_message(message, record.data());
  int looked = 0;
  for (; !filter.is_tired() && looked < 100; ++looked) CHECK_FALSE(filter.matches_record(record));
  CHECK(looked > 1);
  CHECK(looked < 10);
  filter.rest();
  CHECK_FALSE(filter.is_tired());
}

}  // namespace
}  // namespace comet::broker
