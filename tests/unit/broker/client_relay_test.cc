#include "broker/processors/client_relay.h"

#include <catch2/catch.hpp>

#include "remoting/protocol/bodies/offsets.h"
#include "tests/unit/broker/hot_fixture.h"

namespace comet::broker {
namespace {

using remoting::ConsumerStatusBody;
using remoting::MessageQueue;
using test::HotBroker;

constexpr int32_t kSystemError = 1, kTimedOut = 207;

/// A consumer's connection whose answers are the test's to give.
class AskedChannel final : public remoting::Channel {
 public:
  AskedChannel(remoting::EventLoop& loop, Id id) : loop_(loop), id_(id) {}
  Id id() const override { return id_; }
  const Host& remote_host() const override { return host_; }
  const std::string& remote_text() const override { return text_; }
  remoting::EventLoop& loop() const override { return loop_; }
  bool open() const override { return true; }
  void send_oneway(remoting::OutgoingRequest) override {}
  void call(remoting::OutgoingRequest request, int64_t timeout_ms, Answer answer) override {
    asked.push_back(std::move(request));
    timeouts.push_back(timeout_ms);
    answers.push_back(std::move(answer));
  }
  void close() override {}

  void answer(int32_t code, std::string body, std::string remark = {}) {
    remoting::Response response;
    response.code = code;
    response.body = std::move(body);
    response.remark = std::move(remark);
    answers.back()(std::move(response));
  }

  std::vector<remoting::OutgoingRequest> asked;
  std::vector<int64_t> timeouts;
  std::vector<Answer> answers;

 private:
  remoting::EventLoop& loop_;
  const Id id_;
  const Host host_;
  const std::string text_ = "10.0.0.8:1234";
};

struct Relaying : HotBroker {
  std::shared_ptr<AskedChannel> join(const std::string& client_id, int32_t version = 479) {
    auto joined = std::make_shared<AskedChannel>(loop, 10 + next_id++);
    ClientInfo client;
    client.channel = joined;
    client.client_id = client_id;
    client.version = version;
    client.last_update_ms = clock.now_ms();
    ConsumerRegistration registration;
    registration.group = "readers";
    consumers.register_client(client, registration);
    return joined;
  }
  template <class Request, class Method>
  void ask(Method method, const Request& request) {
    (relay.*method)(remoting::Call{head, {}, channel, clock.now_ms()}, request, remoting::Responder(channel, 9, false));
  }
  void status(const std::string& client_id = {}) {
    remoting::InvokeBrokerToGetConsumerStatusRequest request;
    request.topic = "orders";
    request.group = "readers";
    if (!client_id.empty()) request.client_addr = client_id;
    ask(&ClientRelayProcessor::consumer_status, request);
  }
  ConsumerStatusBody gathered() const { return remoting::parse_consumer_status_body(channel->last().body).value(); }

  remoting::CommandHead head;
  uint64_t next_id = 0;
  ClientRelayProcessor relay{config, consumers, topics, groups, store};
};

std::string status_of(int32_t queue, int64_t offset) {
  ConsumerStatusBody body;
  body.queues[MessageQueue{"broker-a", QueueId(queue), "orders"}] = offset;
  return to_json(body);
}

TEST_CASE("how far a group's clients have come is gathered from all of them", "[broker][relay]") {
  Relaying broker;
  const auto one = broker.join("one");
  const auto two = broker.join("two");
  const auto silent = broker.join("silent");
  broker.status();
  REQUIRE(one->asked.size() == 1);
  CHECK(one->timeouts.front() == 5'000);
  two->answer(0, status_of(1, 20));
  one->answer(0, status_of(0, 10));
  CHECK(broker.channel->answers() == 0);
  silent->answers.back()(fail(Errc::kTimeout, "no answer"));
  REQUIRE(broker.channel->answers() == 1);
  CHECK(broker.channel->last().code == 0);
  const auto clients = broker.gathered().clients;
  REQUIRE(clients.size() == 2);
  CHECK(clients.at("one").at(MessageQueue{"broker-a", QueueId(0), "orders"}) == 10);
  CHECK(clients.at("two").at(MessageQueue{"broker-a", QueueId(1), "orders"}) == 20);
}

TEST_CASE("one client of a group is asked alone; one that isn't there leaves an empty table", "[broker][relay]") {
  Relaying broker;
  const auto one = broker.join("one");
  const auto two = broker.join("two");
  broker.status("two");
  CHECK(one->asked.empty());
  two->answer(0, status_of(1, 20));
  CHECK(broker.gathered().clients.size() == 1);
  broker.status("nobody");
  CHECK(broker.channel->last().code == 0);
  CHECK(broker.gathered().clients.empty());
}

TEST_CASE("a group without clients, or with one that is too old, is refused", "[broker][relay]") {
  Relaying broker;
  broker.status();
  CHECK(broker.channel->last().code == kSystemError);
  CHECK(broker.channel->last().remark == "No Any Consumer online in the consumer group: [readers]");
  const auto old = broker.join("old", 27);
  broker.status();
  CHECK(broker.channel->last().code == kSystemError);
  CHECK(broker.channel->last().remark == "the client does not support this feature. version=V3_0_6");
  CHECK(old->asked.empty());
}

TEST_CASE("a client's answer is handed on byte for byte, its silence is CONSUME_MSG_TIMEOUT", "[broker][relay]") {
  Relaying broker;
  const auto client = broker.join("one");
  remoting::GetConsumerRunningInfoRequest request;
  request.consumer_group = "readers";
  request.client_id = "one";
  broker.ask(&ClientRelayProcessor::running_info, request);
  REQUIRE(client->asked.size() == 1);
  CHECK(client->timeouts.front() == 10'000);
  client->answer(1, "{not json", "as it is");
  CHECK(broker.channel->last().code == 1);
  CHECK(broker.channel->last().remark == "as it is");
  CHECK(broker.channel->last().body == "{not json");
  broker.ask(&ClientRelayProcessor::running_info, request);
  client->answers.back()(fail(Errc::kTimeout, "no answer"));
  CHECK(broker.channel->last().code == kTimedOut);
  request.client_id = "two";
  broker.ask(&ClientRelayProcessor::running_info, request);
  CHECK(broker.channel->last().code == kSystemError);
  CHECK(broker.channel->last().remark == "The Consumer <readers> <two> not online");
}

TEST_CASE("a message to consume directly goes to the client as the log holds it", "[broker][relay]") {
  Relaying broker;
  const auto client = broker.join("one");
  const auto sent = broker.send(test::order(), "again");
  remoting::ConsumeMessageDirectlyRequest request;
  request.consumer_group = "readers";
  request.client_id = "one";
  request.topic = "orders";
  request.msg_id = std::string(*sent.field("msgId"));
  broker.ask(&ClientRelayProcessor::consume_directly, request);
  REQUIRE(client->asked.size() == 1);
  CHECK(client->asked.front().body == broker.store.queue("orders", 1).records.front().bytes);
  client->answer(0, "{}");
  CHECK(broker.channel->last().code == 0);

  request.msg_id = "7F00000100002A9F00000000000F0000";
  broker.ask(&ClientRelayProcessor::consume_directly, request);
  CHECK(broker.channel->last().code == kSystemError);
  CHECK(broker.channel->last().remark == "can not find message by id 7F00000100002A9F00000000000F0000");
}

}  // namespace
}  // namespace comet::broker
