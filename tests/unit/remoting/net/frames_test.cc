#include "remoting/net/server.h"
#include "tests/unit/remoting/net/net_fixture.h"

using namespace comet;
using namespace comet::remoting;
using namespace comet::remoting::test;

namespace {

std::string words(uint32_t length, uint32_t mark, std::string rest = {}) {
  std::string frame(8, '\0');
  store_be(frame.data(), length);
  store_be(frame.data() + 4, mark);
  return frame + rest;
}

}  // namespace

TEST_CASE("frames may come byte by byte", "[net]") {
  TestServer server;
  Peer peer(server.port);
  const std::string both = echo_frame(1, "slow", "body one") + echo_frame(2, "slower", "body two");
  for (const char byte : both) peer.send({&byte, 1});
  CHECK(peer.response().body == "body one");
  CHECK(peer.response().body == "body two");
}

TEST_CASE("frames may be cut anywhere", "[net]") {
  TestServer server;
  Peer peer(server.port);
  const std::string three = echo_frame(1, "a", "1") + echo_frame(2, "b", "22") + echo_frame(3, "c", "333");
  for (size_t cut = 1; cut < three.size(); cut += 7) {
    const int64_t reads = server.loop().io().counters.reads.load();
    peer.send(std::string_view(three).substr(0, cut));
    REQUIRE(eventually([&] { return server.loop().io().counters.reads.load() > reads; }));
    peer.send(std::string_view(three).substr(cut));
    CHECK(peer.response().body == "1");
    CHECK(peer.response().body == "22");
    CHECK(peer.response().body == "333");
  }
}

TEST_CASE("a body of 15 MiB goes in and comes back", "[net]") {
  TestServer server;
  Peer peer(server.port);
  std::string body(15 * 1024 * 1024, '\0');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 131 >> 3);
  std::thread sending([&] { peer.send(echo_frame(1, "large", body) + echo_frame(2, "small", "s")); });
  const Response response = peer.response();
  CHECK(response.body == body);
  CHECK(peer.response().body == "s");
  sending.join();
}

TEST_CASE("a bad frame closes its own connection with one line, and no other", "[net]") {
  const auto [what, bytes] = GENERATE(table<std::string, std::string>({
      {"a length below 4", words(3, 0)},
      {"a negative length", words(0xFFFFFFF0, 0)},
      {"a length over the limit", words(17 * 1024 * 1024, 10)},
      {"a header longer than the frame", words(20, 17)},
      {"a header over the limit", words(1'000'000, 300 * 1024)},
      {"an unknown codec", words(20, 0x02000010)},
      {"a header that is no JSON", words(12, 8, "no json!")},
      {"garbage after the header's object", words(8, 4, "{}{}")},
      {"a binary header cut short", words(8, 0x01000004, "abcd")},
      {"an opaque out of range", words(4 + 25, 25, R"({"opaque":99999999999999})")},
  }));
  CAPTURE(what);
  TestServer server;
  Peer good(server.port), bad(server.port);
  good.send(echo_frame(1, "before"));
  CHECK(good.response().field("text") == "before");
  bad.send(echo_frame(1, "first"));
  CHECK(bad.response().field("text") == "first");
  bad.send(bytes);
  CHECK(bad.closed());
  REQUIRE(eventually([&] { return server.closed_count == 1; }));
  CHECK(server.broken_count == 1);
  CHECK(server.log.count("connection closed") == 1);
  CHECK(server.log.count("127.0.0.1:" + std::to_string(bad.local_port())) == 1);
  good.send(echo_frame(2, "after"));
  CHECK(good.response().field("text") == "after");
}

TEST_CASE("what was asked before a bad frame is still answered", "[net]") {
  TestServer server;
  Peer peer(server.port);
  peer.send(echo_frame(1, "good") + words(3, 0));
  CHECK(peer.response().field("text") == "good");
  CHECK(peer.closed());
}

TEST_CASE("many bad peers can't fill the log", "[net]") {
  TestServer server;
  for (int i = 0; i < 60; ++i) {
    Peer bad(server.port);
    bad.send(words(3, 0));
    CHECK(bad.closed());
  }
  CHECK(server.log.count("connection closed") < 60);
  CHECK(server.log.count("connection closed") > 0);
}

TEST_CASE("a peer that reads nothing is not read from either, and others go on", "[net]") {
  ServerLimits limits;
  limits.unsent_pause_bytes = 256 * 1024;
  TestServer server(limits);
  Peer stuck(server.port, 4096), other(server.port);
  constexpr int kRequests = 2'000;
  constexpr int64_t kBytes = 50'000;
  std::string many;
  for (int i = 0; i < kRequests; ++i) many += size_frame(i, kBytes);
  std::thread sending([&] { stuck.send(many); });
  auto& frames = server.loop().io().counters.frames;
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
  int64_t others = 0;
  while (std::chrono::steady_clock::now() < until) {
    other.send(echo_frame(1, "other"));
    REQUIRE(other.response().field("text") == "other");
    ++others;
  }
  // What it was sent fills the pause bound and the kernel's buffers (up to 6 MiB on a default machine), no more.
  CHECK((frames.load() - others) * kBytes < 64 * 1024 * 1024);
  CHECK(frames.load() - others < kRequests);
  for (int i = 0; i < kRequests; ++i) {
    int32_t opaque = -1;
    const Response response = stuck.response(&opaque);
    REQUIRE(opaque == i);
    REQUIRE(response.body.size() == kBytes);
  }
  sending.join();
}

TEST_CASE("a peer that takes nothing of its answers for too long is closed", "[net]") {
  ServerLimits limits;
  limits.unsent_stall_ms = 300;
  TestServer server(limits);
  Peer stuck(server.port, 4096);
  stuck.send(size_frame(1, 15 * 1024 * 1024));
  REQUIRE(eventually([&] { return server.closed_count == 1; }));
  CHECK(server.log.count("took none of") == 1);
}
