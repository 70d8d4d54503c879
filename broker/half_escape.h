#pragma once

#include <mutex>

#include "broker/config.h"
#include "broker/escape.h"
#include "broker/transactions.h"
#include "common/log.h"
#include "remoting/net/event_loop.h"
#include "remoting/net/workers.h"
#include "store/message_store.h"

namespace comet::broker {

/// Hands transactions that a lost master left open to other masters, as half messages: they ask the producers then.
///
/// A slave can't decide them, because it can't write that down. Every transactionCheckInterval it walks the half topic
/// from where the checks stood, in order; what is decided is passed over. A half message that no other master takes
/// stays, and what is behind it, until one does or the own master is back (Apache gives such a one up after eleven
/// tries). How far it got stands in the committed offsets of the checker's group, which the master takes back.
/// Threads: start() and stop() on any but a loop's; the walk on workers, one slice at a time.
/// Source: TransactionalMessageServiceImpl.check, TransactionalMessageBridge.escapeMessage; replication.md 6.
class HalfEscape {
 public:
  struct Parts {
    Transactions& transactions;
    Outlet& outlet;
    store::MessageStore& store;
    remoting::WorkerPool& workers;
    const LiveConfig& config;
    Log& log;
  };
  /// `loop` is loop 0.
  HalfEscape(const Parts& parts, remoting::EventLoop& loop) : parts_(parts), loop_(loop) {}

  /// Reads what is open, then begins; the first walk after one interval.
  void start();
  /// After return nothing more is handed on.
  void stop();
  /// A walk, now; on a worker.
  void walk();

 private:
  enum class Step { kMore, kEnd };
  Step slice();
  bool hand_on(const HalfMessage& half);
  void arm();
  bool is_in(uint64_t term);

  const Parts parts_;
  remoting::EventLoop& loop_;
  std::mutex mu_;  // held during a slice; guards what follows
  bool active_ = false;
  uint64_t term_ = 0;  ///< a timer of an earlier term does nothing
  QueueOffset next_;
};

}  // namespace comet::broker
