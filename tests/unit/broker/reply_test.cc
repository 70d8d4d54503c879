#include "broker/processors/reply.h"

#include <catch2/catch.hpp>

#include "tests/unit/broker/hot_fixture.h"

namespace comet::broker {
namespace {

using test::properties;

constexpr int32_t kSystemError = 1, kNoPermission = 16;

/// A requester's connection, which answers what is pushed as the test says.
class RequesterChannel final : public remoting::Channel {
 public:
  explicit RequesterChannel(remoting::EventLoop& loop) : loop_(loop) {}
  Id id() const override { return 77; }
  const Host& remote_host() const override { return host_; }
  const std::string& remote_text() const override { return text_; }
  remoting::EventLoop& loop() const override { return loop_; }
  bool open() const override { return is_open; }
  void send_oneway(remoting::OutgoingRequest) override {}
  void call(remoting::OutgoingRequest request, int64_t timeout_ms, Answer answer) override {
    pushed.push_back(std::move(request));
    CHECK(timeout_ms == 10'000);
    if (thinking) return waiting.push_back(std::move(answer));
    if (!answering) return answer(fail(Errc::kTimeout, "no answer"));
    remoting::Response response;
    response.code = code;
    answer(std::move(response));
  }
  void close() override { is_open = false; }

  std::vector<remoting::OutgoingRequest> pushed;
  std::vector<Answer> waiting;  ///< while `thinking`
  int32_t code = 0;
  bool answering = true, thinking = false, is_open = true;

 private:
  remoting::EventLoop& loop_;
  const Host host_;
  const std::string text_ = "10.0.0.9:1";
};

struct ReplyBroker : test::HotBroker {
  explicit ReplyBroker(const std::function<void(BrokerConfig&)>& adjust = {},
                       store::FlushMode flush = store::FlushMode::kAsync)
      : HotBroker(adjust, flush) {
    ClientInfo client;
    client.channel = requester;
    client.client_id = "requester-1";
    producers.register_client(client, "askers");
  }
  ~ReplyBroker() {
    loop.stop();
    if (runner.joinable()) runner.join();
  }
  void send(const std::string& text, const std::string& topic = "orders") {
    remoting::SendReplyMessageV2Request request;
    static_cast<remoting::SendFields&>(request) = test::order();
    request.topic = topic;
    request.properties = text;
    request.sys_flag = sys_flag::kCompressed;
    request.flag = 3;
    remoting::CommandHead head;
    processor.send_v2({head, "the reply", channel, clock.now_ms()}, request, remoting::Responder(channel, 9, false));
  }
  remoting::Response reply(const std::string& text, const std::string& topic = "orders") {
    const size_t before = channel->answers();
    turn([&] { send(text, topic); });
    turn_until_answers(before + 1);
    remoting::Response answer;
    turn([&] { answer = channel->last(); });
    return answer;
  }

