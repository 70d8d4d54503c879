#include <catch2/catch.hpp>

#include "remoting/protocol/bodies/assignment.h"
#include "remoting/protocol/bodies/broker_stats.h"
#include "remoting/protocol/bodies/connections.h"
#include "remoting/protocol/bodies/consume_stats.h"
#include "remoting/protocol/bodies/groups.h"
#include "remoting/protocol/bodies/heartbeat.h"
#include "remoting/protocol/bodies/locks.h"
#include "remoting/protocol/bodies/offsets.h"
#include "remoting/protocol/bodies/route.h"

namespace comet::remoting {
namespace {

MessageQueue queue(std::string topic, int32_t id) { return {"b-a", QueueId{id}, std::move(topic)}; }

}  // namespace

TEST_CASE("a route is written with broker ids quoted, or bare for old clients", "[remoting]") {
  RouteData route;
  route.brokers.push_back(
      {.addresses = {{0, "1.2.3.4:10911"}, {1, "1.2.3.5:10911"}}, .broker_name = "b-a", .cluster = "C"});
  route.queues.push_back({.broker_name = "b-a", .perm = 6, .read_queue_nums = 4, .write_queue_nums = 4});
  CHECK(
      to_json(route) ==
      R"({"brokerDatas":[{"brokerAddrs":{"0":"1.2.3.4:10911","1":"1.2.3.5:10911"},"brokerName":"b-a","cluster":"C",)"
      R"("enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{"brokerName":"b-a","perm":6,"readQueueNums":4,)"
      R"("topicSysFlag":0,"writeQueueNums":4}]})");
  CHECK(to_json(route, JsonWriter::IntegerKeys::kBare).find(R"({0:"1.2.3.4:10911",1:"1.2.3.5:10911"})") !=
        std::string::npos);
}

TEST_CASE("a route of an old name server reads with bare keys and the old flag name", "[remoting]") {
  const auto route = parse_route_data(
      R"({"brokerDatas":[{"brokerAddrs":{0:"a:1",2:"b:2"},"brokerName":"b"}],"queueDatas":[{"brokerName":"b","perm":7,"topicSynFlag":3}]})");
  REQUIRE(route);
  CHECK(route->brokers.at(0).addresses == std::map<int64_t, std::string>{{0, "a:1"}, {2, "b:2"}});
  CHECK(route->queues.at(0).sys_flag == 3);
  CHECK_FALSE(route->mappings);
}

TEST_CASE("cluster information is written with every broker", "[remoting]") {
  ClusterInfo info;
  info.brokers["b-a"] = {.addresses = {{0, "1.2.3.4:10911"}}, .broker_name = "b-a", .cluster = "C"};
  info.clusters["C"] = {"b-a"};
  CHECK(to_json(info) ==
        R"({"brokerAddrTable":{"b-a":{"brokerAddrs":{"0":"1.2.3.4:10911"},"brokerName":"b-a","cluster":"C",)"
        R"("enableActingMaster":false}},"clusterAddrTable":{"C":["b-a"]}})");
}

TEST_CASE("consume statistics have queues as keys and a decimal point", "[remoting]") {
  ConsumeStats stats;
  stats.offsets[queue("T", 0)] = {.broker_offset = 10, .consumer_offset = 5};
  const std::string text = R"({"consumeTps":0.0,"offsetTable":{{"brokerName":"b-a","queueId":0,"topic":"T"}:)"
                           R"({"brokerOffset":10,"consumerOffset":5,"lastTimestamp":0,"pullOffset":0}}})";
  CHECK(to_json(stats) == text);
  const auto read = parse_consume_stats(text);
  REQUIRE(read);
  CHECK(read->offsets.at(queue("T", 0)).consumer_offset == 5);
}

TEST_CASE("queues as JSON strings are read as keys, too", "[remoting]") {
  const auto read =
      parse_reset_offset_body(R"({"offsetTable":{"{\"brokerName\":\"b-a\",\"queueId\":1,\"topic\":\"T\"}":7}})");
  REQUIRE(read);
  CHECK(read->offsets == std::map<MessageQueue, int64_t>{{queue("T", 1), 7}});
}

