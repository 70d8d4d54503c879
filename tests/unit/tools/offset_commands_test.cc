#include <catch2/catch.hpp>

#include "tests/support/mqadmin_fixture.h"

using namespace comet;
using remoting::RequestCode;
using remoting::ResponseCode;

namespace {

const char* const kStats =
    R"({"consumeTps":0.32,"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"%RETRY%g1"}:{"brokerOffset":0,"consumerOffset":0,)"
    R"("lastTimestamp":0,"pullOffset":0},{"brokerName":"broker-a","queueId":0,"topic":"t1"}:{"brokerOffset":19,"consumerOffset":14,)"
    R"("lastTimestamp":1795209452000,"pullOffset":17}}})";
const char* const kClients =
    R"({"connectionSet":[{"clientAddr":"127.0.0.1:45800","clientId":"192.0.2.2@1#2","language":"JAVA","version":479}],)"
    R"("consumeFromWhere":"CONSUME_FROM_LAST_OFFSET","consumeType":"CONSUME_PASSIVELY","messageModel":"CLUSTERING",)"
    R"("subscriptionTable":{"t1":{"classFilterMode":false,"codeSet":[],"expressionType":"TAG","subString":"TagA || TagB","subVersion":1,)"
    R"("tagsSet":[],"topic":"t1"}}})";

struct Progress : test::Mqadmin {
  Progress() {
    transport.on("ns:1", RequestCode::kGetAllTopicListFromNameserver, R"({"topicList":["t1","%RETRY%g1"]})");
    transport.on("a:1", RequestCode::kGetConsumeStats, kStats);
    transport.on("a:1", RequestCode::kGetConsumerConnectionList, kClients);
  }
};

}  // namespace

TEST_CASE("consumerProgress lists all groups, online or not", "[tools]") {
  Progress mqadmin;
  CHECK(mqadmin.run({"consumerProgress"}) == 0);
  CHECK(mqadmin.out ==
        "#Group                                                            #Count  #Version                 #Type  "
        "#Model          #TPS     "
        "#Diff Total\n"
        "g1                                                                1       V5_3_3                   PUSH   "
        "CLUSTERING      0        5\n");

  mqadmin.transport.on("a:1", RequestCode::kGetConsumerConnectionList,
                       test::refusal(ResponseCode::kConsumerNotOnline, "not online"));
  CHECK(mqadmin.run({"consumerProgress", "--json"}) == 0);
  CHECK(mqadmin.out ==
        "{\"groups\":[{\"group\":\"g1\",\"count\":0,\"version\":\"OFFLINE\",\"consumeType\":\"\",\"messageModel\":\"\","
        "\"consumeTps\":0.32,\"diffTotal\":5}]}\n");
}

TEST_CASE("consumerProgress of a group prints its queues and sums", "[tools]") {
  Progress mqadmin;
  CHECK(mqadmin.run({"consumerProgress", "-g", "g1"}) == 0);
  CHECK(mqadmin.out.find("broker-a                          0     19                    14                    5        "
                         "            3                    20") != std::string::npos);
  CHECK(mqadmin.out.find("0                    0                    N/A\n") != std::string::npos);
  CHECK(mqadmin.out.find("\nConsume TPS: 0.32\nConsume Diff Total: 5\nConsume Inflight Total: 3\n") !=
        std::string::npos);
}

TEST_CASE("consumerProgress can name the client of each queue", "[tools]") {
  Progress mqadmin;
  mqadmin.transport.on(
      "a:1", RequestCode::kGetConsumerRunningInfo,
      R"({"mqTable":{{"brokerName":"broker-a","queueId":0,"topic":"t1"}:{"locked":false}},"properties":{}})");
  CHECK(mqadmin.run({"consumerProgress", "-g", "g1", "-s", "true"}) == 0);
  CHECK(mqadmin.out.find("14                    192.0.2.2            5 ") != std::string::npos);
}

