#include <catch2/catch.hpp>

#include "tests/support/mqadmin_fixture.h"
#include "tests/support/records.h"

using namespace comet;
using remoting::RequestCode;
using remoting::ResponseCode;

namespace {

const std::string kProperties =
    "UNIQ_KEY\x01"
    "ABC123\x02"
    "TAGS\x01TagA\x02KEYS\x01key1 key2\x02";

/// A broker whose queue 0 of t1 holds `count` messages; all other queues are empty.
struct Messages : test::Mqadmin {
  explicit Messages(int64_t count = 2) {
    const auto in_queue_0 = [](const auto& asked) { return asked.ext.find("\"queueId\":\"0\"") != std::string::npos; };
    transport.on("a:1", RequestCode::kGetMinOffset, test::with_fields({{"offset", "0"}}));
    transport.on("a:1", RequestCode::kGetMaxOffset, [=](const auto& asked) -> Result<remoting::Response> {
      return test::with_fields({{"offset", in_queue_0(asked) ? std::to_string(count) : "0"}});
    });
    transport.on("a:1", RequestCode::kPullMessage, [=](const auto& asked) -> Result<remoting::Response> {
      const auto number = [&](const std::string& name) {
        return std::stoll(asked.ext.substr(asked.ext.find("\"" + name + "\":\"") + name.size() + 4));
      };
      const int64_t offset = number("queueOffset"), end = std::min<int64_t>(count, offset + number("maxMsgNums"));
      std::string body;
      for (int64_t at = offset; at < end; ++at)
        body += test::record("t1", "hello " + std::to_string(at), kProperties, at);
      auto response = test::with_fields({{"suggestWhichBrokerId", "0"},
                                         {"nextBeginOffset", std::to_string(end)},
                                         {"minOffset", "0"},
                                         {"maxOffset", std::to_string(count)}},
                                        body);
      if (body.empty()) response.code = static_cast<int32_t>(ResponseCode::kPullNotFound);
      return response;
    });
    transport.on("a:1", RequestCode::kQueryTopicConsumeByWho, R"({"groupList":[]})");
  }
  size_t lines_with(const std::string& text) const {
    size_t count = 0;
    for (size_t at = out.find(text); at != std::string::npos; at = out.find(text, at + 1)) ++count;
    return count;
  }
};

}  // namespace

TEST_CASE("consumeMessage prints what each queue holds", "[tools]") {
  Messages mqadmin;
  CHECK(mqadmin.run({"consumeMessage", "-t", "t1"}) == 0);
  CHECK(mqadmin.out.find("Consume ok\nMSGID: ABC123 MessageExt [brokerName=broker-a, ") == 0);
  CHECK(mqadmin.out.find("] BODY: hello 0\nMSGID: ") != std::string::npos);
  CHECK(mqadmin.out.find("MessageQueue [topic=t1, brokerName=broker-a, queueId=0] print msg finished. "
                         "status=NO_NEW_MSG, offset=2\n") != std::string::npos);
  CHECK(mqadmin.out.find("MessageQueue [topic=t1, brokerName=broker-a, queueId=1] print msg finished. "
                         "status=NO_NEW_MSG, offset=0\n") != std::string::npos);
  CHECK(mqadmin.transport.of(RequestCode::kPullMessage).front().ext.find("TOOLS_CONSUMER") != std::string::npos);
}

TEST_CASE("consumeMessage stops at the number that was asked for", "[tools]") {
  Messages mqadmin(100);
  CHECK(mqadmin.run({"consumeMessage", "-t", "t1", "-c", "40"}) == 0);
  CHECK(mqadmin.lines_with("MSGID: ") == 40);
  CHECK(mqadmin.out.find("The older 40 message of the 0 queue will be provided\n") == 0);
}

TEST_CASE("consumeMessage can start anywhere in one queue", "[tools]") {
  Messages mqadmin(10);
  CHECK(mqadmin.run({"consumeMessage", "-t", "t1", "-b", "broker-a", "-i", "0", "-o", "7"}) == 0);
  CHECK(mqadmin.lines_with("MSGID: ") == 3);
  CHECK(mqadmin.run({"consumeMessage", "-t", "t1", "-b", "broker-a", "-i", "0", "-o", "77"}) == 0);
  CHECK(mqadmin.out == "MessageQueue [topic=t1, brokerName=broker-a, queueId=0] no matched msg, offset=77\n");
  CHECK(mqadmin.run({"consumeMessage", "-t", "t1", "-i", "0"}) == 1);
  CHECK(mqadmin.err == "mqadmin consumeMessage: Please set the brokerName before queueId!\n");
  CHECK(mqadmin.run({"consumeMessage", "-t", "t1", "-b", "broker-x"}) == 1);
  CHECK(mqadmin.run({"consumeMessage", "-t", "t1", "-e", "9999999999999"}) == 1);
}

