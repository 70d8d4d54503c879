#include "broker/topics.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/unit/broker/state_fixture.h"

using namespace comet;
using namespace comet::broker;
using test::BrokerState;

namespace {

/// Tables as a 5.3.3 broker writes them; keys may stand without quotes there.
const std::string kApacheTopics =
    "{\n\t\"dataVersion\":{\"counter\":3,\"stateVersion\":0,\"timestamp\":1700000000000},\n\t\"topicConfigTable\":{\n"
    "\t\t\"OrderPaid\":{\n\t\t\t\"attributes\":{\"message.type\":\"FIFO\"},\n\t\t\t\"order\":true,\n\t\t\t\"perm\":6,\n"
    "\t\t\t\"readQueueNums\":4,\n\t\t\t\"topicFilterType\":\"MULTI_TAG\",\n\t\t\t\"topicName\":\"OrderPaid\",\n"
    "\t\t\t\"topicSysFlag\":1,\n\t\t\t\"writeQueueNums\":2\n\t\t},\n\t\t\"TBW102\":{\"perm\":7,\"readQueueNums\":3,"
    "\"writeQueueNums\":3,"
    "\"topicName\":\"TBW102\"}\n\t}\n}";

}  // namespace

TEST_CASE("a broker makes RocketMQ's system topics", "[broker][topics]") {
  BrokerState state;
  REQUIRE(state.load());
  const Topics& topics = state.tables->topics;
  const auto shape = [&](std::string_view name) {
    const TopicConfig* topic = topics.find(name);
    REQUIRE(topic != nullptr);
    CHECK(topics.is_system(name));
    return std::tuple(topic->read_queues, topic->write_queues, topic->perm);
  };
  CHECK(shape("SELF_TEST_TOPIC") == std::tuple(1, 1, 6));
  CHECK(shape("TBW102") == std::tuple(8, 8, 7));
  CHECK(shape("BenchmarkTest") == std::tuple(1024, 1024, 6));
  CHECK(shape("DefaultCluster") == std::tuple(16, 16, 7));
  CHECK(shape("broker-a") == std::tuple(1, 1, 7));
  CHECK(shape("SCHEDULE_TOPIC_XXXX") == std::tuple(18, 18, 6));
  CHECK(shape("DefaultCluster_REPLY_TOPIC") == std::tuple(1, 1, 6));
  CHECK(shape("rmq_sys_REVIVE_LOG_DefaultCluster") == std::tuple(8, 8, 6));
  CHECK(shape("rmq_sys_SYNC_BROKER_MEMBER_broker-a") == std::tuple(1, 1, 1));
  CHECK(shape("rmq_sys_wheel_timer") == std::tuple(1, 1, 6));
  CHECK(topics.find("RMQ_SYS_TRACE_TOPIC") == nullptr);
  CHECK_FALSE(topics.is_system("OrderPaid"));
}

TEST_CASE("settings decide which system topics there are", "[broker][topics]") {
  BrokerState state([](BrokerConfig& config) {
    config.auto_create_topic = false;
    config.cluster_topic = false;
    config.trace_topic = true;
  });
  REQUIRE(state.load());
  CHECK(state.tables->topics.find("TBW102") == nullptr);
  CHECK(state.tables->topics.find("DefaultCluster")->perm == 1);
  CHECK(state.tables->topics.find("RMQ_SYS_TRACE_TOPIC") != nullptr);
}

TEST_CASE("Apache's topics.json is read, and wins over the built-in topics", "[broker][topics]") {
  BrokerState state;
  state.write("topics.json", kApacheTopics);
  REQUIRE(state.load());
  const TopicConfig* topic = state.tables->topics.find("OrderPaid");
  REQUIRE(topic != nullptr);
  CHECK(topic->read_queues == 4);
  CHECK(topic->write_queues == 2);
  CHECK(topic->order);
  CHECK(topic->multi_tag);
  CHECK(topic->sys_flag == 1);
  CHECK(topic->attributes.at("message.type") == "FIFO");
  CHECK(state.tables->topics.find("TBW102")->write_queues == 3);
  CHECK(state.tables->topics.version().counter > 3);
}

