#include "broker/topic_routes.h"

#include <unordered_map>
#include <utility>

#include "common/system_topics.h"
#include "remoting/protocol/bodies/route.h"
#include "remoting/protocol/headers/route.h"

namespace comet::broker {
namespace {

constexpr int64_t kTimeoutMs = 3'000;
constexpr int64_t kFreshMs = 30'000;

TopicRoutes::Queues readable_queues(const std::string& topic, const remoting::RouteData& route) {
  auto queues = std::make_shared<std::vector<remoting::MessageQueue>>();
  for (const remoting::QueueData& on : route.queues) {
    if ((on.perm & perm::kRead) == 0) continue;
    for (int32_t id = 0; id < on.read_queue_nums; ++id) queues->push_back({on.broker_name, QueueId(id), topic});
  }
  return queues;
}

}  // namespace

struct TopicRoutes::State : std::enable_shared_from_this<TopicRoutes::State> {
  struct Topic {
    Queues queues;
    int64_t asked_ms = -1;  // steady; -1: never answered
    std::vector<Found> waiting;
  };
  State(remoting::EventLoop& on, remoting::Client& with, const LiveConfig& settings)
      : loop(on), client(with), config(settings) {}

  int64_t now_ms() const { return loop.clock().steady_ns() / 1'000'000; }
  void find(const std::string& name, Found found);
  void ask(const std::string& name, std::vector<std::string> servers);
  void answered(const std::string& name, bool known, Queues queues);

  remoting::EventLoop& loop;
  remoting::Client& client;
  const LiveConfig& config;
  std::unordered_map<std::string, Topic> topics;  // on the loop alone
};

void TopicRoutes::State::find(const std::string& name, Found found) {
  if (topics.size() >= kMaxTopics && topics.count(name) == 0)
    std::erase_if(topics, [](const auto& topic) { return topic.second.waiting.empty(); });
  Topic& topic = topics[name];
  const bool fresh = topic.asked_ms >= 0 && now_ms() - topic.asked_ms < kFreshMs;
  if (fresh) {
    const Queues queues = topic.queues;
    return found(queues);
  }
  topic.waiting.push_back(std::move(found));
  if (topic.waiting.size() == 1) ask(name, config.now().name_servers());
}

/// One name server after the other, from the list's end, until one knows.
void TopicRoutes::State::ask(const std::string& name, std::vector<std::string> servers) {
  if (servers.empty()) return answered(name, false, nullptr);
  const std::string server = std::move(servers.back());
  servers.pop_back();
  remoting::GetRouteinfoByTopicRequest request;
  request.topic = name;
  request.accept_standard_json_only = true;
  client.call(server, remoting::make_request(request), kTimeoutMs,
              [self = shared_from_this(), name,
               servers = std::move(servers)](const Result<remoting::Response>& answer) mutable {
                if (answer && answer->ok()) {
                  if (const auto route = remoting::parse_route_data(answer->body))
                    return self->answered(name, true, readable_queues(name, *route));
                }
                const auto unknown = static_cast<int32_t>(remoting::ResponseCode::kTopicNotExist);
                if (answer && answer->code == unknown && servers.empty()) return self->answered(name, true, nullptr);
                self->ask(name, std::move(servers));
              });
}

void TopicRoutes::State::answered(const std::string& name, bool known, Queues queues) {
  Topic& topic = topics[name];
  if (known) {
    topic.queues = std::move(queues);
    topic.asked_ms = topic.queues == nullptr ? -1 : now_ms();  // a topic that comes into being is seen at once
  }
  const Queues told = topic.queues;
  std::vector<Found> waiting = std::exchange(topic.waiting, {});
  if (told == nullptr) topics.erase(name);
  for (Found& found : waiting) found(told);
}

TopicRoutes::TopicRoutes(remoting::EventLoop& loop, remoting::Client& client, const LiveConfig& config)
    : state_(std::make_shared<State>(loop, client, config)) {}
TopicRoutes::~TopicRoutes() = default;

void TopicRoutes::find(std::string topic, Found found) {
  if (state_->loop.here()) return state_->find(topic, std::move(found));
  state_->loop.post([state = state_, topic = std::move(topic), found = std::move(found)]() mutable {
    state->find(topic, std::move(found));
  });
}

}  // namespace comet::broker
