#include "client/producer.h"

#include <catch2/catch.hpp>

#include "common/bytes.h"
#include "tests/support/canned_transport.h"

using namespace comet;
using client::OutgoingMessage;
using remoting::RequestCode;
using remoting::ResponseCode;

namespace {

const char* const kTwoBrokers =
    R"({"brokerDatas":[{"brokerAddrs":{"0":"a:1"},"brokerName":"broker-a","cluster":"C"},)"
    R"({"brokerAddrs":{"0":"b:1"},"brokerName":"broker-b","cluster":"C"}],"filterServerTable":{},)"
    R"("queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":2,"writeQueueNums":2},)"
    R"({"brokerName":"broker-b","perm":6,"readQueueNums":2,"writeQueueNums":2}]})";

struct Fixture {
  test::CannedTransport transport;
  ManualClock clock;
  Rng rng{7};
  client::NameServers servers{transport, "ns:1"};
  client::Routes routes{servers, clock};
  client::Producer producer{transport, routes, client::UniqueIds({10, 0, 0, 1}, 1, clock, rng), clock, {}};

  Fixture() {
    transport.on("ns:1", RequestCode::kGetRouteinfoByTopic, kTwoBrokers);
    for (const char* broker : {"a:1", "b:1"}) {
      accept(broker, RequestCode::kSendMessageV2);
      accept(broker, RequestCode::kSendBatchMessage);
    }
  }
  /// Answers as a broker does, with the queue that was asked for.
  void accept(const std::string& broker, RequestCode code) {
    transport.on(broker, code, [](const auto& asked) -> Result<remoting::Response> {
      const size_t at = asked.ext.find("\"e\":\"");
      return test::with_fields({{"msgId", "OFFSETID"}, {"queueId", asked.ext.substr(at + 5, 1)}, {"queueOffset", "9"}});
    });
  }
};

std::vector<std::string> addresses(const std::vector<test::CannedTransport::Asked>& asked) {
  std::vector<std::string> found;
  for (const auto& one : asked) found.push_back(one.address);
  return found;
}

}  // namespace

TEST_CASE("messages go to all queues in turn", "[client]") {
  Fixture f;
  std::vector<client::Queue> queues;
  for (int n = 0; n < 4; ++n) {
    const auto sent = f.producer.send({.topic = "t1", .body = "hi"});
    REQUIRE(sent);
    queues.push_back(sent->queue);
  }
  CHECK(queues == std::vector<client::Queue>{
                      {"t1", "broker-a", 0}, {"t1", "broker-a", 1}, {"t1", "broker-b", 0}, {"t1", "broker-b", 1}});
}

TEST_CASE("a send carries the producer's id, tags and keys as properties", "[client]") {
  Fixture f;
  const auto sent =
      f.producer.send({.topic = "t1", .body = "hi", .tags = "TagA", .keys = "k1 k2", .properties = {{"a", "b"}}});

  REQUIRE(sent);
  CHECK(sent->offset_msg_id == "OFFSETID");
  CHECK(sent->queue_offset == 9);
  const auto asked = f.transport.of(RequestCode::kSendMessageV2).front();
  CHECK(asked.body == "hi");
  CHECK(asked.ext.find("UNIQ_KEY\\u0001" + sent->msg_id + "\\u0002") != std::string::npos);
  CHECK(asked.ext.find("TAGS\\u0001TagA\\u0002KEYS\\u0001k1 k2\\u0002a\\u0001b\\u0002") != std::string::npos);
  CHECK(asked.ext.find("\"c\":\"TBW102\"") != std::string::npos);
}

TEST_CASE("a message goes to another broker when one can't be reached or is busy", "[client]") {
  Fixture f;
  SECTION("unreachable") {
    f.transport.on("a:1", RequestCode::kSendMessageV2, [](const auto&) -> Result<remoting::Response> {
      return fail(Errc::kIo, "connect a:1: connection refused");
    });
  }
  SECTION("busy") {
    f.transport.on("a:1", RequestCode::kSendMessageV2, test::refusal(ResponseCode::kSystemBusy, "busy"));
  }

  const auto sent = f.producer.send({.topic = "t1", .body = "hi"});

  REQUIRE(sent);
  CHECK(sent->queue.broker_name == "broker-b");
  CHECK(addresses(f.transport.of(RequestCode::kSendMessageV2)) == std::vector<std::string>{"a:1", "b:1"});
}

