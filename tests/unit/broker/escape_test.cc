#include "broker/escape.h"

#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "broker/half_escape.h"
#include "remoting/protocol/bodies/route.h"
#include "remoting/protocol/headers/route.h"
#include "remoting/protocol/headers/send.h"
#include "tests/unit/broker/delivery_fixture.h"
#include "tests/unit/broker/state_fixture.h"
#include "tests/unit/broker/transaction_fixture.h"
#include "tests/unit/remoting/net/net_fixture.h"

namespace comet::broker {
namespace {

using remoting::Call;
using remoting::Reply;
using remoting::ResponseCode;
using remoting::test::LoopThread;
using test::BrokerState;
using test::properties;
using test::RecordingOutlet;
using test::TransactionalBroker;

/// A name server and two brokers in one: answers routes, takes messages, or refuses them.
struct Elsewhere {
  struct Taken {
    std::string topic, body, properties, group;
    int32_t queue = 0, sys_flag = 0, reconsume_times = 0;
  };
  std::vector<Taken> taken;
  std::optional<remoting::RouteData> route;
  ResponseCode answer = ResponseCode::kSuccess;

  Reply routes(const Call&, const remoting::GetRouteinfoByTopicRequest&) {
    if (!route) return Reply::refuse(ResponseCode::kTopicNotExist, "no such topic");
    return Reply::ok_body(to_json(*route));
  }
  Reply send(const Call& call, const remoting::SendMessageV2Request& request) {
    if (answer == ResponseCode::kNoPermission) return Reply::refuse(answer, "read only");
    taken.push_back({std::string(request.topic), std::string(call.body), std::string(request.properties),
                     std::string(request.producer_group), request.queue_id.value, request.sys_flag,
                     request.reconsume_times});
    return Reply::refuse(answer, "");
  }
};

struct Escaping : BrokerState {
  Escaping() {
    router.on<remoting::GetRouteinfoByTopicRequest>(remoting::Lane::kLoop, there, &Elsewhere::routes);
    router.on<remoting::SendMessageV2Request>(remoting::Lane::kLoop, there, &Elsewhere::send);
    address = "127.0.0.1:" + std::to_string(server.listen("127.0.0.1", 0, router).value());
    settings.namesrv_addr = address;
    settings.broker_id = 1;
    reopen();
    REQUIRE(load());
    routes = std::make_unique<TopicRoutes>(net.loop, client, tables->live);
    escape = std::make_unique<Escape>(net.loop, client, *routes, tables->live, null_log(), net.clock);
    net.start();
  }
  ~Escaping() { net.stop(); }
  /// What the name server says: our own queues, those of broker-b, and of one that is read only.
  void know_topic(bool others = true) {
    remoting::RouteData route;
    route.brokers.push_back({{{0, address}}, "broker-a", "DefaultCluster"});
    route.queues.push_back({"broker-a", 6, 4, 0, 4});
    if (others) {
      route.brokers.push_back({{{0, address}}, "broker-b", "DefaultCluster"});
      route.brokers.push_back({{{0, address}}, "broker-c", "DefaultCluster"});
      route.brokers.push_back({{{2, address}}, "broker-d", "DefaultCluster"});
      route.queues.push_back({"broker-b", 6, 2, 0, 2});
      route.queues.push_back({"broker-c", 4, 8, 0, 8});
      route.queues.push_back({"broker-d", 6, 8, 0, 8});
    }
    net.on([&] { there.route = route; });
  }
  static Message message(std::string_view body, std::string_view text) {
    Message message;
    message.topic = "orders";
    message.queue_id = QueueId(3);
    message.body = body;
    message.properties = text;
    message.sys_flag = sys_flag::kBornHostV6 | 1;
    message.reconsume_times = 2;
    return message;
  }

