#include "broker/transactions.h"

#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>

#include "common/rng.h"
#include "tests/unit/broker/transaction_fixture.h"

namespace comet::broker {
namespace {

using test::properties;
using test::TransactionalBroker;
using Half = TransactionalBroker::Half;

constexpr int32_t kSystemError = 1, kSlaveNotAvailable = 11, kIllegal = 13, kServiceNotAvailable = 14,
                  kIllegalOperation = 604, kUnanswered = -1;

/// A broker without a word from producers, and one transaction in it.
struct OneHalf : TransactionalBroker {
  using TransactionalBroker::TransactionalBroker;
  Half half = send_half();
};

// --- Half messages, commit and rollback ------------------------------------------------------------------------------

TEST_CASE("a half message waits in the half topic, unseen", "[broker][transactions]") {
  OneHalf broker;
  CHECK(broker.delivered() == 0);
  REQUIRE(broker.count(kHalfTopic) == 1);
  const Message stored = broker.half_record(0);
  CHECK(stored.sys_flag == 0);
  CHECK(stored.body == "pay U1");
  CHECK(find_property(stored.properties, "REAL_TOPIC") == "orders");
  CHECK(find_property(stored.properties, "REAL_QID") == "1");
  CHECK(find_property(stored.properties, "__transactionId__") == "U1");
  CHECK(find_property(stored.properties, "TRAN_MSG") == "true");
  const auto& record = broker.hot.store.queue(kHalfTopic, 0).records.front();
  CHECK(record.tags_code == tags_code("TagA"));
  CHECK(record.unique_key == "U1");
  CHECK(broker.hot.transaction_metrics.open("orders") == 1);
}

TEST_CASE("a commit delivers the message once, marked and with its half message's place", "[broker][transactions]") {
  OneHalf broker;
  const auto answer = broker.commit(broker.half);
  CHECK(answer.code == 0);
  CHECK(answer.remark.empty());
  REQUIRE(broker.delivered() == 1);
  const Message message = broker.hot.store.message("orders", 1, 0);
  CHECK(message.body == "pay U1");
  CHECK(message.flag == 5);
  CHECK(message.sys_flag == sys_flag::kCommit);
  CHECK(message.prepared_transaction_offset == broker.half.log_offset);
  CHECK(message.properties == broker.half_record(0).properties);
  CHECK(broker.hot.store.queue("orders", 1).records.front().tags_code == tags_code("TagA"));
  CHECK(broker.ops() == "0,");
  CHECK(broker.hot.transaction_metrics.open("orders") == 0);
}

TEST_CASE("a rollback delivers nothing", "[broker][transactions]") {
  OneHalf broker;
  CHECK(broker.roll_back(broker.half).code == 0);
  broker.round();
  broker.round();
  CHECK(broker.delivered() == 0);
  CHECK(broker.ops() == "0,");
  CHECK(broker.count(kHalfTopic) == 1);
  CHECK(broker.hot.transaction_metrics.open("orders") == 0);
}

TEST_CASE("a commit wakes the pull that waits for it", "[broker][transactions]") {
  OneHalf broker;
  broker.turn([&] {
    auto fields = test::pull_orders();
    fields.sys_flag |= remoting::pull_flag::kSuspend;
    broker.hot.pull(fields);
  });
  const size_t answers = broker.hot.channel->answers();
  broker.commit(broker.half);
  CHECK(broker.hot.channel->answers() == answers + 2);
}

TEST_CASE("an end that says nothing is not even answered", "[broker][transactions]") {
  OneHalf broker;
  CHECK(broker.end(broker.half, 0).code == kUnanswered);
  for (const int32_t how : {4, 99}) {
    const auto answer = broker.end(broker.half, how);
    CHECK(answer.code == kSystemError);
    CHECK(answer.remark == "commitOrRollback field wrong: " + std::to_string(how));
  }
  CHECK(broker.delivered() == 0);
  CHECK(broker.commit(broker.half).code == 0);
  CHECK(broker.delivered() == 1);
}

TEST_CASE("ends that don't fit are refused in Apache's words", "[broker][transactions]") {
  OneHalf broker;
  const Half other = broker.send_half("U2");
  const auto refused = [&](const Half& half, const std::string& group = "payers") {
    const auto answer = broker.end(half, sys_flag::kCommit, false, group);
    CHECK(answer.code == kSystemError);
    return answer.remark;
  };
  CHECK(refused({0, 12'345}) == "Find prepared transaction message failed");
  CHECK(refused(broker.half, "thieves") == "The producer group wrong");
  CHECK(refused({1, broker.half.log_offset}) == "The transaction state table offset wrong");
  CHECK(refused({broker.half.table_offset, other.log_offset}) == "The transaction state table offset wrong");
  CHECK(broker.delivered() == 0);
  // A committed message is no half message, though it says all that one says.
  REQUIRE(broker.commit(other).code == 0);
  const int64_t place = broker.hot.store.message("orders", 1, 0).phy_offset.value;
  CHECK(refused({0, place}) == "Find prepared transaction message failed");
  CHECK(broker.delivered() == 1);
}

TEST_CASE("a batch can't be a half message", "[broker][transactions]") {
  TransactionalBroker broker;
  broker.turn([&] {
    auto fields = test::order();
    const std::string text = properties({{"TRAN_MSG", "true"}, {"PGROUP", "payers"}});
    fields.properties = text;
    fields.batch = true;
    const auto answer = broker.hot.send(fields, "x");
    CHECK(answer.code == kIllegal);
  });
  CHECK(broker.delivered() == 0);
  CHECK(broker.count(kHalfTopic) == 0);
}

TEST_CASE("what an old client wants to consume again is no half message", "[broker][transactions]") {
  TransactionalBroker broker;
  broker.turn([&] {
    auto fields = test::order();
    const std::string text = properties({{"TRAN_MSG", "true"}, {"PGROUP", "payers"}, {"DELAY", "3"}});
    fields.properties = text;
    fields.sys_flag = sys_flag::kPrepared;
    fields.reconsume_times = 1;
    CHECK(broker.hot.send(fields).code == 0);
  });
  CHECK(broker.count(kHalfTopic) == 0);
  REQUIRE(broker.count(kScheduleTopic, 2) == 1);
  CHECK(broker.hot.store.message(kScheduleTopic, 2, 0).sys_flag == 0);
}

TEST_CASE("a half message is not delayed; its commit is", "[broker][transactions]") {
  TransactionalBroker broker;
  const Half half = broker.send_half("U1", {{"DELAY", "2"}});
  CHECK(broker.count(kHalfTopic) == 1);
  CHECK(broker.commit(half).code == 0);
  CHECK(broker.delivered() == 0);
  REQUIRE(broker.count(kScheduleTopic, 1) == 1);
  const Message waiting = broker.hot.store.message(kScheduleTopic, 1, 0);
  CHECK(find_property(waiting.properties, "REAL_TOPIC") == "orders");
  CHECK(find_property(waiting.properties, "REAL_QID") == "1");
}

TEST_CASE("a broker that doesn't decide transactions says so", "[broker][transactions]") {
  OneHalf broker;
  broker.turn([&] {
    broker.parts->checks.stop();
    broker.parts->transactions.stop();
  });
  CHECK(broker.commit(broker.half).code == kSlaveNotAvailable);
  CHECK(broker.delivered() == 0);
}

TEST_CASE("what the store refuses stays open, and the answer says why", "[broker][transactions]") {
  struct Refusal {
    store::PutStatus status;
    int32_t code;
    std::string remark;
  };
  const std::vector<Refusal> refusals = {
      {store::PutStatus::kServiceNotAvailable, kServiceNotAvailable, "Service not available now: the test says no"},
      {store::PutStatus::kCreateFileFailed, kSystemError, "Create mapped file failed: the test says no"},
      {store::PutStatus::kMessageIllegal, kIllegal, "The message is illegal, "},
      {store::PutStatus::kPropertiesTooLarge, kIllegal, "The message is illegal, "}};
  OneHalf broker;
  for (const Refusal& refusal : refusals) {
    broker.hot.store.refuse_with = refusal.status;
    const auto answer = broker.commit(broker.half);
    CHECK(answer.code == refusal.code);
    CHECK_THAT(answer.remark, Catch::StartsWith(refusal.remark));
  }
  broker.hot.store.refuse_with = store::PutStatus::kServiceNotAvailable;
  const auto rolled_back = broker.roll_back(broker.half);
  CHECK(rolled_back.code == kServiceNotAvailable);
  CHECK(rolled_back.remark == "Service not available now: the test says no");
  broker.hot.store.refuse_with = store::PutStatus::kOk;
  CHECK(broker.commit(broker.half).code == 0);
  CHECK(broker.delivered() == 1);
}

TEST_CASE("a half message that isn't in memory is read by a worker", "[broker][transactions]") {
  OneHalf broker;
  broker.hot.store.cold = true;
  CHECK(broker.commit(broker.half).code == 0);
  CHECK(broker.delivered() == 1);
}

TEST_CASE("workers that are overloaded leave the transaction open", "[broker][transactions]") {
  OneHalf broker;
  broker.hot.store.cold = true;
  broker.hot.workers.full = true;
  const auto refused = broker.commit(broker.half);
  CHECK(refused.code == 2);
  CHECK(refused.remark == "[OVERLOAD]system busy, start flow control for a while: the workers' queue is full");
  broker.hot.workers.full = false;
  CHECK(broker.commit(broker.half).code == 0);
  CHECK(broker.delivered() == 1);
}

// --- Ends that come again, or late -----------------------------------------------------------------------------------

TEST_CASE("a repeated end is ignored, whatever it says", "[broker][transactions]") {
  OneHalf broker;
  const Half rolled_back = broker.send_half("U2");
  REQUIRE(broker.commit(broker.half).code == 0);
  REQUIRE(broker.roll_back(rolled_back).code == 0);
  CHECK(broker.commit(broker.half).remark == "the half message at 0 was decided before: this commit is ignored");
  CHECK(broker.roll_back(broker.half).code == 0);
  CHECK(broker.commit(rolled_back).code == 0);
  CHECK(broker.delivered() == 1);
  CHECK(broker.ops() == "0,1,");
}

TEST_CASE("a repeated end is ignored after a restart, too", "[broker][transactions]") {
  OneHalf broker;
  REQUIRE(broker.commit(broker.half).code == 0);
  broker.restart();
  CHECK(broker.commit(broker.half).code == 0);
  CHECK(broker.delivered() == 1);
  broker.round();
  broker.restart();  // now the half message lies below the checker's offset
  CHECK(broker.committed(kHalfTopic) == 1);
  CHECK(broker.commit(broker.half).code == 0);
  CHECK(broker.delivered() == 1);
}

TEST_CASE("only a crash before the op record can repeat a commit", "[broker][transactions]") {
  OneHalf broker;
  broker.crash_now = true;
  REQUIRE(broker.commit(broker.half).code == 0);
  broker.crash_now = false;
  broker.crash();
  CHECK(broker.commit(broker.half).code == 0);
  CHECK(broker.delivered() == 2);
  broker.write_ops();
  broker.crash();
  broker.commit(broker.half);
  CHECK(broker.delivered() == 2);
}

// --- Checks ----------------------------------------------------------------------------------------------------------

TEST_CASE("a producer of the group is asked about an old transaction", "[broker][transactions]") {
  OneHalf broker;
  const auto channel = broker.producer();
  broker.round(5'999);
  CHECK(channel->told.empty());
  broker.round(1'000);
  REQUIRE(channel->told.size() == 1);
  const auto asked = TransactionalBroker::asked(channel->told.front());
  CHECK(asked.topic == "RMQ_SYS_TRANS_HALF_TOPIC");
  CHECK(asked.msg_id == "U1");
  CHECK(asked.broker == "broker-a");
  CHECK(asked.half.table_offset == 1);
  CHECK(asked.half.log_offset == broker.half_record(1).phy_offset.value);
  CHECK(parse_offset_msg_id(asked.offset_msg_id).value().offset.value == asked.half.log_offset);
  const Message message = decode_message(as_bytes(asked.body), true).value().message;
  CHECK(message.topic == "orders");
  CHECK(message.queue_id == QueueId(1));
  CHECK(message.queue_offset.value == 1);
  CHECK(message.phy_offset.value == asked.half.log_offset);
  CHECK(message.body == "pay U1");
  CHECK(find_property(message.properties, "PGROUP") == "payers");
  CHECK(find_property(message.properties, "TRANSACTION_CHECK_TIMES") == "1");
  CHECK(find_property(broker.half_record(1).properties, "TRANSACTION_CHECK_TIMES") == "1");
  CHECK(broker.half_record(1).flag == 5);

  CHECK(broker.end(asked.half, sys_flag::kCommit, true).code == 0);
  CHECK(broker.delivered() == 1);
  CHECK(broker.ops() == "0,1,");
  broker.round(100'000);
  CHECK(channel->told.size() == 1);
  CHECK(broker.committed(kHalfTopic) == 2);
}

TEST_CASE("an end that names an older copy decides the transaction", "[broker][transactions]") {
  OneHalf broker;
  for (int n = 0; n < 3; ++n) broker.round();
  REQUIRE(broker.count(kHalfTopic) == 4);
  SECTION("while the broker runs") {}
  SECTION("after a restart") { broker.restart(); }
  SECTION("after a crash") { broker.crash(); }
  const auto answer = broker.commit(broker.half);
  CHECK(answer.code == 0);
  CHECK(answer.remark.empty());
  CHECK(broker.delivered() == 1);
  const auto channel = broker.producer();
  broker.round();
  CHECK(channel->told.empty());
  broker.commit(broker.half);
  broker.commit({3, broker.half_record(3).phy_offset.value});
  CHECK(broker.delivered() == 1);
}

TEST_CASE("a check's answer that comes after the next check counts", "[broker][transactions]") {
  OneHalf broker;
  const auto channel = broker.producer();
  broker.round();
  broker.round();
  REQUIRE(channel->told.size() == 2);
  const auto first = TransactionalBroker::asked(channel->told[0]),
             second = TransactionalBroker::asked(channel->told[1]);
  CHECK(broker.end(first.half, sys_flag::kCommit, true).code == 0);
  CHECK(broker.end(second.half, sys_flag::kCommit, true).code == 0);
  CHECK(broker.delivered() == 1);
}

TEST_CASE("any live producer of the group is asked, also after the sender left", "[broker][transactions]") {
  OneHalf broker;
  const auto first = broker.producer(), second = broker.producer(), stranger = broker.producer("others");
  first->close();
  broker.producers.channel_closed(first);
  broker.round();
  CHECK(first->told.empty());
  CHECK(second->told.size() == 1);
  CHECK(stranger->told.empty());
}

TEST_CASE("without a producer the checks go on, and count", "[broker][transactions]") {
  OneHalf broker;
  for (int n = 0; n < 3; ++n) broker.round();
  const auto channel = broker.producer();
  broker.round();
  REQUIRE(channel->told.size() == 1);
  const auto asked = TransactionalBroker::asked(channel->told.front());
  CHECK(find_property(decode_message(as_bytes(asked.body), true).value().message.properties,
                      "TRANSACTION_CHECK_TIMES") == "4");
}

TEST_CASE("after transactionCheckMax checks a transaction is given up", "[broker][transactions]") {
  OneHalf broker([](BrokerConfig& config) { config.transaction_check_max = 2; });
  const auto channel = broker.producer();
  broker.round();
  broker.round();
  CHECK(channel->told.size() == 2);
  CHECK(broker.count(kTransCheckMaxTimeTopic) == 0);
  broker.round();
  CHECK(channel->told.size() == 2);
  REQUIRE(broker.count(kTransCheckMaxTimeTopic) == 1);
  const Message given_up = broker.hot.store.message(kTransCheckMaxTimeTopic, 0, 0);
  CHECK(given_up.body == "pay U1");
  CHECK(find_property(given_up.properties, "TRANSACTION_CHECK_TIMES") == "2");
  CHECK(find_property(given_up.properties, "REAL_TOPIC") == "orders");
  const TopicConfig* topic = broker.hot.topics.find(kTransCheckMaxTimeTopic);
  REQUIRE(topic != nullptr);
  CHECK(topic->perm == 6);
  CHECK(topic->queues() == 1);
  CHECK(broker.hot.transaction_metrics.open("orders") == 0);
  broker.round();
  CHECK(broker.count(kTransCheckMaxTimeTopic) == 1);

  // As Apache's, it can still be committed; once.
  CHECK(broker.commit(broker.half).code == 0);
  CHECK(broker.commit(broker.half).code == 0);
  CHECK(broker.delivered() == 1);
}

TEST_CASE("a transaction that was given up can be resumed", "[broker][transactions]") {
  OneHalf broker([](BrokerConfig& config) { config.transaction_check_max = 1; });
  broker.round();
  broker.round();
  REQUIRE(broker.count(kTransCheckMaxTimeTopic) == 1);
  const Message given_up = broker.hot.store.message(kTransCheckMaxTimeTopic, 0, 0);
  const auto channel = broker.producer();
  CHECK(broker.resume(make_offset_msg_id(broker.host, given_up.phy_offset)).code == 0);
  REQUIRE(broker.count(kHalfTopic) == 3);
  CHECK(find_property(broker.half_record(2).properties, "TRANSACTION_CHECK_TIMES") == "0");
  broker.round();
  REQUIRE(channel->told.size() == 1);
  CHECK(broker.end(TransactionalBroker::asked(channel->told.front()).half, sys_flag::kCommit, true).code == 0);
  CHECK(broker.delivered() == 1);
  broker.commit(broker.half);
  CHECK(broker.delivered() == 1);
}

TEST_CASE("only what belongs to a transaction can be resumed", "[broker][transactions]") {
  OneHalf broker;
  const auto refused = [&](const std::string& msg_id) {
    const auto answer = broker.resume(msg_id);
    CHECK(answer.code == kSystemError);
    CHECK(answer.remark.find("msgId=" + msg_id) != std::string::npos);
    return answer.remark;
  };
  refused("nonsense");
  refused(make_offset_msg_id(broker.host, PhyOffset(99'999)));
  const std::string open = make_offset_msg_id(broker.host, PhyOffset(broker.half.log_offset));
  CHECK(broker.resume(open).code == 0);  // from zero; the copy takes its place
  CHECK(broker.count(kHalfTopic) == 2);
  CHECK(refused(open).find("Put message back to RMQ_SYS_TRANS_HALF_TOPIC failed.") == 0);
  REQUIRE(broker.commit(broker.half).code == 0);
  refused(make_offset_msg_id(broker.host, broker.hot.store.message("orders", 1, 0).phy_offset));
  CHECK(broker.count(kHalfTopic) == 2);
  CHECK(broker.delivered() == 1);
}

TEST_CASE("a half message older than files are kept is given up", "[broker][transactions]") {
  OneHalf broker;
  broker.round(72LL * 3'600'000 + 1);
  CHECK(broker.count(kTransCheckMaxTimeTopic) == 1);
}

TEST_CASE("a message's own immunity holds checks back, and copies keep its first place", "[broker][transactions]") {
  TransactionalBroker broker([](BrokerConfig& config) { config.transaction_check_max = 3; });
  const Half half = broker.send_half("U1", {{"CHECK_IMMUNITY_TIME_IN_SECONDS", "60"}});
  const auto channel = broker.producer();
  for (int n = 0; n < 5; ++n) broker.round();  // 50 s
  CHECK(channel->told.empty());
  REQUIRE(broker.count(kHalfTopic) == 6);
  CHECK(find_property(broker.half_record(5).properties, "TRAN_PREPARED_QUEUE_OFFSET") == "0");
  CHECK_FALSE(find_property(broker.half_record(5).properties, "TRANSACTION_CHECK_TIMES"));
  SECTION("it can be committed within it") {
    SECTION("after a restart") { broker.restart(); }
    SECTION("at once") {}
    CHECK(broker.commit(half).code == 0);
    CHECK(broker.delivered() == 1);
  }
  SECTION("after it only a check's answer counts") {
    broker.round(11'000);
    REQUIRE(channel->told.size() == 1);
    CHECK(broker.commit(half).code == kIllegalOperation);
    CHECK(broker.delivered() == 0);
    CHECK(broker.end(TransactionalBroker::asked(channel->told.front()).half, sys_flag::kCommit, true).code == 0);
    CHECK(broker.delivered() == 1);
  }
  broker.round();
  broker.round();
  CHECK(broker.delivered() == 1);
}

TEST_CASE("a young transaction holds a round back, a decided one doesn't", "[broker][transactions]") {
  OneHalf broker;
  const Half second = broker.send_half("U2");
  broker.later(8'000);
  const Half young = broker.send_half("U3");
  REQUIRE(broker.commit(second).code == 0);
  broker.round(1'000);
  CHECK(broker.committed(kHalfTopic) == 2);
  CHECK(broker.count(kHalfTopic) == 4);
  CHECK(broker.commit(young).code == 0);
  CHECK(broker.delivered() == 2);
}

TEST_CASE("a copy that the store refuses is tried again", "[broker][transactions]") {
  OneHalf broker;
  const auto channel = broker.producer();
  broker.hot.store.refuse_with = store::PutStatus::kServiceNotAvailable;
  broker.round();
  CHECK(channel->told.empty());
  CHECK(broker.committed(kHalfTopic) == -1);
  broker.hot.store.refuse_with = store::PutStatus::kOk;
  broker.round();
  CHECK(channel->told.size() == 1);
}

TEST_CASE("half messages that aren't in memory are read by a worker before they are checked",
          "[broker][transactions]") {
  OneHalf broker;
  const auto channel = broker.producer();
  broker.hot.store.cold = true;
  broker.later(10'000);
  broker.turn([&] { broker.parts->checks.begin_round(); });
  CHECK(channel->told.empty());
  REQUIRE(broker.hot.workers.tasks.size() == 1);
  broker.turn([&] {
    broker.hot.workers.run_all();
    broker.hot.store.cold = false;
  });
  broker.settle();
  CHECK(channel->told.size() == 1);
}

TEST_CASE("thousands of old transactions are checked in one round", "[broker][transactions]") {
  TransactionalBroker broker;
  const auto channel = broker.producer();
  for (int n = 0; n < 3'000; ++n) broker.send_half("U" + std::to_string(n));
  broker.round();
  for (int n = 0; n < 100 && channel->told.size() < 3'000; ++n) broker.settle();
  CHECK(channel->told.size() == 3'000);
  CHECK(broker.committed(kHalfTopic) == 3'000);
}

// --- What is on disk -------------------------------------------------------------------------------------------------

TEST_CASE("the checker's offset waits for what it rests on to be durable", "[broker][transactions]") {
  OneHalf broker({}, store::FlushMode::kSync);
  broker.round();
  CHECK(broker.count(kHalfTopic) == 2);
  CHECK(broker.committed(kHalfTopic) == -1);
  broker.turn([&] {
    broker.hot.store.flush();
    broker.parts->transactions.commit_offsets();
  });
  CHECK(broker.committed(kHalfTopic) == 1);
}

TEST_CASE("the op topic's offset follows the half topic's a round later", "[broker][transactions]") {
  OneHalf broker;
  REQUIRE(broker.commit(broker.half).code == 0);
  broker.write_ops();
  broker.round();
  CHECK(broker.committed(kHalfTopic) == 1);
  CHECK(broker.committed(kOpHalfTopic) == -1);
  broker.round();
  CHECK(broker.committed(kOpHalfTopic) == -1);
  broker.round();
  CHECK(broker.committed(kOpHalfTopic) == 1);
}

TEST_CASE("a clean stop leaves both offsets at the end", "[broker][transactions]") {
  OneHalf broker;
  REQUIRE(broker.commit(broker.half).code == 0);
  broker.round();
  broker.restart();
  CHECK(broker.committed(kHalfTopic) == 1);
  CHECK(broker.committed(kOpHalfTopic) == 1);
}

TEST_CASE("a crash between a copy and its op record leaves one transaction", "[broker][transactions]") {
  OneHalf broker;
  broker.later(10'000);
  broker.turn([&] {
    broker.parts->checks.begin_round();
    broker.drop_ops();
  });
  REQUIRE(broker.count(kHalfTopic) == 2);
  broker.hot.offsets.commit("CID_RMQ_SYS_TRANS", kHalfTopic, QueueId(0), QueueOffset(0));  // as the file still says
  broker.crash();
  const auto channel = broker.producer();
  broker.later(1);
  broker.round();
  REQUIRE(channel->told.size() == 1);
  CHECK(TransactionalBroker::asked(channel->told.front()).half.table_offset == 2);
  CHECK(broker.commit(broker.half).code == 0);
  CHECK(broker.end(TransactionalBroker::asked(channel->told.front()).half, sys_flag::kCommit, true).code == 0);
  CHECK(broker.delivered() == 1);
}

TEST_CASE("single op records of older brokers are read", "[broker][transactions]") {
  OneHalf broker;
  broker.send_half("U2");
  broker.send_half("U3");
  store::PutRequest op;
  for (const std::string body : {"0", "2", "99"}) {
    op.message = op_record(body, broker.host, 0);
    broker.hot.store.put(op);
  }
  broker.crash();
  const auto channel = broker.producer();
  broker.round();
  REQUIRE(channel->told.size() == 1);
  CHECK(TransactionalBroker::asked(channel->told.front()).msg_id == "U2");
}

TEST_CASE("an offset beyond the queue's end doesn't hide what comes", "[broker][transactions]") {
  OneHalf broker;
  broker.hot.offsets.commit("CID_RMQ_SYS_TRANS", kHalfTopic, QueueId(0), QueueOffset(50));
  broker.crash();
  const Half half = broker.send_half("U2");
  CHECK(broker.commit(half).code == 0);
  CHECK(broker.delivered() == 1);
}

/// Transactions, ends, checks, restarts and crashes in random order: each is delivered as often as it was committed
/// first, unless a crash came between the final message and its op record.
TEST_CASE("random lives of transactions end as their producers said", "[broker][transactions][property]") {
  const auto seed = GENERATE(take(12, random(0u, ~0u)));
  CAPTURE(seed);
  Rng rng(seed);
  TransactionalBroker broker;
  const auto channel = broker.producer();
  struct Life {
    Half half;
    int32_t verdict = 0;
  };
  std::map<std::string, Life> lives;
  const auto decide = [&](const std::string& key, const Half& half, bool from_check) {
    Life& life = lives[key];
    const int32_t said = rng.below(2) == 0 ? sys_flag::kCommit : sys_flag::kRollback;
    if (life.verdict == 0) life.verdict = said;
    CHECK(broker.end(half, said, from_check).code == 0);
  };
  for (int step = 0; step < 120; ++step) {
    switch (rng.below(8)) {
      case 0:
      case 1:
      case 2: {
        const std::string key = "U" + std::to_string(step);
        lives[key].half = broker.send_half(key);
        break;
      }
      case 3:
      case 4: {
        if (lives.empty()) break;
        auto life = lives.begin();
        std::advance(life, static_cast<int64_t>(rng.below(lives.size())));
        decide(life->first, life->second.half, false);
        break;
      }
      case 5: {
        broker.round(7'000);
        for (const auto& request : std::exchange(channel->told, {})) {
          const auto asked = TransactionalBroker::asked(request);
          CHECK(lives[asked.msg_id].verdict == 0);  // what was decided is never asked about
          if (rng.below(3) == 0) decide(asked.msg_id, asked.half, true);
        }
        break;
      }
      case 6:
        broker.restart();
        break;
      default:
        broker.write_ops();
        broker.crash();
    }
  }
  std::map<std::string, int> delivered;
  for (size_t n = 0; n < broker.delivered(); ++n)
    ++delivered[std::string(*find_property(broker.hot.store.message("orders", 1, n).properties, "UNIQ_KEY"))];
  for (const auto& [key, life] : lives) {
    CAPTURE(key);
    CHECK(delivered[key] == (life.verdict == sys_flag::kCommit ? 1 : 0));
  }
}

}  // namespace
}  // namespace comet::broker
