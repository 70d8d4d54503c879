#include "tests/support/allocations.h"
#include "broker/delay_schedule.h"

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

/// A request as a client would send it, in either codec.
template <class Request>
std::string frame_of(remoting::HeaderCodec codec, const Request& request, std::string_view body) {
  std::string frame;
  if (codec == remoting::HeaderCodec::kJson) {
    remoting::OutgoingRequest outgoing = remoting::make_request(request, std::string(body));
    remoting::append_request(frame, outgoing, 7, false);
    return frame;
  }
  std::string json;
  remoting::append_request(json, remoting::make_request(request, ""), 7, false);
  remoting::HeadDecoder decoder;
  remoting::CommandHead head = decoder.decode(json).value().head;
  head.codec = codec;
  remoting::append_frame(frame, head, body);
  return frame;
}

/// Heap allocations of a hundred times finding, decoding and reading the frame's request.
template <class Request>
int64_t decode_allocations(const std::string& frame, Request& request) {
  remoting::HeadDecoder decoder;
  int64_t before = 0;
  for (int n = 0; n < 103; ++n) {
    if (n == 3) before = comet::test::allocations();  // scratch space has grown by then
    const auto found = remoting::scan_frame(frame, {});
    REQUIRE(found.frame_bytes == frame.size());
    const auto command = decoder.decode(frame);
    REQUIRE(command);
    request = Request{};
    REQUIRE(remoting::decode_fields(command->head.ext, request));
  }
  return comet::test::allocations() - before;
}

TEST_CASE("decoding a send and a pull allocates nothing, in either codec", "[broker][send][pull]") {
  const auto codec = GENERATE(remoting::HeaderCodec::kJson, remoting::HeaderCodec::kBinary);
  const std::string text =
      test::properties({{"KEYS", "k1"}, {"TAGS", "TagA"}, {"UNIQ_KEY", "0A00000700001234567800000000ABCD"}});
  remoting::SendMessageV2Request send;
  static_cast<remoting::SendFields&>(send) = test::order();
  send.properties = text;
  remoting::SendMessageV2Request sent;
  CHECK(decode_allocations(frame_of(codec, send, std::string(1024, 'b')), sent) == 0);
  CHECK(sent.topic.size() == send.topic.size());
  CHECK(sent.properties.size() == text.size());  // its separators stand escaped in JSON

  remoting::PullMessageRequest pull;
  static_cast<remoting::PullFields&>(pull) = test::pull_orders("TagA || TagB", 5);
  remoting::PullMessageRequest pulled;
  CHECK(decode_allocations(frame_of(codec, pull, ""), pulled) == 0);
  CHECK(pulled.queue_offset == QueueOffset(5));
  CHECK(pulled.consumer_group.size() == pull.consumer_group.size());
}

TEST_CASE("delivering a hundred delayed messages costs no heap allocation a message", "[broker][delay]") {
  test::HotBroker broker;
  store::StoreOptions options;
  options.root = broker.dir / "store";
  options.commit_log_file_bytes = 4 * 1024 * 1024;
  options.consume_queue_file_bytes = 20'000;
  auto store = store::MessageStore::open(*broker.files, broker.clock, null_log(), options);
  REQUIRE(store);
  DelayOffsets offsets(*broker.files, broker.clock, null_log(), broker.config, broker.dir / "delayOffset.json");
  DelaySchedule schedule({**store, broker.topics, broker.statistics, broker.kinds, offsets, broker.delay_alarm,
                          broker.config, broker.clock, null_log()});
  OwnMessages own(**store, broker.topics, broker.statistics, broker.kinds);
  const std::string text = test::properties({{"TAGS", "TagA"}, {"UNIQ_KEY", "U"}, {"DELAY", "1"}});
  const std::string body(1024, 'b');
  Message message;
  message.topic = "orders";
  message.queue_id = QueueId(1);
  message.body = body;
  message.properties = text;
  const auto wait_for_a_hundred = [&] {
    for (int n = 0; n < 100; ++n) REQUIRE(own.put_as_sent(message).has_value());
    broker.clock.advance_ms(1'000);
  };
  schedule.start();
  for (int n = 0; n < 3; ++n) {  // buffers find their size
    wait_for_a_hundred();
    schedule.pass();
  }
  wait_for_a_hundred();
  const int64_t before = comet::test::allocations();
  schedule.pass();
  const int64_t after = comet::test::allocations();
  CHECK(after - before <= 2);  // no keeper runs here to write out the queue's tail, so that grows by a block
  CHECK((*store)->max_offset({"orders", QueueId(1)}, true) == QueueOffset(400));
  CHECK((*store)->stop());
}

}  // namespace
}  // namespace comet::broker
