#include "broker/broker.h"

#include <fmt/core.h>
#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "broker/broadcast_offsets.h"
#include "broker/consumer_filters.h"
#include "broker/consumer_offsets.h"
#include "broker/consumers.h"
#include "broker/day_totals.h"
#include "broker/delay_offsets.h"
#include "broker/delay_schedule.h"
#include "broker/escape.h"
#include "broker/gated_log.h"
#include "broker/groups.h"
#include "broker/parked_answers.h"
#include "broker/persister.h"
#include "broker/processors/admin_broker.h"
#include "broker/processors/admin_group.h"
#include "broker/processors/admin_offset.h"
#include "broker/processors/admin_progress.h"
#include "broker/processors/admin_topic.h"
#include "broker/processors/assignment.h"
#include "broker/processors/client_relay.h"
#include "broker/processors/delays.h"
#include "broker/processors/heartbeat.h"
#include "broker/processors/lock.h"
#include "broker/processors/offset.h"
#include "broker/processors/pull.h"
#include "broker/processors/query.h"
#include "broker/processors/recall.h"
#include "broker/processors/replication.h"
#include "broker/processors/reply.h"
#include "broker/processors/send.h"
#include "broker/processors/send_back.h"
#include "broker/processors/transaction.h"
#include "broker/producers.h"
#include "broker/pull_holds.h"
#include "broker/queue_locks.h"
#include "broker/registration.h"
#include "broker/replica_group.h"
#include "broker/replica_members.h"
#include "broker/replication.h"
#include "broker/requests.h"
#include "broker/runtime_info.h"
#include "broker/slave_sync.h"
#include "broker/slow_readers.h"
#include "broker/state_file.h"
#include "broker/statistics.h"
#include "broker/stats_log.h"
#include "broker/timer_metrics.h"
#include "broker/timers.h"
#include "broker/topics.h"
#include "broker/transaction_checks.h"
#include "broker/transaction_metrics.h"
#include "broker/transactions.h"
#include "broker/unread_losses.h"
#include "remoting/net/client.h"
#include "remoting/net/server.h"
#include "remoting/net/workers.h"
#include "store/message_store.h"

namespace comet::broker {
namespace {

constexpr int64_t kExpiryPeriodMs = 10'000;
constexpr int64_t kDurabilityLookMs = 1'000;  ///< what waits for it before it is written is looked at so often
constexpr int64_t kFilterPersistPeriodMs = 10'000;
constexpr int64_t kIdleFiguresMs = 600'000;
constexpr int64_t kUnregisterMs = 500;
constexpr int64_t kCloseGraceMs = 300;
constexpr int64_t kSlavesGraceMs = 500;
constexpr size_t kWorkerQueueTasks = 10'000;

/// For threads that nobody waits for: on a busy machine the loops go first. Linux: this thread's priority alone.
void stand_behind_loops() {
  constexpr int kNice = 5;
  (void)::setpriority(PRIO_PROCESS, 0, kNice);
}

/// A moment that one thread waits for and another brings.
class Moment {
 public:
  void come() {
    std::lock_guard lock(mu_);
    here_ = true;
    changed_.notify_all();
  }
  bool wait(int64_t timeout_ms) {
    std::unique_lock lock(mu_);
    return changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return here_; });
  }

 private:
  std::mutex mu_;
  std::condition_variable changed_;
  bool here_ = false;
};

int32_t loops_wanted(const BrokerConfig& config) {
  if (config.event_loop_threads > 0) return config.event_loop_threads;
  return std::clamp(static_cast<int32_t>(std::thread::hardware_concurrency()), 1, 8);
}

remoting::ServerLimits limits_of(const BrokerConfig& config) {
  remoting::ServerLimits limits;
  limits.idle_ms = int64_t{config.channel_idle_s} * 1'000;
  return limits;
}

}  // namespace

/// Members stand in the order in which they need each other; they go in reverse.
struct Broker::Parts {
  Parts(Machine on, BrokerConfig settings, Path config_file);
  Result<void> load();
  void make_serving_parts();
  Result<void> listen();
  void start_threads();
  void start_timers();
  void end_threads();
  void settings_changed(const std::vector<std::string>& keys);
  void tell_dropped_log_lines();
  void start_thread(std::string name, std::function<void()> life);
  Result<void> persist();
  Result<void> persist_transaction_metrics();

