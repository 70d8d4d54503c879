#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "broker/config.h"
#include "broker/consumer_offsets.h"
#include "broker/groups.h"
#include "common/log.h"
#include "store/message_store.h"

namespace comet::broker {

/// Protects the page cache from who reads old messages: with disableConsumeIfConsumerReadSlowly every 3 minutes each
/// group that pulled since the last look, and in some queue is more than consumerFallbehindThreshold bytes of log
/// behind, gets consumeEnable=false, in subscriptionGroup.json, too; an administrator sets it back.
///
/// Pulls note nothing for it: what they read is known from where they got to. Threads: one at a time.
/// Source: BrokerController.protectBroker; behaviour.md 12.7.
class SlowReaders {
 public:
  static constexpr int64_t kLookMs = 180'000;

  SlowReaders(const LiveConfig& config, const ConsumerOffsets& offsets, Groups& groups, store::MessageStore& store,
              Log& log)
      : config_(config), offsets_(offsets), groups_(groups), store_(store), log_(log) {}

  void look();

 private:
  /// Bytes of log between the message that the next pull begins with and the end; 0 at the queue's end.
  int64_t behind_bytes(const ConsumerOffsets::PulledPlace& place, PhyOffset log_end);

  const LiveConfig& config_;
  const ConsumerOffsets& offsets_;
  Groups& groups_;
  store::MessageStore& store_;
  Log& log_;
  std::map<std::string, int64_t> seen_;  // "queue@topic@group" → where it was at the last look
};

}  // namespace comet::broker
