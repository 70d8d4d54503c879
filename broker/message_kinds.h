#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "broker/alarm.h"
#include "broker/config.h"
#include "broker/send_checks.h"
#include "broker/send_properties.h"
#include "broker/statistics.h"
#include "common/clock.h"
#include "store/message_store.h"

namespace comet::broker {

enum class MessageKind : uint8_t {
  kPlain,    ///< stored in its own topic
  kDelayed,  ///< by level: waits in SCHEDULE_TOPIC_XXXX
  kTimed,    ///< until a time of its own: waits in rmq_sys_wheel_timer
};

/// Where a message was put by its kind.
struct Placement {
  MessageKind kind = MessageKind::kPlain;
  int64_t delay_ms = 0;      ///< kDelayed
  int64_t timer_out_ms = 0;  ///< kTimed: the slot that it waits in; it is due when that is over
};

/// Turns a send into another topic by its kind: what asks for a delay is stored where it waits, with its own topic and
/// queue in REAL_TOPIC and REAL_QID. One place for all that is put, whoever puts it: producers, consumers that give a
/// message back, transactions that are committed.
/// Threads: any. Source: HookUtils.handleScheduleMessage; behaviour.md 2.8.
class MessageKinds {
 public:
  MessageKinds(const LiveConfig& config, Statistics& statistics, const Clock& clock, Alarm& delays, Alarm& timers);
  /// Tells whether a slot of the timers is too full for another message; asked only where there is a limit. Set before
  /// serving.
  void on_congestion(std::function<bool(int64_t slot_ms)> congested) { congested_ = std::move(congested); }

  /// Changes `put` and its text of properties, whose owner is `properties`, to what is stored. `sent` tells what stood
  /// in that text. A refusal changes nothing that matters: the message isn't stored.
  Checked<Placement> place(store::PutRequest& put, const SentProperties& sent, std::string& properties) const;

  /// To be called when a placed message was stored: its waker learns when it is due.
  void stored(const Placement& placement, const store::PutRequest& put, const store::PutResult& result) const;

  /// The delay of each level, from level 1.
  const std::vector<int64_t>& delays_ms() const { return delays_ms_; }

 private:
  Placement place_delayed(store::PutRequest& put, const SentProperties& sent, std::string& properties) const;
  Checked<Placement> place_timed(store::PutRequest& put, const SentProperties& sent, std::string& properties) const;

  const LiveConfig& config_;
  Statistics& statistics_;
  const Clock& clock_;
  Alarm& delays_;
  Alarm& timers_;
  std::function<bool(int64_t)> congested_;
  const std::vector<int64_t> delays_ms_;
};

}  // namespace comet::broker
