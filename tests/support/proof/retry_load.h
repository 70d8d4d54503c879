#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/support/proof/crash_rig.h"

namespace comet::test {

/// A consumer that gives back what it got: with CONSUMER_SEND_MSG_BACK to be tried again after a second, or as a dead
/// letter; or, as newer clients do, with an ordinary send to the retry topic.
///
/// What must hold: what was acknowledged as given back is tried again in the end (or is a dead letter), as often given
/// back as it was, with the topic it came from; one comes again only after a stop.
class RetryLoad final : public Workload {
 public:
  std::string settings() const override { return "flushDelayOffsetInterval=100\n"; }
  void run(int32_t port, uint64_t seed, const std::atomic<bool>& stop) override;
  std::vector<std::string> verify(int32_t port, const Aftermath& aftermath) override;
  size_t acknowledged() const override;

 private:
  enum class Way { kBack, kDead, kSend };
  struct Given {
    bool acked = false;
    Aftermath::Time when;
  };

  RawClient::Answer give_back(RawClient& client, Way way, const std::string& body, int64_t at) const;
  std::vector<std::string> missing(const std::map<std::string, int>& found, const Aftermath& aftermath) const;

  bool made_topic_ = false;
  int stops_ = 0;
  int64_t next_ = 0;
  std::map<std::string, Given> given_;  ///< by body
};

}  // namespace comet::test
