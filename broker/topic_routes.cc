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

std::string master_of(const remoting::RouteData& route, const std::string& broker_name) {
  for (const remoting::BrokerData& broker : route.brokers) {
    const auto master = broker.addresses.find(0);
    if (broker.broker_name == broker_name && master != broker.addresses.end()) return master->second;
  }
  return {};
}

TopicRoutes::Route route_of(const std::string& topic, const remoting::RouteData& data) {
  auto route = std::make_shared<TopicRoute>();
  for (const remoting::QueueData& on : data.queues) {
    if ((on.perm & perm::kRead) != 0)
      for (int32_t id = 0; id < on.read_queue_nums; ++id)
        route->readable.push_back({on.broker_name, QueueId(id), topic});
    const std::string master = (on.perm & perm::kWrite) != 0 ? master_of(data, on.broker_name) : std::string();
    if (master.empty()) continue;
    for (int32_t id = 0; id < on.write_queue_nums; ++id)
      route->writable.push_back({on.broker_name, master, QueueId(id)});
  }
  return route;
}

}  // namespace

struct TopicRoutes::State : std::enable_shared_from_this<TopicRoutes::State> {
  struct Topic {
    Route route;
    int64_t asked_ms = -1;  // steady; -1: never answered
    std::vector<Found> waiting;
  };
  State(remoting::EventLoop& on, remoting::Client& with, const LiveConfig& settings)
      : loop(on), client(with), config(settings) {}

  int64_t now_ms() const { return loop.clock().steady_ns() / 1'000'000; }
  void find(const std::string& name, Found found);
  void ask(const std::string& name, std::vector<std::string> servers);
  void answered(const std::string& name, bool known, Route route);

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
    const Route route = topic.route;
    return found(route);
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
                    return self->answered(name, true, route_of(name, *route));
                }
                const auto unknown = static_cast<int32_t>(remoting::ResponseCode::kTopicNotExist);
                if (answer && answer->code == unknown && servers.empty()) return self->answered(name, true, nullptr);
                self->ask(name, std::move(servers));
              });
}

void TopicRoutes::State::answered(const std::string& name, bool known, Route route) {
  Topic& topic = topics[name];
  if (known) {
    topic.route = std::move(route);
    topic.asked_ms = topic.route == nullptr ? -1 : now_ms();  // a topic that comes into being is seen at once
  }
  const Route told = topic.route;
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
