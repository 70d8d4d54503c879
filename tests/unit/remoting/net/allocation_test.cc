#include "remoting/net/connection.h"
#include "tests/support/allocations.h"
#include "tests/unit/remoting/net/net_fixture.h"

using namespace comet;
using namespace comet::remoting;
using namespace comet::remoting::test;

namespace {

/// Answers as a pull does: a header of numbers and views, a body kept by somebody else.
struct PullLikeRequest {
  static constexpr auto kCode = RequestCode::kLitePullMessage;
  std::string_view topic;
  int64_t offset = 0;
  static constexpr auto fields() {
    return field_table(required("topic", &PullLikeRequest::topic), required("queueOffset", &PullLikeRequest::offset));
  }
};
struct PullLikeResponse {
  int64_t next = 0;
  static constexpr auto fields() { return field_table(required("nextBeginOffset", &PullLikeResponse::next)); }
};
struct PullLikeProcessor {
  void pull(const Call&, const PullLikeRequest& request, Responder responder) {
    const PinnedBytes parts[] = {{as_bytes(*large), large}, {as_bytes(*small), small}};
    std::move(responder).send(ResponseCode::kSuccess, "FOUND", PullLikeResponse{request.offset + 32}, parts);
  }
  std::shared_ptr<const std::string> large = std::make_shared<const std::string>(8'000, 'l');
  std::shared_ptr<const std::string> small = std::make_shared<const std::string>(300, 's');
};

}  // namespace

TEST_CASE("a request in a steady state allocates nothing", "[net]") {
  TestServer server;
  PullLikeProcessor processor;
  ThreadWorkers workers;
  Router router(workers, server.log);
  router.on<PullLikeRequest>(Lane::kLoop, processor, &PullLikeProcessor::pull);
  int32_t port = 0;
  server.thread().on([&] { port = server.server->listen("127.0.0.1", 0, router).value(); });
  Peer peer(port);
  constexpr int kRequests = 64, kRounds = 20;
  std::string many;
  for (int i = 0; i < kRequests; ++i) {
    many +=
        request_frame(static_cast<int32_t>(PullLikeRequest::kCode), i, {}, "\"topic\":\"a\\tb\",\"queueOffset\":\"7\"");
  }
  const auto round = [&] {
    peer.send(many);
    for (int i = 0; i < kRequests; ++i) REQUIRE(peer.response().body.size() == 8'300);
  };
  const auto counted_here = [&] {
    int64_t count = 0;
    server.thread().on([&] { count = comet::test::allocations(); });
    return count;
  };
  round();
  round();
  const int64_t before = counted_here();
  for (int i = 0; i < kRounds; ++i) round();
  // What the kernel doesn't take at once costs a few allocations for each write, not for each request.
  const int64_t grown = counted_here() - before;
  INFO("allocations: " << grown);
  CHECK(grown < kRounds * kRequests / 4);
  server.processor.drop_parked();
}

TEST_CASE("an idle connection holds at most 1.5 KiB", "[net]") {
  CHECK(sizeof(Connection) <= 1024);
  CHECK(sizeof(Responder) <= 24);
}
