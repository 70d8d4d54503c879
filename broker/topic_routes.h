#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/config.h"
#include "common/task.h"
#include "remoting/net/client.h"
#include "remoting/net/event_loop.h"
#include "remoting/protocol/bodies/common.h"

namespace comet::broker {

/// A topic's queues in the whole cluster.
struct TopicRoute {
  struct Writable {
    std::string broker_name;
    std::string address;  ///< the master's
    QueueId queue;
  };
  std::vector<remoting::MessageQueue> readable;
  std::vector<Writable> writable;  ///< of brokers whose master is there
};

/// Where topics live, as the name servers say.
///
/// What they said counts for 30 s, and beyond them while none of them answers. Nothing is
/// asked for that nobody wants to know. Threads: find() from any; the rest on the loop. Source: TopicRouteInfoManager.
class TopicRoutes {
 public:
  /// Null: no name server knows the topic.
  using Route = std::shared_ptr<const TopicRoute>;
  using Found = MoveFunction<void(const Route&)>;

  static constexpr size_t kMaxTopics = 65'536;  ///< remembered

  TopicRoutes(remoting::EventLoop& loop, remoting::Client& client, const LiveConfig& config);
  ~TopicRoutes();

  /// `found` runs once, on the loop.
  void find(std::string topic, Found found);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace comet::broker
