#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/support/proof/crash_rig.h"

namespace comet::test {

/// Sends messages that wait: of delay level 1 (a second), and timers by TIMER_DELAY_MS, TIMER_DELAY_SEC and
/// TIMER_DELIVER_MS.
///
/// What must hold: an acknowledged one is delivered in the end, with the bytes that were sent; none is stored in its
/// topic before it is due; none comes that was never sent; one comes again only after a stop, of traffic or of a
/// recovery.
class DelayLoad final : public Workload {
 public:
  std::string settings() const override;
  void run(int32_t port, uint64_t seed, const std::atomic<bool>& stop) override;
  std::vector<std::string> verify(int32_t port, const Aftermath& aftermath) override;
  size_t acknowledged() const override;

 private:
  struct Sent {
    int64_t due_ms = 0;
    bool is_timer = false;
    bool acked = false;
    Aftermath::Time when;
  };

  std::vector<std::string> missing(const std::map<std::string, int>& delivered, const Aftermath& aftermath) const;

  bool made_topic_ = false;
  int stops_ = 0;
  int64_t next_ = 0;
  std::map<std::string, Sent> sent_;  ///< by body
};

}  // namespace comet::test
