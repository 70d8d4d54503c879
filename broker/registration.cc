#include "broker/registration.h"

#include <algorithm>

#include "common/crc32.h"
#include "remoting/protocol/bodies/registration.h"
#include "remoting/protocol/bodies/route.h"
#include "remoting/protocol/headers/route.h"

namespace comet::broker {
namespace {

constexpr int64_t kSecondRoundMs = 10'000;
constexpr int64_t kMasterSearchMs = 3'000;
constexpr int64_t kSingleTopicMs = 3'000;

/// Runs `done` once after `left` answers.
struct Round {
  int32_t left = 0, asked = 0, taken = 0;
  std::function<void(int32_t taken, int32_t asked)> done;

  void answered(bool took) {
    taken += took ? 1 : 0;
    if (--left == 0 && done) std::exchange(done, nullptr)(taken, asked);
  }
};

}  // namespace

struct Registration::State : std::enable_shared_from_this<Registration::State> {
  State(remoting::EventLoop& on, remoting::Client& with, Log& to, const LiveConfig& settings, Topics& known,
        int64_t retry_after_ms)
      : loop(on), client(with), log(to), config(settings), topics(known), retry_ms(retry_after_ms) {}

  void full_round(std::function<void(int32_t, int32_t)> done);
  void changed_round();
  void ask_one(const std::string& address, const std::shared_ptr<Round>& round);
  std::vector<remoting::RegisterBrokerBody> full_bodies();
  void send_full(const std::string& address, const std::shared_ptr<Round>& round);
  void send_parts(const std::string& address, const std::shared_ptr<std::vector<remoting::RegisterBrokerBody>>& parts,
                  size_t part, const std::shared_ptr<Round>& round);
  void send_singly(const std::string& address, const remoting::TopicConfigWrapper& topics);
  void send(const std::string& address, const remoting::RegisterBrokerBody& body, std::function<void(bool took)> done);
  void take_answer(const std::string& address, const Result<remoting::Response>& answer);
  void forget_removed(const std::vector<std::string>& servers);
  void take_master(const remoting::Response& answer);
  void retry_later();
  void schedule_rounds();

  remoting::EventLoop& loop;
  remoting::Client& client;
  Log& log;
  const LiveConfig& config;
  Topics& topics;
  const int64_t retry_ms;

  // On the loop alone.
  std::map<std::string, bool> servers;  // known name servers, and whether the last registration was taken
  std::vector<remoting::EventLoop::TimerId> timers;
  std::function<void(const std::string&, const std::string&)> tell_master;
  bool master_known = false, search_armed = false;
  bool retry_armed = false;
  bool started = false, stopped = false;

