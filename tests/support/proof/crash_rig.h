#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "common/rng.h"
#include "tests/support/cluster.h"

namespace comet::test {

class TappedDisk;

/// What a stop may have taken, for the judge of a load.
struct Aftermath {
  using Time = std::chrono::steady_clock::time_point;
  bool all = false;            ///< look at everything from the first message on, and wait for what is still to come
  Time waited = Time::max();   ///< what was acknowledged before this is there
  Time flushed = Time::max();  ///< and so is before this what its sender didn't want to wait for (WAIT=false)
  int64_t stop_begin_ms = 0, stop_end_ms = 0;  ///< when the broker ended, by the wall clock
};

/// One kind of traffic for the crash rig, with its own memory of what the broker acknowledged. Derive from it for
/// delays, transactions, retries or replication: run() makes traffic, verify() says what must still be true.
class Workload {
 public:
  virtual ~Workload() = default;
  /// Lines for the broker's settings.
  virtual std::string settings() const { return ""; }
  /// On a thread of its own: makes traffic until a call fails, because the broker is gone, or `stop` is set. Must
  /// return soon then. No Catch assertions here.
  virtual void run(int32_t port, uint64_t seed, const std::atomic<bool>& stop) = 0;
  /// After the restart, before new traffic. Sentences on what was lost, altered or reordered.
  virtual std::vector<std::string> verify(int32_t port, const Aftermath& aftermath) = 0;
  /// So many were acknowledged so far; a judge of nothing finds nothing.
  virtual size_t acknowledged() const = 0;
};

/// A real mqbroker that is killed at random moments, started again on what it left, and asked.
class CrashRig {
 public:
  /// `settings`: further lines for the broker's.
  CrashRig(uint64_t seed, const std::string& settings, std::vector<std::unique_ptr<Workload>> workloads);
  ~CrashRig();

  /// Traffic for a random while, kill -9 (now and then a second one while it recovers, or a clean stop instead),
  /// restart, verify. Fails the test with the sentences.
  void round(bool last);
  /// Traffic on a disk that is tapped, then a power cut: kill -9, and the broker starts again on one of the disks that
  /// the cut may leave. Under ASYNC_FLUSH the traffic lasts longer than what may be lost. Once, before any round().
  void power_cut_round();
  /// A start and traffic on a disk where one call fails, whatever the broker makes of it; then it starts again on a
  /// good one. False: it didn't come to that call.
  bool fault_round(int64_t call, int error);
  Daemon& broker() { return broker_; }

 private:
  void start();
  void run_workloads(int64_t micros);
  void verify(Aftermath aftermath);

  const bool sync_flush_;
  Aftermath::Time killed_;
  int64_t stop_begin_ms_ = 0, stop_end_ms_ = 0;
  Rng rng_;
  TempDir dir_{memory_folder()};
  std::unique_ptr<TappedDisk> disk_;
  Daemon broker_;
  std::vector<std::unique_ptr<Workload>> workloads_;
};

}  // namespace comet::test