  Machine machine;
  LiveConfig live;
  std::unique_ptr<Log> log, store_log, remoting_log, stats_lines;
  GatedLog client_log;  ///< broker.log, for what clients cause
  std::vector<std::string> notices;

  // State.
  Topics topics;
  Groups groups;
  ConsumerOffsets offsets;
  SqlCache sql;
  ConsumerFilters filters;
  Consumers consumers;
  Producers producers;
  QueueLocks locks;
  RequestModes request_modes;
  Statistics statistics;
  DayTotals days;
  Alarm delay_alarm, timer_alarm;
  MessageKinds kinds;
  DelayOffsets delay_offsets;
  TimerMetrics timer_metrics;
  TransactionMetrics transaction_metrics;
  std::unique_ptr<store::MessageStore> store;
  std::unique_ptr<store::TimerFiles> timer_files;  // none without timerWheelEnable

  // Threads' work.
  remoting::ThreadWorkers workers{kWorkerQueueTasks};
  std::vector<std::unique_ptr<remoting::EventLoop>> loops;
  std::vector<remoting::EventLoop*> loop_list;

  // Made by serve().
  std::unique_ptr<Replication> replication;
  struct Serving;
  std::unique_ptr<Serving> serving;
  std::vector<std::thread> threads;
  int64_t dropped_told = 0;  ///< log lines; loop-0's
};

struct Broker::Parts::Serving {
  explicit Serving(Parts& parts);
  std::unique_ptr<Escape> make_escape(Parts& parts);
  static std::unique_ptr<Timers> make_timers(Parts& parts, Outlet* outlet);

  remoting::Client client;
  Registration registration;
  TopicRoutes routes;
  ReplicaMembers members;
  Persister write_topics, write_groups, write_offsets, write_delays, write_timers, write_transactions, write_filters;
  PullHolds holds;
  BroadcastOffsets broadcasts;
  SlowReaders slow_readers;
  StatsLog stats_log;
  UnreadLosses unread_losses;
  ParkedAnswers parked;
  std::unique_ptr<Escape> escape;  // a slave's, with enableRemoteEscape
  DelaySchedule delays;
  std::unique_ptr<Timers> timers;  // none without timerWheelEnable
  PerLoop<OwnMessages> own_messages;
  Transactions transactions;
  TransactionChecks transaction_checks;
  ReplicaGroup replica_group;
  SendProcessor send;
  SendBackProcessor send_back;
  PullProcessor pull;
  OffsetProcessor offset;
  QueryProcessor query;
  LockProcessor lock;
  HeartbeatProcessor heartbeat;
  RuntimeInfo runtime;
  AdminTopicProcessor admin_topics;
  AdminGroupProcessor admin_groups;
  AdminProgressProcessor progress;
  AdminOffsetProcessor admin_offsets;
  AdminBrokerProcessor admin;
  ClientRelayProcessor relay;
  AssignmentProcessor assignment;
  DelayProcessor delay_admin;
  RecallProcessor recall;
  TransactionProcessor transaction;
  ReplicationProcessor replicas;
  SlaveSync slave_sync;
  ReplyProcessor reply;
  remoting::Router main_router, fast_router;
  remoting::Server server;
};

namespace {

Host store_host(const BrokerConfig& config) {
  const auto host = Host::parse(config.address());
  return host ? *host : Host{};
}

remoting::Client::Options client_options(const BrokerConfig& config) {
  remoting::Client::Options options;
  options.connect_timeout_ms = config.connect_timeout_ms;
  return options;
}

}  // namespace

