#include "client/blocking_client.h"

#include <catch2/catch.hpp>
#include <thread>

#include "remoting/net/server.h"
#include "remoting/net/workers.h"
#include "remoting/protocol/headers/kv.h"

using namespace comet;

namespace {

/// Answers GET_KV_CONFIG with the key as value; leaves DELETE_KV_CONFIG unanswered.
struct Echo {
  remoting::Reply get(const remoting::Call&, const remoting::GetKvConfigRequest& request) {
    return remoting::Reply::ok(remoting::GetKvConfigResponse{request.key});
  }
  void hold(const remoting::Call&, const remoting::DeleteKvConfigRequest&, remoting::Responder responder) {
    held.push_back(std::make_unique<remoting::Responder>(std::move(responder)));
  }
  std::vector<std::unique_ptr<remoting::Responder>> held;
};

/// A server and a client, each with the thread that main would make.
struct Fixture {
  SystemClock clock;
  remoting::ThreadWorkers workers;
  remoting::Router router{workers, null_log()};
  Echo echo;
  remoting::EventLoop server_loop{"server", clock};
  remoting::Server server{{&server_loop}, {}, {}, null_log()};
  client::BlockingClient client{clock, {}, null_log()};
  std::string address;
  std::thread server_thread, client_thread;

  Fixture() {
    router.on<remoting::GetKvConfigRequest>(remoting::Lane::kLoop, echo, &Echo::get);
    router.on<remoting::DeleteKvConfigRequest>(remoting::Lane::kLoop, echo, &Echo::hold);
    address = "127.0.0.1:" + std::to_string(server.listen("127.0.0.1", 0, router).value());
    server_thread = std::thread([this] { server_loop.run(); });
    client_thread = std::thread([this] { client.run(); });
  }
  ~Fixture() {
    client.stop();
    client_thread.join();
    server_loop.post([this] { echo.held.clear(); });
    server_loop.stop();
    server_thread.join();
  }
};

}  // namespace

TEST_CASE("a blocking call returns the peer's answer", "[client]") {
  Fixture f;
  for (const char* key : {"one", "two"}) {
    const auto answer = f.client.call(f.address, remoting::make_request(remoting::GetKvConfigRequest{"N", key}), 5'000);
    REQUIRE(answer);
    CHECK(answer->ok());
    CHECK(answer->field("value") == key);
  }
}

TEST_CASE("a blocking call tells what can't be reached from what doesn't answer", "[client]") {
  Fixture f;
  const auto nobody =
      f.client.call("127.0.0.1:1", remoting::make_request(remoting::GetKvConfigRequest{"N", "k"}), 5'000);
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code == Errc::kIo);
  CHECK(nobody.error().what.find("127.0.0.1:1") != std::string::npos);

  const auto late = f.client.call(f.address, remoting::make_request(remoting::DeleteKvConfigRequest{"N", "k"}), 50);
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Errc::kTimeout);
}

TEST_CASE("a call that waits when the client is stopped ends", "[client]") {
  SystemClock clock;
  client::BlockingClient stopped(clock, {}, null_log());
  std::thread loop([&] { stopped.run(); });
  stopped.stop();
  loop.join();
  const auto answer = stopped.call("127.0.0.1:1", remoting::make_request(remoting::GetKvConfigRequest{"N", "k"}), 100);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Errc::kClosed);
}
