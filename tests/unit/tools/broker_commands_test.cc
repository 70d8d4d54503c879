#include <catch2/catch.hpp>

#include "tests/support/mqadmin_fixture.h"

using namespace comet;
using remoting::RequestCode;
using remoting::ResponseCode;

namespace {

const char* const kRuntime =
    R"({"table":{"brokerVersionDesc":"V5_3_3","putTps":"9861.1 5.0 ","getTransferredTps":"7956.03 1.0 ","sendThreadPoolQueueSize":"3",)"
    R"("sendThreadPoolQueueHeadWaitTimeMills":"1","pullThreadPoolQueueSize":"0","pullThreadPoolQueueHeadWaitTimeMills":"0",)"
    R"("ackThreadPoolQueueSize":"0","ackThreadPoolQueueHeadWaitTimeMills":"0","timerReadBehind":"0","timerOffsetBehind":"0",)"
    R"("timerCongestNum":"0","timerEnqueueTps":"0.0","timerDequeueTps":"0.0","pageCacheLockTimeMills":"0",)"
    R"("earliestMessageTimeStamp":"1795215400000","commitLogDiskRatio":"0.16","brokerActive":"true",)"
    R"("msgPutTotalYesterdayMorning":"1","msgPutTotalTodayMorning":"5","msgPutTotalTodayNow":"227",)"
    R"("msgGetTotalYesterdayMorning":"0","msgGetTotalTodayMorning":"0","msgGetTotalTodayNow":"492"}})";

}  // namespace

TEST_CASE("clusterList prints RocketMQ's columns", "[tools]") {
  test::Mqadmin mqadmin;
  for (const char* broker : {"a:1", "a:2"}) mqadmin.transport.on(broker, RequestCode::kGetBrokerRuntimeInfo, kRuntime);
  CHECK(mqadmin.run({"clusterList"}) == 0);
  CHECK(
      mqadmin.out.find(
          "#Cluster Name           #Broker Name            #BID  #Addr                  #Version              "
          "#InTPS(LOAD)"
          "                   #OutTPS(LOAD)  #Timer(Progress)        #PCWait(ms)  #Hour         #SPACE    #ACTIVATED\n"
          "C                       broker-a                0     a:1                    V5_3_3              "
          "9861.10(3,1ms)"
          "            7956.03(0,0ms|0,0ms)  0-0(0.0w, 0.0, 0.0)               0  1.00          0.1600          "
          "true\n") == 0);
  CHECK(mqadmin.run({"clusterList", "--json"}) == 0);
  CHECK(mqadmin.out.find("\"inTps\":9861.1,\"outTps\":7956.03") != std::string::npos);
}

TEST_CASE("clusterList shows a broker that can't be reached, and fails", "[tools]") {
  test::Mqadmin mqadmin;
  mqadmin.transport.on("a:1", RequestCode::kGetBrokerRuntimeInfo, kRuntime);
  CHECK(mqadmin.run({"clusterList"}) == 1);
  CHECK(mqadmin.out.find("\nC                       broker-a                1     a:2 ") != std::string::npos);
  CHECK(mqadmin.out.find("false\n") != std::string::npos);
  CHECK(mqadmin.err.find("connect a:2") != std::string::npos);
}

TEST_CASE("clusterList -m counts messages of yesterday and today", "[tools]") {
  test::Mqadmin mqadmin;
  for (const char* broker : {"a:1", "a:2"}) mqadmin.transport.on(broker, RequestCode::kGetBrokerRuntimeInfo, kRuntime);
  CHECK(mqadmin.run({"clusterList", "-m"}) == 0);
  CHECK(mqadmin.out.find("#Cluster Name     #Broker Name                       #InTotalYest  #OutTotalYest  "
                         "#InTotalToday #OutTotalToday\n"
                         "C                 broker-a                                      4              0            "
                         "222            492\n") == 0);
  CHECK(mqadmin.run({"clusterList", "-c", "nosuch"}) == 1);
}

TEST_CASE("brokerStatus prints every key in order", "[tools]") {
  test::Mqadmin mqadmin;
  for (const char* broker : {"a:1", "a:2"}) {
    mqadmin.transport.on(broker, RequestCode::kGetBrokerRuntimeInfo, R"({"table":{"b":"2","A":"1 "}})");
  }
  CHECK(mqadmin.run({"brokerStatus", "-b", "a:1"}) == 0);
  CHECK(mqadmin.out ==
        "A                               : 1 \n"
        "b                               : 2\n");
  CHECK(mqadmin.run({"brokerStatus", "-c", "C"}) == 0);
  CHECK(mqadmin.out.find("a:2                      A                               : 1 \n") != std::string::npos);
  CHECK(mqadmin.run({"brokerStatus", "-b", "a:1", "--json"}) == 0);
  CHECK(mqadmin.out == "{\"brokers\":{\"a:1\":{\"A\":\"1 \",\"b\":\"2\"}}}\n");
}