TEST_CASE("a reset has a map form, and a list form for C++", "[remoting]") {
  ResetOffsetBody body;
  body.offsets[queue("T", 0)] = 7;
  CHECK(to_json(body) == R"({"offsetTable":{{"brokerName":"b-a","queueId":0,"topic":"T"}:7}})");
  CHECK(to_json_list(body) == R"({"offsetTable":[{"brokerName":"b-a","offset":7,"queueId":0,"topic":"T"}]})");
  CHECK(parse_reset_offset_body(to_json(body))->offsets == body.offsets);
  CHECK(parse_reset_offset_body(to_json_list(body))->offsets == body.offsets);
  CHECK_FALSE(parse_reset_offset_body(R"({"offsetTable":[{"brokerName":"b-a"}]})"));
}

TEST_CASE("a heartbeat of Java is read and written", "[remoting]") {
  const std::string text =
      R"({"clientID":"cid","consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET","consumeType":"CONSUME_PASSIVELY",)"
      R"("groupName":"CG","messageModel":"CLUSTERING","subscriptionDataSet":[{"classFilterMode":false,"codeSet":[2598919],)"
      R"("expressionType":"TAG","subString":"TagA","subVersion":1,"tagsSet":["TagA"],"topic":"T"}],"unitMode":false}],)"
      R"("heartbeatFingerprint":0,"producerDataSet":[{"groupName":"PG"}],"withoutSub":false})";
  const auto heartbeat = parse_heartbeat_data(text);
  REQUIRE(heartbeat);
  CHECK(heartbeat->consumers.at(0).subscriptions.at(0).codes == std::vector<int32_t>{2598919});
  CHECK(to_json(*heartbeat) == text);
}

TEST_CASE("a heartbeat of C++ has numbers for enums, a text for the version, and leaves out what is empty",
          "[remoting]") {
  const auto heartbeat = parse_heartbeat_data(
      "{\"clientID\":\"c\",\"consumerDataSet\":[{\"consumeFromWhere\":4,\"consumeType\":0,\"groupName\":\"g\","
      "\"messageModel\":0,"
      "\"subscriptionDataSet\":[{\"subString\":\"*\",\"subVersion\":\"1528342353\",\"topic\":\"T\"}]},{\"groupName\":"
      "\"h\"}]}\n");
  REQUIRE(heartbeat);
  const ConsumerData& consumer = heartbeat->consumers.at(0);
  CHECK(consumer.consume_from_where == ConsumeFromWhere::kFirstOffset);
  CHECK(consumer.consume_type == ConsumeType::kActively);
  CHECK(consumer.message_model == MessageModel::kBroadcasting);
  CHECK(consumer.subscriptions.at(0).version == 1528342353);
  CHECK(consumer.subscriptions.at(0).expression_type == "TAG");
  CHECK(consumer.subscriptions.at(0).tags.empty());
  CHECK(heartbeat->consumers.at(1).subscriptions.empty());
  CHECK(heartbeat->producers.empty());
}

TEST_CASE("a heartbeat of Go has texts for tag codes, and enum values that nobody knows", "[remoting]") {
  const auto heartbeat = parse_heartbeat_data(
      R"({"clientID":"c","consumerDataSet":[{"groupName":"g","consumeFromWhere":"UNKNOWN","consumeType":"CONSUME_POP",)"
      R"("subscriptionDataSet":[{"topic":"T","codeSet":["-5","2598919"],"subVersion":1795214055793260869}]}],"producerDataSet":null})");
  REQUIRE(heartbeat);
  CHECK(heartbeat->consumers.at(0).consume_from_where == ConsumeFromWhere::kLastOffset);
  CHECK(heartbeat->consumers.at(0).consume_type == ConsumeType::kPop);
  CHECK(heartbeat->consumers.at(0).subscriptions.at(0).codes == std::vector<int32_t>{-5, 2598919});
  CHECK(heartbeat->consumers.at(0).subscriptions.at(0).version == 1795214055793260869);
}

