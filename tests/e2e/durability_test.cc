#include "tests/support/cluster.h"
#include "tests/support/proof/broker_calls.h"

namespace comet::test {
namespace {

struct OneBroker {
  explicit OneBroker(const std::string& settings)
      : broker("mqbroker", folder, Cluster::broker_file(folder, settings), "The broker[broker-a, 127.0.0.1:") {
    broker.start();
    INFO(broker.output());
    REQUIRE(broker.running());
    RawClient client(broker.port());
    REQUIRE(make_topic(client, "T", 1));
  }
  std::string told(const std::string& key) {
    RawClient client(broker.port());
    return nlohmann::json::parse(client.call(call::kRuntimeInfo).body).at("table").at(key).get<std::string>();
  }

  TempDir dir{memory_folder()};
  const std::string folder = dir / "broker";
  Daemon broker;
};

}  // namespace

TEST_CASE("what a power cut could take is told: up to the flush interval, and nothing under SYNC_FLUSH",
          "[e2e][broker][durability]") {
  const bool sync_flush = GENERATE(false, true);
  OneBroker one(std::string("flushIntervalCommitLog=9000\nflushDiskType=") +
                (sync_flush ? "SYNC_FLUSH\n" : "ASYNC_FLUSH\n"));
  RawClient client(one.broker.port());
  REQUIRE(client.call(call::kSend, send_fields("T", 0, ""), "m").code == 0);
  if (sync_flush) {
    CHECK(one.told("dataAtRiskMillis") == "0");
    CHECK(one.told("dataAtRiskMillisMax") == "0");
  } else {
    CHECK(eventually([&] { return std::stoll(one.told("dataAtRiskMillis")) > 20; }));
    CHECK(std::stoll(one.told("dataAtRiskMillis")) <= 9'000);
    CHECK(std::stoll(one.told("dataAtRiskMillisMax")) >= 9'000);
    CHECK(std::stoll(one.told("dataAtRiskMillisMax")) < 60'000);
  }
  CHECK(one.told("deletedBeforeTimeFiles") == "0");
  CHECK(one.broker.stop() == 0);
}

}  // namespace comet::test
