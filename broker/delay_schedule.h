#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "broker/delay_offsets.h"
#include "broker/escape.h"
#include "broker/own_messages.h"
#include "common/clock.h"
#include "common/log.h"
#include "store/message_store.h"

namespace comet::broker {

/// Delivers messages of the delay levels when they are due: never early, in the order of each level's queue.
///
/// Level n waits in queue n - 1 of SCHEDULE_TOPIC_XXXX, whose entries hold the due time. A due message is stored again
/// under its REAL_TOPIC and REAL_QID with all its properties; then its entry counts as delivered. Levels take turns, so
/// that many due ones of one don't hold up the others. A message that can't be stored stays, and with it its level's
/// queue, until it can.
/// Only a master delivers, or a slave in its place: start() and stop() say when. Threads: run() and pass() on a thread
/// of their own, because they read messages that may have to come from the disk; the rest from any. Source:
/// ScheduleMessageService; behaviour.md 8.1, 8.2; store.md 22.
class DelaySchedule {
 public:
  struct Parts {
    store::MessageStore& store;
    Topics& topics;
    Statistics& statistics;
    const MessageKinds& kinds;
    DelayOffsets& offsets;
    Alarm& alarm;
    const LiveConfig& config;
    const Clock& clock;
    Log& log;
    Outlet* outlet = nullptr;  ///< a slave's, whose own log takes nothing
  };
  explicit DelaySchedule(const Parts& parts);

  /// From now on this broker delivers, beginning where the offsets say.
  void start();
  /// After return nothing more is delivered, until start().
  void stop();

  /// The thread's life, until the alarm ends.
  void run();
  /// Delivers what is due; returns when to look again (Unix ms), Alarm::kNever if nothing waits.
  int64_t pass();
  /// Messages that went with their log files before they were due, since the start.
  int64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  struct Level {
    int32_t number = 0;
    int64_t delay_ms = 0;
    QueueOffset next;
    int64_t retry_at_ms = 0;
    std::shared_ptr<GetTallies> gets;
    std::shared_ptr<Tally> queue_gets, queue_get_bytes;
    store::QueueKeyView queue() const;
  };
  enum class Delivery { kDone, kLater };

  void load_levels();
  void add_level(int32_t number, int64_t delay_ms);
  void skip_deleted(Level& level);
  int64_t deliver(Level& level);
  Delivery deliver_one(Level& level, const store::QueueEntry& entry);
  void retry_later(Level& level, const store::PutResult& result, const Message& message);

  const Parts parts_;
  OwnMessages own_;
  LogGate gate_{1};
  std::atomic<int64_t> lost_{0};
  std::atomic<bool> hurry_{false};  ///< somebody wants mu_
  std::mutex mu_;                   // held while it delivers; guards what follows
  bool active_ = false;
  std::vector<Level> levels_;
  PhyOffset delivered_end_;
};

}  // namespace comet::broker
