#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "broker/config.h"
#include "broker/topics.h"
#include "common/log.h"
#include "remoting/net/client.h"
#include "remoting/net/event_loop.h"

namespace comet::broker {

/// Tells all name servers which topics this broker has: in full at start and every registerNameServerPeriod, the
/// changed topics at once when some change, and goodbye at stop. One connection per name server is kept, because a name
/// server drops a broker whose connection closes.
///
/// A name server that doesn't answer is tried again after 5 s. The list is read anew each time, so a change of
/// namesrvAddr needs no restart.
/// Threads: lives on one loop; topics_changed() and register_now() from any. Source: BrokerController, BrokerOuterAPI;
/// behaviour.md 1.5; remoting.md 12.1, 15.4.
class Registration {
 public:
  static constexpr int64_t kRetryMs = 5'000;

  Registration(remoting::EventLoop& loop, remoting::Client& client, Log& log, const LiveConfig& config, Topics& topics,
               int64_t retry_ms = kRetryMs);
  ~Registration();

  /// Registers everywhere, then keeps doing so. `done` runs once, on the loop, after every name server has answered or
  /// failed: how many of how many have taken the registration.
  void start(std::function<void(int32_t taken, int32_t asked)> done);
  /// A slave's: told, on the loop, which master a name server knows of (addresses of its main and its HA port), or that
  /// it knows none. While none is known registrations come oftener. Set before start().
  void on_master(std::function<void(const std::string& address, const std::string& ha_address)> told);
  /// Topics::on_change: what is changed within one turn of the loop travels together.
  void topics_changed(const std::vector<std::string>& names, const DataVersion& version);
  /// A full registration now (brokerPermission or namesrvAddr was changed).
  void register_now();
  /// Unregisters everywhere; `done` runs on the loop after the answers, at most `timeout_ms` later. On the loop.
  void stop(int64_t timeout_ms, std::function<void()> done);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace comet::broker
