#include <catch2/catch.hpp>

#include "tests/support/mqadmin_fixture.h"

using namespace comet;
using remoting::RequestCode;
using remoting::ResponseCode;

TEST_CASE("updateTopic creates the topic on every master", "[tools]") {
  test::Mqadmin mqadmin;
  mqadmin.transport.on("a:1", RequestCode::kUpdateAndCreateTopic, "");

  CHECK(mqadmin.run({"updateTopic", "-c", "C", "-t", "t1", "-r", "4", "-w", "4", "-a", "+message.type=FIFO"}) == 0);

  CHECK(mqadmin.out ==
        "create topic to a:1 success.\n"
        "TopicConfig [topicName=t1, readQueueNums=4, writeQueueNums=4, perm=RW-, topicFilterType=SINGLE_TAG, "
        "topicSysFlag=0, "
        "order=false, attributes={+message.type=FIFO}]\n");
  const auto asked = mqadmin.transport.of(RequestCode::kUpdateAndCreateTopic);
  REQUIRE(asked.size() == 1);
  for (const char* field :
       {"\"topic\":\"t1\"", "\"defaultTopic\":\"TBW102\"", "\"readQueueNums\":\"4\"", "\"perm\":\"6\"",
        "\"topicFilterType\":\"SINGLE_TAG\"", "\"order\":\"false\"", "\"attributes\":\"+message.type=FIFO\""}) {
    CHECK(asked[0].ext.find(field) != std::string::npos);
  }
}

TEST_CASE("updateTopic of an ordered topic writes its order to the name servers", "[tools]") {
  test::Mqadmin mqadmin;
  mqadmin.transport.on("a:1", RequestCode::kUpdateAndCreateTopic, "");
  mqadmin.transport.on("ns:1", RequestCode::kPutKvConfig, "");
  mqadmin.transport.on("ns:1", RequestCode::kGetKvConfig, test::with_fields({{"value", "broker-b:8"}}));

  CHECK(mqadmin.run({"updateTopic", "-c", "C", "-t", "t1", "-o", "true", "-w", "4"}) == 0);
  CHECK(mqadmin.out.find("set cluster orderConf. isOrder=true, orderConf=[broker-a:4]\n") != std::string::npos);

  CHECK(mqadmin.run({"updateTopic", "-b", "a:1", "-t", "t1", "-o", "true", "-w", "4"}) == 0);
  CHECK(mqadmin.out.find("set broker orderConf. isOrder=true, orderConf=[broker-a:4]\n") != std::string::npos);
  CHECK(mqadmin.transport.of(RequestCode::kPutKvConfig).back().ext.find("\"value\":\"broker-a:4;broker-b:8\"") !=
        std::string::npos);
}

TEST_CASE("updateTopic refuses what a broker would refuse or quietly misread", "[tools]") {
  test::Mqadmin mqadmin;
  CHECK(mqadmin.run({"updateTopic", "-c", "C", "-t", "a b"}) == 1);
  CHECK(mqadmin.run({"updateTopic", "-c", "C", "-t", "t1", "-r", "many"}) == 1);
  CHECK(mqadmin.err == "mqadmin updateTopic: --readQueueNums many: not a whole number\n");
  CHECK(mqadmin.run({"updateTopic", "-c", "C", "-t", "t1", "-o", "yes"}) == 1);
  CHECK(mqadmin.run({"updateTopic", "-c", "nosuch", "-t", "t1"}) == 1);
  CHECK(mqadmin.err == "mqadmin updateTopic: no cluster nosuch; the name server knows C\n");
  CHECK(mqadmin.transport.of(RequestCode::kUpdateAndCreateTopic).empty());
}