TEST_CASE("updateBrokerConfig fails for a key that the broker doesn't have", "[tools]") {
  test::Mqadmin mqadmin;
  mqadmin.transport.on("a:1", RequestCode::kGetBrokerConfig, "fileReservedTime=72\nbrokerName=broker-a\n");
  mqadmin.transport.on("a:1", RequestCode::kUpdateBrokerConfig, "");
  CHECK(mqadmin.run({"updateBrokerConfig", "-b", "a:1", "-k", "fileReservedTime", "-v", "48"}) == 0);
  CHECK(mqadmin.out == "update broker config success, a:1\n");
  CHECK(mqadmin.transport.asked.back().body == "fileReservedTime=48\n");

  CHECK(mqadmin.run({"updateBrokerConfig", "-b", "a:1", "-k", "fileReservdTime", "-v", "48"}) == 1);
  CHECK(mqadmin.err.find("a:1 has no setting fileReservdTime") != std::string::npos);
  CHECK(mqadmin.run({"updateBrokerConfig", "-k", "a", "-v", "b"}) == 1);
  CHECK(mqadmin.transport.of(RequestCode::kUpdateBrokerConfig).size() == 1);
}

TEST_CASE("getBrokerConfig prints settings under their broker", "[tools]") {
  test::Mqadmin mqadmin;
  for (const char* broker : {"a:1", "a:2"})
    mqadmin.transport.on(broker, RequestCode::kGetBrokerConfig, "brokerName=broker-a\n");
  CHECK(mqadmin.run({"getBrokerConfig", "-b", "a:1"}) == 0);
  CHECK(mqadmin.out ==
        "============a:1============\nbrokerName                                        =  broker-a\n\n");
  CHECK(mqadmin.run({"getBrokerConfig", "-c", "C"}) == 0);
  CHECK(mqadmin.out.find("============Master: a:1============") == 0);
  CHECK(mqadmin.out.find("============My Master: a:1=====Slave: a:2============") != std::string::npos);
}

TEST_CASE("clean-ups go to every broker and fail if one does", "[tools]") {
  test::Mqadmin mqadmin;
  for (const char* broker : {"a:1", "a:2"}) mqadmin.transport.on(broker, RequestCode::kCleanExpiredConsumequeue, "");
  CHECK(mqadmin.run({"cleanExpiredCQ"}) == 0);
  CHECK(mqadmin.out == "success\n");
  CHECK(mqadmin.transport.of(RequestCode::kCleanExpiredConsumequeue).size() == 2);
  CHECK(mqadmin.run({"cleanUnusedTopic", "-c", "C"}) == 1);
  CHECK(mqadmin.out == "false\n");
}

TEST_CASE("brokerConsumeStats prints queues that lag", "[tools]") {
  test::Mqadmin mqadmin;
  mqadmin.transport.on(
      "a:1", RequestCode::kGetBrokerConsumeStats,
      R"({"brokerAddr":"a:1","consumeStatsList":[{"g1":[{"consumeTps":0.0,"offsetTable":)"
      R"({{"brokerName":"broker-a","queueId":0,"topic":"t1"}:{"brokerOffset":26,"consumerOffset":20,"lastTimestamp":1795209509000,"pullOffset":20},)"
      R"({"brokerName":"broker-a","queueId":1,"topic":"t1"}:{"brokerOffset":5,"consumerOffset":5,"lastTimestamp":0,"pullOffset":5}}}]}],"totalDiff":6,"totalInflightDiff":0})");
  CHECK(mqadmin.run({"brokerConsumeStats", "-b", "a:1", "--json"}) == 0);
  CHECK(mqadmin.out ==
        "{\"queues\":[{\"topic\":\"t1\",\"group\":\"g1\",\"brokerName\":\"broker-a\",\"queueId\":0,\"brokerOffset\":26,"
        "\"consumerOffset\":20,\"diff\":6,\"lastTimestamp\":1795209509000}],\"diffTotal\":6}\n");
  CHECK(mqadmin.run({"brokerConsumeStats", "-b", "a:1", "-l", "7"}) == 0);
  CHECK(mqadmin.out.find("broker-a ") == std::string::npos);
}

