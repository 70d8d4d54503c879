#pragma once

#include <atomic>
#include <mutex>

#include "broker/delay_schedule.h"
#include "broker/half_escape.h"
#include "broker/timers.h"
#include "broker/transaction_checks.h"
#include "broker/transactions.h"
#include "common/log.h"
#include "remoting/net/event_loop.h"
#include "store/timer_checkpoint.h"

namespace comet::broker {

/// What only one broker of a replica group may do at a time: deliver what is due, see transactions to their end.
///
/// A master does it while it serves. A slave does it in its master's place, where it has an outlet for what it makes;
/// then it hands open transactions on instead of checking them. Threads: any but a loop's, except taken(); take() and
/// leave() wait for the work at hand. Source: BrokerController.changeSpecialServiceStatus.
class Duties {
 public:
  struct Parts {
    DelaySchedule& delays;
    Timers* timers;  ///< null without timerWheelEnable
    Transactions& transactions;
    TransactionChecks& checks;
    HalfEscape* escape;  ///< a slave's
    Log& log;
  };
  /// `loop` is loop 0.
  Duties(const Parts& parts, remoting::EventLoop& loop) : parts_(parts), loop_(loop) {}

  /// From now on this broker does them; where it does already, nothing happens.
  void take();
  /// After return it doesn't; a timer slot that was begun is delivered whole, and how far all got is written down.
  void leave();
  /// They are left at once, and nobody takes them any more.
  void end();
  bool taken() const { return taken_.load(std::memory_order_relaxed); }

  /// A slave's timers follow their master's, unless they are its own duty now.
  void follow(const store::TimerCheckpoint& master);

 private:
  void leave_transactions();

  const Parts parts_;
  remoting::EventLoop& loop_;
  std::mutex mu_;  // held while they are taken or left; guards what follows
  bool ended_ = false;
  std::atomic<bool> taken_{false};
};

}  // namespace comet::broker