TEST_CASE("consumerProgress of a group that no broker knows fails", "[tools]") {
  Progress mqadmin;
  mqadmin.transport.on("ns:1", RequestCode::kGetRouteinfoByTopic,
                       test::refusal(ResponseCode::kTopicNotExist, "No route"));
  CHECK(mqadmin.run({"consumerProgress", "-g", "g1"}) == 0);  // it has offsets, if no consumer yet
  CHECK(mqadmin.out.find("Consume Diff Total: 5\n") != std::string::npos);
  CHECK(mqadmin.run({"consumerConnection", "-g", "g9"}) == 1);
  CHECK(mqadmin.err == "mqadmin consumerConnection: group g9 is not online: no consumer of it has ever connected\n");

  mqadmin.transport.on("a:1", RequestCode::kGetConsumeStats, R"({"consumeTps":0.0,"offsetTable":{}})");
  CHECK(mqadmin.run({"consumerProgress", "-g", "g9"}) == 1);
  CHECK(mqadmin.err ==
        "mqadmin consumerProgress: no broker knows the group g9; it appears once a consumer of it has connected\n");
}

TEST_CASE("consumerConnection prints clients and subscriptions", "[tools]") {
  Progress mqadmin;
  CHECK(mqadmin.run({"consumerConnection", "-g", "g1"}) == 0);
  CHECK(mqadmin.out ==
        "#ClientId                            #ClientAddr            #Language  #Version\n"
        "192.0.2.2@1#2                        127.0.0.1:45800        JAVA       V5_3_3\n"
        "\n"
        "Below is subscription:\n"
        "#Topic               #SubExpression\n"
        "t1                   TagA || TagB\n"
        "\n"
        "ConsumeType: CONSUME_PASSIVELY\n"
        "MessageModel: CLUSTERING\n"
        "ConsumeFromWhere: CONSUME_FROM_LAST_OFFSET\n");
}

TEST_CASE("consumerConnection says where a group's clients contradict each other", "[tools]") {
  Progress mqadmin;
  mqadmin.transport.on(
      "a:1", RequestCode::kGetConsumerConnectionList,
      R"({"subscriptionConflict":"client A subscribes topic T, client B doesn't","duplicateClientId":"client id A is used by 10.0.0.7:1 and by 10.0.0.8:2",)" +
          std::string(kClients).substr(1));
  CHECK(mqadmin.run({"consumerConnection", "-g", "g1"}) == 0);
  CHECK_THAT(mqadmin.out, Catch::EndsWith("SubscriptionConflict: client A subscribes topic T, client B doesn't\n"
                                          "DuplicateClientId: client id A is used by 10.0.0.7:1 and by 10.0.0.8:2\n"));
}

TEST_CASE("producers are listed by group and by broker", "[tools]") {
  test::Mqadmin mqadmin;
  mqadmin.transport.on(
      "a:1", RequestCode::kGetProducerConnectionList,
      R"({"connectionSet":[{"clientAddr":"127.0.0.1:45802","clientId":"192.0.2.2@1","language":"JAVA","version":479}]})");
  mqadmin.transport.on(
      "a:1", RequestCode::kGetAllProducerInfo,
      R"({"data":{"p1":[{"clientId":"192.0.2.2@1","language":"JAVA","lastUpdateTimestamp":7,"remoteIP":"/127.0.0.1:45802","version":479}]}})");
  CHECK(mqadmin.run({"producerConnection", "-g", "p1", "-t", "t1"}) == 0);
  CHECK(mqadmin.out == "0001  192.0.2.2@1                      127.0.0.1:45802        JAVA     V5_3_3\n");
  CHECK(mqadmin.run({"producer", "-b", "a:1"}) == 0);
  CHECK(mqadmin.out ==
        "producer group (p1) instance : clientId=192.0.2.2@1,remoteIP=/127.0.0.1:45802, language=JAVA, version=479, "
        "lastUpdateTimestamp=7\n");
}

