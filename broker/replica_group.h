#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "broker/acting_master.h"
#include "broker/duties.h"
#include "broker/half_escape.h"
#include "broker/pre_online.h"
#include "broker/take_back.h"

namespace comet::broker {

/// This broker's part among the brokers of its name, from its start to its end: joins them, has the duties while they
/// are its own, and hands them over.
///
/// A composition of what is beside it; no state of its own. Threads: start() and end() on the main thread, looks on
/// loop 0. Source: BrokerController.start, startService; replication.md 6.
class ReplicaGroup {
 public:
  struct Parts {
    remoting::Client& client;
    remoting::WorkerPool& workers;
    ReplicaMembers& members;
    Replication& replication;
    store::MessageStore& store;
    DelaySchedule& delays;
    DelayOffsets& delay_offsets;
    Timers* timers;
    ConsumerOffsets& offsets;
    Transactions& transactions;
    TransactionChecks& checks;
    Escape* escape;  ///< of a slave with enableRemoteEscape
    PullHolds& holds;
    const LiveConfig& config;
    const Clock& clock;
    Log& log;
  };
  /// `loop` is loop 0.
  ReplicaGroup(remoting::EventLoop& loop, const Parts& parts);

  /// Joins; then `register_now` runs once: at once, or on a worker after the others were met.
  void start(std::function<void()> register_now);
  /// On the loop: asks and meets nobody any more.
  void stop_looking();
  /// The duties are nobody's here from now on. Not on a loop.
  void end();

  ActingMaster& acting() { return acting_; }
  /// A slave's, for SlaveSync: how far its master's timers are.
  void follow(const store::TimerCheckpoint& master) { duties_.follow(master); }
  /// Keys of the runtime information (request 28), with enableSlaveActingMaster.
  void add_to(std::map<std::string, std::string, std::less<>>& table) const;

 private:
  void met();
  void go_online();

  remoting::EventLoop& loop_;
  const Parts parts_;
  std::unique_ptr<HalfEscape> half_escape_;
  Duties duties_;
  ActingMaster acting_;
  TakeBack take_back_;
  PreOnline pre_online_;
  std::function<void()> register_now_;
  std::atomic<bool> online_{false};
};

}  // namespace comet::broker
