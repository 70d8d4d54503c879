#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "broker/config.h"
#include "broker/consumer_filters.h"
#include "broker/consumer_offsets.h"
#include "broker/consumers.h"
#include "broker/groups.h"
#include "broker/message_kinds.h"
#include "broker/parked_answers.h"
#include "broker/processors/pull.h"
#include "broker/processors/send.h"
#include "broker/pull_holds.h"
#include "broker/queue_locks.h"
#include "broker/statistics.h"
#include "broker/topics.h"
#include "common/message_properties.h"
#include "remoting/protocol/frame.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/broker/memory_store.h"

namespace comet::test {

/// A client's connection that keeps what it is answered. Lives on a loop that may or may not run.
class CapturingChannel final : public remoting::Channel {
 public:
  CapturingChannel(remoting::EventLoop& loop, Id id) : loop_(loop), id_(id) {
    host_ = Host::parse("10.0.0.7:34567").value();
  }

  Id id() const override { return id_; }
  const Host& remote_host() const override { return host_; }
  const std::string& remote_text() const override { return text_; }
  remoting::EventLoop& loop() const override { return loop_; }
  bool open() const override { return open_; }
  void send_oneway(remoting::OutgoingRequest) override {}
  void call(remoting::OutgoingRequest, int64_t, Answer) override {}
  void close() override { open_ = false; }

  void set_host(std::string_view text) { host_ = Host::parse(text).value(); }
  size_t answers() const { return starts_.size(); }
  /// The answer number `n`, from 0.
  remoting::Response answer(size_t n) const {
    const size_t end = n + 1 < starts_.size() ? starts_[n + 1] : output_.size();
    remoting::HeadDecoder decoder;
    return remoting::to_response(
        decoder.decode(std::string_view(output_).substr(starts_.at(n), end - starts_.at(n))).value());
  }
  remoting::Response last() const { return answer(starts_.size() - 1); }
  void forget() {
    output_.clear();
    starts_.clear();
  }

 private:
  std::string* answer_space() override {
    starts_.push_back(output_.size());
    return &output_;
  }
  void answer_written(std::span<const PinnedBytes> body) override {
    for (const PinnedBytes& part : body) output_.append(as_text(part.bytes));
  }
  void send_answer(std::string frame, std::vector<PinnedBytes> body) override {
    starts_.push_back(output_.size());
    output_.append(frame);
    answer_written(body);
  }

  remoting::EventLoop& loop_;
  const Id id_;
  Host host_;
  const std::string text_ = "10.0.0.7:34567";
  bool open_ = true;
  std::string output_;
  std::vector<size_t> starts_;
};

/// Runs tasks when the test says so.
struct QueuedWorkers final : remoting::WorkerPool {
  std::vector<Task> tasks;
  bool full = false;
  bool submit(Task task) override {
    if (full) return false;
    tasks.push_back(std::move(task));
    return true;
  }
  void run_all() {
    for (Task& task : std::exchange(tasks, {})) task();
  }
};

/// A broker's parts around its hot path, over a store in memory. Change `settings` before the first request.
struct HotBroker {
  explicit HotBroker(const std::function<void(broker::BrokerConfig&)>& adjust = {},
                     store::FlushMode flush = store::FlushMode::kAsync)
      : settings(make_settings(adjust)) {
    store.settings.flush = flush;
    store.on_arrival(&holds);
    store.on_durable([this](PhyOffset end, bool failed) { parked.durable(end, failed); });
    static_cast<void>(topics.load());
    broker::TopicConfig orders;
    orders.name = "orders";
    orders.read_queues = 4;
    orders.write_queues = 4;
    topics.put(orders);
    channel = std::make_shared<CapturingChannel>(loop, 1);
  }

  /// Sends and returns the answer, or an empty one if there is none yet.
  remoting::Response send(remoting::SendFields fields, std::string_view body = "hello", bool oneway = false) {
    remoting::SendMessageV2Request request;
    static_cast<remoting::SendFields&>(request) = fields;
    const size_t before = channel->answers();
    remoting::CommandHead head;
    head.version = client_version;
    send_processor.send_v2(remoting::Call{head, body, channel, clock.now_ms()}, request,
                           remoting::Responder(channel, 1, oneway));
    return channel->answers() == before ? remoting::Response{} : channel->last();
  }
  remoting::Response pull(remoting::PullFields fields, bool lite = false) {
    const size_t before = channel->answers();
    remoting::CommandHead head;
    const remoting::Call call{head, {}, channel, clock.now_ms()};
    if (lite) {
      remoting::LitePullMessageRequest request;
      static_cast<remoting::PullFields&>(request) = fields;
      pull_processor.lite_pull(call, request, remoting::Responder(channel, 2, false));
    } else {
      remoting::PullMessageRequest request;
      static_cast<remoting::PullFields&>(request) = fields;
      pull_processor.pull(call, request, remoting::Responder(channel, 2, false));
    }
    return channel->answers() == before ? remoting::Response{} : channel->last();
  }
  /// On the loop: as many answers wait for the disk as may. The store has to be one that flushes before it answers.
  void fill_parked() {
    for (size_t n = 0; n < broker::ParkedAnswers::kMaxPerLoop; ++n)
      parked.park(loop, PhyOffset(int64_t{1} << 40), remoting::Responder(channel, 1, true),
                  remoting::SendMessageResponse{});
  }
  static constexpr std::string_view kBusyForDisk =
      "[REJECTREQUEST]system busy, start flow control for a while: 65536 answers wait for the disk already";

