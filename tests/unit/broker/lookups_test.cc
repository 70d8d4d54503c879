#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "broker/processors/lock.h"
#include "broker/processors/offset.h"
#include "broker/processors/query.h"
#include "tests/unit/broker/hot_fixture.h"

namespace comet::broker {
namespace {

using test::HotBroker;
using test::order;
using test::properties;

/// A broker with its offset, lock and lookup processors.
struct Asked : HotBroker {
  using HotBroker::HotBroker;
  OffsetProcessor offset{{store, topics, groups, offsets, config}};
  QueryProcessor query{store, config};
  remoting::Client client{loop, {}, null_log()};
  ReplicaMembers members{loop, client, config, topics, null_log()};
  LockProcessor lock{{locks, client, members, config}};
  remoting::CommandHead head;

  remoting::Call call(std::string_view body = {}) { return {head, body, channel, clock.now_ms()}; }
  remoting::Response ask_lock(std::string_view body) {
    lock.lock(call(body), {}, remoting::Responder(channel, 1, false));
    return channel->last();
  }
  remoting::QueryConsumerOffsetRequest asked() const {
    remoting::QueryConsumerOffsetRequest request;
    request.consumer_group = "readers";
    request.topic = "orders";
    request.queue_id = QueueId(1);
    return request;
  }
  remoting::Reply commit(int64_t to) {
    remoting::UpdateConsumerOffsetRequest request;
    request.consumer_group = "readers";
    request.topic = "orders";
    request.queue_id = QueueId(1);
    request.commit_offset = QueueOffset(to);
    return offset.update(call(), request);
  }
};

TEST_CASE("a committed offset is told; without one a young queue begins at 0, any other is unknown",
          "[broker][offset]") {
  Asked broker;
  CHECK(broker.offset.query(broker.call(), broker.asked()).code ==
        remoting::ResponseCode::kQueryNotFound);  // empty queue

  broker.send(order());
  CHECK(broker.offset.query(broker.call(), broker.asked()).ext_json == R"("offset":"0")");
  auto not_zero = broker.asked();
  not_zero.set_zero_if_not_found = false;
  CHECK(broker.offset.query(broker.call(), not_zero).code == remoting::ResponseCode::kQueryNotFound);
  broker.store.first_entry_cached = false;
  CHECK(broker.offset.query(broker.call(), broker.asked()).code == remoting::ResponseCode::kQueryNotFound);
  broker.store.first_entry_cached = true;
  broker.store.queue("orders", 1).min = 1;
  CHECK(broker.offset.query(broker.call(), broker.asked()).code == remoting::ResponseCode::kQueryNotFound);

  broker.groups.find_or_create("readers");
  CHECK(broker.commit(7).code == remoting::ResponseCode::kSuccess);
  CHECK(broker.offset.query(broker.call(), not_zero).ext_json == R"("offset":"7")");
}

TEST_CASE("a commit needs its group and its topic, and yields to a pending reset", "[broker][offset]") {
  Asked broker;
  const auto no_group = broker.commit(7);
  CHECK(no_group.code == remoting::ResponseCode::kSubscriptionGroupNotExist);
  CHECK(no_group.remark == "Group readers not exist!");
  broker.groups.find_or_create("readers");
  remoting::UpdateConsumerOffsetRequest elsewhere;
  elsewhere.consumer_group = "readers";
  elsewhere.topic = "nowhere";
  const auto no_topic = broker.offset.update(broker.call(), elsewhere);
  CHECK(no_topic.code == remoting::ResponseCode::kTopicNotExist);
  CHECK(no_topic.remark == "Topic nowhere not exist!");

  broker.offsets.set_reset("readers", "orders", QueueId(1), QueueOffset(3));
  const auto ignored = broker.commit(9);
  CHECK(ignored.code == remoting::ResponseCode::kSuccess);
  CHECK(ignored.remark == "Offset has been previously reset");
  CHECK(broker.offset.query(broker.call(), broker.asked()).ext_json == R"("offset":"3")");
}

TEST_CASE("a slave refuses commits that it has no room to keep for its master", "[broker][offset]") {
  Asked broker([](BrokerConfig& settings) { settings.broker_role = "SLAVE"; });
  broker.groups.find_or_create("readers");
  for (size_t n = 0; n < OwnCommits::kMost; ++n)
    REQUIRE(broker.offsets.commit_here("others", "orders", QueueId(static_cast<int32_t>(n)), QueueOffset(1)));
  const auto refused = broker.commit(7);
  CHECK(refused.code == remoting::ResponseCode::kSystemBusy);
  CHECK(refused.remark == "commits for 1000000 queues wait for the master already");
  CHECK_FALSE(broker.offsets.committed("readers", "orders", QueueId(1)));
  CHECK(broker.offsets.commit_here("others", "orders", QueueId(3), QueueOffset(2)));  // no more than there was
}

TEST_CASE("queues say where they begin and end, unknown ones too", "[broker][offset]") {
  Asked broker;
  broker.store.queue("orders", 1).min = 4;
  broker.send(order());
  remoting::GetMaxOffsetRequest max;
  max.topic = "orders";
  max.queue_id = QueueId(1);
  CHECK(broker.offset.max(broker.call(), max).ext_json == R"("offset":"5")");
  remoting::GetMinOffsetRequest min;
  min.topic = "orders";
  min.queue_id = QueueId(1);
  CHECK(broker.offset.min(broker.call(), min).ext_json == R"("offset":"4")");
  remoting::GetEarliestMsgStoretimeRequest earliest;
  earliest.topic = "nowhere";
  CHECK(broker.offset.earliest_time(broker.call(), earliest).ext_json == R"("timestamp":"-1")");
  max.topic = "nowhere";
  CHECK(broker.offset.max(broker.call(), max).ext_json == R"("offset":"0")");
}

TEST_CASE("a queue that can't be read now has no offsets to tell: who asks is refused, and asks again",
          "[broker][offset]") {
  Asked broker;
  broker.store.queue("orders", 1).min = 4;
  broker.send(order());
  remoting::GetMaxOffsetRequest max;
  remoting::GetMinOffsetRequest min;
  remoting::SearchOffsetByTimestampRequest by_time;
  const auto ask_all = [&] {
    const auto ask = [&](auto& request, auto member) {
      request.topic = "orders";
      request.queue_id = QueueId(1);
      return (broker.offset.*member)(broker.call(), request);
    };
    return std::array{ask(max, &OffsetProcessor::max), ask(min, &OffsetProcessor::min),
                      ask(by_time, &OffsetProcessor::by_time)};
  };
  broker.store.queues_unreadable = true;
  for (const remoting::Reply& reply : ask_all()) {
    CHECK(reply.code == remoting::ResponseCode::kSystemError);
    CHECK(reply.remark == "queue 1 of topic orders can't be read now: see store.log");
  }
  CHECK(broker.offset.query(broker.call(), broker.asked()).code == remoting::ResponseCode::kSystemError);
  broker.store.queues_unreadable = false;
  for (const remoting::Reply& reply : ask_all()) CHECK(reply.code == remoting::ResponseCode::kSuccess);
}

TEST_CASE("the boundary of a search by time is lower unless it says upper, in any case", "[broker][offset]") {
  Asked broker;
  remoting::SearchOffsetByTimestampRequest request;
  request.topic = "orders";
  request.timestamp_ms = 10;
  CHECK(broker.offset.by_time(broker.call(), request).ext_json == R"("offset":"10")");
  for (const std::string text : {"upper", "UPPER"}) {
    request.boundary_type = text;
    CHECK(broker.offset.by_time(broker.call(), request).ext_json == R"("offset":"11")");
  }
  request.boundary_type = "LOWER";
  CHECK(broker.offset.by_time(broker.call(), request).ext_json == R"("offset":"10")");
}

TEST_CASE("locks answer what the caller owns, an empty set too", "[broker][locks]") {
  Asked broker;
  const std::string of_one =
      R"({"clientId":"one","consumerGroup":"G","mqSet":[{"brokerName":"b-a","queueId":0,"topic":"T"}],"onlyThisBroker":false})";
  std::string of_two = of_one;
  of_two.replace(of_two.find("one"), 3, "two");
  const auto held = broker.ask_lock(of_one);
  CHECK(held.ok());
  CHECK(held.body == R"({"lockOKMQSet":[{"brokerName":"b-a","queueId":0,"topic":"T"}]})");
  CHECK(broker.ask_lock(of_two).body == R"({"lockOKMQSet":[]})");
  CHECK(broker.lock.unlock(broker.call(of_one), {}).code == remoting::ResponseCode::kSuccess);
  CHECK(broker.ask_lock(of_two).body == held.body);
  CHECK(broker.ask_lock("no JSON").code == static_cast<int32_t>(remoting::ResponseCode::kSystemError));
}

TEST_CASE("messages are found by key and by unique key, and none is QUERY_NOT_FOUND with the index's figures",
          "[broker][query]") {
  Asked broker;
  auto fields = order();
  const std::string text = properties({{"KEYS", "k1"}, {"UNIQ_KEY", "U1"}});
  fields.properties = text;
  for (int n = 0; n < 3; ++n) broker.send(fields);
  remoting::QueryMessageRequest request;
  request.topic = "orders";
  request.key = "k1";
  request.max_num = 2;
  broker.query.by_key(broker.call(), request, remoting::Responder(broker.channel, 5, false));
  auto answer = broker.channel->last();
  CHECK(answer.code == 0);
  CHECK(answer.field("indexLastUpdateTimestamp") == "77");
  CHECK(answer.field("indexLastUpdatePhyoffset") == std::to_string(broker.store.log_end.value));
  const auto one = decode_message(as_bytes(answer.body), true);
  REQUIRE(one);
  CHECK(answer.body.size() == 2 * static_cast<size_t>(one->record_bytes));

  request.key = "U1";
  request.unique_key_query = true;  // the broker's own bound, whatever the client says
  broker.query.by_key(broker.call(), request, remoting::Responder(broker.channel, 6, false));
  CHECK(broker.channel->last().body.size() == 3 * static_cast<size_t>(one->record_bytes));

  request.key = "nothing";
  broker.query.by_key(broker.call(), request, remoting::Responder(broker.channel, 7, false));
  answer = broker.channel->last();
  CHECK(answer.code == 22);
  CHECK(answer.field("indexLastUpdateTimestamp") == "77");
}

TEST_CASE("a message is found by its place, and a wrong place says so", "[broker][query]") {
  Asked broker;
  broker.send(order(), "first");
  const PhyOffset second = broker.store.log_end;
  broker.send(order(), "second");
  remoting::ViewMessageByIdRequest request;
  request.offset = second;
  const remoting::Reply found = broker.query.by_id(broker.call(), request);
  CHECK(found.code == remoting::ResponseCode::kSuccess);
  CHECK(decode_message(as_bytes(found.body), true)->message.body == "second");
  request.offset = second + 1;
  const remoting::Reply missing = broker.query.by_id(broker.call(), request);
  CHECK(missing.code == remoting::ResponseCode::kSystemError);
  CHECK(missing.remark == "can not find message by the offset, " + std::to_string(second.value + 1));
}

}  // namespace
}  // namespace comet::broker
