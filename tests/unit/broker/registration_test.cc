#include "broker/registration.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "common/crc32.h"
#include "remoting/protocol/bodies/registration.h"
#include "remoting/protocol/bodies/route.h"
#include "remoting/protocol/headers/route.h"
#include "tests/unit/broker/state_fixture.h"
#include "tests/unit/remoting/net/net_fixture.h"

namespace comet::broker {
namespace {

using remoting::Call;
using remoting::Reply;
using remoting::test::eventually;
using remoting::test::LoopThread;
using test::BrokerState;

/// A name server that writes down what brokers say. Its fields belong to its loop while that runs.
struct ListeningNameServer {
  struct Heard {
    remoting::RegisterBrokerRequest header;
    remoting::RegisterBrokerBody body;
    bool crc_fits = false;
  };
  std::vector<Heard> heard;
  std::vector<std::pair<std::string, remoting::RouteData>> topics;  // by themselves
  int32_t asked = 0, goodbyes = 0;
  int32_t refusals_left = 0;
  bool knows_all = false;  // what QUERY_DATA_VERSION answers
  std::string ordered;     // the table that answers carry

  Reply register_broker(const Call& call, const remoting::RegisterBrokerRequest& request) {
    if (refusals_left > 0) {
      --refusals_left;
      return Reply::refuse(remoting::ResponseCode::kSystemError, "not now");
    }
    heard.push_back({request,
                     remoting::parse_register_broker_body(call.body, request.compressed, call.head.version).value(),
                     request.body_crc32 == static_cast<int32_t>(crc32_masked(as_bytes(call.body)))});
    return Reply::ok_body(ordered);
  }
  Reply data_version(const Call&, const remoting::QueryDataVersionRequest&) {
    ++asked;
    remoting::QueryDataVersionResponse answer;
    answer.changed = !knows_all;
    return Reply::ok(answer);
  }
  Reply register_topic(const Call& call, const remoting::RegisterTopicInNamesrvRequest& request) {
    topics.emplace_back(request.topic, remoting::parse_route_data(call.body).value());
    return Reply::ok();
  }
  Reply unregister(const Call&, const remoting::UnregisterBrokerRequest&) {
    ++goodbyes;
    return Reply::ok();
  }
};

constexpr int64_t kQuickMs = 20;

/// A broker's registration at one such name server, on one loop.
struct Registered : BrokerState {
  explicit Registered(void (*adjust)(BrokerConfig&) = nullptr) : BrokerState(adjust) {
    router.on<remoting::RegisterBrokerRequest>(remoting::Lane::kLoop, names, &ListeningNameServer::register_broker);
    router.on<remoting::QueryDataVersionRequest>(remoting::Lane::kLoop, names, &ListeningNameServer::data_version);
    router.on<remoting::RegisterTopicInNamesrvRequest>(remoting::Lane::kLoop, names,
                                                       &ListeningNameServer::register_topic);
    router.on<remoting::UnregisterBrokerRequest>(remoting::Lane::kLoop, names, &ListeningNameServer::unregister);
    const int32_t port = server.listen("127.0.0.1", 0, router).value();
    settings.namesrv_addr = "127.0.0.1:" + std::to_string(port);
    settings.broker_ip1 = "127.0.0.1";
    reopen();
    REQUIRE(load());
    registration = std::make_unique<Registration>(net.loop, client, null_log(), tables->live, tables->topics, kQuickMs);
    tables->topics.on_change([this](const std::vector<std::string>& changed, const DataVersion& version) {
      registration->topics_changed(changed, version);
    });
  }
  ~Registered() { net.stop(); }

  /// Starts and waits for the first answer; whether it took the registration.
  bool start() {
    if (!running) net.start();
    running = true;
    std::promise<int32_t> taken;
    registration->start([&](int32_t took, int32_t) { taken.set_value(took); });
    auto done = taken.get_future();
    REQUIRE(done.wait_for(remoting::test::kPatience) == std::future_status::ready);
    return done.get() == 1;
  }
  template <class F>
  auto ask(F what) {
    decltype(what()) said{};
    net.on([&] { said = what(); });
    return said;
  }
  bool heard(size_t count) {
    return eventually([&] { return ask([&] { return names.heard.size(); }) >= count; });
  }
  void make_topic(const std::string& name) {
    TopicConfig topic;
    topic.name = name;
    topic.read_queues = topic.write_queues = 3;
    tables->topics.put(topic);
  }

