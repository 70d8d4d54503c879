#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "remoting/protocol/bodies/common.h"

namespace comet::broker {

using LockedQueue = remoting::MessageQueue;

/// Which client of a group may consume a queue in order. A lock is a lease of 60 s that its owner renews by asking
/// again; an expired one goes to the next that asks. In memory only, as RocketMQ's. Threads: any. Source:
/// RebalanceLockManager.
class QueueLocks {
 public:
  static constexpr int64_t kLeaseMs = 60'000;  ///< rocketmq.broker.rebalance.lockMaxLiveTime
  static constexpr size_t kMaxQueuesPerGroup = 1'000'000;

  explicit QueueLocks(const Clock& clock) : clock_(clock) {}

  /// Takes or renews each of `queues` for `client`, where nobody else holds it; returns those that it holds now.
  std::vector<LockedQueue> lock(std::string_view group, std::string_view client,
                                const std::vector<LockedQueue>& queues);
  /// Gives back those that `client` owns; others are left alone.
  void unlock(std::string_view group, std::string_view client, const std::vector<LockedQueue>& queues);
  /// Forgets leases that ran out: who asks next gets the queue either way.
  void expire();
  /// Whether some client of the group holds an unexpired lock: its consumers are orderly ones.
  bool any_held(std::string_view group) const;
  size_t size() const;  ///< leases, of all groups

 private:
  struct Lease {
    std::string client;
    int64_t renewed_ms = 0;  // steady
  };
  using Leases = std::map<LockedQueue, Lease>;
  int64_t now_ms() const { return clock_.steady_ns() / 1'000'000; }
  static bool expired(const Lease& lease, int64_t now_ms) { return now_ms - lease.renewed_ms > kLeaseMs; }

  const Clock& clock_;
  mutable std::mutex mu_;  // guards what follows
  std::map<std::string, Leases, std::less<>> groups_;
};

}  // namespace comet::broker