Broker::Parts::Parts(Machine on, BrokerConfig settings, Path config_file)
    : machine(on),
      live(on.files, on.clock, std::move(settings), std::move(config_file)),
      log(on.logs.make("broker")),
      store_log(on.logs.make("store")),
      remoting_log(on.logs.make("remoting")),
      stats_lines(on.logs.make("stats")),
      client_log(*log, on.clock),
      topics(on.files, on.clock, client_log, live, live.now().config_folder() + "/topics.json"),
      groups(on.files, on.clock, client_log, live, live.now().config_folder() + "/subscriptionGroup.json"),
      offsets(on.files, on.clock, *log, live, live.now().config_folder() + "/consumerOffset.json"),
      sql(*log),
      filters(on.files, on.clock, *log, live, sql, live.now().config_folder() + "/consumerFilter.json"),
      consumers(on.clock, client_log, live),
      producers(on.clock, live),
      locks(on.clock),
      request_modes(on.files, *log, live.now().config_folder() + "/messageRequestMode.json"),
      statistics(live.now().cluster_name),
      days(on.clock.now_ms()),
      kinds(live, statistics, on.clock, delay_alarm, timer_alarm),
      delay_offsets(on.files, on.clock, *log, live, live.now().config_folder() + "/delayOffset.json"),
      timer_metrics(on.files, on.clock, *log, live.now().config_folder() + "/timermetrics"),
      transaction_metrics(on.files, on.clock, *log, live.now().config_folder() + "/transactionMetrics") {}

std::unique_ptr<Escape> Broker::Parts::Serving::make_escape(Parts& parts) {
  const BrokerConfig& config = parts.live.now();
  if (!config.is_slave() || !config.slave_acting_master || !config.remote_escape) return nullptr;
  return std::make_unique<Escape>(*parts.loop_list.front(), client, routes, parts.live, *parts.log,
                                  parts.machine.clock);
}

std::unique_ptr<Timers> Broker::Parts::Serving::make_timers(Parts& parts, Outlet* outlet) {
  if (parts.timer_files == nullptr) return nullptr;
  return std::make_unique<Timers>(Timers::Parts{*parts.store, parts.topics, parts.statistics, parts.kinds,
                                                parts.timer_metrics, *parts.timer_files, parts.timer_alarm, parts.live,
                                                parts.machine.clock, *parts.log, outlet});
}