  std::mutex mu;  // guards what follows
  std::set<std::string> changed_names;
  DataVersion changed_version;
  bool posted = false;
};

namespace {

remoting::RegisterBrokerRequest request_header(const BrokerConfig& config) {
  remoting::RegisterBrokerRequest request;
  request.broker_name = config.broker_name;
  request.broker_addr = config.address();
  request.cluster_name = config.cluster_name;
  request.ha_server_addr = config.ha_address();
  request.broker_id = config.broker_id;
  request.enable_acting_master = config.slave_acting_master;
  if (config.slave_acting_master) request.heartbeat_timeout_ms = config.not_active_timeout_ms;
  return request;
}

/// Clients see a broker's permission in its topics'.
void apply_permission(remoting::TopicConfigWrapper& topics, int32_t permission) {
  if (permission == (perm::kRead | perm::kWrite)) return;
  for (auto& [name, topic] : topics.topics) topic.perm &= permission;
}

}  // namespace

void Registration::State::send(const std::string& address, const remoting::RegisterBrokerBody& body,
                               std::function<void(bool)> done) {
  const BrokerConfig& now = config.now();
  std::string text = now.compressed_register ? to_compressed(body, remoting::kOurVersion) : to_json(body);
  remoting::RegisterBrokerRequest header = request_header(now);
  header.compressed = now.compressed_register;
  header.body_crc32 = crc32_masked(as_bytes(text));
  client.call(address, remoting::make_request(header, std::move(text)), now.register_timeout_ms,
              [self = shared_from_this(), address, done = std::move(done)](Result<remoting::Response> answer) {
                if (self->stopped) return;
                self->take_answer(address, answer);
                done(answer && answer->ok());
              });
}

void Registration::State::take_answer(const std::string& address, const Result<remoting::Response>& answer) {
  const bool took = answer && answer->ok();
  const auto [server, is_new] = servers.try_emplace(address, !took);
  if (server->second != took) {
    if (took) {
      log.info("registered {} at name server {}", config.now().address(), address);
    } else if (answer) {
      log.warn("name server {} refuses the registration: code {}, {}", address, answer->code, answer->remark);
    } else {
      log.warn("can't register at name server {}: {}", address, answer.error().what);
    }
    server->second = took;
  }
  if (!took) return retry_later();
  take_master(*answer);
  if (answer->body.empty()) return;
  if (const auto ordered = remoting::parse_kv_table(answer->body)) {
    std::vector<std::string> names;
    for (const auto& [topic, queues] : ordered->table) names.push_back(topic);
    topics.mark_ordered(names);
  }
}

void Registration::State::take_master(const remoting::Response& answer) {
  if (!tell_master) return;
  const auto said = remoting::header_of<remoting::RegisterBrokerResponse>(answer);
  if (!said) return;
  const std::string address = said->master_addr.value_or(""), ha_address = said->ha_server_addr.value_or("");
  master_known = !address.empty();
  tell_master(address, ha_address);
  if (master_known || std::exchange(search_armed, true)) return;
  loop.after(kMasterSearchMs, [self = shared_from_this()] {
    self->search_armed = false;
    if (!self->stopped && !self->master_known) self->full_round(nullptr);
  });
}

/// All topics, in one body or in several: each of those with a version of its own, because a name server takes changes
/// only with a version that it doesn't know.
std::vector<remoting::RegisterBrokerBody> Registration::State::full_bodies() {
  const BrokerConfig& now = config.now();
  remoting::RegisterBrokerBody rest;
  rest.topics = topics.wire();
  apply_permission(rest.topics, now.broker_permission);
  std::vector<remoting::RegisterBrokerBody> bodies;
  auto& left = rest.topics.topics;
  const auto most = static_cast<size_t>(now.split_registration_size);
  while (now.split_registration && left.size() > most) {
    auto& part = bodies.emplace_back().topics.topics;
    while (part.size() < most) part.insert(left.extract(left.begin()));
  }
  bodies.push_back(std::move(rest));
  if (!now.split_registration) return bodies;
  for (auto& body : bodies) {
    topics.touch();
    body.topics.data_version = topics.version();
  }
  return bodies;
}

void Registration::State::send_full(const std::string& address, const std::shared_ptr<Round>& round) {
  send_parts(address, std::make_shared<std::vector<remoting::RegisterBrokerBody>>(full_bodies()), 0, round);
}

/// The next part goes when the one before was taken, so that their versions come in order.
void Registration::State::send_parts(const std::string& address,
                                     const std::shared_ptr<std::vector<remoting::RegisterBrokerBody>>& parts,
                                     size_t part, const std::shared_ptr<Round>& round) {
  send(address, (*parts)[part], [self = shared_from_this(), address, parts, part, round](bool took) {
    if (!took || part + 1 == parts->size()) return round->answered(took);
    self->send_parts(address, parts, part + 1, round);
  });
}

/// Each topic by itself: little to send where a broker has very many. No answer matters, the next round has them all.
void Registration::State::send_singly(const std::string& address, const remoting::TopicConfigWrapper& changed) {
  for (const auto& [name, topic] : changed.topics) {
    remoting::RegisterTopicInNamesrvRequest header;
    header.topic = name;
    remoting::RouteData route;
    route.queues.push_back(
        {config.now().broker_name, topic.perm, topic.read_queue_nums, topic.sys_flag, topic.write_queue_nums});
    client.call(address, remoting::make_request(header, to_json(route)), kSingleTopicMs,
                [](const Result<remoting::Response>&) {});
  }
}

/// Asks first whether the name server misses anything, where forceRegister is off.
void Registration::State::ask_one(const std::string& address, const std::shared_ptr<Round>& round) {
  const BrokerConfig& now = config.now();
  if (now.force_register) return send_full(address, round);
  remoting::QueryDataVersionRequest query;
  query.broker_name = now.broker_name;
  query.broker_addr = now.address();
  query.cluster_name = now.cluster_name;
  query.broker_id = now.broker_id;
  client.call(address, remoting::make_request(query, to_json(topics.version())), now.register_timeout_ms,
              [self = shared_from_this(), address, round](Result<remoting::Response> answer) {
                if (self->stopped) return;
                const auto known = answer && answer->ok()
                                       ? remoting::header_of<remoting::QueryDataVersionResponse>(*answer)
                                       : fail(Errc::kRefused, "");
                if (known && !known->changed) return round->answered(true);
                self->send_full(address, round);
              });
}

void Registration::State::forget_removed(const std::vector<std::string>& present) {
  std::erase_if(servers, [&](const auto& server) {
    if (std::find(present.begin(), present.end(), server.first) != present.end()) return false;
    client.close(server.first);
    return true;
  });
}

void Registration::State::full_round(std::function<void(int32_t, int32_t)> done) {
  const std::vector<std::string> present = config.now().name_servers();
  forget_removed(present);
  if (present.empty()) {
    if (done) done(0, 0);
    return;
  }
  auto round = std::make_shared<Round>();
  round->left = round->asked = static_cast<int32_t>(present.size());
  round->done = std::move(done);
  for (const std::string& address : present) ask_one(address, round);
}

void Registration::State::changed_round() {
  remoting::RegisterBrokerBody body;
  {
    std::lock_guard lock(mu);
    posted = false;
    for (const std::string& name : changed_names) {
      if (const TopicConfig* topic = topics.find(name)) body.topics.topics.emplace(name, to_wire(*topic));
    }
    body.topics.data_version = changed_version;
    changed_names.clear();
  }
  if (stopped || body.topics.topics.empty()) return;
  const BrokerConfig& now = config.now();
  apply_permission(body.topics, now.broker_permission);
  for (const auto& [address, taken] : servers) {
    // Only who knows the rest can use a part; the others get everything with their next try.
    if (!taken) continue;
    if (now.single_topic_register)
      send_singly(address, body.topics);
    else
      send(address, body, [](bool) {});
  }
}

void Registration::State::retry_later() {
  if (std::exchange(retry_armed, true)) return;
  loop.after(retry_ms, [self = shared_from_this()] {
    self->retry_armed = false;
    if (self->stopped) return;
    auto round = std::make_shared<Round>();
    for (const auto& [address, taken] : self->servers) round->left += taken ? 0 : 1;
    for (const auto& [address, taken] : std::map(self->servers)) {
      if (!taken) self->send_full(address, round);
    }
  });
}

void Registration::State::schedule_rounds() {
  const int64_t period_ms = std::clamp(config.now().register_period_ms, 10'000, 60'000);
  timers.push_back(loop.after(kSecondRoundMs, [self = shared_from_this()] { self->full_round(nullptr); }));
  timers.push_back(loop.every(period_ms, [self = shared_from_this()] { self->full_round(nullptr); }));
}

Registration::Registration(remoting::EventLoop& loop, remoting::Client& client, Log& log, const LiveConfig& config,
                           Topics& topics, int64_t retry_ms)
    : state_(std::make_shared<State>(loop, client, log, config, topics, retry_ms)) {}

Registration::~Registration() = default;

void Registration::start(std::function<void(int32_t, int32_t)> done) {
  state_->loop.post([state = state_, done = std::move(done)]() mutable {
    state->started = true;
    state->full_round(std::move(done));
    state->schedule_rounds();
  });
}

void Registration::on_master(std::function<void(const std::string&, const std::string&)> told) {
  state_->tell_master = std::move(told);
}

void Registration::topics_changed(const std::vector<std::string>& names, const DataVersion& version) {
  if (names.empty()) return;
  {
    std::lock_guard lock(state_->mu);
    state_->changed_names.insert(names.begin(), names.end());
    state_->changed_version = version;
    if (std::exchange(state_->posted, true)) return;
  }
  state_->loop.post([state = state_] { state->changed_round(); });
}

void Registration::register_now() {
  state_->loop.post([state = state_] {
    if (state->started && !state->stopped) state->full_round(nullptr);
  });
}

void Registration::stop(int64_t timeout_ms, std::function<void()> done) {
  State& state = *state_;
  state.loop.assert_here();
  state.stopped = true;
  for (const auto timer : state.timers) state.loop.cancel(timer);
  state.timers.clear();
  const BrokerConfig& now = state.config.now();
  remoting::UnregisterBrokerRequest request;
  request.broker_name = now.broker_name;
  request.broker_addr = now.address();
  request.cluster_name = now.cluster_name;
  request.broker_id = now.broker_id;
  auto round = std::make_shared<Round>();
  round->done = [done = std::move(done)](int32_t, int32_t) { done(); };
  round->left = 1;  // until all are asked
  for (const auto& [address, taken] : state.servers) {
    if (!taken) continue;
    ++round->left;
    state.client.call(address, remoting::make_request(request), timeout_ms,
                      [round](const Result<remoting::Response>&) { round->answered(true); });
  }
  round->answered(true);
}

}  // namespace comet::broker
