#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "broker/config.h"
#include "broker/topic_routes.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/message_codec.h"
#include "remoting/net/client.h"
#include "remoting/net/event_loop.h"
#include "store/message_store.h"

namespace comet::broker {

/// Where messages go that the broker would store itself, if its log weren't its master's.
class Outlet {
 public:
  /// Waits until `message` is stored there. kServiceNotAvailable: it isn't, or nobody knows; try again later.
  virtual store::PutResult put(const Message& message) = 0;

 protected:
  ~Outlet() = default;
};

/// Stores messages at another broker: a master of another name that has their topic, and there in any queue.
///
/// A slave's log is its master's, so what a slave makes in its master's place can only go elsewhere. Queues take turns;
/// one whose broker doesn't take a message is passed over by the next try. What that broker stored but could not flush
/// or copy in time counts as stored. Threads: put() on any but a loop's; it waits for two answers at most. end() from
/// any. Source: EscapeBridge; replication.md 6.
class Escape final : public Outlet {
 public:
  Escape(remoting::EventLoop& loop, remoting::Client& client, TopicRoutes& routes, const LiveConfig& config, Log& log,
         const Clock& clock);

  store::PutResult put(const Message& message) override;
  /// Nobody waits any more, now and later.
  void end();
  int64_t escaped() const { return escaped_.load(std::memory_order_relaxed); }

 private:
  /// One message on its way.
  struct Trip {
    std::string topic, body, properties, group;
    int32_t sys_flag = 0, flag = 0, reconsume_times = 0;
    int64_t born_ms = 0;
    bool over = false, stored = false;  // under mu_
    std::string problem;                // under mu_
  };
  using TripPtr = std::shared_ptr<Trip>;

  void depart(const TripPtr& trip);
  void send(const TripPtr& trip, const TopicRoute::Writable& to);
  void arrive(const TripPtr& trip, std::string problem);

  remoting::EventLoop& loop_;
  remoting::Client& client_;
  TopicRoutes& routes_;
  const LiveConfig& config_;
  Log& log_;
  const Clock& clock_;
  LogGate gate_{1};
  size_t turn_ = 0;  // the loop's
  std::atomic<int64_t> escaped_{0};
  std::mutex mu_;
  std::condition_variable changed_;
  bool ended_ = false;  // under mu_
};

/// What a due message keeps on its way to another broker: all but what would delay it again there.
std::string due_properties(std::string_view properties);
/// What one that is not due yet keeps, to be due there at `due_ms`.
std::string timed_properties(std::string_view properties, int64_t due_ms);

}  // namespace comet::broker