TEST_CASE("a body that has the wrong kind of value names the place", "[remoting]") {
  const auto list = parse_heartbeat_data(R"({"clientID":"c","consumerDataSet":[{"subscriptionDataSet":{}}]})");
  REQUIRE_FALSE(list);
  CHECK(list.error().what == "heartbeat data: consumerDataSet.subscriptionDataSet isn't a list");
  const auto number = parse_topic_config(R"({"perm":"six"})");
  REQUIRE_FALSE(number);
  CHECK(number.error().what == "topic config: perm isn't a number in range");
  CHECK_FALSE(parse_topic_config(R"({"perm":2147483648})"));
  CHECK_FALSE(parse_topic_config("[]"));
}

TEST_CASE("lock bodies are read and written", "[remoting]") {
  const std::string text =
      R"({"clientId":"cid","consumerGroup":"G","mqSet":[{"brokerName":"b-a","queueId":0,"topic":"T"}],"onlyThisBroker":false})";
  const auto body = parse_lock_batch_body(text);
  REQUIRE(body);
  CHECK(body->queues == std::vector<MessageQueue>{queue("T", 0)});
  CHECK(to_json(*body) == text);
  CHECK(to_json(LockedQueues{}) == R"({"lockOKMQSet":[]})");
}

TEST_CASE("an assignment without a list differs from an empty one", "[remoting]") {
  CHECK(to_json(QueueAssignments{}) == "{}");
  QueueAssignments none;
  none.assignments.emplace();
  CHECK(to_json(none) == R"({"messageQueueAssignments":[]})");
  none.assignments->push_back({.queue = queue("T", -1), .mode = RequestMode::kPop});
  CHECK(to_json(none) ==
        R"({"messageQueueAssignments":[{"messageQueue":{"brokerName":"b-a","queueId":-1,"topic":"T"},"mode":"POP"}]})");
}

TEST_CASE("batch acks have short names or long ones", "[remoting]") {
  const auto acks = parse_batch_ack_body(
      R"({"brokerName":"b","acks":[{"c":"g","t":"T","r":"0","so":5,"q":1,"rq":2,"pt":3,"it":4,"b":"AQI="},{"consumerGroup":"h","bitSet":"AA=="}]})");
  REQUIRE(acks);
  CHECK(acks->acks.at(0).start_offset == QueueOffset{5});
  CHECK(acks->acks.at(0).bit_set == "AQI=");
  CHECK(acks->acks.at(1).consumer_group == "h");
  CHECK(acks->acks.at(1).bit_set == "AA==");
}

TEST_CASE("group settings have Java's defaults and keep the retry policy as it is", "[remoting]") {
  const auto group = parse_subscription_group_config(
      R"({"groupName":"g","groupRetryPolicy":{"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":1}},"retryMaxTimes":3})");
  REQUIRE(group);
  CHECK(group->consume_enable);
  CHECK(group->retry_max_times == 3);
  CHECK(group->which_broker_when_consume_slowly == 1);
  CHECK(group->retry_policy.text == R"({"exponentialRetryPolicy":{"initial":1},"type":"EXPONENTIAL"})");
  CHECK(parse_subscription_group_config(to_json(*group)) == *group);
}

TEST_CASE("empty tables are written, unset fields are not", "[remoting]") {
  CHECK(to_json(ConsumerIdList{}) == R"({"consumerIdList":[]})");
  CHECK(to_json(TopicList{}) == R"({"topicList":[]})");
  CHECK(
      to_json(SubscriptionGroupWrapper{}) ==
      R"({"dataVersion":{"counter":0,"stateVersion":0,"timestamp":0},"forbiddenTable":{},"subscriptionGroupTable":{}})");
  CHECK(to_json(ConsumerConnection{}).find(R"("subscriptionTable":{})") != std::string::npos);
  CHECK(
      to_json(BrokerStatsData{}) ==
      R"({"statsDay":{"avgpt":0.0,"sum":0,"tps":0.0},"statsHour":{"avgpt":0.0,"sum":0,"tps":0.0},"statsMinute":{"avgpt":0.0,"sum":0,"tps":0.0}})");
}

}  // namespace comet::remoting
