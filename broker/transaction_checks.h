#pragma once

#include <cstdint>

#include "broker/config.h"
#include "broker/half_message.h"
#include "broker/producers.h"
#include "broker/transactions.h"
#include "common/log.h"
#include "remoting/net/event_loop.h"
#include "remoting/net/workers.h"
#include "store/message_store.h"

namespace comet::broker {

/// Asks producers how old transactions ended: CHECK_TRANSACTION_STATE (39).
///
/// A round walks the half topic from where the last one ended. What is decided is passed over; what is old enough is
/// appended again with its count of checks, and a producer of its group is asked about that copy; what was asked about
/// transactionCheckMax times, or is older than files are kept, goes to TRANS_CHECK_MAX_TIME_TOPIC. A message within its
/// own CHECK_IMMUNITY_TIME_IN_SECONDS is appended again unasked (which counts as no check, other than Apache's), and
/// the first other one that is too young ends the round. Thread: loop 0. A round goes in slices between which the loop
/// does other work; what isn't in memory is read by a worker first. Source: TransactionalMessageServiceImpl.check,
/// AbstractTransactionalMessageCheckListener; behaviour.md 9.4, 9.5.
class TransactionChecks {
 public:
  struct Parts {
    Transactions& transactions;
    Producers& producers;
    store::MessageStore& store;
    remoting::WorkerPool& workers;
    const LiveConfig& config;
    const Clock& clock;
    Log& log;
  };
  /// `loop` is loop 0, `by_loop` its own; `broker` is the address that name servers give for this broker.
  TransactionChecks(const Parts& parts, remoting::EventLoop& loop, OwnMessages& by_loop, const Host& broker)
      : parts_(parts), loop_(loop), by_loop_(by_loop), broker_(broker) {}

  /// A round every transactionCheckInterval, the first after one interval; a slave runs none.
  void start();
  void stop();

  /// Begins a round now, unless one is going on.
  void begin_round();

 private:
  enum class Step { kNext, kEndOfRound, kLater };
  struct Round {
    bool going_on = false;
    int64_t began_ms = 0;
    QueueOffset next;
    QueueOffset read_ahead{-1};  ///< a worker has read from here on
    int64_t checked = 0, unasked = 0, renewed = 0, discarded = 0;
  };

  void schedule();
  void slice();
  Step read_some();
  void read_ahead();
  void go_on();
  Step look_at(ByteView record);
  Step look_at_open(const HalfMessage& half);
  Step copy(const HalfMessage& half, CopyMarks marks, bool asking);
  Step discard(const HalfMessage& half);
  bool claimed(QueueOffset place, HalfLedger::Purpose purpose);
  void ask(const HalfMessage& half, CopyMarks marks, const store::PutResult& copied);
  void end_round();

  const Parts parts_;
  remoting::EventLoop& loop_;
  OwnMessages& by_loop_;
  const Host broker_;
  bool running_ = false;
  remoting::EventLoop::TimerId timer_ = 0;
  Round round_;
};

}  // namespace comet::broker
