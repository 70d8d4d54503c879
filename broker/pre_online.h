#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "broker/config.h"
#include "broker/replica_members.h"
#include "broker/replication.h"
#include "broker/take_back.h"
#include "common/log.h"
#include "remoting/net/client.h"
#include "remoting/net/event_loop.h"
#include "remoting/net/workers.h"

namespace comet::broker {

/// The start of a broker whose name others serve already: it meets them before name servers hear of it.
///
/// A master tells each of them, by id, where it is (EXCHANGE_BROKER_HA_INFO 906), waits until that one is connected
/// for its log, and takes back what was done in its place. A slave asks its master where its log comes from, and waits
/// until it does. Where nobody else is there, or no master, it goes online at once. What fails is begun again after a
/// second; who was met stays met. Thread: loop 0. Source: BrokerPreOnlineService; replication.md 6.
class PreOnline {
 public:
  static constexpr int64_t kRetryMs = 1'000, kConnectMs = 10'000, kLookMs = 20;

  struct Parts {
    ReplicaMembers& members;
    Replication& replication;
    TakeBack& take_back;
    remoting::Client& client;
    remoting::WorkerPool& workers;
    const LiveConfig& config;
    PhyOffset log_end_at_start;
    Log& log;
  };
  PreOnline(remoting::EventLoop& loop, const Parts& parts) : loop_(loop), parts_(parts) {}

  /// Any thread; `online` runs once, on the loop. What it calls is alive until the loop ends.
  void start(std::function<void()> online);
  /// On the loop: goes no further.
  void stop() { stopped_ = true; }

 private:
  void attempt();
  void meet_slaves(const ReplicaMembers::Addresses& members);
  void meet(const std::string& slave);
  void meet_master(const std::string& master);
  void keep_masters_start(std::optional<PhyOffset> log_end);
  void wait_for(std::function<bool()> linked, int64_t until_ms, std::function<void()> then);
  void again(const std::string& why);
  void go_online();

  remoting::EventLoop& loop_;
  const Parts parts_;
  std::function<void()> online_;
  std::set<std::string> met_;  ///< a master's: slaves
  std::string told_;           ///< the problem that was logged last
  bool stopped_ = false;
};

}  // namespace comet::broker
