#include "remoting/net/server.h"

#include "tests/unit/remoting/net/net_fixture.h"

using namespace comet;
using namespace comet::remoting;
using namespace comet::remoting::test;

TEST_CASE("a request is answered with its opaque, its header and its body", "[net]") {
  TestServer server;
  Peer peer(server.port);
  peer.send(echo_frame(77, "hello", "the body"));
  int32_t opaque = 0;
  const Response response = peer.response(&opaque);
  CHECK(opaque == 77);
  CHECK(response.code == 0);
  CHECK(response.version == kOurVersion);
  CHECK(response.field("text") == "hello");
  CHECK(response.body == "the body");
}

TEST_CASE("an answer's header has Java's keys in alphabetical order and none that is null", "[net]") {
  TestServer server;
  Peer peer(server.port);
  peer.send(echo_frame(7, "a\\\"b"));
  const std::string frame = peer.frame();
  CHECK(
      frame.substr(8) ==
      R"({"code":0,"extFields":{"text":"a\"b"},"flag":1,"language":"JAVA","opaque":7,"serializeTypeCurrentRPC":"JSON","version":479})");
  CHECK(load_be<uint32_t>(frame.data() + 4) == frame.size() - 8);
}

TEST_CASE("an unknown code is answered, and the connection stays", "[net]") {
  TestServer server;
  Peer peer(server.port);
  peer.send(request_frame(31'999, 5) + echo_frame(6, "still here"));
  const Response refused = peer.response();
  CHECK(refused.code == static_cast<int32_t>(ResponseCode::kRequestCodeNotSupported));
  CHECK(refused.remark == " request type 31999 not supported");
  CHECK(peer.response().field("text") == "still here");
}

TEST_CASE("a request without a required field is refused by name", "[net]") {
  TestServer server;
  Peer peer(server.port);
  peer.send(request_frame(static_cast<int32_t>(EchoRequest::kCode), 5));
  const Response refused = peer.response();
  CHECK(refused.code == static_cast<int32_t>(ResponseCode::kSystemError));
  CHECK_THAT(refused.remark, Catch::Contains("text"));
}

TEST_CASE("a one-way request is never answered, whatever becomes of it", "[net]") {
  TestServer server({}, 1, 0);  // no place for workers' tasks
  Peer peer(server.port);
  peer.send(echo_frame(1, "x", {}, true));
  peer.send(request_frame(31'999, 2, {}, {}, true));                                    // unknown
  peer.send(request_frame(static_cast<int32_t>(EchoRequest::kCode), 3, {}, {}, true));  // field missing
  peer.send(work_frame(4, "x", true));                                                  // workers full
  peer.send(request_frame(static_cast<int32_t>(ParkRequest::kCode), 5, {}, {}, true));  // dropped
  REQUIRE(eventually([&] { return server.processor.parked_count() == 1; }));
  server.processor.drop_parked();
  peer.send(echo_frame(6, "the only answer"));
  int32_t opaque = 0;
  CHECK(peer.response(&opaque).field("text") == "the only answer");
  CHECK(opaque == 6);
  CHECK(server.processor.echoes == 2);
}

TEST_CASE("requests that come together are answered by one write", "[net]") {
  TestServer server;
  Peer peer(server.port);
  peer.send(echo_frame(0, "warm"));
  peer.response();
  auto& writes = server.loop().io().counters.writes;
  const int64_t before = writes.load();
  std::string many;
  for (int i = 1; i <= 100; ++i) many += echo_frame(i, "n" + std::to_string(i));
  peer.send(many);
  for (int i = 1; i <= 100; ++i) {
    int32_t opaque = 0;
    CHECK(peer.response(&opaque).field("text") == "n" + std::to_string(i));
    CHECK(opaque == i);
  }
  // Loopback delivers one send of this size at once; TCP may still cut it.
  CHECK(writes.load() - before <= 3);
}

TEST_CASE("a parked request doesn't hold up those behind it", "[net]") {
  TestServer server;
  Peer peer(server.port);
  peer.send(park_frame(1) + echo_frame(2, "later"));
  int32_t opaque = 0;
  CHECK(peer.response(&opaque).field("text") == "later");
  CHECK(opaque == 2);
  server.processor.unpark().send(ResponseCode::kPullNotFound, "nothing came", EchoResponse{"parked"});
  const Response parked = peer.response(&opaque);
  CHECK(opaque == 1);
  CHECK(parked.code == static_cast<int32_t>(ResponseCode::kPullNotFound));
  CHECK(parked.remark == "nothing came");
  CHECK(parked.field("text") == "parked");
}

TEST_CASE("answers from other threads arrive whole, large bodies by reference too", "[net]") {
  TestServer server;
  Peer peer(server.port);
  constexpr int kParked = 40;
  std::string many;
  for (int i = 0; i < kParked; ++i) many += park_frame(i);
  peer.send(many);
  REQUIRE(eventually([&] { return server.processor.parked_count() == kParked; }));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&server, t] {
      for (int i = 0; i < kParked / 4; ++i) {
        const auto small = std::make_shared<const std::string>(100, 's');
        const auto large = std::make_shared<const std::string>(5'000 + t, 'l');
        const std::vector<PinnedBytes> body = {
            {as_bytes(*small), small}, {as_bytes(*large), large}, {as_bytes(*small), small}};
        server.processor.unpark().send(ResponseCode::kSuccess, "", EchoResponse{std::to_string(t)}, body);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (int i = 0; i < kParked; ++i) {
    const Response response = peer.response();
    const int t = std::stoi(std::string(response.field("text").value()));
    CHECK(response.body ==
          std::string(100, 's') + std::string(static_cast<size_t>(5'000 + t), 'l') + std::string(100, 's'));
  }
}

TEST_CASE("a request that is dropped without an answer is answered with an error", "[net]") {
  TestServer server;
  Peer peer(server.port);
  peer.send(park_frame(9));
  REQUIRE(eventually([&] { return server.processor.parked_count() == 1; }));
  server.processor.drop_parked();
  int32_t opaque = 0;
  CHECK(peer.response(&opaque).code == static_cast<int32_t>(ResponseCode::kSystemError));
  CHECK(opaque == 9);
}

TEST_CASE("an answer to a closed connection is dropped", "[net]") {
  TestServer server;
  {
    Peer peer(server.port);
    peer.send(park_frame(9));
    REQUIRE(eventually([&] { return server.processor.parked_count() == 1; }));
  }
  REQUIRE(eventually([&] { return server.closed_count == 1; }));
  CHECK_FALSE(server.channel(0)->open());
  server.processor.unpark().send(Reply::ok_body("too late"));
  server.thread().on([] {});
  CHECK(server.server->connections() == 0);
}

TEST_CASE("a worker answers what may take long, with its own copy of the request", "[net]") {
  TestServer server;
  Peer peer(server.port);
  std::string many;
  for (int i = 0; i < 50; ++i) many += work_frame(i, "w" + std::to_string(i));
  peer.send(many);
  for (int i = 0; i < 50; ++i) {
    int32_t opaque = 0;
    const Response response = peer.response(&opaque);
    CHECK(response.field("text") == "w" + std::to_string(opaque) + " on a worker");
  }
}

TEST_CASE("a full queue of workers says so", "[net]") {
  TestServer server({}, 1, 2, false);
  Peer peer(server.port);
  peer.send(work_frame(1, "a") + work_frame(2, "b") + work_frame(3, "c"));
  int32_t opaque = 0;
  const Response busy = peer.response(&opaque);
  CHECK(opaque == 3);
  CHECK(busy.code == static_cast<int32_t>(ResponseCode::kSystemBusy));
  CHECK(busy.remark == "[OVERLOAD]system busy, start flow control for a while");
}

TEST_CASE("an answer over the frame limit becomes an error that says so", "[net]") {
  ServerLimits limits;
  limits.frame_bytes = 10'000;
  TestServer server(limits);
  Peer peer(server.port);
  peer.send(size_frame(1, 10'000) + size_frame(2, 9'000));
  const Response refused = peer.response();
  CHECK(refused.code == static_cast<int32_t>(ResponseCode::kSystemError));
  CHECK_THAT(refused.remark, Catch::Contains("a frame can have 10000"));
  CHECK(peer.response().body.size() == 9'000);
}

TEST_CASE("a truncated code of the pop family is understood in a binary header", "[net]") {
  TestServer server;
  Peer peer(server.port);
  CommandHead head;
  head.code = static_cast<int32_t>(RequestCode::kPopMessage) & 0xFFFF;
  head.opaque = 3;
  head.codec = HeaderCodec::kBinary;
  std::string frame;
  append_frame(frame, head, {});
  peer.send(frame);
  CHECK(peer.response().remark == std::to_string(static_cast<int32_t>(RequestCode::kPopMessage)));
  peer.send(request_frame(head.code, 4));
  CHECK(peer.response().code == static_cast<int32_t>(ResponseCode::kRequestCodeNotSupported));
}

TEST_CASE("a response that nobody waits for is dropped", "[net]") {
  TestServer server;
  Peer peer(server.port);
  for (const int32_t flag : {1, 3}) {
    CommandHead head;
    head.code = static_cast<int32_t>(EchoRequest::kCode);
    head.flag = flag;
    head.opaque = 1;
    std::string frame;
    append_frame(frame, head, {});
    peer.send(frame);
  }
  peer.send(echo_frame(2, "alive"));
  CHECK(peer.response().field("text") == "alive");
  CHECK(server.processor.echoes == 1);
}

TEST_CASE("a second server on the same port is refused with a sentence", "[net]") {
  TestServer server;
  LoopThread other;
  Server second({&other.loop}, {}, {}, null_log());
  const auto taken = second.listen("127.0.0.1", server.port, server.router);
  REQUIRE_FALSE(taken.has_value());
  CHECK(taken.error().code == Errc::kExists);
  CHECK_THAT(taken.error().what, Catch::Contains("port " + std::to_string(server.port) + " is taken"));
  CHECK(second.listen("not an address", 0, server.router).error().code == Errc::kInvalid);
  CHECK(second.listen("192.0.2.1", 0, server.router).error().code == Errc::kInvalid);
  CHECK(second.listen("127.0.0.1", 65'536, server.router).error().code == Errc::kInvalid);
}

TEST_CASE("a wildcard server reports IPv4 peers as IPv4", "[net]") {
  TestServer server;
  std::promise<int32_t> port;
  server.thread().on([&] { port.set_value(server.server->listen("0.0.0.0", 0, server.router).value()); });
  Peer peer(port.get_future().get());
  peer.send(echo_frame(1, "x"));
  peer.response();
  CHECK(server.channel(0)->remote_text() == "127.0.0.1:" + std::to_string(peer.local_port()));
  CHECK_FALSE(server.channel(0)->remote_host().v6);
}

TEST_CASE("connections spread over the loops", "[net]") {
  TestServer server({}, 2);
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 8; ++i) {
    peers.push_back(std::make_unique<Peer>(server.port));
    peers.back()->send(echo_frame(i, "x"));
    peers.back()->response();
  }
  CHECK(server.loops[0]->loop.io().counters.connections.load() == 4);
  CHECK(server.loops[1]->loop.io().counters.connections.load() == 4);
  CHECK(server.server->connections() == 8);
}

TEST_CASE("a burst of connections is shared, whatever went over the loops before", "[net]") {
  TestServer server({}, 2);
  {
    Peer busy(server.port);
    for (int i = 0; i < 20; ++i) {
      busy.send(echo_frame(i, std::string(100'000, 'x')));
      busy.response();
    }
  }
  const int came_and_went = GENERATE(0, 100);
  for (int i = 0; i < came_and_went; ++i) Peer brief(server.port);
  REQUIRE(eventually([&] { return server.server->connections() == 0; }));
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 16; ++i) peers.push_back(std::make_unique<Peer>(server.port));
  REQUIRE(eventually([&] { return server.server->connections() == 16; }));
  const auto on = [&](size_t loop) { return server.loops[loop]->loop.io().counters.connections.load(); };
  REQUIRE(eventually([&] { return on(0) + on(1) == 16; }));
  CHECK(std::max(on(0), on(1)) <= 10);
}

TEST_CASE("a connection above the limit is closed, the others stay", "[net]") {
  ServerLimits limits;
  limits.connections = 2;
  TestServer server(limits);
  Peer first(server.port), second(server.port), third(server.port);
  CHECK(third.closed());
  first.send(echo_frame(1, "a"));
  CHECK(first.response().field("text") == "a");
  CHECK(server.log.count("there are 2 connections already") == 1);
}

TEST_CASE("an idle connection is closed, a busy one stays", "[net]") {
  ServerLimits limits;
  limits.idle_ms = 1'500;
  TestServer server(limits);
  Peer idle(server.port), busy(server.port);
  idle.send(echo_frame(1, "x"));
  idle.response();
  std::atomic<bool> stop{false};
  std::string trouble;
  std::thread talking([&] {
    while (!stop) {
      busy.send(echo_frame(2, "y"));
      if (busy.response().field("text") != "y") trouble = "wrong answer";
    }
  });
  CHECK(idle.closed());
  stop = true;
  talking.join();
  CHECK(trouble.empty());
  CHECK(eventually([&] { return server.closed_count == 1; }));
  CHECK(server.idle_count == 1);
  CHECK(server.broken_count == 0);
}

TEST_CASE("closing a server ends its connections after their output, then reports", "[net]") {
  TestServer server({}, 2);
  Peer first(server.port), second(server.port);
  first.send(echo_frame(1, "a"));
  second.send(echo_frame(1, "b"));
  first.response();
  second.response();
  std::promise<void> done;
  server.server->close(5'000, [&] { done.set_value(); });
  REQUIRE(done.get_future().wait_for(kPatience) == std::future_status::ready);
  CHECK(first.closed());
  CHECK(second.closed());
  CHECK(server.server->connections() == 0);
  CHECK(server.closed_count == 2);
}

TEST_CASE("closing a server gives up on a peer that doesn't read, after the grace", "[net]") {
  TestServer server;
  Peer stuck(server.port, 4096);
  stuck.send(size_frame(1, 15 * 1024 * 1024));
  REQUIRE(eventually([&] { return server.loop().io().counters.frames.load() == 1; }));
  std::promise<void> done;
  server.server->close(100, [&] { done.set_value(); });
  REQUIRE(done.get_future().wait_for(kPatience) == std::future_status::ready);
  CHECK(server.server->connections() == 0);
}

TEST_CASE("a channel closed by the server is closed for the peer", "[net]") {
  TestServer server;
  Peer peer(server.port);
  peer.send(echo_frame(1, "x"));
  peer.response();
  server.channel(0)->close();
  CHECK(peer.closed());
  REQUIRE(eventually([&] { return server.closed_count == 1; }));
}