Broker::Parts::Serving::Serving(Parts& parts)
    : client(*parts.loop_list.front(), client_options(parts.live.now()), *parts.remoting_log),
      registration(*parts.loop_list.front(), client, *parts.log, parts.live, parts.topics),
      routes(*parts.loop_list.front(), client, parts.live),
      members(*parts.loop_list.front(), client, parts.live, parts.topics, *parts.log),
      write_topics(*parts.loop_list.front(), parts.workers, *parts.log, [&parts] { return parts.topics.persist(); }),
      write_groups(*parts.loop_list.front(), parts.workers, *parts.log, [&parts] { return parts.groups.persist(); }),
      write_offsets(*parts.loop_list.front(), parts.workers, *parts.log, [&parts] { return parts.offsets.persist(); }),
      write_delays(*parts.loop_list.front(), parts.workers, *parts.log,
                   [&parts] { return parts.delay_offsets.persist(parts.store->durable_end()); }),
      write_timers(*parts.loop_list.front(), parts.workers, *parts.log,
                   [this] { return timers ? timers->flush(false) : Result<void>(); }),
      write_transactions(*parts.loop_list.front(), parts.workers, *parts.log,
                         [&parts] { return parts.persist_transaction_metrics(); }),
      write_filters(*parts.loop_list.front(), parts.workers, *parts.log, [&parts] { return parts.filters.persist(); }),
      holds(parts.loop_list, *parts.store),
      broadcasts(parts.machine.clock, parts.live, parts.consumers, parts.offsets, *parts.store),
      slow_readers(parts.live, parts.offsets, parts.groups, *parts.store, parts.machine.clock, *parts.log),
      stats_log(*parts.loop_list.front(), parts.workers, parts.live, parts.statistics, parts.offsets, *parts.store,
                *parts.stats_lines),
      unread_losses(parts.offsets, *parts.store, *parts.log),
      parked(parts.loop_list, *parts.store, parts.live, parts.replication->slaves_to_wait_for(), &members),
      escape(make_escape(parts)),
      delays({*parts.store, parts.topics, parts.statistics, parts.kinds, parts.delay_offsets, parts.delay_alarm,
              parts.live, parts.machine.clock, *parts.log, escape.get()}),
      timers(make_timers(parts, escape.get())),
      own_messages(parts.loop_list, std::ref(*parts.store), std::ref(parts.topics), std::ref(parts.statistics),
                   parts.kinds),
      transactions({*parts.store, parts.topics, parts.offsets, parts.transaction_metrics, parts.live,
                    parts.machine.clock, *parts.log},
                   *parts.loop_list.front(), own_messages[0], store_host(parts.live.now())),
      transaction_checks(
          {transactions, parts.producers, *parts.store, parts.workers, parts.live, parts.machine.clock, *parts.log},
          *parts.loop_list.front(), own_messages[0], store_host(parts.live.now())),
      replica_group(*parts.loop_list.front(),
                    {client, parts.workers, members, *parts.replication, *parts.store, delays, parts.delay_offsets,
                     timers.get(), parts.offsets, transactions, transaction_checks, escape.get(), holds, parts.live,
                     parts.machine.clock, *parts.log}),
      send({*parts.store, parts.topics, parts.groups, parts.locks, parts.live, parts.statistics, parked, parts.kinds,
            parts.transaction_metrics, parts.machine.clock},
           parts.loop_list, store_host(parts.live.now()), static_cast<uint64_t>(parts.machine.clock.now_ms())),
      send_back({*parts.store, parts.topics, parts.groups, parts.live, parts.statistics, parked, parts.kinds},
                parts.loop_list, store_host(parts.live.now()), static_cast<uint64_t>(parts.machine.clock.now_ms())),
      pull({*parts.store, parts.topics, parts.groups, parts.consumers, parts.offsets, parts.live, parts.statistics,
            parts.workers, holds, parts.filters, parts.sql, broadcasts, parts.replication.get(), &members},
           parts.loop_list),
      offset({*parts.store, parts.topics, parts.groups, parts.offsets, parts.live}),
      query(*parts.store, parts.live),
      lock({parts.locks, client, members, parts.live}),
      heartbeat(parts.live, parts.topics, parts.groups, parts.consumers, parts.producers, parts.filters, parts.sql,
                parts.statistics, parts.machine.clock),
      runtime(parts.live, parts.consumers, parts.statistics, parts.days, parts.delay_offsets, timers.get(),
              *parts.store, parts.machine.files, parts.machine.clock),
      admin_topics(parts.live, parts.topics, parts.offsets, parts.consumers, parts.filters, parts.statistics,
                   parts.timer_metrics, *parts.store, *parts.log),
      admin_groups(parts.live, parts.groups, parts.offsets, parts.consumers, parts.producers, parts.statistics,
                   *parts.log),
      progress(parts.live, parts.topics, parts.groups, parts.offsets, parts.consumers, parts.statistics, *parts.store,
               parts.machine.clock),
      admin_offsets(
          {parts.live, parts.topics, parts.groups, parts.offsets, parts.consumers, holds, *parts.store, *parts.log}),
      admin(parts.live, parts.topics, runtime, parts.statistics, *parts.store, parts.machine.clock, *parts.log),
      relay(parts.live, parts.consumers, parts.topics, parts.groups, *parts.store),
      assignment(parts.live, parts.topics, parts.groups, parts.consumers, parts.request_modes, routes),
      delay_admin(parts.delay_offsets, timers.get(), parts.timer_metrics),
      recall({*parts.store, parts.topics, parts.live, parts.statistics, parked, parts.kinds, parts.machine.clock},
             parts.loop_list, store_host(parts.live.now())),
      transaction({transactions, *parts.store, parts.workers, parts.live, parts.machine.clock, *parts.log},
                  parts.loop_list, own_messages),
      replicas({*parts.replication, members, replica_group.acting(), parts.live, parts.store->figures().max_offset}),
      slave_sync(*parts.loop_list.front(),
                 {client, parts.workers, parts.machine.files, parts.live, parts.topics, parts.groups, parts.offsets,
                  parts.request_modes, *parts.replication, *parts.log}),
      reply({*parts.store, parts.topics, parts.groups, parts.locks, parts.producers, parked, parts.live,
             parts.machine.clock, *parts.log},
            parts.loop_list, own_messages, store_host(parts.live.now()),
            static_cast<uint64_t>(parts.machine.clock.now_ms())),
      main_router(parts.workers, *parts.remoting_log),
      fast_router(parts.workers, *parts.remoting_log),
      server(
          parts.loop_list, limits_of(parts.live.now()),
          {.opened = [&parts](const remoting::ChannelPtr&) { parts.statistics.add("CHANNEL_ACTIVITY", "CONNECT", 1); },
           .closed =
               [this, &parts](const remoting::ChannelPtr& channel) {
                 parts.statistics.add("CHANNEL_ACTIVITY", "CLOSE", 1);
                 holds.channel_closed(channel->loop(), channel->id());
                 parts.consumers.channel_closed(channel);
                 parts.producers.channel_closed(channel);
               },
           .idle = [&parts] { parts.statistics.add("CHANNEL_ACTIVITY", "IDLE", 1); },
           .broken = [&parts] { parts.statistics.add("CHANNEL_ACTIVITY", "EXCEPTION", 1); }},
          *parts.remoting_log) {
  const Processors processors{&send,        &pull,         &offset,       &query,     &lock,
                              &heartbeat,   &admin_topics, &admin_groups, &progress,  &admin_offsets,
                              &admin,       &relay,        &delay_admin,  &send_back, &recall,
                              &transaction, &replicas,     &reply,        &assignment};
  add_requests(main_router, processors, Port::kMain);
  add_requests(fast_router, processors, Port::kFast);
  parts.store->on_arrival(&holds);
  if (timers) parts.kinds.on_congestion([this](int64_t slot_ms) { return timers->congested(slot_ms); });
  parts.store->on_durable([this, &parts](PhyOffset end, bool failed) {
    parked.durable(end, failed);
    parts.replication->durable();
  });
  parts.replication->on_ack([this] { parked.confirmed(); });
  members.on_lost([this] { registration.register_now(); });
  runtime.also([&parts](auto& table) { parts.replication->add_to(table); });
  runtime.also([&parts](auto& table) { table["logLinesDropped"] = std::to_string(parts.machine.logs.dropped()); });
  runtime.also([this](auto& table) { table["getMessageEntireTimeMax"] = std::to_string(pull.slowest_read_ms()); });
  runtime.also([this](auto& table) { replica_group.add_to(table); });
  runtime.also([this](auto& table) { table["deletedUnreadMessages"] = std::to_string(unread_losses.count()); });
  runtime.also([this](auto& table) {
    table["deletedWaitingMessages"] = std::to_string(delays.lost() + (timers ? timers->lost() : 0));
  });
  if (parts.live.now().is_slave()) {
    slave_sync.on_file([&parts](const std::string& name) {
      Result<void> loaded;
      if (name == "delayOffset.json") loaded = parts.delay_offsets.load();
      if (name == "timermetrics") loaded = parts.timer_metrics.load();
      if (!loaded) parts.log->error("{}", loaded.error().what);
    });
    if (timers) slave_sync.on_timers([this](const store::TimerCheckpoint& master) { replica_group.follow(master); });
    parts.store->replicated_log()->on_new_queue([this] { slave_sync.soon(); });
    replicas.refuse_writes(main_router);
    replicas.refuse_writes(fast_router);
    registration.on_master([&parts](const std::string& address, const std::string& ha_address) {
      parts.replication->master_is(address, ha_address);
    });
  }
  parts.topics.on_change([this](const std::vector<std::string>& names, const DataVersion& version) {
    registration.topics_changed(names, version);
    write_topics.soon();
  });
  parts.groups.on_change([this] { write_groups.soon(); });
  parts.live.on_change([&parts](const std::vector<std::string>& keys) { parts.settings_changed(keys); });
  parts.consumers.on_group_gone([this, &parts](std::string_view group) {
    heartbeat.forget_group(group);
    parts.filters.group_gone(group);
  });
}

