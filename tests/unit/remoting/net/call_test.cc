#include "remoting/net/channel.h"
#include "tests/unit/remoting/net/net_fixture.h"

using namespace comet;
using namespace comet::remoting;
using namespace comet::remoting::test;

namespace {

/// A server with a client beside it on a loop of its own, which answers the same requests.
struct Pair {
  explicit Pair(Client::Options options = {})
      : client(std::make_unique<Client>(loop.loop, options, server.log, &server.router)) {
    loop.start();
  }
  ~Pair() { loop.stop(); }
  std::string address() const { return "127.0.0.1:" + std::to_string(server.port); }
  std::future<Result<Response>> call(const std::string& to, OutgoingRequest request, int64_t timeout_ms = 20'000) {
    auto told = std::make_shared<std::promise<Result<Response>>>();
    auto future = told->get_future();
    client->call(to, std::move(request), timeout_ms,
                 [told](Result<Response> result) { told->set_value(std::move(result)); });
    return future;
  }

  TestServer server;
  LoopThread loop;
  std::unique_ptr<Client> client;
};

Result<Response> get(std::future<Result<Response>> future) {
  REQUIRE(future.wait_for(kPatience) == std::future_status::ready);
  return future.get();
}
std::future<Result<Response>> call(const ChannelPtr& channel, OutgoingRequest request, int64_t timeout_ms = 20'000) {
  auto told = std::make_shared<std::promise<Result<Response>>>();
  auto future = told->get_future();
  channel->call(std::move(request), timeout_ms,
                [told](Result<Response> result) { told->set_value(std::move(result)); });
  return future;
}

}  // namespace

TEST_CASE("a client asks over one kept connection", "[net]") {
  Pair pair;
  std::vector<std::future<Result<Response>>> answers;
  for (int i = 0; i < 50; ++i)
    answers.push_back(pair.call(pair.address(), make_request(EchoRequest{std::to_string(i)}, "b")));
  for (int i = 0; i < 50; ++i) {
    const auto response = get(std::move(answers[static_cast<size_t>(i)]));
    REQUIRE(response.has_value());
    CHECK(response->field("text") == std::to_string(i));
    CHECK(response->body == "b");
  }
  CHECK(pair.server.server->connections() == 1);
  CHECK(pair.server.opened_count() == 1);
}

TEST_CASE("a client finds a host by name", "[net]") {
  Pair pair;
  const auto response =
      get(pair.call("localhost:" + std::to_string(pair.server.port), make_request(EchoRequest{"named"})));
  REQUIRE(response.has_value());
  CHECK(response->field("text") == "named");
}

TEST_CASE("a client says why it can't connect", "[net]") {
  Pair pair;
  const int32_t free_port = [] {
    LoopThread loop;
    Server server({&loop.loop}, {}, {}, null_log());
    ThreadWorkers workers;
    const Router router(workers, null_log());
    return server.listen("127.0.0.1", 0, router).value();
  }();
  const std::string address = "127.0.0.1:" + std::to_string(free_port);
  const auto refused = get(pair.call(address, make_request(EchoRequest{"x"})));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::kIo);
  CHECK_THAT(refused.error().what, Catch::Contains("can't connect to " + address));
  const auto invalid = get(pair.call("nowhere", make_request(EchoRequest{"x"})));
  REQUIRE_FALSE(invalid.has_value());
  CHECK(invalid.error().code == Errc::kInvalid);
}

TEST_CASE("a call without an answer times out, and a late answer is dropped", "[net]") {
  Pair pair;
  const auto late = get(pair.call(pair.address(), make_request(ParkRequest{}), 50));
  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().code == Errc::kTimeout);
  REQUIRE(eventually([&] { return pair.server.processor.parked_count() == 1; }));
  pair.server.processor.unpark().send(Reply::ok());
  CHECK(get(pair.call(pair.address(), make_request(EchoRequest{"next"})))->field("text") == "next");
}