TEST_CASE("deleteTopic deletes in brokers first, then in name servers", "[tools]") {
  test::Mqadmin mqadmin;
  mqadmin.transport.on("a:1", RequestCode::kDeleteTopicInBroker, "");
  mqadmin.transport.on("ns:1", RequestCode::kDeleteTopicInNamesrv, "");
  CHECK(mqadmin.run({"deleteTopic", "-c", "C", "-t", "t1"}) == 0);
  CHECK(mqadmin.out == "delete topic [t1] from cluster [C] success.\ndelete topic [t1] from NameServer success.\n");
  CHECK(mqadmin.transport.asked.back().code == 216);
  CHECK(mqadmin.transport.asked.back().ext.find("\"clusterName\":\"C\"") != std::string::npos);

  mqadmin.transport.on("a:1", RequestCode::kDeleteTopicInBroker,
                       test::refusal(ResponseCode::kInvalidParameter, "system topic"));
  CHECK(mqadmin.run({"deleteTopic", "-c", "C", "-t", "TBW102"}) == 1);
  CHECK(mqadmin.err.find("system topic") != std::string::npos);
}

TEST_CASE("topicList prints names in order", "[tools]") {
  test::Mqadmin mqadmin;
  mqadmin.transport.on("ns:1", RequestCode::kGetAllTopicListFromNameserver, R"({"topicList":["b","%RETRY%g","a"]})");
  CHECK(mqadmin.run({"topicList"}) == 0);
  CHECK(mqadmin.out == "%RETRY%g\na\nb\n");
  CHECK(mqadmin.run({"topicList", "--json"}) == 0);
  CHECK(mqadmin.out == "{\"topics\":[\"%RETRY%g\",\"a\",\"b\"]}\n");

  mqadmin.transport.on("a:1", RequestCode::kQueryTopicConsumeByWho, R"({"groupList":["g1"]})");
  CHECK(mqadmin.run({"topicList", "-c", "--json"}) == 0);
  CHECK(mqadmin.out ==
        "{\"topics\":[{\"clusterName\":\"C\",\"topic\":\"a\",\"consumerGroup\":\"g1\"},"
        "{\"clusterName\":\"C\",\"topic\":\"b\",\"consumerGroup\":\"g1\"}]}\n");
}

TEST_CASE("topicRoute prints what scripts know, a table, or strict JSON", "[tools]") {
  test::Mqadmin mqadmin;
  CHECK(mqadmin.run({"topicRoute", "-t", "t1"}) == 0);
  CHECK(mqadmin.out ==
        "{\n\t\"brokerDatas\":[\n\t\t{\n\t\t\t\"brokerAddrs\":{0:\"a:1\",1:\"a:2\"\n\t\t\t},\n\t\t\t\"brokerName\":"
        "\"broker-a\",\n\t\t\t"
        "\"cluster\":\"C\",\n\t\t\t\"enableActingMaster\":false\n\t\t}\n\t],\n\t\"filterServerTable\":{},"
        "\n\t\"queueDatas\":[\n\t\t{\n\t\t\t"
        "\"brokerName\":\"broker-a\",\n\t\t\t\"perm\":6,\n\t\t\t\"readQueueNums\":2,\n\t\t\t\"topicSysFlag\":0,\n\t\t\t"
        "\"writeQueueNums\":2\n\t\t}\n\t]\n}\n");
  CHECK(mqadmin.run({"topicRoute", "-t", "t1", "-l"}) == 0);
  CHECK(mqadmin.out.find("{0=a:1, 1=a:2}") != std::string::npos);
  CHECK(mqadmin.run({"topicRoute", "-t", "t1", "--json"}) == 0);
  CHECK(mqadmin.out.find("\"brokerAddrs\":{\"0\":\"a:1\",\"1\":\"a:2\"}") != std::string::npos);

  mqadmin.transport.on("ns:1", RequestCode::kGetRouteinfoByTopic,
                       test::refusal(ResponseCode::kTopicNotExist, "No topic route info"));
  CHECK(mqadmin.run({"topicRoute", "-t", "t9"}) == 1);
  CHECK(mqadmin.err ==
        "mqadmin topicRoute: topic t9 has no route; create it with mqadmin updateTopic, or see mqadmin topicList\n");
}

