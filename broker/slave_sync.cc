#include "broker/slave_sync.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "remoting/protocol/bodies/common.h"
#include "remoting/protocol/fields.h"
#include "remoting/protocol/headers/admin_broker.h"
#include "remoting/protocol/headers/offset.h"
#include "remoting/protocol/headers/replication.h"

namespace comet::broker {
namespace {

constexpr int64_t kPeriodMs = 3'000, kFirstMs = 200, kSoonMs = 50;
constexpr int64_t kAnswerMs = 5'000;
constexpr int64_t kRestPerWork = 20;  ///< a round that takes long is followed by a longer pause

constexpr int32_t kToldAtOnce = 64;        ///< own commits on their way to the master
constexpr int64_t kRefusedMs = 3'600'000;  ///< what the master has refused for so long is dropped

using remoting::Response;

std::optional<int64_t> find_in(const std::map<int32_t, int64_t>& offsets, int32_t queue) {
  const auto found = offsets.find(queue);
  return found == offsets.end() ? std::nullopt : std::optional(found->second);
}

/// The port two below the main one, where nothing waits behind sends.
std::string fast_port_of(const std::string& address) {
  const size_t colon = address.rfind(':');
  return fmt::format("{}:{}", address.substr(0, colon), std::atoi(address.c_str() + colon + 1) - 2);
}

}  // namespace

struct SlaveSync::State : std::enable_shared_from_this<SlaveSync::State> {
  State(remoting::EventLoop& on, const Parts& all) : loop(on), parts(all) {}

  /// One thing to copy: what to ask, and what to do with the answer, on a worker.
  struct Step {
    const char* what;
    remoting::OutgoingRequest request;
    std::function<Result<void>(State&, const Response&)> take;
  };

  /// A commit taken here that the master has to hear of.
  struct OwnCommit {
    std::string key;  ///< topic@group
    QueueId queue;
    QueueOffset offset;
  };

  void round();
  void next_step();
  void answered(Result<Response> answer);
  void done(const char* what, const Result<void>& result);
  void hand_back(const remoting::ConsumerOffsetTable& masters);
  void tell_next();
  void told(const OwnCommit& commit, const Result<Response>& answer);
  bool given_up(const std::string& key, const Response& answer);
  void end_round();
  void rest(int64_t pause_ms);
  std::vector<Step> steps();
  Result<void> replace(const std::string& name, const std::string& text);

  remoting::EventLoop& loop;
  const Parts parts;
  std::function<void(const std::string&)> file_replaced;
  std::function<void(const store::TimerCheckpoint&)> timers_told;
  std::atomic<bool> wanted{false};

