#include "broker/replica_members.h"

#include <mutex>
#include <utility>
#include <vector>

#include "common/system_topics.h"
#include "remoting/protocol/bodies/route.h"
#include "remoting/protocol/headers/route.h"

namespace comet::broker {
namespace {

constexpr int64_t kFirstMs = 1'000;
constexpr int64_t kAnswerMs = 3'000;

using remoting::OutgoingRequest;
using Addresses = ReplicaMembers::Addresses;

OutgoingRequest question(const BrokerConfig& config) {
  if (config.compatible_with_old_namesrv) {
    remoting::GetRouteinfoByTopicRequest request;
    request.topic = std::string(kSyncBrokerMemberPrefix) + config.broker_name;
    request.accept_standard_json_only = true;
    return remoting::make_request(request);
  }
  remoting::GetBrokerMemberGroupRequest request;
  request.cluster_name = config.cluster_name;
  request.broker_name = config.broker_name;
  return remoting::make_request(request);
}

/// Of the answer to question(); nothing if it is none.
std::optional<Addresses> members_in(const BrokerConfig& config, const Result<remoting::Response>& answer) {
  if (!answer) return std::nullopt;
  if (!answer->ok() || answer->body.empty()) return Addresses{};
  if (!config.compatible_with_old_namesrv) {
    auto body = remoting::parse_member_group_body(answer->body);
    return body ? std::move(body->group.addresses) : Addresses{};
  }
  const auto route = remoting::parse_route_data(answer->body);
  if (!route) return Addresses{};
  for (const remoting::BrokerData& group : route->brokers)
    if (group.broker_name == config.broker_name && group.cluster == config.cluster_name) return group.addresses;
  return Addresses{};
}

OutgoingRequest sign_of_life(const BrokerConfig& config, const Topics& topics) {
  if (config.compatible_with_old_namesrv) {
    remoting::QueryDataVersionRequest request;
    request.broker_name = config.broker_name;
    request.broker_addr = config.address();
    request.cluster_name = config.cluster_name;
    request.broker_id = config.broker_id;
    return remoting::make_request(request, to_json(topics.version()));
  }
  remoting::BrokerHeartbeatRequest request;
  request.cluster_name = config.cluster_name;
  request.broker_addr = config.address();
  request.broker_name = config.broker_name;
  return remoting::make_request(request);
}

}  // namespace

struct ReplicaMembers::State : std::enable_shared_from_this<ReplicaMembers::State> {
  State(remoting::EventLoop& on, remoting::Client& with, const LiveConfig& settings, const Topics& known, Log& to)
      : loop(on), client(with), config(settings), topics(known), log(to) {}

  using Told = std::function<void(std::optional<Addresses>)>;
  void ask(std::vector<std::string> servers, bool answered, Told told);
  void look();
  void take(const Addresses& members);
  void missed();
  void lowest_is(const Lowest& lowest);

  remoting::EventLoop& loop;
  remoting::Client& client;
  const LiveConfig& config;
  const Topics& topics;
  Log& log;
  std::function<void(const Lowest&)> tell;
  std::function<void()> tell_lost;
  std::atomic<int64_t> lowest_id{kUnknown};
  std::atomic<int32_t> alive{0};  ///< 0: nobody has said it
  mutable std::mutex mu;          // guards what follows
  Addresses others;