TEST_CASE("resetOffsetByTime asks the broker, and does it itself where nobody is online", "[tools]") {
  Progress mqadmin;
  mqadmin.transport.on("a:1", RequestCode::kInvokeBrokerToResetOffset,
                       R"({"offsetTable":{{"brokerName":"broker-a","queueId":2,"topic":"t1"}:45}})");
  CHECK(mqadmin.run({"resetOffsetByTime", "-g", "g1", "-t", "t1", "-s", "now"}) == 0);
  CHECK(mqadmin.out ==
        "start reset consumer offset by specified, group[g1], topic[t1], force[true], timestamp(string)[now], "
        "timestamp(long)[1795219000000]\n"
        "#brokerName                               #queueId                                  #offset                   "
        "              \n"
        "broker-a                                  2                                         45                        "
        "              \n");

  mqadmin.transport.on("a:1", RequestCode::kInvokeBrokerToResetOffset,
                       test::refusal(ResponseCode::kConsumerNotOnline, "not online"));
  mqadmin.transport.on("a:1", RequestCode::kSearchOffsetByTimestamp, test::with_fields({{"offset", "3"}}));
  mqadmin.transport.on("a:1", RequestCode::kUpdateConsumerOffset, "");
  CHECK(mqadmin.run({"resetOffsetByTime", "-g", "g1", "-t", "t1", "-s", "1795209452000", "--json"}) == 0);
  CHECK(mqadmin.out.find("{\"brokerName\":\"broker-a\",\"queueId\":0,\"offset\":3}") != std::string::npos);

  CHECK(mqadmin.run({"skipAccumulatedMessage", "-g", "g1", "-t", "t1", "--json"}) == 0);
  CHECK(mqadmin.out.find("{\"brokerName\":\"broker-a\",\"queueId\":0,\"offset\":19}") != std::string::npos);
}

TEST_CASE("resetOffsetByTime can move one queue", "[tools]") {
  Progress mqadmin;
  mqadmin.transport.on("a:1", RequestCode::kInvokeBrokerToResetOffset, R"({"offsetTable":{}})");
  mqadmin.transport.on("a:1", RequestCode::kUpdateConsumerOffset, "");
  CHECK(mqadmin.run({"resetOffsetByTime", "-g", "g1", "-t", "t1", "-s", "0", "-b", "a:1", "-q", "0", "-o", "5"}) == 0);
  CHECK(mqadmin.out.find("\nreset consumer offset to 5\n") != std::string::npos);
  const auto asked = mqadmin.transport.of(RequestCode::kInvokeBrokerToResetOffset).front();
  CHECK(asked.ext.find("\"queueId\":\"0\"") != std::string::npos);
  CHECK(asked.ext.find("\"offset\":\"5\"") != std::string::npos);
  CHECK(mqadmin.run({"resetOffsetByTime", "-g", "g1", "-t", "t1", "-s", "0", "-o", "5"}) == 1);
}

TEST_CASE("cloneGroupOffset commits the source's offsets for the other group", "[tools]") {
  Progress mqadmin;
  mqadmin.transport.on("a:1", RequestCode::kUpdateConsumerOffset, "");
  CHECK(mqadmin.run({"cloneGroupOffset", "-s", "g1", "-d", "g2", "-t", "t1"}) == 0);
  CHECK(mqadmin.out == "clone group offset success. srcGroup[g1], destGroup=[g2], topic[t1]\n");
  const auto asked = mqadmin.transport.of(RequestCode::kUpdateConsumerOffset);
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].ext.find("\"consumerGroup\":\"g2\"") != std::string::npos);
  CHECK(asked[0].ext.find("\"commitOffset\":\"14\"") != std::string::npos);
}

TEST_CASE("statsAll prints traffic by topic and group", "[tools]") {
  Progress mqadmin;
  mqadmin.transport.on("a:1", RequestCode::kQueryTopicConsumeByWho, R"({"groupList":["g1"]})");
  mqadmin.transport.on(
      "a:1", RequestCode::kViewBrokerStatsData,
      R"({"statsDay":{"avgpt":0.0,"sum":0,"tps":0.0},"statsHour":{"avgpt":0.0,"sum":30,"tps":0.0},"statsMinute":{"avgpt":0.0,"sum":3,"tps":0.5}})");
  CHECK(mqadmin.run({"statsAll", "--json"}) == 0);
  CHECK(mqadmin.out ==
        "{\"topics\":[{\"topic\":\"t1\",\"consumerGroup\":\"g1\",\"accumulation\":5,\"inTps\":0.5,\"outTps\":0.5,"
        "\"inMsg24Hour\":30,\"outMsg24Hour\":30}]}\n");
}