TEST_CASE("name server commands speak to each name server", "[tools]") {
  test::Mqadmin mqadmin;
  for (const char* server : {"ns:1", "ns:2"}) {
    mqadmin.transport.on(server, RequestCode::kGetNamesrvConfig, "listenPort=9876\n");
    mqadmin.transport.on(server, RequestCode::kUpdateNamesrvConfig, "");
    mqadmin.transport.on(server, RequestCode::kPutKvConfig, "");
    mqadmin.transport.on(server, RequestCode::kDeleteKvConfig, "");
    mqadmin.transport.on(server, RequestCode::kWipeWritePermOfBroker, test::with_fields({{"wipeTopicCount", "16"}}));
    mqadmin.transport.on(server, RequestCode::kAddWritePermOfBroker, test::with_fields({{"addTopicCount", "15"}}));
  }
  const std::string both = "ns:1;ns:2";
  CHECK(mqadmin.run({"getNamesrvConfig", "-n", both}) == 0);
  CHECK(mqadmin.out.find("============ns:2============\nlistenPort                                        =  9876\n") !=
        std::string::npos);
  CHECK(mqadmin.run({"updateNamesrvConfig", "-n", both, "-k", "a", "-v", "b"}) == 0);
  CHECK(mqadmin.out == "update name server config success![ns:1, ns:2]\na : b\n");
  CHECK(mqadmin.run({"updateKvConfig", "-n", both, "-s", "N", "-k", "a", "-v", "b"}) == 0);
  CHECK(mqadmin.out == "create or update kv config to namespace success.\n");
  CHECK(mqadmin.run({"deleteKvConfig", "-n", both, "-s", "N", "-k", "a"}) == 0);
  CHECK(mqadmin.out == "delete kv config from namespace success.\n");
  CHECK(mqadmin.run({"wipeWritePerm", "-n", both, "-b", "broker-a"}) == 0);
  CHECK(mqadmin.out ==
        "wipe write perm of broker[broker-a] in name server[ns:1] OK, 16\nwipe write perm of broker[broker-a] in name "
        "server[ns:2] OK, 16\n");
  CHECK(mqadmin.run({"addWritePerm", "-n", "ns:1;ns:3", "-b", "broker-a"}) == 1);
  CHECK(mqadmin.out ==
        "add write perm of broker[broker-a] in name server[ns:1] OK, 15\nadd write perm of broker[broker-a] in name "
        "server[ns:3] Failed\n");
}

TEST_CASE("haStatus says how far each slave is, and what a slave has", "[tools]") {
  test::Mqadmin mqadmin;
  mqadmin.transport.on("a:1", RequestCode::kGetBrokerHaStatus,
                       R"({"master":true,"masterCommitLogMaxOffset":9000,"inSyncSlaveNums":1,"haConnectionInfo":[)"
                       R"({"addr":"10.0.0.2:4001","slaveAckOffset":8976,"diff":24,"inSync":true,)"
                       R"("transferredByteInSecond":2048,"transferFromWhere":8976},)"
                       R"({"addr":"10.0.0.3:4002","slaveAckOffset":1000,"diff":8000,"inSync":false,)"
                       R"("transferredByteInSecond":0,"transferFromWhere":1000}],"haClientRuntimeInfo":{}})");
  mqadmin.transport.on(
      "a:2", RequestCode::kGetBrokerHaStatus,
      R"({"master":false,"masterCommitLogMaxOffset":0,"inSyncSlaveNums":0,"haConnectionInfo":[],"haClientRuntimeInfo":{)"
      R"("masterAddr":"a:3","maxOffset":8976,"transferredByteInSecond":1536,"lastReadTimestamp":0,)"
      R"("lastWriteTimestamp":0,"masterFlushOffset":0}})");
  CHECK(mqadmin.run({"haStatus", "-b", "a:1"}) == 0);
  CHECK(mqadmin.out ==
        "\n#MasterAddr\ta:1\n#MasterCommitLogMaxOffset\t9000\n#SlaveNum\t2\n#InSyncSlaveNum\t1\n"
        "#SlaveAddr                        #SlaveAckOffset              #Diff #TransferSpeed(KB/s)          #Status "
        "#TransferFromWhere\n"
        "10.0.0.2:4001                     8976                            24                 2.00               OK "
        "              8976\n"
        "10.0.0.3:4002                     1000                          8000                 0.00      Fall Behind "
        "              1000\n");
  CHECK(mqadmin.run({"haStatus", "-b", "a:2"}) == 0);
  CHECK(mqadmin.out.find("\n#MasterAddr\ta:3\n#CommitLogMaxOffset\t8976\n#TransferSpeed(KB/s)\t1.50\n") == 0);
  CHECK(mqadmin.run({"haStatus", "-c", "C", "--json"}) == 0);
  CHECK(mqadmin.out.find(R"({"brokers":{"a:1":{"master":true,"maxOffset":9000,"inSyncSlaveNum":1,"slaves":[)") == 0);
  CHECK(mqadmin.out.find("a:2") == std::string::npos);  // of a cluster the masters
  CHECK(mqadmin.run({"haStatus", "-b", "a:9"}) == 1);
  CHECK(mqadmin.err.find("connect a:9") != std::string::npos);
  CHECK(mqadmin.run({"haStatus"}) == 1);
}
