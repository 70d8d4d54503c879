#include "broker/consumer_offsets.h"

#include <catch2/catch.hpp>
#include <thread>

#include "tests/unit/broker/state_fixture.h"

using namespace comet;
using namespace comet::broker;
using test::BrokerState;

namespace {

const QueueId kQueue{2};

}  // namespace

TEST_CASE("committed offsets are found again, smaller ones too", "[broker][offsets]") {
  BrokerState state;
  ConsumerOffsets& offsets = state.tables->offsets;
  CHECK_FALSE(offsets.committed("g", "T", kQueue));
  offsets.commit("g", "T", kQueue, QueueOffset(7));
  offsets.commit("g", "T", kQueue, QueueOffset(3));
  CHECK(offsets.committed("g", "T", kQueue) == QueueOffset(3));
  CHECK_FALSE(offsets.committed("g", "T", QueueId(1)));
  CHECK_FALSE(offsets.committed("T", "g", kQueue));
  offsets.commit("g", "T", kQueue, QueueOffset(0));
  CHECK(offsets.committed("g", "T", kQueue) == QueueOffset(0));
}

TEST_CASE("Apache's consumerOffset.json with bare keys is read and written alike", "[broker][offsets]") {
  BrokerState state;
  const std::string text =
      "{\n\t\"dataVersion\":{\"counter\":9,\"stateVersion\":0,\"timestamp\":1700000000000},\n\t\"groupTopicMap\":{\n"
      "\t\t\"billing\":[\"%RETRY%billing\",\"OrderPaid\"]\n\t},\n\t\"offsetTable\":{\n\t\t\"%RETRY%billing@billing\":{"
      "0:1\n\t\t},\n"
      "\t\t\"OrderPaid@billing\":{0:12,1:9,2:0,3:7\n\t\t}\n\t}\n}";
  state.write("consumerOffset.json", text);
  REQUIRE(state.load());
  const ConsumerOffsets& offsets = state.tables->offsets;
  CHECK(offsets.committed("billing", "OrderPaid", QueueId(1)) == QueueOffset(9));
  CHECK(offsets.committed("billing", "OrderPaid", QueueId(2)) == QueueOffset(0));
  CHECK(offsets.committed("billing", "%RETRY%billing", QueueId(0)) == QueueOffset(1));
  CHECK(offsets.version().counter == 9);
  CHECK(offsets.text() == text);
}

TEST_CASE("offsets survive a restart; the file is written only when something changed", "[broker][offsets]") {
  BrokerState state;
  REQUIRE(state.load());
  REQUIRE(state.tables->offsets.persist());
  CHECK(state.read("consumerOffset.json") == "absent");
  for (int32_t queue = 0; queue < 20; ++queue)
    state.tables->offsets.commit("g", "T", QueueId(queue), QueueOffset(queue * 10));
  state.restart();
  for (int32_t queue = 0; queue < 20; ++queue)
    CHECK(state.tables->offsets.committed("g", "T", QueueId(queue)) == QueueOffset(queue * 10));
  REQUIRE(state.files->remove(state.path("consumerOffset.json")));
  state.tables->offsets.commit("g", "T", QueueId(3), QueueOffset(30));  // what it was already
  state.tables->offsets.on_pull("g", "T", QueueId(3), std::nullopt, QueueOffset(99));
  REQUIRE(state.tables->offsets.persist());
  CHECK(state.read("consumerOffset.json") == "absent");
}

TEST_CASE("a pull leaves its commit and how far it got", "[broker][offsets]") {
  BrokerState state;
  ConsumerOffsets& offsets = state.tables->offsets;
  CHECK(offsets.pulled("g", "T", kQueue) == QueueOffset(-1));
  offsets.on_pull("g", "T", kQueue, std::nullopt, QueueOffset(40));
  CHECK(offsets.pulled("g", "T", kQueue) == QueueOffset(40));
  CHECK_FALSE(offsets.committed("g", "T", kQueue));
  CHECK(offsets.all().empty());
  offsets.on_pull("g", "T", kQueue, QueueOffset(32), QueueOffset(64));
  CHECK(offsets.committed("g", "T", kQueue) == QueueOffset(32));
}