TEST_CASE("retries end with the last broker's reason", "[client]") {
  Fixture f;
  for (const char* broker : {"a:1", "b:1"}) {
    f.transport.on(broker, RequestCode::kSendMessageV2, test::refusal(ResponseCode::kServiceNotAvailable, "disk full"));
  }
  const auto sent = f.producer.send({.topic = "t1", .body = "hi"});
  REQUIRE_FALSE(sent);
  CHECK(sent.error().what.find("disk full") != std::string::npos);
  CHECK(f.transport.of(RequestCode::kSendMessageV2).size() == 3);
}

TEST_CASE("a message that no broker will take is not tried again", "[client]") {
  Fixture f;
  f.transport.on("a:1", RequestCode::kSendMessageV2, test::refusal(ResponseCode::kMessageIllegal, "too big"));
  CHECK_FALSE(f.producer.send({.topic = "t1", .body = "hi"}));
  CHECK(f.transport.of(RequestCode::kSendMessageV2).size() == 1);
}

TEST_CASE("a message whose flush timed out is stored, and says so", "[client]") {
  Fixture f;
  auto answer = test::with_fields({{"msgId", "X"}, {"queueId", "0"}, {"queueOffset", "1"}});
  answer.code = static_cast<int32_t>(ResponseCode::kFlushDiskTimeout);
  f.transport.on("a:1", RequestCode::kSendMessageV2, answer);
  const auto sent = f.producer.send({.topic = "t1", .body = "hi"});
  REQUIRE(sent);
  CHECK(sent->status == client::SendStatus::kFlushDiskTimeout);
  CHECK(client::send_status_name(sent->status) == "FLUSH_DISK_TIMEOUT");
}

TEST_CASE("a batch is one request with a record for each message", "[client]") {
  Fixture f;
  const std::vector<OutgoingMessage> messages = {{.topic = "t1", .body = "one", .flag = 5},
                                                 {.topic = "t1", .body = "second"}};

  const auto sent = f.producer.send_batch(messages);

  REQUIRE(sent);
  CHECK(sent->msg_id.size() == 65);
  const auto asked = f.transport.of(RequestCode::kSendBatchMessage);
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].ext.find("\"m\":\"true\"") != std::string::npos);
  const std::string& body = asked[0].body;
  const auto first_size = load_be<int32_t>(body.data());
  CHECK(load_be<int32_t>(body.data() + 12) == 5);
  CHECK(load_be<int32_t>(body.data() + 16) == 3);
  CHECK(body.substr(20, 3) == "one");
  CHECK(load_be<int32_t>(body.data() + first_size + 16) == 6);
  CHECK(static_cast<size_t>(first_size + load_be<int32_t>(body.data() + first_size)) == body.size());
}

TEST_CASE("a batch needs messages of one topic, and properties can't hold their own separators", "[client]") {
  Fixture f;
  CHECK_FALSE(f.producer.send_batch({}));
  const std::vector<OutgoingMessage> mixed = {{.topic = "t1", .body = "a"}, {.topic = "t2", .body = "b"}};
  CHECK(f.producer.send_batch(mixed).error().code == Errc::kInvalid);
  CHECK(f.producer.send({.topic = "t1", .body = "a", .tags = "x\x01y"}).error().code == Errc::kInvalid);
  CHECK(f.transport.of(RequestCode::kSendMessageV2).empty());
}

TEST_CASE("a topic without a route is sent to the brokers that create topics", "[client]") {
  Fixture f;
  f.transport.on("ns:1", RequestCode::kGetRouteinfoByTopic, [](const auto& asked) -> Result<remoting::Response> {
    if (asked.ext.find("TBW102") == std::string::npos) return test::refusal(ResponseCode::kTopicNotExist, "no route");
    remoting::Response response;
    response.body = kTwoBrokers;
    return response;
  });
  const auto sent = f.producer.send({.topic = "young", .body = "hi"});
  REQUIRE(sent);
  CHECK(sent->queue.topic == "young");
}
