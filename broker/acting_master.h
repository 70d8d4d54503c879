#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "broker/config.h"
#include "broker/duties.h"
#include "broker/pull_holds.h"
#include "broker/replica_members.h"
#include "broker/replication.h"
#include "common/clock.h"
#include "common/log.h"
#include "remoting/net/client.h"
#include "remoting/net/workers.h"

namespace comet::broker {

/// Whether this slave acts for its master, and what follows from that.
///
/// It acts while its id is the lowest that name servers know, and it hears nothing from the master over the HA port
/// either (Apache looks at the name servers alone): a master that only they have lost still delivers. While it acts,
/// consumers read, commit and lock here; with enableRemoteEscape it takes the master's duties, too.
/// A master that comes back says so before it serves (EXCHANGE_BROKER_HA_INFO 906): then the slave has left the duties
/// before it answers, and takes them no earlier than kHandOverMs later, so that nothing is delivered by both.
/// Threads: looked() on loop 0; master_returns() on a worker; the rest from any. Source:
/// BrokerController.updateMinBroker, onMinBrokerChange; replication.md 6.
class ActingMaster {
 public:
  /// The returning master has so long to take back what it needs and to register.
  static constexpr int64_t kHandOverMs = 15'000;

  struct Parts {
    Replication& replication;
    Duties& duties;
    remoting::Client& client;
    remoting::WorkerPool& workers;
    PullHolds& holds;
    const LiveConfig& config;
    const Clock& clock;
    Log& log;
  };
  explicit ActingMaster(const Parts& parts) : parts_(parts) {}

  /// For ReplicaMembers::on_lowest().
  void looked(const ReplicaMembers::Lowest& lowest);
  /// A master announces itself: from now on its log is followed, and its duties are its own.
  void master_returns(const std::string& address, const std::string& ha_address);
  bool acting() const { return acting_.load(std::memory_order_relaxed); }

 private:
  void master_gone();
  void master_there(const ReplicaMembers::Lowest& lowest);
  bool should_act(int64_t lowest_id) const;
  void settle_duties();

  const Parts parts_;
  std::atomic<bool> acting_{false};
  std::atomic<bool> settling_{false};      ///< a worker is about to take or leave the duties
  std::atomic<int64_t> not_before_ms_{0};  ///< it doesn't act before this; Unix ms
  int64_t lowest_id_ = 0;                  // loop 0's: what was known last; a slave begins as one whose master is there
};

}  // namespace comet::broker