TEST_CASE("topics survive a restart unchanged, in Apache's layout", "[broker][topics]") {
  BrokerState state;
  state.write("topics.json", kApacheTopics);
  REQUIRE(state.load());
  const auto before = state.tables->topics.all();
  state.restart();
  CHECK(state.tables->topics.all() == before);
  const std::string text = state.read("topics.json");
  CHECK(text.find("\t\t\"OrderPaid\":{\n\t\t\t\"attributes\":{\"message.type\":\"FIFO\"},\n\t\t\t\"order\":true,\n") !=
        std::string::npos);
  CHECK_FALSE(nlohmann::json::parse(text, nullptr, false).is_discarded());
  CHECK(state.read("topics.json.bak") == kApacheTopics);
}

TEST_CASE("a damaged or empty topics.json is replaced by its backup; without one the start fails", "[broker][topics]") {
  BrokerState state;
  state.write("topics.json.bak", kApacheTopics);
  for (const std::string damage : {"{\"topicConfigTable\":{", "", "[]"}) {
    CAPTURE(damage);
    state.write("topics.json", damage);
    state.write("topics.json.bak", kApacheTopics);
    state.reopen();
    REQUIRE(state.load());
    CHECK(state.tables->topics.find("OrderPaid") != nullptr);
  }
  REQUIRE(state.files->remove(state.path("topics.json.bak")));
  state.write("topics.json", "{\"topicConfigTable\":{");
  REQUIRE(state.files->remove(state.path("topics.json.bak")));
  state.reopen();
  const auto loaded = state.load();
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().what.find("topics.json") != std::string::npos);
}

TEST_CASE("a topic is created by sending as its default topic allows", "[broker][topics]") {
  BrokerState state;
  REQUIRE(state.load());
  Topics& topics = state.tables->topics;
  const TopicConfig* made = topics.create_on_send("New", "TBW102", 4, kTopicUnit);
  REQUIRE(made != nullptr);
  CHECK(made->read_queues == 4);
  CHECK(made->write_queues == 4);
  CHECK(made->perm == 6);
  CHECK(made->sys_flag == kTopicUnit);
  CHECK(topics.create_on_send("Wide", "TBW102", 100, 0)->write_queues == 8);
  CHECK(topics.create_on_send("New", "TBW102", 8, 0)->write_queues == 4);  // an existing one stays
  CHECK(topics.create_on_send("Other", "NoSuchTopic", 4, 0) == nullptr);
  CHECK(topics.create_on_send("Other", "BenchmarkTest", 4, 0) == nullptr);  // no inherit bit
}

TEST_CASE("with autoCreateTopicEnable off nothing is created from TBW102", "[broker][topics]") {
  BrokerState state;
  state.write("topics.json", kApacheTopics);  // holds TBW102 from earlier days
  state.settings.auto_create_topic = false;
  state.reopen();
  REQUIRE(state.load());
  CHECK(state.tables->topics.create_on_send("New", "TBW102", 4, 0) == nullptr);
}

TEST_CASE("of an existing retry topic only a differing order flag changes", "[broker][topics]") {
  BrokerState state;
  REQUIRE(state.load());
  Topics& topics = state.tables->topics;
  CHECK(topics.create_for_group("%RETRY%g", 1, 6, false, 0)->write_queues == 1);
  const auto version = topics.version();
  CHECK(topics.create_for_group("%RETRY%g", 5, 6, false, 0)->write_queues == 1);
  CHECK(topics.version() == version);
  const TopicConfig* ordered = topics.create_for_group("%RETRY%g", 5, 6, true, 0);
  CHECK(ordered->order);
  CHECK(ordered->write_queues == 1);
  CHECK_FALSE(topics.version() == version);
}

TEST_CASE("each change raises the version and is told with it; an equal topic is no change", "[broker][topics]") {
  BrokerState state;
  REQUIRE(state.load());
  Topics& topics = state.tables->topics;
  std::vector<std::string> told;
  DataVersion told_version;
  topics.on_change([&](const std::vector<std::string>& names, const DataVersion& version) {
    told.insert(told.end(), names.begin(), names.end());
    told_version = version;
  });
  TopicConfig topic;
  topic.name = "T";
  CHECK(topics.put(topic));
  CHECK(told == std::vector<std::string>{"T"});
  CHECK(told_version == topics.version());
  CHECK_FALSE(topics.put(topic));
  CHECK(told.size() == 1);
  topics.mark_ordered({"T", "absent"});
  CHECK(topics.find("T")->order);
  CHECK(told.size() == 2);
  CHECK(topics.remove("T"));
  CHECK(topics.find("T") == nullptr);
  CHECK_FALSE(topics.remove("T"));
}