Result<void> Broker::Parts::load() {
  const BrokerConfig& config = live.now();
  COMET_TRY(store, store::MessageStore::open(machine.files, machine.clock, *store_log, config.store_options()));
  COMET_TRY_VOID(topics.load());
  COMET_TRY_VOID(groups.load());
  COMET_TRY_VOID(offsets.load());
  COMET_TRY_VOID(request_modes.load());
  COMET_TRY_VOID(delay_offsets.load());
  if (config.timer_wheel) {
    COMET_TRY_VOID(timer_metrics.load());
    const store::TimerOptions options{config.store_root, config.config_folder() + "/timercheck",
                                      config.timer_log_file_bytes, config.timer_precision_ms};
    COMET_TRY(timer_files, store::TimerFiles::open(machine.files, *store_log, options, store->figures().max_offset));
  }
  COMET_TRY_VOID(transaction_metrics.load());
  COMET_TRY_VOID(filters.load());
  return {};
}

void Broker::Parts::make_serving_parts() {
  for (int32_t n = 0; n < loops_wanted(live.now()); ++n) {
    loops.push_back(std::make_unique<remoting::EventLoop>(fmt::format("loop-{}", n), machine.clock));
    loop_list.push_back(loops.back().get());
  }
  replication = std::make_unique<Replication>(machine.clock, live, *store, *log);
  serving = std::make_unique<Serving>(*this);
  serving->transactions.load();
}

