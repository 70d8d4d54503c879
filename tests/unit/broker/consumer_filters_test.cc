#include "broker/consumer_filters.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "broker/sql/bloom_bits.h"
#include "tests/unit/broker/state_fixture.h"

namespace comet::broker {
namespace {

using test::BrokerState;

Subscription subscription(std::string topic, std::string expression, int64_t version, std::string type = "SQL92") {
  Subscription made;
  made.topic = std::move(topic);
  made.expression = std::move(expression);
  made.expression_type = std::move(type);
  made.version = version;
  return made;
}

struct Filters : BrokerState {
  using BrokerState::BrokerState;
  ConsumerFilters& filters() { return tables->filters; }
  /// Null if there is none.
  std::shared_ptr<const ConsumerFilter> find(std::string_view topic = "T", std::string_view group = "g") {
    const auto* found = filters().find(topic, group);
    return found == nullptr ? nullptr : *found;
  }
  nlohmann::json file() {
    REQUIRE(filters().persist());
    return nlohmann::json::parse(read("consumerFilter.json"));
  }
};

TEST_CASE("a heartbeat's SQL92 subscription is compiled and found; tags are none", "[broker][consumer_filters]") {
  Filters state;
  state.filters().heard(
      "g", {subscription("T", "a > 5", 10), subscription("U", "TagA", 10, "TAG"), subscription("V", "", 10)});
  REQUIRE(state.find() != nullptr);
  CHECK(state.find()->expression == "a > 5");
  CHECK(state.find()->version == 10);
  CHECK(state.find()->born_ms == state.clock.now_ms());
  CHECK_FALSE(state.find()->dead());
  CHECK(state.find()->program->evaluate("a\x01"
                                        "6\x02") == Truth::kTrue);
  CHECK(state.find("U") == nullptr);
  CHECK(state.find("V") == nullptr);
  CHECK(state.find("T", "other") == nullptr);
}

TEST_CASE("versions: older ones are ignored, newer ones replace, a wrong one removes", "[broker][consumer_filters]") {
  Filters state;
  state.filters().heard("g", {subscription("T", "a > 5", 10)});
  state.filters().heard("g", {subscription("T", "a > 6", 9)});
  state.filters().heard("g", {subscription("T", "a > 7", 10)});
  CHECK(state.find()->expression == "a > 5");
  const auto program = state.find()->program;
  state.clock.advance_ms(1000);
  state.filters().heard("g", {subscription("T", "a > 5", 11)});
  CHECK(state.find()->version == 11);
  CHECK(state.find()->program == program);
  CHECK(state.find()->born_ms == state.clock.now_ms() - 1000);
  state.filters().heard("g", {subscription("T", "a > 6", 12)});
  CHECK(state.find()->expression == "a > 6");
  CHECK(state.find()->born_ms == state.clock.now_ms());
  state.filters().heard("g", {subscription("T", "a >", 13)});
  CHECK(state.find() == nullptr);
  state.filters().heard("g", {subscription("T", "a > 5", 14, "XPATH")});
  CHECK(state.find() == nullptr);
}

TEST_CASE("filters die with their group or their topic, live again, and are dropped after a day",
          "[broker][consumer_filters]") {
  Filters state;
  state.filters().heard("g", {subscription("T", "a > 5", 10), subscription("U", "b > 5", 10)});
  state.clock.advance_ms(1);
  state.filters().heard("g", {subscription("T", "a > 5", 10)});
  CHECK_FALSE(state.find()->dead());
  CHECK(state.find("U")->dead());
  state.filters().group_gone("g");
  CHECK(state.find()->dead());
  CHECK(state.find()->dead_ms == state.clock.now_ms());

  state.clock.advance_ms(86'400'000 - 2);
  CHECK(state.file()["filterDataByTopic"].size() == 2);
  state.clock.advance_ms(1);
  state.filters().heard("g", {subscription("T", "a > 5", 10)});
  CHECK_FALSE(state.find()->dead());
  state.clock.advance_ms(1);
  CHECK(state.file()["filterDataByTopic"].size() == 1);
  CHECK(state.find("U") == nullptr);
  CHECK_FALSE(state.find()->dead());
  CHECK(state.find()->dead_ms == 0);
}

TEST_CASE("consumerFilter.json is Apache's", "[broker][consumer_filters]") {
  Filters state;
  state.filters().heard("vip", {subscription("OrderPaid", "s = 'it''s \"x\"'", 1'700'000'000'001)});
  const auto filter = state.file()["filterDataByTopic"]["OrderPaid"];
  CHECK(filter["topic"] == "OrderPaid");
  CHECK(filter["groupFilterData"].size() == 1);
  nlohmann::json expected = {{"bloomFilterData", {{"bitNum", 112}, {"bitPos", {36, 13, 80}}}},
                             {"bornTime", state.clock.now_ms()},
                             {"clientVersion", 1'700'000'000'001},
                             {"consumerGroup", "vip"},
                             {"dead", false},
                             {"deadTime", 0},
                             {"expression", "s = 'it''s \"x\"'"},
                             {"expressionType", "SQL92"},
                             {"topic", "OrderPaid"}};
  CHECK(filter["groupFilterData"]["vip"] == expected);
}

constexpr const char* kApacheFile =
    "{\n\t\"filterDataByTopic\":{\n\t\t\"T\":{\n\t\t\t\"groupFilterData\":{\n\t\t\t\t\"g\":{\n"
    "\"bloomFilterData\":{\"bitNum\":112,\"bitPos\":[1,2,3]},\"bornTime\":%BORN%,\"clientVersion\":7,\n"
    "\"consumerGroup\":\"g\",\"dead\":false,\"deadTime\":0,\"expression\":\"a > "
    "5\",\"expressionType\":\"SQL92\",\"topic\":\"T\"}\n"
    "\t\t\t},\n\t\t\t\"topic\":\"T\"\n\t\t}\n\t}\n}";

std::string apache_file(int64_t born_ms) {
  std::string text = kApacheFile;
  return text.replace(text.find("%BORN%"), 6, std::to_string(born_ms));
}

TEST_CASE("after a restart filters are there, their groups dead since half a minute at most",
          "[broker][consumer_filters]") {
  Filters state;
  const int64_t now = state.clock.now_ms();
  for (const int64_t born : {now - 100'000, now - 10'000}) {
    state.write("consumerFilter.json", apache_file(born));
    state.reopen();
    REQUIRE(state.load());
    REQUIRE(state.find() != nullptr);
    CHECK(state.find()->version == 7);
    CHECK(state.find()->program->evaluate("a\x01"
                                          "6\x02") == Truth::kTrue);
    CHECK(state.find()->dead_ms == std::max(born, now - 30'000));
    CHECK(state.find()->dead());
  }
  state.filters().heard("g", {subscription("T", "a > 5", 7)});
  CHECK_FALSE(state.find()->dead());
  state.restart();
  CHECK(state.find()->dead());
}

TEST_CASE("a file of other bloom settings is ignored, a missing one is empty, a torn one falls back to .bak",
          "[broker][consumer_filters]") {
  Filters state([](BrokerConfig& config) { config.bloom_error_percent = 10; });
  REQUIRE(state.load());
  state.write("consumerFilter.json", apache_file(1));
  REQUIRE(state.load());
  CHECK(state.find() == nullptr);

  Filters usual;
  usual.write("consumerFilter.json.bak", apache_file(1));
  usual.write("consumerFilter.json", "{\"filterDataByTopic\":{\"T\":");
  REQUIRE(usual.load());
  CHECK(usual.find() != nullptr);
}

TEST_CASE("the bits of a group are those of Guava's murmur3_128", "[broker][consumer_filters]") {
  const BloomBits usual(20, 32);
  CHECK(usual.bits_each() == 3);
  CHECK(usual.map_bits() == 112);
  CHECK(usual.positions("vip", "OrderPaid") == std::vector<int32_t>{36, 13, 80});
  CHECK(usual.positions("a-rather-long-group-name-of-consumers", "and-a-topic-ü") == std::vector<int32_t>{52, 62, 65});
  CHECK(BloomBits(10, 64).bits_each() == 4);
  CHECK(BloomBits(10, 64).map_bits() == 312);
  CHECK(murmur3_128_low("") == 0);
  CHECK(murmur3_128_low("hello") == 0xcbd8a7b341bd9b02);
  CHECK(murmur3_128_low("The quick brown fox jumps over the lazy dog") == 0xe34bbc7bbc071b6c);
}

}  // namespace
}  // namespace comet::broker
