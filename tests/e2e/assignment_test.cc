#include "tests/support/cluster.h"
#include "tests/support/request_fields.h"

namespace comet::test {
namespace {

using nlohmann::json;

constexpr int32_t kUpdateTopic = 17, kHeartbeat = 34, kConsumerList = 38, kQueryAssignment = 400, kSetMode = 401,
                  kAllModes = 402;

/// A name server, a broker with topic T of four queues, and two consumers of group g.
struct Group {
  Group() {
    REQUIRE(asker.call(kUpdateTopic, topic_fields("T")).code == 0);
    join(one, "c1");
    join(two, "c2");
    REQUIRE(eventually([&] {
      return asker.call(kConsumerList, {{"consumerGroup", "g"}}).body.find("\"c1\",\"c2\"") != std::string::npos;
    }));
  }
  static void join(RawClient& client, const std::string& id) {
    client.send(kHeartbeat, {},
                R"({"clientID":")" + id +
                    R"(","consumerDataSet":[{"groupName":"g","consumeType":"CONSUME_PASSIVELY",)"
                    R"("messageModel":"CLUSTERING","consumeFromWhere":"CONSUME_FROM_LAST_OFFSET",)"
                    R"("subscriptionDataSet":[{"topic":"T","subString":"*","subVersion":1}]}],"producerDataSet":[]})",
                479, 0);
    REQUIRE(client.receive().code >= 0);
  }
  /// The answer's list; null where it has none.
  json query(const std::string& client, const std::string& topic, const std::string& strategy = "AVG",
             const std::string& model = "CLUSTERING") {
    const json body = {{"topic", topic},
                       {"consumerGroup", "g"},
                       {"clientId", client},
                       {"strategyName", strategy},
                       {"messageModel", model}};
    const auto answer = asker.call(kQueryAssignment, {}, body.dump());
    REQUIRE(answer.code == 0);
    return json::parse(answer.body).value("messageQueueAssignments", json());
  }
  static std::vector<int> ids(const json& list) {
    std::vector<int> out;
    for (const json& one : list) {
      CHECK(one["mode"] == "PULL");
      CHECK(one["messageQueue"]["topic"] == "T");
      CHECK(one["messageQueue"]["brokerName"] == "broker-a");
      out.push_back(one["messageQueue"]["queueId"]);
    }
    return out;
  }
  RawClient::Answer set_mode(const std::string& topic, const std::string& mode) {
    const json body = {{"topic", topic}, {"consumerGroup", "g"}, {"mode", mode}, {"popShareQueueNum", 0}};
    return asker.call(kSetMode, {}, body.dump());
  }

  Cluster cluster;
  RawClient asker{cluster.broker.port()}, one{cluster.broker.port()}, two{cluster.broker.port()};
};

}  // namespace

TEST_CASE("the broker shares a topic's queues out among a group's clients", "[e2e][broker]") {
  Group group;
  CHECK(group.ids(group.query("c1", "T")) == std::vector<int>{0, 1});
  CHECK(group.ids(group.query("c2", "T")) == std::vector<int>{2, 3});
  CHECK(group.ids(group.query("c2", "T", "AVG_BY_CIRCLE")) == std::vector<int>{1, 3});
  CHECK(group.ids(group.query("c1", "T", "AVG", "BROADCASTING")) == std::vector<int>{0, 1, 2, 3});
  CHECK(group.query("stranger", "T") == json::array());
  CHECK(group.query("c1", "T", "CONSISTENT_HASH").is_null());
  CHECK(group.query("c1", "absent").is_null());
}

TEST_CASE("with serverLoadBalancerEnable=false everyone who asks gets all queues", "[e2e][broker]") {
  constexpr int32_t kUpdateConfig = 25;
  Group group;
  REQUIRE(group.asker.call(kUpdateConfig, {}, "serverLoadBalancerEnable=false\n").code == 0);
  for (const char* client : {"c1", "c2", "stranger"})
    CHECK(group.ids(group.query(client, "T")) == std::vector<int>{0, 1, 2, 3});
  REQUIRE(group.asker.call(kUpdateConfig, {}, "serverLoadBalancerEnable=true\n").code == 0);
  CHECK(group.ids(group.query("c2", "T")) == std::vector<int>{2, 3});
}

TEST_CASE("how a group gets a topic's messages is set, kept and listed; POP is refused", "[e2e][broker]") {
  Group group;
  CHECK(group.set_mode("T", "PULL").code == 0);
  const auto popped = group.set_mode("T", "POP");
  CHECK(popped.code == 3);
  CHECK(popped.remark.find("group g can have topic T with mode PULL") != std::string::npos);
  CHECK(group.set_mode("%RETRY%g", "PULL").code == 16);
  CHECK(group.set_mode("absent", "PULL").code == 17);
  const std::string listed = group.asker.call(kAllModes).body;
  CHECK(json::parse(listed)["messageRequestModeMap"]["T"]["g"]["mode"] == "PULL");
  REQUIRE(group.cluster.broker.stop() == 0);
  group.cluster.start_broker();
  REQUIRE(group.cluster.broker.running());
  CHECK(RawClient(group.cluster.broker.port()).call(kAllModes).body == listed);
}

}  // namespace comet::test
