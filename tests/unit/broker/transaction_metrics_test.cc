#include "broker/transaction_metrics.h"

#include <catch2/catch.hpp>

#include "tests/unit/broker/state_fixture.h"

namespace comet::broker {
namespace {

struct Figures {
  explicit Figures(test::BrokerState& state)
      : metrics(*state.files, state.clock, null_log(), state.path("transactionMetrics")) {}
  Result<void> persist() {
    return metrics.persist([](std::string_view topic) { return topic != "gone"; });
  }
  TransactionMetrics metrics;
};

TEST_CASE("counts of open transactions go on from Apache's file and are written as it", "[broker][transactions]") {
  test::BrokerState state;
  state.write("transactionMetrics",
              R"({"dataVersion":{"counter":5,"stateVersion":0,"timestamp":1795209652183},"transactionCount":)"
              R"({"trans":{"count":1,"timeStamp":1795209652183},"gone":{"count":4,"timeStamp":1}}})");
  Figures figures(state);
  REQUIRE(figures.metrics.load());
  CHECK(figures.metrics.open("trans") == 1);
  figures.metrics.add("trans", -1);
  figures.metrics.add("Größe", 2);
  REQUIRE(figures.persist());
  CHECK(state.read("transactionMetrics") ==
        R"({"dataVersion":{"counter":7,"stateVersion":0,"timestamp":1700000000000},"transactionCount":)"
        R"({"Größe":{"count":2,"timeStamp":1700000000000},"trans":{"count":0,"timeStamp":1700000000000}}})");

  Figures again(state);
  REQUIRE(again.metrics.load());
  CHECK(again.metrics.open("Größe") == 2);
}

TEST_CASE("counts are written only when they changed", "[broker][transactions]") {
  test::BrokerState state;
  Figures figures(state);
  REQUIRE(figures.metrics.load());
  REQUIRE(figures.persist());
  CHECK(state.read("transactionMetrics") == "absent");
}

}  // namespace
}  // namespace comet::broker