  ListeningNameServer names;
  LoopThread net;
  remoting::ThreadWorkers workers;
  remoting::Router router{workers, null_log()};
  remoting::Server server{{&net.loop}, {}, {}, null_log()};
  remoting::Client client{net.loop, {}, null_log()};
  std::unique_ptr<Registration> registration;
  bool running = false;
};

TEST_CASE("a registration that was refused is tried again until it is taken", "[broker][registration]") {
  Registered broker;
  broker.names.refusals_left = 3;
  CHECK_FALSE(broker.start());
  REQUIRE(broker.heard(1));
  CHECK(broker.ask([&] { return broker.names.refusals_left; }) == 0);
  CHECK(broker.names.heard[0].body.topics.topics.contains("TBW102"));
  CHECK(broker.names.heard[0].crc_fits);
}

TEST_CASE("a changed topic goes by itself to who took the rest", "[broker][registration]") {
  Registered broker;
  REQUIRE(broker.start());
  broker.make_topic("orders");
  REQUIRE(broker.heard(2));
  const auto& part = broker.names.heard[1].body.topics;
  CHECK(part.topics.size() == 1);
  CHECK(part.topics.at("orders").write_queue_nums == 3);
  CHECK(part.data_version.counter > broker.names.heard[0].body.topics.data_version.counter);
}

TEST_CASE("with forceRegister=false a name server that knows everything isn't told again", "[broker][registration]") {
  Registered broker([](BrokerConfig& config) { config.force_register = false; });
  broker.names.knows_all = true;
  CHECK(broker.start());
  CHECK(broker.ask([&] { return broker.names.asked; }) == 1);
  CHECK(broker.ask([&] { return broker.names.heard.size(); }) == 0);
  broker.ask([&] { return broker.names.knows_all = false; });
  broker.registration->register_now();
  CHECK(broker.heard(1));
}

TEST_CASE("topics that name servers say are ordered become so, and stay", "[broker][registration]") {
  Registered broker;
  broker.make_topic("orders");
  broker.make_topic("others");
  broker.names.ordered = R"({"table":{"orders":"broker-a:3","unknown":"x"}})";
  REQUIRE(broker.start());
  REQUIRE(eventually([&] { return broker.tables->topics.find("orders")->order; }));
  CHECK_FALSE(broker.tables->topics.find("others")->order);
  CHECK(broker.tables->topics.find("unknown") == nullptr);
}

TEST_CASE("with compressedRegister the body is smaller, checked, and says the same", "[broker][registration]") {
  Registered broker([](BrokerConfig& config) { config.compressed_register = true; });
  broker.make_topic("orders");
  REQUIRE(broker.start());
  REQUIRE(broker.heard(1));
  const auto& heard = broker.names.heard[0];
  CHECK(heard.header.compressed);
  CHECK(heard.crc_fits);
  CHECK(heard.body.topics.topics.at("orders").read_queue_nums == 3);
  CHECK(heard.body.topics.data_version.counter == broker.tables->topics.version().counter);
}

TEST_CASE("with enableSplitRegistration the topics come in parts, each with a version of its own",
          "[broker][registration]") {
  Registered broker([](BrokerConfig& config) {
    config.split_registration = true;
    config.split_registration_size = 5;
  });
  REQUIRE(broker.start());
  const size_t all = broker.tables->topics.wire().topics.size();
  REQUIRE(broker.heard((all + 4) / 5));
  std::set<std::string> names;
  std::set<int64_t> versions;
  for (const auto& heard : broker.names.heard) {
    CHECK(heard.body.topics.topics.size() <= 5);
    versions.insert(heard.body.topics.data_version.counter);
    for (const auto& [name, topic] : heard.body.topics.topics) names.insert(name);
  }
  CHECK(names.size() == all);
  CHECK(versions.size() == broker.names.heard.size());
}

TEST_CASE("with enableSingleTopicRegister a changed topic goes as a route of its own", "[broker][registration]") {
  Registered broker([](BrokerConfig& config) {
    config.single_topic_register = true;
    config.broker_permission = 4;
  });
  REQUIRE(broker.start());
  broker.make_topic("orders");
  REQUIRE(eventually([&] { return broker.ask([&] { return broker.names.topics.size(); }) == 1; }));
  const auto& [name, route] = broker.names.topics[0];
  CHECK(name == "orders");
  REQUIRE(route.queues.size() == 1);
  CHECK(route.queues[0].broker_name == "broker-a");
  CHECK(route.queues[0].write_queue_nums == 3);
  CHECK(route.queues[0].perm == 4);
  CHECK(broker.names.heard.size() == 1);
}

TEST_CASE("a broker says goodbye to who took its registration", "[broker][registration]") {
  Registered broker;
  REQUIRE(broker.start());
  std::promise<void> done;
  broker.net.loop.post([&] { broker.registration->stop(1'000, [&] { done.set_value(); }); });
  REQUIRE(done.get_future().wait_for(remoting::test::kPatience) == std::future_status::ready);
  CHECK(broker.names.goodbyes == 1);
}

}  // namespace
}  // namespace comet::broker