TEST_CASE("a reset waits for the next pull and is taken once", "[broker][offsets]") {
  BrokerState state;
  ConsumerOffsets& offsets = state.tables->offsets;
  CHECK_FALSE(offsets.take_reset("g", "T", kQueue));
  offsets.set_reset("g", "T", kQueue, QueueOffset(5));
  CHECK(offsets.committed("g", "T", kQueue) == QueueOffset(5));
  CHECK(offsets.pending_reset("g", "T", kQueue) == QueueOffset(5));
  CHECK(offsets.take_reset("g", "T", kQueue) == QueueOffset(5));
  CHECK_FALSE(offsets.pending_reset("g", "T", kQueue));
  CHECK_FALSE(offsets.take_reset("g", "T", kQueue));
}

TEST_CASE("topics and groups are listed, removed and copied", "[broker][offsets]") {
  BrokerState state;
  ConsumerOffsets& offsets = state.tables->offsets;
  offsets.commit("g1", "A", kQueue, QueueOffset(1));
  offsets.commit("g1", "B", kQueue, QueueOffset(2));
  offsets.commit("g2", "A", kQueue, QueueOffset(3));
  CHECK(offsets.topics_of("g1") == std::vector<std::string>{"A", "B"});
  CHECK(offsets.groups_of("A") == std::vector<std::string>{"g1", "g2"});
  offsets.copy("g1", "g3", "B");
  CHECK(offsets.committed("g3", "B", kQueue) == QueueOffset(2));
  offsets.set_reset("g2", "A", kQueue, QueueOffset(0));
  offsets.remove_topic("A");
  CHECK_FALSE(offsets.committed("g2", "A", kQueue));
  CHECK_FALSE(offsets.pending_reset("g2", "A", kQueue));
  offsets.remove_group("g1");
  CHECK(offsets.topics_of("g1").empty());
  CHECK(offsets.all().size() == 1);
}

TEST_CASE("the version rises every so many commits", "[broker][offsets]") {
  BrokerState state([](BrokerConfig& config) { config.offset_version_step = 10; });
  for (int64_t n = 1; n <= 25; ++n) state.tables->offsets.commit("g", "T", kQueue, QueueOffset(n));
  CHECK(state.tables->offsets.version().counter == 2);
}

TEST_CASE("what changes at a slave makes its table newer than the master may have become",
          "[broker][offsets][acting]") {
  BrokerState state([](BrokerConfig& config) { config.broker_role = "SLAVE"; });
  REQUIRE(state.load());
  ConsumerOffsets& offsets = state.tables->offsets;
  const auto masters = [](int64_t counter, int64_t offset) {
    return remoting::ConsumerOffsetTable{remoting::DataVersion{counter, 0, 5}, {{"T@g", {{kQueue.value, offset}}}}};
  };
  offsets.become(masters(40, 1));
  offsets.become(masters(43, 2));
  CHECK(offsets.version() == remoting::DataVersion{43, 0, 5});
  state.clock.set_ms(1'700'000'009'000);
  REQUIRE(offsets.commit_here("g", "T", kQueue, QueueOffset(3)));
  CHECK(offsets.version() == remoting::DataVersion{43 + 3 + 1, 0, 1'700'000'009'000});
  REQUIRE(offsets.commit_here("g", "T", kQueue, QueueOffset(4)));
  CHECK(offsets.version().counter == 47);

  state.restart();  // still in the master's place
  CHECK(state.tables->offsets.version().counter == 47);
  REQUIRE(state.tables->offsets.commit_here("g", "T", kQueue, QueueOffset(5)));
  CHECK(state.tables->offsets.version().counter == 48);
  state.tables->offsets.become(masters(1'000'000, 5));  // of a master it hadn't heard for long
  state.tables->offsets.become(masters(2'000'000, 5));
  REQUIRE(state.tables->offsets.commit_here("g", "T", kQueue, QueueOffset(6)));
  CHECK(state.tables->offsets.version().counter == 2'000'101);
}

TEST_CASE("commits of many threads are all kept", "[broker][offsets]") {
  BrokerState state;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int32_t n = 0; n < 500; ++n) {
        state.tables->offsets.commit("g" + std::to_string(t), "T" + std::to_string(n % 50), QueueId(n % 8),
                                     QueueOffset(n));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  size_t entries = 0;
  for (const auto& entry : state.tables->offsets.all()) entries += entry.offsets.size();
  CHECK(entries == 4 * 200);
}