  // The loop's.
  std::string master;
  std::vector<Step> left;
  Step current{};
  std::vector<OwnCommit> to_tell;
  std::map<std::string, int64_t> refused_since;  ///< commits of unknown topics or groups; steady ms, by topic@group
  int32_t on_their_way = 0;                      ///< commits told that the master hasn't answered yet
  int64_t began_ms = 0;
  remoting::EventLoop::TimerId rest_timer = 0;  ///< 0: a round is under way
  bool stopped = false;
  std::set<std::string> failing;  ///< steps whose failure was told
};

SlaveSync::SlaveSync(remoting::EventLoop& loop, const Parts& parts) : state_(std::make_shared<State>(loop, parts)) {}
SlaveSync::~SlaveSync() = default;

void SlaveSync::on_file(std::function<void(const std::string&)> told) { state_->file_replaced = std::move(told); }

void SlaveSync::on_timers(std::function<void(const store::TimerCheckpoint&)> told) {
  state_->timers_told = std::move(told);
}

void SlaveSync::start() {
  state_->loop.post([state = state_] { state->rest(kFirstMs); });
}

void SlaveSync::soon() {
  if (state_->wanted.exchange(true)) return;
  state_->loop.post([state = state_] {
    if (state->rest_timer == 0) return;  // the present round's end looks at `wanted`
    state->loop.cancel(std::exchange(state->rest_timer, 0));
    state->rest(kSoonMs);
  });
}

void SlaveSync::stop() { state_->stopped = true; }

void SlaveSync::State::rest(int64_t pause_ms) {
  rest_timer = loop.after(pause_ms, [self = shared_from_this()] {
    self->rest_timer = 0;
    self->round();
  });
}

void SlaveSync::State::round() {
  if (stopped) return;
  wanted.store(false);
  master = parts.replication.master();
  began_ms = loop.steady_ms();
  if (!master.empty() && master != parts.config.now().address()) left = steps();
  next_step();
}

/// In the order in which they are to be done, last first.
std::vector<SlaveSync::State::Step> SlaveSync::State::steps() {
  std::vector<Step> all;
  all.push_back({"the end of its log", remoting::make_request(remoting::GetBrokerRuntimeInfoRequest{}),
                 [](State& self, const Response& answer) -> Result<void> {
                   COMET_TRY(const auto table, remoting::parse_kv_table(answer.body));
                   const auto end = table.table.find("commitLogMaxOffset");
                   if (end == table.table.end()) return {};
                   self.parts.replication.master_ends_at(PhyOffset(std::atoll(end->second.c_str())));
                   return {};
                 }});
  if (timers_told) {
    all.push_back({"timer metrics", remoting::make_request(remoting::GetTimerMetricsRequest{}),
                   [](State& self, const Response& answer) { return self.replace("timermetrics", answer.body); }});
    all.push_back({"the timers' progress", remoting::make_request(remoting::GetTimerCheckPointRequest{}),
                   [](State& self, const Response& answer) -> Result<void> {
                     COMET_TRY(const auto checkpoint, store::TimerCheckpoint::parse(as_bytes(answer.body)));
                     self.timers_told(checkpoint);
                     return {};
                   }});
  }
  all.push_back({"message request modes", remoting::make_request(remoting::GetAllMessageRequestModeRequest{}),
                 [](State& self, const Response& answer) -> Result<void> {
                   COMET_TRY(auto modes, remoting::parse_message_request_mode_wrapper(answer.body));
                   return self.parts.request_modes.become(std::move(modes));
                 }});
  all.push_back({"delay offsets", remoting::make_request(remoting::GetAllDelayOffsetRequest{}),
                 [](State& self, const Response& answer) { return self.replace("delayOffset.json", answer.body); }});
  all.push_back({"consumer offsets", remoting::make_request(remoting::GetAllConsumerOffsetRequest{}),
                 [](State& self, const Response& answer) -> Result<void> {
                   COMET_TRY(const auto table, remoting::parse_consumer_offset_table(answer.body));
                   self.hand_back(table);
                   self.parts.offsets.become(table);
                   return self.parts.offsets.persist();
                 }});
  all.push_back({"groups", remoting::make_request(remoting::GetAllSubscriptiongroupConfigRequest{}),
                 [](State& self, const Response& answer) -> Result<void> {
                   COMET_TRY(const auto groups, remoting::parse_subscription_group_wrapper(answer.body));
                   self.parts.groups.become(groups);
                   return {};
                 }});
  all.push_back({"topics", remoting::make_request(remoting::GetAllTopicConfigRequest{}),
                 [](State& self, const Response& answer) -> Result<void> {
                   COMET_TRY(const auto topics, remoting::parse_topic_config_wrapper(answer.body));
                   self.parts.topics.become(topics);
                   return {};
                 }});
  return all;
}

void SlaveSync::State::next_step() {
  if (stopped) return;
  if (left.empty()) return end_round();
  current = std::move(left.back());
  left.pop_back();
  parts.client.call(fast_port_of(master), std::move(current.request), kAnswerMs,
                    [self = shared_from_this()](Result<Response> answer) { self->answered(std::move(answer)); });
}

void SlaveSync::State::answered(Result<Response> answer) {
  if (stopped) return;
  if (!answer) {
    left.clear();  // the master is not there: the others would only wait as long
    return done(current.what, tl::unexpected(std::move(answer).error()));
  }
  if (answer->code == static_cast<int32_t>(remoting::ResponseCode::kRequestCodeNotSupported)) return next_step();
  if (!answer->ok())
    return done(current.what, fail(Errc::kRefused, fmt::format("code {}: {}", answer->code, answer->remark)));
  auto body = std::make_shared<Response>(*std::move(answer));
  const bool taken = parts.workers.submit([self = shared_from_this(), body] {
    auto result = std::make_shared<Result<void>>(self->current.take(*self, *body));
    self->loop.post([self, result] { self->done(self->current.what, *result); });
  });
  if (!taken) done(current.what, fail(Errc::kFull, "the workers are overloaded"));
}

void SlaveSync::State::done(const char* what, const Result<void>& result) {
  if (result) {
    failing.erase(what);
  } else if (failing.insert(what).second) {
    parts.log.warn("{} can't be copied from the master {}: {}", what, master, result.error().what);
  }
  next_step();
}

void SlaveSync::State::end_round() {
  const int64_t took_ms = loop.steady_ms() - began_ms;
  const int64_t pause_ms = kRestPerWork * took_ms;
  rest(std::max(wanted.load() ? kSoonMs : kPeriodMs, pause_ms));
}

/// Consumers that found no master committed here; the master hears of what it doesn't know better. On a worker.
void SlaveSync::State::hand_back(const remoting::ConsumerOffsetTable& masters) {
  std::vector<OwnCommit> unheard;
  for (const auto& [key, queues] : parts.offsets.own().all().offsets) {
    const auto row = masters.offsets.find(key);
    for (const auto& [queue, offset] : queues) {
      const auto known = row == masters.offsets.end() ? std::nullopt : find_in(row->second, queue);
      if (known && *known >= offset) {
        parts.offsets.own().settled(key, QueueId(queue), QueueOffset(offset));
      } else {
        unheard.push_back({key, QueueId(queue), QueueOffset(offset)});
      }
    }
  }
  if (unheard.empty()) return;
  loop.post([self = shared_from_this(), unheard = std::move(unheard)]() mutable {
    if (self->on_their_way > 0) return;  // the next round tells the rest
    self->to_tell = std::move(unheard);
    for (int32_t n = 0; n < kToldAtOnce; ++n) self->tell_next();
  });
}

void SlaveSync::State::tell_next() {
  if (stopped || to_tell.empty()) return;
  const OwnCommit commit = std::move(to_tell.back());
  to_tell.pop_back();
  const size_t at = commit.key.find('@');
  remoting::UpdateConsumerOffsetRequest request;
  request.topic = std::string_view(commit.key).substr(0, at);
  request.consumer_group = std::string_view(commit.key).substr(at + 1);
  request.queue_id = commit.queue;
  request.commit_offset = commit.offset;
  ++on_their_way;
  parts.client.call(fast_port_of(master), remoting::make_request(request), kAnswerMs,
                    [self = shared_from_this(), commit](const Result<Response>& answer) {
                      --self->on_their_way;
                      self->told(commit, answer);
                      self->tell_next();
                    });
}

void SlaveSync::State::told(const OwnCommit& commit, const Result<Response>& answer) {
  if (!answer) return to_tell.clear();  // it is away again; the next round begins anew
  if (answer->ok()) {
    parts.log.info("the master has queue {} of {} at {} now", commit.queue.value, commit.key, commit.offset.value);
  } else if (!given_up(commit.key, *answer)) {
    return;  // the next round tries again
  }
  refused_since.erase(commit.key);
  parts.offsets.own().settled(commit.key, commit.queue, commit.offset);
}

/// A master that was killed may have forgotten a new group until its consumers come back; one that was deleted stays
/// so.
bool SlaveSync::State::given_up(const std::string& key, const Response& answer) {
  const auto code = static_cast<remoting::ResponseCode>(answer.code);
  if (code != remoting::ResponseCode::kTopicNotExist && code != remoting::ResponseCode::kSubscriptionGroupNotExist)
    return false;
  const int64_t since_ms = refused_since.try_emplace(key, loop.steady_ms()).first->second;
  if (loop.steady_ms() - since_ms < kRefusedMs) return false;
  parts.log.info("the master has had no use for what was committed here for {}: {}", key, answer.remark);
  return true;
}

Result<void> SlaveSync::State::replace(const std::string& name, const std::string& text) {
  if (text.empty()) return {};
  const Path path = parts.config.now().config_folder() + "/" + name;
  if (read_file(parts.files, path).value_or("") == text) return {};
  COMET_TRY_VOID(parts.files.make_folders(parts.config.now().config_folder()));
  COMET_TRY_VOID(replace_file(parts.files, path, text));
  if (file_replaced) file_replaced(name);
  return {};
}

}  // namespace comet::broker
