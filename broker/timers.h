#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "broker/data_version.h"
#include "broker/escape.h"
#include "broker/former_deliveries.h"
#include "broker/own_messages.h"
#include "broker/real_place.h"
#include "broker/timer_metrics.h"
#include "common/clock.h"
#include "common/log.h"
#include "store/message_store.h"
#include "store/timer_files.h"

namespace comet::broker {

/// What administrators are told of the timers.
struct TimerFigures {
  int64_t read_behind_ms = 0;  ///< the oldest slot that isn't delivered
  int64_t offset_behind = 0;   ///< messages that are stored, but not in the wheel yet
  int64_t congestion = 0;      ///< messages in the wheel
  double taken_in_per_second = 0, delivered_per_second = 0;
};

/// Delivers messages that asked for a time of their own: never before it, and at most timerPrecisionMs after it.
///
/// They wait in rmq_sys_wheel_timer. take_in() follows that queue and notes each in the slot of its TIMER_OUT_MS;
/// deliver_slot() stores a slot's messages under their real topics when the slot is over. A message further off than
/// the roll window goes into a nearer slot and is stored in the timer topic once more from there. One that carries
/// TIMER_DEL_UNIQKEY is never delivered, but keeps another of its slot from being so. A message that can't be stored is
/// tried again until it can, and its slot's time stands still with it.
///
/// What the checkpoint says never runs ahead of what is durable: a power cut loses no delivery, and what the log still
/// has of those that the checkpoint doesn't vouch for is known again (FormerDeliveries) and not repeated. Before
/// its queue_offset everything is in the wheel, and what of that belongs to slots before read_time_ms is delivered; so
/// a message that came when its slot had gone by keeps queue_offset back until it is delivered.
/// Only a master delivers, or a slave in its place; else a slave follows its master's progress. Threads: run() and
/// pass() on a thread of their own, because they read messages that may have to come from the disk; flush() on a
/// worker, one at a time; the rest from any. Source: TimerMessageStore; behaviour.md 8.3; store.md 23.
class Timers {
 public:
  struct Parts {
    store::MessageStore& store;
    Topics& topics;
    Statistics& statistics;
    const MessageKinds& kinds;
    TimerMetrics& metrics;
    store::TimerFiles& files;
    Alarm& alarm;
    const LiveConfig& config;
    const Clock& clock;
    Log& log;
    Outlet* outlet = nullptr;  ///< a slave's, whose own log takes nothing
  };
  explicit Timers(const Parts& parts);

  /// From now on this broker delivers, from the slot that it has come to.
  void start();
  /// After return nothing more is delivered and nothing taken in, until start() or follow().
  void stop();
  /// The same, but a slot that was begun is delivered first, if it can be.
  void stop_between_slots();
  /// A slave's part: takes in what its master has taken in, delivers nothing, and will go on where the master was.
  void follow(const store::TimerCheckpoint& master);
  /// A master's part that comes back: what a slave delivered in its place isn't delivered again. Before start().
  void take_back(const store::TimerCheckpoint& acting);

  /// The thread's life, until the alarm ends.
  void run();
  /// Does what is due; returns when to look again (Unix ms), Alarm::kNever if nothing waits.
  int64_t pass();

  /// Makes what was taken in durable, and the progress as far as what was delivered is.
  Result<void> flush(bool at_stop);
  /// Whether flush() has anything to do.
  bool wants_flush() const;
  /// The progress that flush() wrote last: what slaves are told.
  store::TimerCheckpoint checkpoint() const;

