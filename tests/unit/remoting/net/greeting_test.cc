#include "remoting/net/greeting.h"

#include "tests/unit/remoting/net/net_fixture.h"

using namespace comet;
using namespace comet::remoting;
using namespace comet::remoting::test;

namespace {

const std::string kV2Signature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string proxy_v2(char command, char family, const std::string& addresses) {
  std::string header =
      kV2Signature + std::string{static_cast<char>(0x20 | command), static_cast<char>(family << 4 | 1), '\0', '\0'};
  store_be(header.data() + 14, static_cast<uint16_t>(addresses.size()));
  return header + addresses;
}
std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}
const std::string kV4Addresses = bytes({203, 0, 113, 9, 10, 0, 0, 1, 0x30, 0x39, 0x2A, 0x9F});

}  // namespace

TEST_CASE("a beginning is known as soon as it can be", "[net]") {
  CHECK(greet("", false).speech == Speech::kNeedMore);
  CHECK(greet(std::string_view("\0", 1), false).speech == Speech::kFrames);
  CHECK(greet("\x16\x03", false).speech == Speech::kTls);
  CHECK(greet("P", false).speech == Speech::kNeedMore);
  CHECK(greet("PROXY TCP4 1.2", false).speech == Speech::kNeedMore);
  CHECK(greet("\r\n\r\n", false).speech == Speech::kNeedMore);
  CHECK(greet("\r\nx", false).speech == Speech::kFrames);
  CHECK(greet("PO", false).speech == Speech::kNeedMore);
  CHECK(greet("PROXY ", true).speech == Speech::kFrames);
  for (const char* method :
       {"GET /", "POST /", "HEAD /", "PUT /", "DELETE /", "OPTIONS *", "CONNECT a:1", "PATCH /", "PRI * HTTP/2.0"}) {
    CAPTURE(method);
    CHECK(greet(method, false).speech == Speech::kHttp);
    CHECK(greet(method, true).speech == Speech::kHttp);
  }
}

TEST_CASE("PROXY headers that break their format are bad", "[net]") {
  CHECK(greet("PROXY TCP4 a b 1 2\r\n", false).speech == Speech::kBad);
  CHECK(greet("PROXY TCP9 1.2.3.4 1.2.3.4 1 2\r\n", false).speech == Speech::kBad);
  CHECK(greet("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", false).speech == Speech::kBad);
  CHECK(greet("PROXY TCP4 1.2.3.4 1.2.3.4 99999 2\r\n", false).speech == Speech::kBad);
  CHECK(greet("PROXY " + std::string(200, 'x'), false).speech == Speech::kBad);
  CHECK(greet(proxy_v2(2, 1, kV4Addresses), false).speech == Speech::kBad);
  CHECK(greet(proxy_v2(1, 1, "short"), false).speech == Speech::kBad);
}

TEST_CASE("a PROXY v2 header may have more fields, an IPv6 source or none", "[net]") {
  const Greeting extended = greet(proxy_v2(1, 1, kV4Addresses + "more fields"), false);
  CHECK(extended.speech == Speech::kProxy);
  CHECK(extended.bytes == 16 + 12 + 11);
  CHECK(extended.source->text() == "203.0.113.9:12345");
  const std::string v6 =
      bytes({0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7}) + std::string(16, '\0') + bytes({0, 80, 0, 81});
  CHECK(greet(proxy_v2(1, 2, v6), false).source->text() == "[2001:db8::7]:80");
  CHECK_FALSE(greet(proxy_v2(0, 1, kV4Addresses), false).source.has_value());
  CHECK_FALSE(greet("PROXY UNKNOWN\r\n", false).source.has_value());
  CHECK(greet("PROXY TCP6 2001:db8::8 ::1 4000 2\r\n", false).source->text() == "[2001:db8::8]:4000");
}

TEST_CASE("the client's address comes from a PROXY header", "[net]") {
  const auto [what, header, expected] = GENERATE(table<std::string, std::string, std::string>({
      {"v1", "PROXY TCP4 198.51.100.7 10.0.0.1 4711 10911\r\n", "198.51.100.7:4711"},
      {"v2", proxy_v2(1, 1, kV4Addresses), "203.0.113.9:12345"},
  }));
  const bool by_byte = GENERATE(false, true);
  CAPTURE(what, by_byte);
  TestServer server;
  Peer peer(server.port);
  const std::string all = header + echo_frame(1, "proxied");
  if (by_byte) {
    for (const char byte : all) peer.send({&byte, 1});
  } else {
    peer.send(all);
  }
  CHECK(peer.response().field("text") == "proxied");
  CHECK(server.channel(0)->remote_text() == expected);
  CHECK(server.channel(0)->remote_host().text() == expected);
}

TEST_CASE("a bad PROXY header closes the connection", "[net]") {
  TestServer server;
  Peer peer(server.port);
  peer.send("PROXY TCP4 nonsense\r\n" + echo_frame(1, "x"));
  CHECK(peer.closed());
  CHECK(server.log.count("PROXY v1 line") == 1);
  CHECK(server.opened_count() == 0);
  CHECK(server.closed_count == 0);
}

TEST_CASE("HTTP is told what this port speaks", "[net]") {
  const std::string proxied = GENERATE("", "PROXY UNKNOWN\r\n");
  TestServer server;
  Peer peer(server.port);
  peer.send(proxied + "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  peer.end_output();
  const std::string answer = peer.rest();
  CHECK_THAT(answer, Catch::StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  CHECK_THAT(answer, Catch::Contains("RocketMQ's remoting protocol"));
  CHECK(server.log.count("speaks HTTP") == 1);
}

TEST_CASE("TLS gets an alert and a log line", "[net]") {
  TestServer server;
  Peer peer(server.port);
  peer.send(bytes({0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3}));
  CHECK(peer.rest() == bytes({0x15, 3, 3, 0, 2, 2, 40}));
  CHECK(server.log.count("speaks TLS") == 1);
  REQUIRE(eventually([&] { return server.server->connections() == 0; }));
}