TEST_CASE("calls that wait when their connection closes hear of it, and the next call connects anew", "[net]") {
  Pair pair;
  auto waiting = pair.call(pair.address(), make_request(ParkRequest{}));
  REQUIRE(eventually([&] { return pair.server.processor.parked_count() == 1; }));
  SECTION("closed by the client") { pair.client->close(pair.address()); }
  SECTION("closed by the server") { pair.server.channel(0)->close(); }
  const auto closed = get(std::move(waiting));
  REQUIRE_FALSE(closed.has_value());
  CHECK(closed.error().code == Errc::kClosed);
  CHECK(get(pair.call(pair.address(), make_request(EchoRequest{"again"})))->field("text") == "again");
}

TEST_CASE("calls that wait when the loop ends hear of it", "[net]") {
  Pair pair;
  auto waiting = pair.call(pair.address(), make_request(ParkRequest{}));
  REQUIRE(eventually([&] { return pair.server.processor.parked_count() == 1; }));
  pair.loop.stop();
  CHECK(get(std::move(waiting)).error().code == Errc::kClosed);
  CHECK(get(pair.call(pair.address(), make_request(EchoRequest{"x"}))).error().code == Errc::kClosed);
}

TEST_CASE("a client's one-way request is handled", "[net]") {
  Pair pair;
  pair.client->send_oneway(pair.address(), make_request(EchoRequest{"x"}));
  REQUIRE(eventually([&] { return pair.server.processor.echoes == 1; }));
}

TEST_CASE("the server asks its client over the client's connection", "[net]") {
  Pair pair;
  REQUIRE(get(pair.call(pair.address(), make_request(EchoRequest{"hello"}))).has_value());
  const auto answer = get(call(pair.server.channel(0), make_request(EchoRequest{"back"}, "body")));
  REQUIRE(answer.has_value());
  CHECK(answer->field("text") == "back");
  CHECK(answer->body == "body");
  pair.server.channel(0)->send_oneway(make_request(EchoRequest{"push"}));
  REQUIRE(eventually([&] { return pair.server.processor.echoes == 3; }));
}

TEST_CASE("both sides may use the same numbers for their own requests", "[net]") {
  TestServer server;
  Peer peer(server.port);
  peer.send(park_frame(1));
  auto asked = call(server.channel(0), make_request(EchoRequest{"question"}));
  const std::string frame = peer.frame();
  HeadDecoder decoder;
  const auto question = decoder.decode(frame);
  REQUIRE(question.has_value());
  CHECK_FALSE(question->head.is_response());
  CHECK(question->head.opaque == 1);
  CHECK(find_ext(question->head.ext, "text") == "question");
  CommandHead head;
  head.code = 0;
  head.opaque = 1;
  head.flag = GENERATE(1, 3);  // the C++ client sets both bits
  std::string answer;
  append_frame(answer, head, "yes");
  peer.send(answer);
  CHECK(get(std::move(asked))->body == "yes");
  server.processor.unpark().send(Reply::ok_body("no"));
  int32_t opaque = 0;
  CHECK(peer.response(&opaque).body == "no");
  CHECK(opaque == 1);
}

TEST_CASE("a call over a closed channel is told so", "[net]") {
  TestServer server;
  {
    Peer peer(server.port);
    peer.send(echo_frame(1, "x"));
    peer.response();
  }
  REQUIRE(eventually([&] { return server.closed_count == 1; }));
  CHECK(get(call(server.channel(0), make_request(EchoRequest{"x"}))).error().code == Errc::kClosed);
}

TEST_CASE("a client whose peer knows no requests of ours answers that it has no handler", "[net]") {
  TestServer server;
  LoopThread loop;
  Client client(loop.loop, {}, server.log);
  loop.start();
  std::promise<void> said;
  client.call("127.0.0.1:" + std::to_string(server.port), make_request(EchoRequest{"x"}), 20'000,
              [&](Result<Response>) { said.set_value(); });
  REQUIRE(said.get_future().wait_for(kPatience) == std::future_status::ready);
  const auto answer = get(call(server.channel(0), make_request(EchoRequest{"x"})));
  REQUIRE(answer.has_value());
  CHECK(answer->code == static_cast<int32_t>(ResponseCode::kRequestCodeNotSupported));
}
