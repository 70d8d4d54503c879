#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/per_loop.h"
#include "broker/processors/transaction.h"
#include "broker/producers.h"
#include "broker/transaction_checks.h"
#include "broker/transactions.h"
#include "common/system_topics.h"
#include "remoting/protocol/json_header.h"
#include "tests/unit/broker/hot_fixture.h"
#include "tests/unit/broker/state_fixture.h"

namespace comet::test {

/// A broker's hot path and its transactions, over a store in memory. All verbs run in turns of its loop.
struct TransactionalBroker {
  struct Half {
    int64_t table_offset = 0, log_offset = 0;
  };

  explicit TransactionalBroker(const std::function<void(broker::BrokerConfig&)>& adjust = {},
                               store::FlushMode flush = store::FlushMode::kAsync)
      : hot(adjust, flush) {
    restart();
  }

  ~TransactionalBroker() {
    stop();
    hot.loop.stop();
    hot.runner.join();
  }

  /// A clean stop, and a start from what the store and the offsets say.
  void restart() {
    if (parts != nullptr) stop();
    start();
  }
  /// What a kill leaves: nothing more is written, and the offsets are those of the last write of their file.
  void crash() {
    turn([&] { drop_ops(); });
    stop();
    start();
  }
  /// Op records that are due are lost; to be called in the turn that made them due.
  void drop_ops() {
    while (parts->transactions.ledger().take_due(1 << 20)) {
    }
  }
  void start() {
    gone.push_back(std::move(parts));
    parts = std::make_unique<Parts>(*this);
    parts->transactions.load();
    turn([&] {
      parts->transactions.start();
      parts->checks.start();
    });
  }
  void stop() {
    turn([&] {
      parts->checks.stop();
      parts->transactions.stop();
    });
    parts->transactions.commit_all();
  }

  void later(int64_t ms) {
    hot.clock.advance_ms(ms);
    hot.store.now_ms += ms;
  }
  void turn(const std::function<void()>& step = {}) { hot.turn(step); }
  /// Turns in which workers' tasks run too, until nothing is left to do.
  void settle() {
    for (int n = 0; n < 6; ++n) {
      turn([&] { hot.workers.run_all(); });
    }
  }

  /// Sends a half message to queue 1 of topic orders.
  Half send_half(const std::string& key = "U1", const std::vector<std::pair<std::string, std::string>>& more = {}) {
    remoting::Response answer;
    turn([&] {
      auto fields = order();
      fields.sys_flag = sys_flag::kPrepared;
      std::vector<std::pair<std::string, std::string>> pairs = {
          {"TRAN_MSG", "true"}, {"PGROUP", "payers"}, {"UNIQ_KEY", key}, {"TAGS", "TagA"}};
      pairs.insert(pairs.end(), more.begin(), more.end());
      const std::string text = properties(pairs);
      fields.properties = text;
      fields.born_timestamp_ms = hot.clock.now_ms();
      fields.flag = 5;
      hot.send(fields, "pay " + key);
    });
    if (hot.store.settings.flush == store::FlushMode::kSync) turn([&] { hot.store.flush(); });
    turn([&] { answer = hot.channel->last(); });
    REQUIRE(answer.code == 0);
    CHECK(answer.field("queueId") == "1");
    return {std::stoll(std::string(*answer.field("queueOffset"))),
            parse_offset_msg_id(*answer.field("msgId")).value().offset.value};
  }
  /// END_TRANSACTION; an answer with code -1 if there was none.
  remoting::Response end(const Half& half, int32_t how, bool from_check = false, const std::string& group = "payers") {
    remoting::EndTransactionRequest request;
    request.producer_group = group;
    request.tran_state_table_offset = QueueOffset(half.table_offset);
    request.commit_log_offset = PhyOffset(half.log_offset);
    request.commit_or_rollback = how;
    request.from_transaction_check = from_check;
    request.msg_id = "U";
    const size_t before = hot.channel->answers();
    turn([&] {
      remoting::CommandHead head;
      parts->processor.end({head, {}, hot.channel, hot.clock.now_ms()}, request,
                           remoting::Responder(hot.channel, 3, false));
      if (crash_now) drop_ops();
    });
    settle();
    remoting::Response answer;
    answer.code = -1;
    turn([&] {
      if (hot.channel->answers() > before) answer = hot.channel->last();
    });
    return answer;
  }
  remoting::Response commit(const Half& half) { return end(half, sys_flag::kCommit); }
  remoting::Response roll_back(const Half& half) { return end(half, sys_flag::kRollback); }