TEST_CASE("consumeMessage gives whole messages as JSON", "[tools]") {
  Messages mqadmin(1);
  CHECK(mqadmin.run({"consumeMessage", "-t", "t1", "--json"}) == 0);
  CHECK(mqadmin.out.find("{\"messages\":[{\"msgId\":\"ABC123\",\"offsetMsgId\":\"7F00000100002A9F0000000000000000\","
                         "\"topic\":\"t1\"") == 0);
  CHECK(mqadmin.out.find("\"body\":\"hello 0\"}]}\n") != std::string::npos);
}

TEST_CASE("printMsg goes through all queues", "[tools]") {
  Messages mqadmin;
  CHECK(mqadmin.run({"printMsg", "-t", "t1", "-d", "false"}) == 0);
  CHECK(mqadmin.out.find(
            "minOffset=0, maxOffset=2, MessageQueue [topic=t1, brokerName=broker-a, queueId=0]\nMSGID: ABC123 ") == 0);
  CHECK(mqadmin.lines_with("BODY: NOT PRINT BODY\n") == 2);
  CHECK(mqadmin.lines_with("--------------------------------------------------------\n") == 2);
}

TEST_CASE("sendMessage prints where the message went", "[tools]") {
  test::Mqadmin mqadmin;
  mqadmin.transport.on("a:1", RequestCode::kSendMessageV2,
                       test::with_fields({{"msgId", "X"}, {"queueId", "1"}, {"queueOffset", "4"}}));
  CHECK(mqadmin.run({"sendMessage", "-t", "t1", "-p", "hi", "-k", "k", "-c", "TagA"}) == 0);
  CHECK(mqadmin.out.find("#Broker Name                      #QID  #Send Result            #MsgId\n"
                         "broker-a                          1     SEND_OK                 ") == 0);
  CHECK(mqadmin.run({"sendMessage", "-t", "t1", "-p", "hi", "-b", "broker-a", "-i", "1", "--json"}) == 0);
  CHECK(mqadmin.out.find(
            "{\"brokerName\":\"broker-a\",\"queueId\":1,\"queueOffset\":4,\"sendResult\":\"SEND_OK\",\"msgId\":\"") ==
        0);
  CHECK(mqadmin.transport.of(RequestCode::kSendMessageV2).back().ext.find("\"e\":\"1\"") != std::string::npos);
  CHECK(mqadmin.run({"sendMessage", "-t", "t1", "-p", "hi", "-i", "1"}) == 1);
  CHECK(mqadmin.err == "mqadmin sendMessage: Broker name must be set if the queue is chosen!\n");
}

TEST_CASE("checkMsgSendRT times every send and fails if one does", "[tools]") {
  test::Mqadmin mqadmin;
  mqadmin.transport.on("a:1", RequestCode::kSendMessageV2,
                       test::with_fields({{"msgId", "X"}, {"queueId", "1"}, {"queueOffset", "4"}}));
  CHECK(mqadmin.run({"checkMsgSendRT", "-t", "t1", "-a", "3"}) == 0);
  CHECK(mqadmin.out.find("broker-a                          1     true                    0\n") != std::string::npos);
  CHECK(mqadmin.out.find("Avg RT: 0.00\n") != std::string::npos);
  mqadmin.transport.on("a:1", RequestCode::kSendMessageV2,
                       test::refusal(ResponseCode::kServiceNotAvailable, "disk full"));
  CHECK(mqadmin.run({"checkMsgSendRT", "-t", "t1", "-a", "3"}) == 1);
  CHECK(mqadmin.err.find("3 of 3 messages were not sent") != std::string::npos);
}

TEST_CASE("queryMsgById asks the broker inside the id, else all by the producer's id", "[tools]") {
  Messages mqadmin;
  mqadmin.transport.on("127.0.0.1:10911", RequestCode::kViewMessageById, test::record("t1", "hello 1", kProperties, 1));
  CHECK(mqadmin.run({"queryMsgById", "-t", "t1", "-i", "7F00000100002A9F0000000000000102", "-f", "UTF-8"}) == 0);
  CHECK(mqadmin.out.find("OffsetID:            7F00000100002A9F0000000000000102\n"
                         "Topic:               t1\n"
                         "Tags:                [TagA]\n"
                         "Keys:                [key1 key2]\n"
                         "Queue ID:            2\n"
                         "Queue Offset:        1\n"
                         "CommitLog Offset:    258\n"
                         "Reconsume Times:     0\n"
                         "Born Timestamp:      ") == 0);
  CHECK(mqadmin.out.find("Message Body Path:   /tmp/rocketmq/msgbodys/ABC123\nMessage Body:        hello 1\n\n\nWARN: "
                         "No Consumer\n") != std::string::npos);

  mqadmin.transport.on("a:1", RequestCode::kQueryMessage, test::record("t1", "hello 1", kProperties, 1));
  CHECK(mqadmin.run({"queryMsgById", "-t", "t1", "-i", "ABC123", "--json"}) == 0);
  CHECK(mqadmin.out.find("{\"messages\":[{\"message\":{\"msgId\":\"ABC123\"") == 0);
  CHECK(mqadmin.run({"queryMsgById", "-t", "t1", "-i", "NOSUCH"}) == 1);
  CHECK(mqadmin.err == "mqadmin queryMsgById: topic t1 has no message with the id NOSUCH\n");
}

