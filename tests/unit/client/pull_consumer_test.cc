#include "client/pull_consumer.h"

#include <catch2/catch.hpp>

#include "tests/support/canned_transport.h"
#include "tests/support/records.h"

using namespace comet;
using client::PullStatus;
using remoting::RequestCode;
using remoting::ResponseCode;

namespace {

const char* const kRoute =
    R"({"brokerDatas":[{"brokerAddrs":{"0":"a:1"},"brokerName":"broker-a","cluster":"C"}],"filterServerTable":{},)"
    R"("queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":2,"writeQueueNums":2}]})";

struct Fixture {
  test::CannedTransport transport;
  ManualClock clock;
  client::NameServers servers{transport, "ns:1"};
  client::Routes routes{servers, clock};
  client::PullConsumer consumer{transport, routes, {"g1", 1'000}};
  const client::Queue queue{"t1", "broker-a", 1};

  Fixture() { transport.on("ns:1", RequestCode::kGetRouteinfoByTopic, kRoute); }
  void answer_pull(int32_t code, std::string body = {}) {
    auto response = test::with_fields(
        {{"suggestWhichBrokerId", "0"}, {"nextBeginOffset", "7"}, {"minOffset", "3"}, {"maxOffset", "9"}},
        std::move(body));
    response.code = code;
    transport.on("a:1", RequestCode::kPullMessage, response);
  }
};

}  // namespace

TEST_CASE("a pull hands over messages with the queue's bounds", "[client]") {
  Fixture f;
  f.answer_pull(0, test::record("t1", "one", "TAGS\x01TagA\x02", 5) + test::record("t1", "two", "TAGS\x01TagB\x02", 6));

  const auto pulled = f.consumer.pull(f.queue, 5, 32);

  REQUIRE(pulled);
  CHECK(pulled->status == PullStatus::kFound);
  CHECK(pulled->next_offset == 7);
  CHECK(pulled->min_offset == 3);
  CHECK(pulled->max_offset == 9);
  REQUIRE(pulled->messages.size() == 2);
  CHECK(pulled->messages[0].property("MIN_OFFSET") == "3");
  CHECK(pulled->messages[0].property("MAX_OFFSET") == "9");
  const auto asked = f.transport.of(RequestCode::kPullMessage).front();
  CHECK(asked.ext.find("\"consumerGroup\":\"g1\"") != std::string::npos);
  CHECK(asked.ext.find("\"sysFlag\":\"4\"") != std::string::npos);
}

TEST_CASE("messages whose tag has only the hash of a wanted one are sorted out", "[client]") {
  Fixture f;
  f.answer_pull(0, test::record("t1", "one", "TAGS\x01TagA\x02", 5) + test::record("t1", "two", "TAGS\x01TagB\x02", 6));
  const auto one = f.consumer.pull(f.queue, 5, 32, 0, "TagX || TagB");
  REQUIRE(one);
  REQUIRE(one->messages.size() == 1);
  CHECK(one->messages[0].body == "two");

  const auto none = f.consumer.pull(f.queue, 5, 32, 0, "TagC");
  REQUIRE(none);
  CHECK(none->status == PullStatus::kNoMatchedMessage);
  CHECK(none->next_offset == 7);
}

TEST_CASE("each answer of a pull has its status", "[client]") {
  Fixture f;
  const std::pair<ResponseCode, PullStatus> expected[] = {
      {ResponseCode::kPullNotFound, PullStatus::kNoNewMessage},
      {ResponseCode::kPullRetryImmediately, PullStatus::kNoMatchedMessage},
      {ResponseCode::kPullOffsetMoved, PullStatus::kOffsetIllegal}};
  for (const auto& [code, status] : expected) {
    f.answer_pull(static_cast<int32_t>(code));
    const auto pulled = f.consumer.pull(f.queue, 100, 32);
    REQUIRE(pulled);
    CHECK(pulled->status == status);
    CHECK(pulled->next_offset == 7);
  }
}

TEST_CASE("a refused pull is an error with the broker's remark", "[client]") {
  Fixture f;
  f.transport.on("a:1", RequestCode::kPullMessage,
                 test::refusal(ResponseCode::kNoPermission, "the broker is write-only"));
  const auto pulled = f.consumer.pull(f.queue, 0, 1);
  REQUIRE_FALSE(pulled);
  CHECK(pulled.error().what.find("write-only") != std::string::npos);
}

TEST_CASE("a held pull asks the broker to wait", "[client]") {
  Fixture f;
  f.answer_pull(static_cast<int32_t>(ResponseCode::kPullNotFound));
  REQUIRE(f.consumer.pull(f.queue, 0, 1, 15'000));
  const auto asked = f.transport.of(RequestCode::kPullMessage).front();
  CHECK(asked.ext.find("\"sysFlag\":\"6\"") != std::string::npos);
  CHECK(asked.ext.find("\"suspendTimeoutMillis\":\"15000\"") != std::string::npos);
}

TEST_CASE("a group that never committed has no offset", "[client]") {
  Fixture f;
  f.transport.on("a:1", RequestCode::kQueryConsumerOffset, test::refusal(ResponseCode::kQueryNotFound, "Not found"));
  const auto none = f.consumer.committed(f.queue);
  REQUIRE(none);
  CHECK_FALSE(none->has_value());

  f.transport.on("a:1", RequestCode::kQueryConsumerOffset, test::with_fields({{"offset", "42"}}));
  CHECK(f.consumer.committed(f.queue).value() == 42);

  f.transport.on("a:1", RequestCode::kUpdateConsumerOffset, "");
  REQUIRE(f.consumer.commit(f.queue, 43));
  CHECK(f.transport.of(RequestCode::kUpdateConsumerOffset).front().ext.find("\"commitOffset\":\"43\"") !=
        std::string::npos);
}

TEST_CASE("offsets of a queue come from its broker", "[client]") {
  Fixture f;
  f.transport.on("a:1", RequestCode::kGetMinOffset, test::with_fields({{"offset", "3"}}));
  f.transport.on("a:1", RequestCode::kGetMaxOffset, test::with_fields({{"offset", "9"}}));
  f.transport.on("a:1", RequestCode::kSearchOffsetByTimestamp, test::with_fields({{"offset", "5"}}));
  CHECK(f.consumer.min_offset(f.queue).value() == 3);
  CHECK(f.consumer.max_offset(f.queue).value() == 9);
  CHECK(f.consumer.offset_at(f.queue, 1'000).value() == 5);
  CHECK(f.consumer.queues("t1").value().size() == 2);

  const auto elsewhere = f.consumer.min_offset({"t1", "broker-x", 0});
  REQUIRE_FALSE(elsewhere);
  CHECK(elsewhere.error().code == Errc::kNotFound);
}