Result<void> Broker::Parts::listen() {
  const BrokerConfig& config = live.now();
  COMET_TRY_VOID(serving->server.listen(config.bind_address, config.listen_port, serving->main_router));
  const int32_t fast_port = std::max(0, config.listen_port - 2);
  COMET_TRY_VOID(serving->server.listen(config.bind_address, fast_port, serving->fast_router));
  COMET_TRY_VOID(replication->listen());
  return {};
}

void Broker::Parts::start_thread(std::string name, std::function<void()> life) {
  threads.emplace_back([name = std::move(name), life = std::move(life)] {
    ::pthread_setname_np(::pthread_self(), name.c_str());
    life();
  });
}

void Broker::Parts::start_threads() {
  start_thread("keeper", [this] {
    stand_behind_loops();
    store->run_keeper();
  });
  start_thread("flusher", [this] { store->run_flusher(); });
  start_thread("indexer", [this] {
    stand_behind_loops();
    store->run_indexer();
  });
  start_thread("delays", [this] { serving->delays.run(); });
  if (serving->timers) start_thread("timers", [this] { serving->timers->run(); });
  for (int32_t n = 0; n < live.now().worker_threads; ++n) {
    start_thread(fmt::format("worker-{}", n), [this] { workers.run(); });
  }
  start_thread("ha", [this] { replication->loop().run(); });
  for (const auto& loop : loops) {
    start_thread(loop->name(), [&loop = *loop] { loop.run(); });
  }
}