TEST_CASE("topicStatus prints a row for each queue", "[tools]") {
  test::Mqadmin mqadmin;
  mqadmin.transport.on(
      "a:1", RequestCode::kGetTopicStatsInfo,
      R"({"offsetTable":{{"brokerName":"broker-a","queueId":1,"topic":"t1"}:{"lastUpdateTimestamp":0,"maxOffset":0,"minOffset":0},)"
      R"({"brokerName":"broker-a","queueId":0,"topic":"t1"}:{"lastUpdateTimestamp":1795218432445,"maxOffset":13,"minOffset":2}},)"
      R"("topicPutTps":0.0})");
  CHECK(mqadmin.run({"topicStatus", "-t", "t1"}) == 0);
  CHECK(mqadmin.out.find(
            "#Broker Name                      #QID  #Min Offset           #Max Offset             #Last Updated\n"
            "broker-a                          0     2                     13                      20") == 0);
  CHECK(mqadmin.out.find("broker-a                          1     0                     0                       "
                         "\n\nTopic Put TPS: 0.0\n") != std::string::npos);
  CHECK(mqadmin.run({"topicStatus", "-t", "t1", "--json"}) == 0);
  CHECK(mqadmin.out.find("\"minOffset\":2,\"maxOffset\":13,\"lastUpdateTimestamp\":1795218432445}") !=
        std::string::npos);
}

TEST_CASE("updateTopicPerm keeps everything but the permission", "[tools]") {
  test::Mqadmin mqadmin;
  mqadmin.transport.on(
      "a:1", RequestCode::kGetTopicConfig,
      R"({"attributes":{"message.type":"FIFO"},"order":true,"perm":6,"readQueueNums":3,"topicFilterType":"SINGLE_TAG",)"
      R"("topicName":"t1","topicSysFlag":1,"writeQueueNums":5})");
  mqadmin.transport.on("a:1", RequestCode::kUpdateAndCreateTopic, "");
  CHECK(mqadmin.run({"updateTopicPerm", "-c", "C", "-t", "t1", "-p", "4"}) == 0);
  CHECK(mqadmin.out == "update topic perm from 6 to 4 in a:1 success.\n");
  const auto asked = mqadmin.transport.of(RequestCode::kUpdateAndCreateTopic).front();
  for (const char* field : {"\"readQueueNums\":\"3\"", "\"writeQueueNums\":\"5\"", "\"perm\":\"4\"",
                            "\"order\":\"true\"", "\"topicSysFlag\":\"1\"", "\"attributes\":\"+message.type=FIFO\""}) {
    CHECK(asked.ext.find(field) != std::string::npos);
  }
  CHECK(mqadmin.run({"updateTopicPerm", "-c", "C", "-t", "t1", "-p", "6"}) == 0);
  CHECK(mqadmin.out == "new perm equals to the old one!\n");
}

TEST_CASE("topicClusterList, updateOrderConf and allocateMQ", "[tools]") {
  test::Mqadmin mqadmin;
  CHECK(mqadmin.run({"topicClusterList", "-t", "t1"}) == 0);
  CHECK(mqadmin.out == "C\n");

  mqadmin.transport.on("ns:1", RequestCode::kGetKvConfig, test::with_fields({{"value", "broker-a:4"}}));
  CHECK(mqadmin.run({"updateOrderConf", "-t", "t1", "-m", "get"}) == 0);
  CHECK(mqadmin.out == "get orderConf success. topic=[t1], orderConf=[broker-a:4] \n");
  CHECK(mqadmin.run({"updateOrderConf", "-t", "t1", "-m", "put"}) == 1);
  CHECK(mqadmin.run({"updateOrderConf", "-t", "t1", "-m", "drop"}) == 1);

  CHECK(mqadmin.run({"allocateMQ", "-t", "t1", "-i", "10.0.0.1,10.0.0.2,10.0.0.3"}) == 0);
  CHECK(mqadmin.out ==
        "{\"result\":{\"10.0.0.1\":[{\"brokerName\":\"broker-a\",\"queueId\":0,\"topic\":\"t1\"}],"
        "\"10.0.0.2\":[{\"brokerName\":\"broker-a\",\"queueId\":1,\"topic\":\"t1\"}],\"10.0.0.3\":[]}}\n");
}