  std::shared_ptr<RequesterChannel> requester = std::make_shared<RequesterChannel>(loop);
  Producers producers{clock, config};
  PerLoop<OwnMessages> own{loops, std::ref<store::MessageStore>(store), std::ref(topics), std::ref(statistics), kinds};
  ReplyProcessor processor{{store, topics, groups, locks, producers, parked, config, clock, null_log()},
                           loops,
                           own,
                           Host::parse("10.0.0.1:10911").value(),
                           3};
};

const std::string kToRequester =
    properties({{"MSG_TYPE", "reply"}, {"REPLY_TO_CLIENT", "requester-1"}, {"TTL", "3000"}});

TEST_CASE("a reply reaches the client that asked, and is stored", "[broker][reply]") {
  ReplyBroker broker;
  const auto answer = broker.reply(kToRequester);
  CHECK(answer.code == 0);
  CHECK(answer.field("msgId") == "0A00000100002A9F0000000000000000");
  CHECK(answer.field("queueId") == "1");
  CHECK(answer.field("queueOffset") == "0");
  CHECK(answer.field("MSG_REGION") == "DefaultRegion");
  REQUIRE(broker.requester->pushed.size() == 1);
  const auto& pushed = broker.requester->pushed.front();
  CHECK(pushed.code == 326);
  CHECK(pushed.body == "the reply");
  for (const char* part : {R"("topic":"orders")", R"("producerGroup":"producers")", R"("sysFlag":"1")", R"("flag":"3")",
                           R"("bornHost":"10.0.0.7:34567")", R"("storeHost":"10.0.0.1:10911")",
                           R"("storeTimestamp":"1700000000000")", "PUSH_REPLY_TIME\\u00011700000000000"}) {
    CAPTURE(pushed.ext_json);
    CHECK(pushed.ext_json.find(part) != std::string::npos);
  }
  const Message stored = broker.store.message("orders", 1, 0);
  CHECK(stored.body == "the reply");
  CHECK(stored.properties == kToRequester);
  CHECK(stored.sys_flag == 0);
  CHECK(stored.flag == 3);
}

TEST_CASE("a reply that its client didn't take is an error, and stored all the same", "[broker][reply]") {
  ReplyBroker broker;
  SECTION("refused") { broker.requester->code = 1; }
  SECTION("no answer") { broker.requester->answering = false; }
  const auto answer = broker.reply(kToRequester);
  CHECK(answer.code == kSystemError);
  CHECK(answer.remark == "push reply message to requester-1fail.");
  CHECK(broker.store.queue("orders", 1).max() == 1);
}

TEST_CASE("a reply to nobody says so", "[broker][reply]") {
  ReplyBroker broker;
  CHECK(broker.reply(properties({{"MSG_TYPE", "reply"}})).remark ==
        "reply message properties[REPLY_TO_CLIENT] is null");
  CHECK(broker.reply(properties({{"REPLY_TO_CLIENT", "who"}})).remark ==
        "push reply message fail, channel of <who> not found.");
  broker.producers.channel_closed(broker.requester);
  CHECK(broker.reply(kToRequester).remark == "push reply message fail, channel of <requester-1> not found.");
  CHECK(broker.requester->pushed.empty());
}

TEST_CASE("replies are stored only where that is wanted", "[broker][reply]") {
  ReplyBroker broker([](BrokerConfig& config) { config.store_reply_message = false; });
  const auto answer = broker.reply(kToRequester);
  CHECK(answer.code == 0);
  CHECK(answer.field("msgId") == "0");
  CHECK(answer.field("queueOffset") == "0");
  CHECK(broker.store.queue("orders", 1).max() == 0);
}

TEST_CASE("a reply is checked as a send is", "[broker][reply]") {
  ReplyBroker broker;
  CHECK(broker.reply(kToRequester, "SELF_TEST_TOPIC").code == kNoPermission);
  CHECK(broker.requester->pushed.empty());
}

TEST_CASE("a client's newest connection counts", "[broker][reply]") {
  ReplyBroker broker;
  const auto other = std::make_shared<test::CapturingChannel>(broker.loop, 78);
  ClientInfo client;
  client.channel = other;
  client.client_id = "requester-1";
  broker.producers.register_client(client, "askers");
  CHECK(broker.producers.channel_of("requester-1") == other);
  broker.producers.channel_closed(broker.requester);
  CHECK(broker.producers.channel_of("requester-1") == other);
  broker.producers.unregister_client(other, "askers");
  CHECK(broker.producers.channel_of("requester-1") == nullptr);
}

TEST_CASE("with as many replies on their way as may, one more is refused, until one has come", "[broker][reply]") {
  ReplyBroker broker;
  broker.requester->thinking = true;
  broker.turn([&] {
    for (int32_t n = 0; n < ReplyProcessor::kMostPushes; ++n) broker.send(kToRequester);
  });
  const PhyOffset end = broker.store.log_end;
  const auto refused = broker.reply(kToRequester);
  CHECK(refused.code == 2);
  CHECK(refused.remark ==
        "[REJECTREQUEST]system busy, start flow control for a while: 10000 replies are on their way to their clients "
        "already");
  CHECK(broker.requester->pushed.size() == ReplyProcessor::kMostPushes);
  CHECK(broker.store.log_end == end);

  broker.turn([&] { broker.requester->waiting.front()(remoting::Response{}); });
  broker.turn_until_answers(2);
  broker.turn([&] { broker.requester->thinking = false; });
  CHECK(broker.reply(kToRequester).code == 0);
  broker.turn([&] { broker.requester->waiting.clear(); });
}

TEST_CASE("with as many answers waiting as may, a reply is neither pushed nor stored", "[broker][reply]") {
  ReplyBroker broker({}, store::FlushMode::kSync);
  broker.turn([&] { broker.fill_parked(); });
  const PhyOffset end = broker.store.log_end;
  const auto answer = broker.reply(kToRequester);
  CHECK(answer.code == 2);
  CHECK(answer.remark == ReplyBroker::kBusyForDisk);
  CHECK(broker.requester->pushed.empty());
  CHECK(broker.store.log_end == end);
}

}  // namespace
}  // namespace comet::broker