void Broker::Parts::start_timers() {
  remoting::EventLoop& loop = *loop_list.front();
  loop.every(live.now().flush_consumer_offset_ms, [this] { serving->write_offsets.soon(); });
  loop.every(live.now().flush_delay_offset_ms, [this] { serving->write_delays.soon(); });
  if (serving->timers)
    loop.every(live.now().timer_flush_interval_ms, [this] {
      if (serving->timers->wants_flush()) serving->write_timers.soon();
    });
  loop.every(kDurabilityLookMs, [this] {
    if (delay_offsets.waiting()) serving->write_delays.soon();
  });
  loop.every(live.now().transaction_metric_flush_ms, [this] { serving->write_transactions.soon(); });
  loop.every(kFilterPersistPeriodMs, [this] { serving->write_filters.soon(); });
  loop.every(kExpiryPeriodMs, [this] {
    consumers.expire();
    producers.expire();
    locks.expire();
  });
  loop.every(Consumers::kLaterMs, [this] { consumers.tell_later(); });
  loop.every(BroadcastOffsets::kCommitMs, [this] { serving->broadcasts.commit(); });
  loop.every(SlowReaders::kLookMs, [this] { workers.submit([this] { serving->slow_readers.look(); }); });
  loop.every(UnreadLosses::kLookMs, [this] { workers.submit([this] { serving->unread_losses.look(); }); });
  loop.every(kIdleFiguresMs, [this, &loop] {
    const int64_t minutes = live.now().max_stats_idle_minutes;
    if (minutes >= 0) statistics.delete_idle(loop.now_ms(), minutes * 60'000);
  });
  loop.every(Statistics::kSampleIntervalMs, [this] { tell_dropped_log_lines(); });
  loop.every(Statistics::kSampleIntervalMs, [this, &loop] {
    statistics.sample(loop.now_ms(), store->figures().put_total);
    serving->stats_log.tick(loop.now_ms());
    days.tick(loop.now_ms(), statistics.puts_without_system(), statistics.gets_without_system());
  });
}

void Broker::Parts::tell_dropped_log_lines() {
  const int64_t dropped = machine.logs.dropped();
  if (dropped > dropped_told)
    log->warn("{} log lines were dropped: the disk was too slow for them", dropped - dropped_told);
  dropped_told = dropped;
}

/// What reads a setting only once has to be told of a change.
void Broker::Parts::settings_changed(const std::vector<std::string>& keys) {
  const auto has = [&](std::string_view key) { return std::find(keys.begin(), keys.end(), key) != keys.end(); };
  store->change_options(live.now().store_options());
  if (has("brokerPermission")) topics.touch();
  if (has("brokerPermission") || has("namesrvAddr")) serving->registration.register_now();
}

Result<void> Broker::Parts::persist() {
  return first_failure(
      {topics.persist(), groups.persist(), persist_transaction_metrics(), filters.persist(), offsets.persist()});
}

Result<void> Broker::Parts::persist_transaction_metrics() {
  return transaction_metrics.persist([this](std::string_view topic) { return topics.find(topic) != nullptr; });
}

void Broker::Parts::end_threads() {
  delay_alarm.end();
  timer_alarm.end();
  for (const auto& loop : loops) loop->stop();
  replication->loop().stop();
  workers.stop();
  for (std::thread& thread : threads) thread.join();
  threads.clear();
}

Broker::Broker(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Broker::~Broker() {
  if (!parts_->threads.empty()) (void)stop();
}

Result<std::unique_ptr<Broker>> Broker::open(Machine machine, BrokerConfig config, Path config_file) {
  if (config.listen_port == 0) config.listen_port = free_broker_port(config.bind_address);
  if (config.listen_port == 0)
    return fail(Errc::kIo, fmt::format("no free port on {} for listenPort=0", config.bind_address));
  if (config.ha_listen_port <= 0) config.ha_listen_port = config.listen_port + 1;
  auto parts = std::make_unique<Parts>(machine, std::move(config), std::move(config_file));
  COMET_TRY_VOID(parts->load());
  return std::unique_ptr<Broker>(new Broker(std::move(parts)));
}

Result<void> Broker::serve(int64_t register_wait_ms) {
  parts_->make_serving_parts();
  COMET_TRY_VOID(parts_->listen());
  parts_->start_timers();
  const bool registers = !parts_->live.now().namesrv_addr.empty();
  const auto registered = std::make_shared<Moment>();
  parts_->serving->replica_group.start([&registration = parts_->serving->registration, registers, registered] {
    if (registers) registration.start([registered](int32_t, int32_t) { registered->come(); });
  });
  parts_->start_threads();
  parts_->serving->write_topics.soon();
  if (parts_->live.now().is_slave()) parts_->serving->slave_sync.start();
  if (registers && !registered->wait(register_wait_ms)) {
    parts_->notices.push_back(
        parts_->live.now().joins_before_serving()
            ? "this broker meets the others of its name before it registers; that goes on in the background"
            : "no name server has answered yet; registration goes on in the background");
  }
  return {};
}

Result<void> Broker::stop() {
  Parts& parts = *parts_;
  if (!parts.threads.empty()) {
    const auto unregistered = std::make_shared<Moment>();
    parts.loop_list.front()->post([&parts, unregistered] {
      parts.serving->replica_group.stop_looking();
      parts.serving->slave_sync.stop();
      parts.serving->registration.stop(kUnregisterMs, [unregistered] { unregistered->come(); });
    });
    unregistered->wait(kUnregisterMs);
    const auto closed = std::make_shared<Moment>();
    parts.serving->server.close(kCloseGraceMs, [closed] { closed->come(); });
    closed->wait(2 * kCloseGraceMs);
    parts.serving->replica_group.end();
    parts.replication->wait_for_slaves(kSlavesGraceMs);
    parts.replication->close();
  }
  Timers* timers = parts.serving == nullptr ? nullptr : parts.serving->timers.get();
  auto persisted = parts.persist();
  auto stopped = parts.store->stop();
  if (stopped) {
    const bool serves = parts.serving != nullptr && !parts.live.now().is_slave();
    if (serves) parts.serving->transactions.commit_all();
    persisted = first_failure({std::move(persisted), parts.delay_offsets.persist(parts.store->durable_end()),
                               timers == nullptr ? Result<void>() : timers->flush(true),
                               serves ? parts.offsets.persist() : Result<void>()});
  }
  parts.end_threads();
  if (!stopped) return stopped;
  return persisted;
}

std::string Broker::address() const { return parts_->live.now().address(); }
const BrokerConfig& Broker::config() const { return parts_->live.now(); }
const std::vector<std::string>& Broker::notices() const { return parts_->notices; }

}  // namespace comet::broker
