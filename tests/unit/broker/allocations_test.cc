#include "tests/support/allocations.h"

#include <catch2/catch.hpp>

#include "tests/unit/broker/hot_fixture.h"

namespace comet::broker {
namespace {

TEST_CASE("in steady state a hundred sends cost no heap allocation but the queue's tail, down to the log",
          "[broker][send]") {
  test::HotBroker broker;
  store::StoreOptions options;
  options.root = broker.dir / "store";
  options.commit_log_file_bytes = 4 * 1024 * 1024;
  options.consume_queue_file_bytes = 20'000;
  auto store = store::MessageStore::open(*broker.files, broker.clock, null_log(), options);
  REQUIRE(store);
  ParkedAnswers parked(broker.loops, **store, broker.config);
  SendProcessor processor({**store, broker.topics, broker.groups, broker.locks, broker.config, broker.statistics,
                           parked, broker.kinds, broker.transaction_metrics, broker.clock},
                          broker.loops, Host::parse("10.0.0.1:10911").value(), 7);
  const std::string body(1024, 'b');
  const std::string text = test::properties(
      {{"KEYS", "k1"}, {"TAGS", "TagA"}, {"UNIQ_KEY", "0A00000700001234567800000000ABCD"}, {"WAIT", "true"}});
  remoting::SendMessageV2Request request;
  static_cast<remoting::SendFields&>(request) = test::order();
  request.properties = text;
  const remoting::CommandHead head;
  const auto send = [&] {
    processor.send_v2(remoting::Call{head, body, broker.channel, broker.clock.now_ms()}, request,
                      remoting::Responder(broker.channel, 1, false));
  };
  for (int n = 0; n < 200; ++n) send();  // buffers find their size, the capturing channel's too
  REQUIRE(broker.channel->last().code == 0);
  broker.channel->forget();
  const int64_t before = comet::test::allocations();
  for (int n = 0; n < 100; ++n) send();
  const int64_t after = comet::test::allocations();
  CHECK(broker.channel->last().code == 0);
  CHECK(broker.channel->answers() == 100);
  CHECK(after - before <= 1);  // no keeper runs here to write out the queue's tail, so that grows by a block
  CHECK((*store)->max_offset({"orders", QueueId(1)}, true) == QueueOffset(300));
  CHECK((*store)->stop());
}

}  // namespace
}  // namespace comet::broker