TEST_CASE("updateSubGroup sends a whole configuration and prints it", "[tools]") {
  test::Mqadmin mqadmin;
  mqadmin.transport.on("a:1", RequestCode::kUpdateAndCreateSubscriptiongroup, "");
  CHECK(mqadmin.run({"updateSubGroup", "-c", "C", "-g", "g1", "-r", "3"}) == 0);
  CHECK(mqadmin.out ==
        "create subscription group to a:1 success.\n"
        "SubscriptionGroupConfig{groupName=g1, consumeEnable=true, consumeFromMinEnable=false, "
        "consumeBroadcastEnable=false, "
        "consumeMessageOrderly=false, retryQueueNums=1, retryMaxTimes=3, "
        "groupRetryPolicy=GroupRetryPolicy{type=CUSTOMIZED, "
        "exponentialRetryPolicy=null, customizedRetryPolicy=null}, brokerId=0, whichBrokerWhenConsumeSlowly=1, "
        "notifyConsumerIdsChangedEnable=true, groupSysFlag=0, consumeTimeoutMinute=15, subscriptionDataSet=null, "
        "attributes={}}\n");
  const std::string body = mqadmin.transport.of(RequestCode::kUpdateAndCreateSubscriptiongroup).front().body;
  for (const char* field :
       {"\"groupName\":\"g1\"", "\"consumeFromMinEnable\":false", "\"retryMaxTimes\":3", "\"consumeEnable\":true"}) {
    CHECK(body.find(field) != std::string::npos);
  }
  CHECK(mqadmin.run({"updateSubGroup", "-g", "g1"}) == 1);
}

TEST_CASE("deleteSubGroup takes the group's own topics with it when it leaves a cluster", "[tools]") {
  test::Mqadmin mqadmin;
  mqadmin.transport.on("a:1", RequestCode::kDeleteSubscriptiongroup, "");
  mqadmin.transport.on("a:1", RequestCode::kDeleteTopicInBroker, "");
  mqadmin.transport.on("ns:1", RequestCode::kDeleteTopicInNamesrv, "");
  CHECK(mqadmin.run({"deleteSubGroup", "-b", "a:1", "-g", "g1"}) == 0);
  CHECK(mqadmin.out == "delete subscription group [g1] from broker [a:1] success.\n");
  CHECK(mqadmin.transport.of(RequestCode::kDeleteTopicInBroker).empty());

  CHECK(mqadmin.run({"deleteSubGroup", "-c", "C", "-g", "g1", "-r", "true"}) == 0);
  CHECK(mqadmin.out == "delete subscription group [g1] from broker [a:1] in cluster [C] success.\n");
  CHECK(mqadmin.transport.of(RequestCode::kDeleteSubscriptiongroup).back().ext.find("\"cleanOffset\":\"true\"") !=
        std::string::npos);
  CHECK(mqadmin.transport.of(RequestCode::kDeleteTopicInBroker).size() == 2);
}

TEST_CASE("getConsumerConfig prints each broker's view of the group", "[tools]") {
  test::Mqadmin mqadmin;
  mqadmin.transport.on(
      "a:1", RequestCode::kGetAllSubscriptiongroupConfig,
      R"({"dataVersion":{"counter":1,"stateVersion":0,"timestamp":1},"forbiddenTable":{},"subscriptionGroupTable":{"g1":)"
      R"({"attributes":{},"brokerId":0,"consumeBroadcastEnable":false,"consumeEnable":true,"consumeFromMinEnable":false,)"
      R"("consumeMessageOrderly":false,"consumeTimeoutMinute":15,"groupName":"g1","groupRetryPolicy":{"type":"CUSTOMIZED"},)"
      R"("groupSysFlag":0,"notifyConsumerIdsChangedEnable":true,"retryMaxTimes":16,"retryQueueNums":1,"whichBrokerWhenConsumeSlowly":1}}})");
  CHECK(mqadmin.run({"getConsumerConfig", "-g", "g1"}) == 0);
  CHECK(mqadmin.out.find("=============================C:broker-a=============================\n"
                         "groupName                               =  g1\n"
                         "consumeEnable                           =  true\n") == 0);
  CHECK(mqadmin.out.find(
            "groupRetryPolicy                        =  GroupRetryPolicy{type=CUSTOMIZED, exponentialRetryPolicy=null, "
            "customizedRetryPolicy=null}\n") != std::string::npos);
  CHECK(mqadmin.run({"getConsumerConfig", "-g", "g9"}) == 1);
}
