#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/proof/crash_rig.h"

namespace comet::test {

/// A transactional producer that outlives its broker. It sends half messages and ends most of them; the ends that it
/// keeps to itself come when the broker checks. What it decided once it stays with; of a half message that it has no
/// answer for it knows nothing, and says rollback.
///
/// What must hold: what was committed is delivered in the end, once, or again if a stop came right behind the earlier
/// delivery (before its op record was written); what was rolled back, or not decided, never is.
class TransactionLoad final : public Workload {
 public:
  std::string settings() const override {
    return "transactionTimeOut=100\ntransactionCheckInterval=100\ntransactionCheckMax=10000\n";
  }
  void run(int32_t port, uint64_t seed, const std::atomic<bool>& stop) override;
  std::vector<std::string> verify(int32_t port, const Aftermath& aftermath) override;
  size_t acknowledged() const override { return halves_.size(); }

 private:
  enum class Verdict : int32_t { kCommit = 8, kRollback = 12 };
  struct Half {
    Verdict verdict = Verdict::kRollback;
    Aftermath::Time when = Aftermath::Time::max();  ///< of its acknowledgement
  };
  struct End {
    std::string table_offset, log_offset;
    bool from_check = false;
  };

  bool pay(RawClient& client, Rng& rng);
  void answer_checks(int32_t port, const std::atomic<bool>& stop);
  Verdict verdict_of(const std::string& key);
  static RawClient::Ext end_fields(const End& end, Verdict verdict);
  /// Reads what was delivered; sentences on what should not have been.
  std::vector<std::string> read(RawClient& client, std::map<std::string, int64_t>& last_ms, int64_t window_ms);
  std::vector<std::string> missing(const std::map<std::string, int64_t>& last_ms, const Aftermath& aftermath);
  bool stopped_within(int64_t window_ms, int64_t delivered_ms) const;

  bool made_topic_ = false;
  int64_t next_ = 0;
  std::vector<std::pair<int64_t, int64_t>> stops_ms_;  ///< from the signal to the end, by the wall clock
  std::atomic<int> checks_{0};
  std::mutex mu_;
  std::map<std::string, Half> halves_;  // under mu_, by their keys
};

}  // namespace comet::test