  /// Whether a slot has more messages than timerCongestNumEachSlot: surely at twice as many, by chance between.
  bool congested(int64_t slot_ms);
  TimerFigures figures();
  /// Messages that went with their log files before they were due, since the start.
  int64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  enum class Role { kIdle, kDelivering, kFollowing };
  struct TakenBack {
    std::string topic;
    int64_t markers = 0;  ///< how many want it
    bool met = false;     ///< the message was in the slot
  };
  using TakenBacks = std::map<std::string, TakenBack, std::less<>>;  ///< by TIMER_DEL_UNIQKEY
  /// A slot on its way out.
  struct OpenSlot {
    store::SlotUnits units;
    TakenBacks taken_back;
  };
  struct Rate {
    int64_t count = 0, at_ms = 0;
    double per_second = 0;
    void sample(int64_t now_ms, int64_t total);
  };
  static constexpr int64_t kNoEntry = std::numeric_limits<int64_t>::max();
  enum class Taken { kNothing, kSome, kMore, kFailed };

  QueueOffset first_to_take_in() const;
  int64_t first_slot() const;
  Taken take_in(int64_t write_ms, QueueOffset limit);
  Result<void> note(const store::QueueEntry& entry, int64_t write_ms);
  bool deliver_until(int64_t limit_ms);
  bool deliver_slot(int64_t slot_ms);
  Result<void> open_slot(int64_t slot_ms);
  Result<void> note_taken_back(const store::TimerUnit& unit, TakenBacks& into);
  void close_slot();
  bool deliver(const store::TimerUnit& unit);
  Result<std::optional<PhyOffset>> put_once(const Message& message, const RealPlace& place,
                                            const store::TimerUnit& unit, int64_t since_ms);
  bool wait_for_disk(const Error& why);  ///< false
  store::PutResult put_elsewhere(Message message, const RealPlace& place, const store::TimerUnit& unit);
  bool is_delivered(int64_t slot_ms, QueueOffset entry) const;
  bool is_taken_back(std::string_view topic, std::string_view properties);
  std::string_view traced(const store::TimerUnit& unit, std::string_view properties);
  Result<void> save(const store::TimerCheckpoint& checkpoint);
  void stamp(store::TimerCheckpoint& moved);
  int64_t next_look(int64_t now_ms, bool more_comes) const;
  void complain(std::string_view what);

  const Parts parts_;
  const int64_t precision_ms_;
  OwnMessages own_;
  LogGate gate_{1};
  std::atomic<bool> hurry_{false};         ///< somebody wants mu_
  std::atomic<bool> slot_is_last_{false};  ///< somebody wants mu_ when the present slot is over
  std::atomic<uint32_t> turn_{0};
  mutable std::mutex mu_;  // held while it works; guards what follows
  Role role_ = Role::kIdle;
  std::optional<OpenSlot> slot_;
  std::optional<FormerDeliveries> former_;  ///< until the slots that a former life may have begun are over
  std::string text_, key_;                  // scratch
  /// Of the entries before master_offset_ those of slots before this are delivered.
  std::atomic<int64_t> others_read_ms_{0};
  std::atomic<int64_t> master_offset_{0};      ///< another broker, or this one in a former life, has taken them in
  std::atomic<int64_t> read_ms_{0};            ///< slots before it are delivered
  std::atomic<int64_t> next_{0};               ///< entry of the timer queue to take in next
  std::atomic<int64_t> first_late_{kNoEntry};  ///< the first entry in the slot at read_ms_ whose own has gone by
  std::atomic<int64_t> delivered_end_{0};
  std::atomic<int64_t> taken_total_{0}, delivered_total_{0}, lost_{0};
  std::atomic<bool> follows_{false};  ///< progress and its version are the master's
  std::atomic<bool> rests_{false};    ///< nothing has moved since the last flush, and that left nothing to be done
  std::atomic<int64_t> expire_at_ms_{0};
  std::mutex flush_mu_;                                                  // guards what follows
  std::optional<std::pair<store::TimerCheckpoint, PhyOffset>> waiting_;  ///< to be saved once the log is durable so far
  mutable std::mutex saved_mu_;  // guards what follows; never held while something is written
  store::TimerCheckpoint saved_;
  CopiedVersion version_;  ///< of what is saved next
  Rate taken_rate_, delivered_rate_;
};

}  // namespace comet::broker