TEST_CASE("a message's tracks tell what each group did with it", "[tools]") {
  Messages mqadmin;
  // The master's address in the cluster must be the one that the message was stored at.
  mqadmin.transport.on(
      "ns:1", RequestCode::kGetRouteinfoByTopic,
      R"({"brokerDatas":[{"brokerAddrs":{0:"127.0.0.1:10911"},"brokerName":"broker-a","cluster":"C"}],"filterServerTable":{},)"
      R"("queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]})");
  const std::string broker = "127.0.0.1:10911";
  mqadmin.transport.on(broker, RequestCode::kQueryMessage, test::record("t1", "hello 1", kProperties, 1));
  mqadmin.transport.on(broker, RequestCode::kQueryTopicConsumeByWho,
                       R"({"groupList":["done","filtered","gone","late"]})");
  mqadmin.transport.on(
      broker, RequestCode::kGetConsumerConnectionList, [](const auto& asked) -> Result<remoting::Response> {
        if (asked.ext.find("gone") != std::string::npos)
          return test::refusal(ResponseCode::kConsumerNotOnline, "the consumer group[gone] not online");
        const std::string tags = asked.ext.find("filtered") != std::string::npos ? "TagX" : "*";
        remoting::Response response;
        response.body =
            R"({"connectionSet":[],"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET","consumeType":"CONSUME_PASSIVELY",)"
            R"("messageModel":"CLUSTERING","subscriptionTable":{"t1":{"subString":")" +
            tags + R"(","topic":"t1"}}})";
        return response;
      });
  mqadmin.transport.on(broker, RequestCode::kGetConsumeStats, [](const auto& asked) -> Result<remoting::Response> {
    const std::string offset = asked.ext.find("late") != std::string::npos ? "1" : "2";
    remoting::Response response;
    response.body =
        R"({"consumeTps":0.0,"offsetTable":{{"brokerName":"broker-a","queueId":2,"topic":"t1"}:{"brokerOffset":2,"consumerOffset":)" +
        offset + R"(,"lastTimestamp":0,"pullOffset":0}}})";
    return response;
  });

  CHECK(mqadmin.run({"queryMsgByUniqueKey", "-t", "t1", "-i", "ABC123"}) == 0);

  CHECK(mqadmin.out.find(
            "MessageTrack [consumerGroup=done, trackType=CONSUMED, exceptionDesc=null]\n"
            "MessageTrack [consumerGroup=filtered, trackType=CONSUMED_BUT_FILTERED, exceptionDesc=null]\n"
            "MessageTrack [consumerGroup=gone, trackType=NOT_ONLINE, exceptionDesc=127.0.0.1:10911 answered ") !=
        std::string::npos);
  CHECK(mqadmin.out.find("MessageTrack [consumerGroup=late, trackType=NOT_CONSUME_YET, exceptionDesc=null]\n") !=
        std::string::npos);
}

TEST_CASE("queryMsgByKey lists ids, and fails when nothing has the key", "[tools]") {
  Messages mqadmin;
  mqadmin.transport.on("a:1", RequestCode::kQueryMessage, test::record("t1", "hello 1", kProperties, 1));
  CHECK(mqadmin.run({"queryMsgByKey", "-t", "t1", "-k", "key2"}) == 0);
  CHECK(mqadmin.out ==
        "#Message ID                                        #QID                                  #Offset\n"
        "ABC123                                                2                                        1\n");
  CHECK(mqadmin.run({"queryMsgByKey", "-t", "t1", "-k", "key"}) == 1);
  CHECK(mqadmin.err == "mqadmin queryMsgByKey: topic t1 has no message with the key key\n");
}

TEST_CASE("queryMsgByOffset says what the queue holds when there is nothing", "[tools]") {
  Messages mqadmin;
  CHECK(mqadmin.run({"queryMsgByOffset", "-t", "t1", "-b", "broker-a", "-i", "0", "-o", "1"}) == 0);
  CHECK(mqadmin.out.find("Queue Offset:        1\n") != std::string::npos);
  CHECK(mqadmin.run({"queryMsgByOffset", "-t", "t1", "-b", "broker-a", "-i", "0", "-o", "9"}) == 1);
  CHECK(mqadmin.err.find("has no message at offset 9: it holds 0 to 1") != std::string::npos);
}

TEST_CASE("queryCq prints entries as they are", "[tools]") {
  test::Mqadmin mqadmin;
  mqadmin.transport.on(
      "a:1", RequestCode::kQueryConsumeQueue,
      R"({"maxQueueIndex":2,"minQueueIndex":0,"queueData":[{"eval":false,"physicOffset":258,"physicSize":269,"tagsCode":2598920}]})");
  CHECK(mqadmin.run({"queryCq", "-t", "t1", "-q", "2", "-i", "1"}) == 0);
  CHECK(mqadmin.out ==
        "Queue data: \nmax: 2, min: 0\n======================================\nidx: 1\n"
        "ConsumeQueueData{physicOffset=258, physicSize=269, tagsCode=2598920, extendDataJson='null', bitMap='null', "
        "eval=false, msg='null'}\n"
        "======================================\n");
}
