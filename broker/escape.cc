#include "broker/escape.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/message_properties.h"
#include "common/system_topics.h"
#include "remoting/protocol/fields.h"
#include "remoting/protocol/headers/send.h"

namespace comet::broker {
namespace {

constexpr int64_t kSendMs = 3'000;
constexpr int64_t kPatienceMs = 10'000;  ///< longer than the answers of two name servers and a broker take
constexpr int32_t kHostBits = sys_flag::kBornHostV6 | sys_flag::kStoreHostV6;  // the other broker's to set
constexpr std::string_view kAsksForTime[] = {property::kTimerDeliverMs, property::kTimerDelaySec,
                                             property::kTimerDelayMs};
constexpr std::string_view kOfTheWheel[] = {property::kTimerOutMs,     property::kTimerEnqueueMs,
                                            property::kTimerDequeueMs, property::kTimerRollTimes,
                                            property::kRealTopic,      property::kRealQueueId};

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

template <class Keeps>
std::string kept(std::string_view properties, Keeps keeps) {
  std::string text;
  each_property(properties, [&](std::string_view name, std::string_view value) {
    if (name != property::kCrc32 && keeps(name)) append_property(text, name, value);
  });
  return text;
}

/// Apache's codes for "stored, but".
bool is_stored(const remoting::Response& answer) {
  using remoting::ResponseCode;
  const auto is = [&](ResponseCode code) { return answer.code == static_cast<int32_t>(code); };
  return answer.ok() || is(ResponseCode::kFlushDiskTimeout) || is(ResponseCode::kFlushSlaveTimeout) ||
         is(ResponseCode::kSlaveNotAvailable);
}

}  // namespace

std::string due_properties(std::string_view properties) {
  // TIMER_OUT_MS says that a timer has run: with it the wishes stay, for who reads them.
  const bool timed = find_property(properties, property::kTimerOutMs).has_value();
  return kept(properties, [&](std::string_view name) {
    if (timed) return name != property::kRealTopic && name != property::kRealQueueId;
    return name != property::kDelay && !is_one_of(name, kAsksForTime);
  });
}

std::string timed_properties(std::string_view properties, int64_t due_ms) {
  std::string text = kept(properties, [](std::string_view name) {
    return !is_one_of(name, kAsksForTime) && !is_one_of(name, kOfTheWheel);
  });
  append_property(text, property::kTimerDeliverMs, std::to_string(due_ms));
  return text;
}

Escape::Escape(remoting::EventLoop& loop, remoting::Client& client, TopicRoutes& routes, const LiveConfig& config,
               Log& log, const Clock& clock)
    : loop_(loop), client_(client), routes_(routes), config_(config), log_(log), clock_(clock) {}

store::PutResult Escape::put(const Message& message) {
  const BrokerConfig& config = config_.now();
  auto trip = std::make_shared<Trip>();
  trip->topic = message.topic;
  trip->body = message.body;
  trip->properties = message.properties;
  const auto group = find_property(message.properties, property::kProducerGroup);
  trip->group =
      group ? std::string(*group) : fmt::format("InnerProducerGroup_{}_{}", config.broker_name, config.broker_id);
  trip->sys_flag = message.sys_flag & ~kHostBits;
  trip->flag = message.flag;
  trip->reconsume_times = message.reconsume_times;
  trip->born_ms = message.born_timestamp_ms;
  loop_.post([this, trip] { depart(trip); });

  store::PutResult result;
  std::unique_lock lock(mu_);
  changed_.wait_for(lock, std::chrono::milliseconds(kPatienceMs), [&] { return trip->over || ended_; });
  if (trip->stored) {
    escaped_.fetch_add(1, std::memory_order_relaxed);
    return result;
  }
  result.status = store::PutStatus::kServiceNotAvailable;
  result.problem = "no other broker took it";
  int64_t suppressed = 0;
  if (!ended_ && gate_.admit(clock_.now_ms(), suppressed))
    log_.warn("a message for {} stays here: {} ({} such lines left out)", trip->topic,
              trip->problem.empty() ? "no answer" : trip->problem, suppressed);
  return result;
}

void Escape::end() {
  const std::lock_guard lock(mu_);
  ended_ = true;
  changed_.notify_all();
}

void Escape::depart(const TripPtr& trip) {
  routes_.find(trip->topic, [this, trip](const TopicRoutes::Route& route) {
    if (route == nullptr) return arrive(trip, "no name server knows the topic");
    std::vector<const TopicRoute::Writable*> others;
    for (const auto& queue : route->writable)
      if (queue.broker_name != config_.now().broker_name) others.push_back(&queue);
    if (others.empty()) return arrive(trip, "no other master has the topic");
    send(trip, *others[turn_++ % others.size()]);
  });
}

void Escape::send(const TripPtr& trip, const TopicRoute::Writable& to) {
  remoting::SendMessageV2Request request;
  request.producer_group = trip->group;
  request.topic = trip->topic;
  request.default_topic = kAutoCreateTopic;
  request.default_topic_queue_nums = 8;
  request.queue_id = to.queue;
  request.sys_flag = trip->sys_flag;
  request.born_timestamp_ms = trip->born_ms;
  request.flag = trip->flag;
  request.properties = trip->properties;
  request.reconsume_times = trip->reconsume_times;
  client_.call(to.address, remoting::make_request(request, trip->body), kSendMs,
               [this, trip, address = to.address](const Result<remoting::Response>& answer) {
                 if (answer && is_stored(*answer)) return arrive(trip, {});
                 arrive(trip, answer ? fmt::format("{} answers {}: {}", address, answer->code, answer->remark)
                                     : fmt::format("{}: {}", address, answer.error().what));
               });
}

void Escape::arrive(const TripPtr& trip, std::string problem) {
  const std::lock_guard lock(mu_);
  trip->over = true;
  trip->stored = problem.empty();
  trip->problem = std::move(problem);
  changed_.notify_all();
}

}  // namespace comet::broker
