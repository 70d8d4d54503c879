#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "broker/config.h"
#include "broker/topics.h"
#include "common/log.h"
#include "remoting/net/client.h"
#include "remoting/net/event_loop.h"
#include "remoting/protocol/headers/replication.h"

namespace comet::broker {

/// Which brokers of this broker's name are alive, as name servers say; and tells them that this one is.
///
/// With enableSlaveActingMaster a name server is asked every syncBrokerMemberGroupPeriod (GET_BROKER_MEMBER_GROUP 901,
/// or the route of a topic that each of them registers), may tell by itself (NOTIFY_MIN_BROKER_ID_CHANGE 905), and all
/// of them hear of this broker every brokerHeartbeatInterval (BROKER_HEARTBEAT 904 or QUERY_DATA_VERSION 322, one-way).
/// What was said last counts while none answers. Without that key nothing is asked or sent.
/// Threads: lives on one loop; told(), lowest_id(), others(), alive() from any. Source:
/// BrokerController.syncBrokerMemberGroup, sendHeartbeat, BrokerOuterAPI; replication.md 6.
class ReplicaMembers {
 public:
  static constexpr int64_t kUnknown = -1;
  static constexpr int64_t kLostAgainMs = 5'000;

  using Addresses = std::map<int64_t, std::string>;  ///< by broker id, 0 the master's
  /// The member with the lowest id.
  struct Lowest {
    int64_t id = kUnknown;
    std::string address;
    std::string ha_address;  ///< empty where nobody told
  };

  ReplicaMembers(remoting::EventLoop& loop, remoting::Client& client, const LiveConfig& config, const Topics& topics,
                 Log& log);
  ~ReplicaMembers();

  /// Told on the loop whenever somebody has said who is lowest, also if that is known. Set before start().
  void on_lowest(std::function<void(const Lowest&)> told);
  /// Told on the loop when a name server knows others of this name, but not this broker that serves: it was silent for
  /// brokerNotActiveTimeoutMillis. At most every kLostAgainMs. Set before start().
  void on_lost(std::function<void()> told);
  /// Begins to ask.
  void start();
  /// Any thread: this broker serves. From now on it is said to live, and on_lowest() is told.
  void serving();
  /// On the loop: asks and says no more.
  void stop();

  /// Asks now; nothing: no name server answers. Empty: none knows any. `told` runs on the loop.
  void ask(std::function<void(std::optional<Addresses>)> told);
  /// A name server tells of a change (905).
  void told(const remoting::NotifyMinBrokerIdChangeRequest& notice);

  /// Of all that are alive; kUnknown until a name server has said it.
  int64_t lowest_id() const;
  /// Of the others, as far as a name server has said it.
  Addresses others() const;
  /// How many are alive, this broker counted in; totalReplicas until a name server has said it.
  int32_t alive() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace comet::broker