  Elsewhere there;
  std::string address;
  LoopThread net;
  remoting::ThreadWorkers workers;
  remoting::Router router{workers, null_log()};
  remoting::Server server{{&net.loop}, {}, {}, null_log()};
  remoting::Client client{net.loop, {}, null_log()};
  std::unique_ptr<TopicRoutes> routes;
  std::unique_ptr<Escape> escape;
};

}  // namespace

TEST_CASE("a message goes in turn to the writable queues of other names' masters, as it is", "[broker][acting]") {
  Escaping slave;
  slave.know_topic();
  const std::string text = properties({{"TAGS", "A"}, {"UNIQ_KEY", "u"}});
  for (const char* body : {"1", "2", "3"})
    CHECK(slave.escape->put(slave.message(body, text)).status == store::PutStatus::kOk);
  REQUIRE(slave.there.taken.size() == 3);
  for (const auto& taken : slave.there.taken) {
    CHECK(taken.topic == "orders");
    CHECK(taken.properties == text);
    CHECK(taken.group == "InnerProducerGroup_broker-a_1");
    CHECK(taken.sys_flag == 1);
    CHECK(taken.reconsume_times == 2);
  }
  CHECK(slave.there.taken[0].queue == 0);
  CHECK(slave.there.taken[1].queue == 1);
  CHECK(slave.there.taken[2].queue == 0);
  CHECK(slave.escape->put(slave.message("4", properties({{"PGROUP", "payers"}}))).status == store::PutStatus::kOk);
  CHECK(slave.there.taken[3].group == "payers");
  CHECK(slave.escape->escaped() == 4);
}

TEST_CASE("what nobody else takes stays", "[broker][acting]") {
  Escaping slave;
  const Message message = slave.message("m", "");
  CHECK(slave.escape->put(message).status == store::PutStatus::kServiceNotAvailable);  // no such topic
  slave.know_topic(false);
  CHECK(slave.escape->put(message).status == store::PutStatus::kServiceNotAvailable);  // only this name has it
  CHECK(slave.there.taken.empty());

  Escaping other;
  other.know_topic();
  other.net.on([&] { other.there.answer = ResponseCode::kNoPermission; });
  CHECK(other.escape->put(message).status == store::PutStatus::kServiceNotAvailable);
  other.net.on([&] { other.there.answer = ResponseCode::kFlushSlaveTimeout; });
  CHECK(other.escape->put(message).status == store::PutStatus::kOk);  // stored, though slowly
  CHECK(other.there.taken.size() == 1);
  CHECK(other.escape->escaped() == 1);
}

TEST_CASE("at the end nobody waits for other brokers", "[broker][acting]") {
  Escaping slave;
  slave.net.stop();  // nobody answers
  std::thread waiting([&] { CHECK_FALSE(slave.escape->put(slave.message("m", "")).status == store::PutStatus::kOk); });
  slave.escape->end();
  waiting.join();
  CHECK(slave.escape->put(slave.message("m", "")).status == store::PutStatus::kServiceNotAvailable);
}

TEST_CASE("what is due loses what would delay it again; what isn't keeps its time", "[broker][acting]") {
  CHECK(due_properties(properties({{"DELAY", "3"}, {"REAL_TOPIC", "t"}, {"TIMER_DELAY_SEC", "9"}, {"TAGS", "A"}})) ==
        properties({{"REAL_TOPIC", "t"}, {"TAGS", "A"}}));
  CHECK(due_properties(properties({{"TIMER_DELAY_SEC", "9"},
                                   {"REAL_TOPIC", "t"},
                                   {"REAL_QID", "1"},
                                   {"TIMER_OUT_MS", "5000"},
                                   {"__CRC32#", "x"}})) ==
        properties({{"TIMER_DELAY_SEC", "9"}, {"TIMER_OUT_MS", "5000"}}));
  CHECK(timed_properties(properties({{"TIMER_DELAY_SEC", "9"},
                                     {"REAL_TOPIC", "t"},
                                     {"REAL_QID", "1"},
                                     {"TAGS", "A"},
                                     {"TIMER_OUT_MS", "5000"},
                                     {"TIMER_ENQUEUE_MS", "1"}}),
                         6'000) == properties({{"TAGS", "A"}, {"TIMER_DELIVER_MS", "6000"}}));
}

TEST_CASE("open transactions are handed on in order, decided ones are passed over, and a refused one holds the rest",
          "[broker][acting]") {
  TransactionalBroker broker;
  const auto first = broker.send_half("U0");
  broker.send_half("U1", {{"DELAY", "2"}});
  broker.send_half("U2");
  CHECK(broker.commit(first).code == 0);
  broker.write_ops();
  broker.stop();  // its slave has the same

  RecordingOutlet outlet;
  outlet.refusals = 1;
  HalfEscape escape(
      {broker.parts->transactions, outlet, broker.hot.store, broker.hot.workers, broker.hot.config, null_log()},
      broker.hot.loop);
  escape.start();
  escape.walk();
  broker.turn();
  CHECK(outlet.messages.empty());
  CHECK(broker.committed(kHalfTopic) == 1);  // behind what was decided

  escape.walk();
  broker.turn();
  REQUIRE(outlet.messages.size() == 2);
  const auto& half = outlet.messages[0];
  CHECK(half.body == "pay U1");
  CHECK(half.topic == "orders");
  CHECK((half.sys_flag & sys_flag::kTransactionMask) == sys_flag::kPrepared);
  CHECK(find_property(half.properties, "TRAN_MSG") == "true");
  CHECK(find_property(half.properties, "PGROUP") == "payers");
  CHECK(find_property(half.properties, "DELAY") == "2");  // for when it is committed
  CHECK_FALSE(find_property(half.properties, "REAL_QID"));
  CHECK(outlet.messages[1].body == "pay U2");
  CHECK(broker.committed(kHalfTopic) == 3);

  escape.walk();
  CHECK(outlet.messages.size() == 2);
  escape.stop();
  broker.turn();
}

TEST_CASE("after it has stopped nothing is handed on", "[broker][acting]") {
  TransactionalBroker broker;
  broker.send_half("U0");
  broker.stop();
  RecordingOutlet outlet;
  HalfEscape escape(
      {broker.parts->transactions, outlet, broker.hot.store, broker.hot.workers, broker.hot.config, null_log()},
      broker.hot.loop);
  escape.start();
  escape.stop();
  escape.walk();
  CHECK(outlet.messages.empty());
  broker.turn();
}

}  // namespace comet::broker