  /// One turn of the loop, on a thread of its own: `step`, then what stands at the turn's end. Once this was called,
  /// requests belong into such steps.
  void turn(std::function<void()> step = {}) {
    if (!runner.joinable()) runner = std::thread([this] { loop.run(); });
    std::promise<void> done;
    loop.post([&] {
      if (step) step();
      loop.at_turn_end([&done] { done.set_value(); });
    });
    done.get_future().wait();
  }
  /// Turns until there are `count` answers, at most 10 s.
  void turn_until_answers(size_t count) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    for (bool there = false; !there && std::chrono::steady_clock::now() < give_up;) {
      turn([&] { there = channel->answers() >= count; });
    }
  }
  ~HotBroker() {
    loop.stop();
    if (runner.joinable()) runner.join();
  }

  static broker::BrokerConfig make_settings(const std::function<void(broker::BrokerConfig&)>& adjust) {
    broker::BrokerConfig config;
    config.broker_name = "broker-a";
    config.broker_ip1 = "10.0.0.1";
    if (adjust) adjust(config);
    return config;
  }

  TempDir dir;
  ManualClock clock;
  std::unique_ptr<Files> files = make_real_files();
  broker::BrokerConfig settings;
  broker::LiveConfig config{*files, clock, settings, ""};
  remoting::EventLoop loop{"loop-0", clock};
  std::array<remoting::EventLoop*, 1> loops{&loop};
  MemoryStore store;
  broker::Topics topics{*files, clock, null_log(), config, dir / "topics.json"};
  broker::Groups groups{*files, clock, null_log(), config, dir / "subscriptionGroup.json"};
  broker::Consumers consumers{clock, null_log(), config};
  broker::ConsumerOffsets offsets{*files, clock, null_log(), config, dir / "consumerOffset.json"};
  broker::QueueLocks locks{clock};
  broker::Statistics statistics{"DefaultCluster"};
  broker::Alarm delay_alarm, timer_alarm;
  broker::MessageKinds kinds{config, statistics, clock, delay_alarm, timer_alarm};
  broker::TransactionMetrics transaction_metrics{*files, clock, null_log(), dir / "transactionMetrics"};
  broker::ParkedAnswers parked{loops, store, config};
  broker::PullHolds holds{loops, store};
  broker::SqlCache sql{null_log()};
  broker::ConsumerFilters filters{*files, clock, null_log(), config, sql, dir / "consumerFilter.json"};
  broker::BroadcastOffsets broadcasts{clock, config, consumers, offsets, store};
  QueuedWorkers workers;
  int32_t client_version = 479;
  // The store's flush mode is read when the processor is made, so it comes with the first use.
  std::unique_ptr<broker::SendProcessor> made_send;
  struct LazySend {
    HotBroker& of;
    template <class... A>
    void send_v2(A&&... args) {
      if (of.made_send == nullptr) {
        of.made_send = std::make_unique<broker::SendProcessor>(
            broker::SendProcessor::Parts{of.store, of.topics, of.groups, of.locks, of.config, of.statistics, of.parked,
                                         of.kinds, of.transaction_metrics, of.clock},
            of.loops, Host::parse("10.0.0.1:10911").value(), 7);
      }
      of.made_send->send_v2(std::forward<A>(args)...);
    }
  } send_processor{*this};
  broker::PullProcessor pull_processor{
      {store, topics, groups, consumers, offsets, config, statistics, workers, holds, filters, sql, broadcasts}, loops};
  std::shared_ptr<CapturingChannel> channel;
  std::thread runner;
};

/// A plain send to queue 1 of topic orders.
inline remoting::SendFields order() {
  remoting::SendFields fields;
  fields.producer_group = "producers";
  fields.topic = "orders";
  fields.default_topic = "TBW102";
  fields.default_topic_queue_nums = 4;
  fields.queue_id = QueueId(1);
  fields.born_timestamp_ms = 1'699'999'999'000;
  return fields;
}

/// Text of properties, from name=value pairs.
inline std::string properties(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string text;
  for (const auto& [name, value] : pairs) append_property(text, name, value);
  return text;
}

/// A pull of queue 1 of topic orders from its beginning, with its own subscription.
inline remoting::PullFields pull_orders(std::string_view subscription = "*", int64_t offset = 0) {
  remoting::PullFields fields;
  fields.consumer_group = "readers";
  fields.topic = "orders";
  fields.queue_id = QueueId(1);
  fields.queue_offset = QueueOffset(offset);
  fields.sys_flag = remoting::pull_flag::kSubscription;
  fields.subscription = subscription;
  fields.suspend_timeout_ms = 15'000;
  return fields;
}

}  // namespace comet::test