  remoting::Response resume(const std::string& msg_id) {
    remoting::ResumeCheckHalfMessageRequest request;
    request.msg_id = msg_id;
    const size_t before = hot.channel->answers();
    turn([&] {
      remoting::CommandHead head;
      parts->processor.resume({head, {}, hot.channel, hot.clock.now_ms()}, request,
                              remoting::Responder(hot.channel, 4, false));
    });
    settle();
    remoting::Response answer;
    turn([&] {
      REQUIRE(hot.channel->answers() > before);
      answer = hot.channel->last();
    });
    return answer;
  }

  /// One round of checks, `later_ms` from now.
  void round(int64_t later_ms = 10'000) {
    later(later_ms);
    turn([&] { parts->checks.begin_round(); });
    settle();
    later(1);  // what comes next is stored later than this round
  }
  void write_ops() {
    turn([&] { parts->transactions.write_ops(); });
  }

  /// A producer of a group, on a connection of its own.
  std::shared_ptr<ToldChannel> producer(const std::string& group = "payers") {
    auto channel = std::make_shared<ToldChannel>(hot.loop, ++channels);
    broker::ClientInfo client;
    client.channel = channel;
    client.client_id = "client-" + std::to_string(channels);
    client.last_update_ms = hot.clock.now_ms();
    producers.register_client(client, group);
    return channel;
  }
  /// What a check told a producer.
  struct Asked {
    Half half;
    std::string topic, msg_id, offset_msg_id, broker;
    std::string body;  ///< a record
  };
  static Asked asked(const remoting::OutgoingRequest& request) {
    REQUIRE(request.code == 39);
    const auto field = [&](const std::string& name) {
      const std::string mark = "\"" + name + "\":\"";
      const size_t at = request.ext_json.find(mark);
      REQUIRE(at != std::string::npos);
      const size_t from = at + mark.size();
      return request.ext_json.substr(from, request.ext_json.find('"', from) - from);
    };
    CHECK(field("transactionId") == field("msgId"));
    return {{std::stoll(field("tranStateTableOffset")), std::stoll(field("commitLogOffset"))},
            field("topic"),
            field("msgId"),
            field("offsetMsgId"),
            field("bname"),
            request.body};
  }

  size_t count(std::string_view topic, int32_t queue = 0) { return hot.store.queue(topic, queue).records.size(); }
  size_t delivered() { return count("orders", 1); }
  Message half_record(size_t at) { return hot.store.message(kHalfTopic, 0, at); }
  /// All that op records name, in the order of their writing.
  std::string ops() {
    write_ops();
    std::string all;
    for (size_t n = 0; n < count(kOpHalfTopic); ++n) all += hot.store.message(kOpHalfTopic, 0, n).body;
    return all;
  }
  int64_t committed(std::string_view topic) {
    const auto offset = hot.offsets.committed("CID_RMQ_SYS_TRANS", topic, QueueId(0));
    return offset ? offset->value : -1;
  }

  struct Parts {
    explicit Parts(TransactionalBroker& of)
        : own(of.hot.loops, std::ref<store::MessageStore>(of.hot.store), std::ref(of.hot.topics),
              std::ref(of.hot.statistics), of.hot.kinds),
          transactions({of.hot.store, of.hot.topics, of.hot.offsets, of.hot.transaction_metrics, of.hot.config,
                        of.hot.clock, null_log()},
                       of.hot.loop, own[0], of.host),
          checks({transactions, of.producers, of.hot.store, of.hot.workers, of.hot.config, of.hot.clock, null_log()},
                 of.hot.loop, own[0], of.host),
          processor({transactions, of.hot.store, of.hot.workers, of.hot.config, of.hot.clock, null_log()}, of.hot.loops,
                    own) {}
    broker::PerLoop<broker::OwnMessages> own;
    broker::Transactions transactions;
    broker::TransactionChecks checks;
    broker::TransactionProcessor processor;
  };

  const Host host = Host::parse("10.0.0.1:10911").value();
  HotBroker hot;
  broker::Producers producers{hot.clock, hot.config};
  std::vector<std::unique_ptr<Parts>> gone;  // their timers may still be armed
  std::unique_ptr<Parts> parts;
  bool crash_now = false;  ///< the op record of the next end is never written
  uint64_t channels = 100;
};

}  // namespace comet::test
