#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/types.h"

namespace comet::replication {

/// What is known of one connected slave. Written by its session, read by anybody.
struct Slave {
  explicit Slave(std::string from) : address(std::move(from)) {}
  const std::string address;         ///< "ip:port" of its connection
  std::atomic<int64_t> acked{-1};    ///< it holds the log up to here; -1: it has not said
  std::atomic<int64_t> sent_to{-1};  ///< where the next frame starts
  std::atomic<int64_t> bytes_per_second{0};
};

/// The slaves that are connected, and how far they are. Threads: any.
class Slaves {
 public:
  void add(const std::shared_ptr<Slave>& slave);
  void remove(const std::shared_ptr<Slave>& slave);
  std::vector<std::shared_ptr<Slave>> all() const;

  /// Up to where `replicas` replicas hold the log, the master being one of them; everything for 1 or less.
  PhyOffset held_by(int32_t replicas) const;
  /// Replicas that hold the log but for less than `max_gap_bytes`, the master included. Source: inSyncReplicasNums.
  int32_t in_sync(PhyOffset end, int64_t max_gap_bytes) const;

 private:
  mutable std::mutex mu_;
  std::vector<std::shared_ptr<Slave>> slaves_;  // under mu_
};

}  // namespace comet::replication