TEST_CASE("name servers are told every topic with its version", "[broker][topics]") {
  BrokerState state;
  REQUIRE(state.load());
  const auto wire = state.tables->topics.wire();
  CHECK(wire.data_version == state.tables->topics.version());
  CHECK(wire.topics.size() == state.tables->topics.all().size());
  CHECK(wire.topics.at("TBW102").perm == 7);
  for (const TopicConfig& topic : state.tables->topics.all()) CHECK(from_wire(to_wire(topic)) == topic);
}

// --- A kill between a change and its file ----------------------------------------------------------------------------

TEST_CASE("a kill takes no topic, though its file was not written yet", "[broker][topics]") {
  BrokerState state;
  REQUIRE(state.load());
  REQUIRE(state.tables->topics.persist());
  TopicConfig made;
  made.name = "Made";
  made.read_queues = 3;
  made.write_queues = 5;
  made.perm = 4;
  made.order = true;
  made.attributes = {{"message.type", "FIFO"}};
  state.tables->topics.put(made);
  state.tables->topics.create_on_send("Sent", "TBW102", 4, 0);
  state.tables->topics.create_for_group("%RETRY%g", 2, 6, false, 0);
  made.name = "Gone";
  state.tables->topics.put(made);
  state.tables->topics.remove("Gone");

  state.reopen();
  REQUIRE(state.load());
  const Topics& after = state.tables->topics;
  made.name = "Made";
  REQUIRE(after.find("Made") != nullptr);
  CHECK(*after.find("Made") == made);
  REQUIRE(after.find("Sent") != nullptr);
  CHECK(after.find("Sent")->write_queues == 4);
  REQUIRE(after.find("%RETRY%g") != nullptr);
  CHECK(after.find("%RETRY%g")->read_queues == 2);
  CHECK(after.find("Gone") == nullptr);
}

TEST_CASE("changes are kept beside the file only until it has them", "[broker][topics]") {
  BrokerState state;
  REQUIRE(state.load());
  state.tables->topics.create_on_send("Sent", "TBW102", 4, 0);
  CHECK(std::filesystem::exists(state.path("topics.json.changes")));
  REQUIRE(state.tables->topics.persist());
  CHECK_FALSE(std::filesystem::exists(state.path("topics.json.changes")));
}

TEST_CASE("what another broker made of the topics since is not undone", "[broker][topics]") {
  BrokerState state;
  REQUIRE(state.load());
  REQUIRE(state.tables->topics.persist());
  state.tables->topics.create_on_send("Sent", "TBW102", 4, 0);
  state.write("topics.json", kApacheTopics);
  state.reopen();
  REQUIRE(state.load());
  CHECK(state.tables->topics.find("Sent") == nullptr);
  CHECK(state.tables->topics.find("OrderPaid") != nullptr);
}

TEST_CASE("a change made while the file is written stays beside it", "[broker][topics]") {
  test::TempDir dir;
  const auto files = make_real_files();
  const Path path = dir / "topics.json.changes";
  remoting::DataVersion before, after;
  before.counter = 7;
  after.counter = 8;
  const auto names = [&](const remoting::DataVersion& file) {
    TopicJournal journal(*files, path);
    std::vector<std::string> found;
    journal.load(file, [&](const nlohmann::json& change) { found.push_back(change["topicName"]); });
    return found;
  };
  TopicJournal journal(*files, path);
  journal.load(before, [](const nlohmann::json&) { FAIL("there is nothing yet"); });
  REQUIRE(journal.add({{"topicName", "A"}}));
  const size_t mark = journal.mark();
  REQUIRE(journal.add({{"topicName", "B"}}));
  CHECK(names(before) == std::vector<std::string>{"A", "B"});
  REQUIRE(journal.written(mark, after));
  CHECK(names(after) == std::vector<std::string>{"B"});
  CHECK(names(before).empty());
  REQUIRE(journal.add({{"topicName", "C"}}));
  CHECK(names(after) == std::vector<std::string>{"B", "C"});
}