  // The loop's.
  std::vector<remoting::EventLoop::TimerId> timers;
  bool asking = false, serving = false, stopped = false;
  int64_t lost_told_ms = -kLostAgainMs;  ///< steady
};

/// One name server after the other, from the list's end, until one knows members.
void ReplicaMembers::State::ask(std::vector<std::string> servers, bool answered, Told told) {
  if (stopped) return;
  if (servers.empty()) return told(answered ? std::optional(Addresses{}) : std::nullopt);
  const std::string server = std::move(servers.back());
  servers.pop_back();
  client.call(server, question(config.now()), kAnswerMs,
              [self = shared_from_this(), servers = std::move(servers), answered,
               told = std::move(told)](const Result<remoting::Response>& answer) mutable {
                auto members = members_in(self->config.now(), answer);
                if (members && !members->empty()) {
                  if (!self->stopped) told(std::move(members));
                  return;
                }
                self->ask(std::move(servers), answered || members.has_value(), std::move(told));
              });
}

void ReplicaMembers::State::look() {
  if (stopped || std::exchange(asking, true)) return;
  ask(config.now().name_servers(), false, [self = shared_from_this()](const std::optional<Addresses>& members) {
    self->asking = false;
    if (members && !members->empty()) self->take(*members);
  });
}

void ReplicaMembers::State::take(const Addresses& members) {
  const auto count = static_cast<int32_t>(members.size());
  if (!members.contains(config.now().broker_id)) missed();
  alive.store(members.contains(config.now().broker_id) ? count : count + 1);
  {
    const std::lock_guard lock(mu);
    others = members;
    others.erase(config.now().broker_id);
  }
  lowest_is({members.begin()->first, members.begin()->second, {}});
}

void ReplicaMembers::State::missed() {
  if (!serving || !tell_lost || loop.steady_ms() - lost_told_ms < kLostAgainMs) return;
  lost_told_ms = loop.steady_ms();
  log.warn("name servers have lost this broker: it registers anew");
  tell_lost();
}

void ReplicaMembers::State::lowest_is(const Lowest& lowest) {
  if (stopped || !serving) return;
  const int64_t before = lowest_id.exchange(lowest.id);
  if (before != lowest.id)
    log.info("the lowest broker id of {} is {} now ({}); it was {}", config.now().broker_name, lowest.id,
             lowest.address, before);
  if (tell) tell(lowest);
}

ReplicaMembers::ReplicaMembers(remoting::EventLoop& loop, remoting::Client& client, const LiveConfig& config,
                               const Topics& topics, Log& log)
    : state_(std::make_shared<State>(loop, client, config, topics, log)) {}
ReplicaMembers::~ReplicaMembers() = default;

void ReplicaMembers::on_lowest(std::function<void(const Lowest&)> told) { state_->tell = std::move(told); }

void ReplicaMembers::on_lost(std::function<void()> told) { state_->tell_lost = std::move(told); }

void ReplicaMembers::start() {
  if (!state_->config.now().slave_acting_master) return;
  state_->loop.post([state = state_] {
    const int64_t period_ms = state->config.now().member_group_period_ms;
    state->timers.push_back(state->loop.after(std::min(kFirstMs, period_ms), [state] { state->look(); }));
    state->timers.push_back(state->loop.every(period_ms, [state] { state->look(); }));
  });
}

void ReplicaMembers::serving() {
  if (!state_->config.now().slave_acting_master) return;
  state_->loop.post([state = state_] {
    if (state->stopped || std::exchange(state->serving, true)) return;
    state->timers.push_back(state->loop.every(state->config.now().broker_heartbeat_ms, [state] {
      const BrokerConfig& config = state->config.now();
      for (const std::string& server : config.name_servers())
        state->client.send_oneway(server, sign_of_life(config, state->topics));
    }));
  });
}

void ReplicaMembers::stop() {
  state_->loop.assert_here();
  state_->stopped = true;
  for (const auto timer : state_->timers) state_->loop.cancel(timer);
  state_->timers.clear();
}

void ReplicaMembers::ask(std::function<void(std::optional<Addresses>)> told) {
  state_->loop.post([state = state_, told = std::move(told)]() mutable {
    state->ask(state->config.now().name_servers(), false, std::move(told));
  });
}

void ReplicaMembers::told(const remoting::NotifyMinBrokerIdChangeRequest& notice) {
  const BrokerConfig& config = state_->config.now();
  if (!config.slave_acting_master || notice.broker_name.value_or(config.broker_name) != config.broker_name) return;
  Lowest lowest{notice.min_broker_id.value_or(kUnknown), notice.min_broker_addr.value_or(""),
                notice.ha_broker_addr.value_or("")};
  if (lowest.id < 0 || lowest.address.empty()) return;
  state_->loop.post([state = state_, lowest = std::move(lowest)] { state->lowest_is(lowest); });
}

int64_t ReplicaMembers::lowest_id() const { return state_->lowest_id.load(std::memory_order_relaxed); }

ReplicaMembers::Addresses ReplicaMembers::others() const {
  const std::lock_guard lock(state_->mu);
  return state_->others;
}

int32_t ReplicaMembers::alive() const {
  const int32_t said = state_->alive.load(std::memory_order_relaxed);
  return said > 0 ? said : state_->config.now().total_replicas;
}

}  // namespace comet::broker
