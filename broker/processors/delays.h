#pragma once

#include "broker/delay_offsets.h"
#include "broker/timer_metrics.h"
#include "broker/timers.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/replication.h"

namespace comet::broker {

/// Up to where delayed messages were delivered, for slaves, which copy it.
/// Source: AdminBrokerProcessor; replication.md 6; remoting.md 11.2.
class DelayProcessor {
 public:
  /// `timers` is null where timerWheelEnable is false.
  DelayProcessor(const DelayOffsets& offsets, const Timers* timers, const TimerMetrics& metrics)
      : offsets_(offsets), timers_(timers), metrics_(metrics) {}

  remoting::Reply all_offsets(const remoting::Call& call, const remoting::GetAllDelayOffsetRequest& request);
  remoting::Reply timer_checkpoint(const remoting::Call& call, const remoting::GetTimerCheckPointRequest& request);
  remoting::Reply timer_metrics(const remoting::Call& call, const remoting::GetTimerMetricsRequest& request);

 private:
  const DelayOffsets& offsets_;
  const Timers* timers_;
  const TimerMetrics& metrics_;
};

}  // namespace comet::broker
