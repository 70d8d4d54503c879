#pragma once

#include <cstdint>

#include "broker/config.h"
#include "broker/groups.h"
#include "broker/readers_behind.h"
#include "common/clock.h"
#include "common/log.h"
#include "store/message_store.h"

namespace comet::broker {

/// Protects the page cache from who reads old messages: with disableConsumeIfConsumerReadSlowly every 3 minutes each
/// group that pulled since the last look, and in some queue is more than consumerFallbehindThreshold bytes of log
/// behind, gets consumeEnable=false, in subscriptionGroup.json, too; an administrator sets it back.
///
/// diskFallRecorded=false switches it off, as it does Apache's. Threads: one at a time.
/// Source: BrokerController.protectBroker; behaviour.md 12.7.
class SlowReaders {
 public:
  static constexpr int64_t kLookMs = 180'000;

  SlowReaders(const LiveConfig& config, const ConsumerOffsets& offsets, Groups& groups, store::MessageStore& store,
              const Clock& clock, Log& log)
      : config_(config), groups_(groups), clock_(clock), log_(log), behind_(offsets, store) {}

  void look();

 private:
  const LiveConfig& config_;
  Groups& groups_;
  const Clock& clock_;
  Log& log_;
  ReadersBehind behind_;
};

}  // namespace comet::broker
