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
  CHECK(frame.substr(8) ==
        R"({"code":0,"extFields":{"text":"a\"b"},"flag":1,"language":"JAVA","opaque":7,"serializeTypeCurrentRPC":"JSON","version":479})");
  CHECK(load_be<uint32_t>(frame.data() + 4) == frame.size() - 8);
}
