#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "broker/config.h"
#include "broker/consumer_offsets.h"
#include "broker/half_ledger.h"
#include "broker/half_message.h"
#include "broker/own_messages.h"
#include "broker/send_checks.h"
#include "broker/topics.h"
#include "broker/transaction_metrics.h"
#include "common/log.h"
#include "remoting/net/event_loop.h"
#include "store/message_store.h"

namespace comet::broker {

/// What becomes of half messages: each is decided once, and the op topic and the checker's offsets say so on disk.
///
/// Order of writing, so that a crash loses no transaction and shows no message too early: first what takes the half
/// message's place (the final message, a copy, the discarded one), then its op record, soon after and many in one; the
/// checker's offset passes it only when all of that is durable, and the op topic's offset follows a round later.
/// A commit can be delivered twice only if the broker dies between the final message and the op record.
/// Threads: load() before start(); start(), stop(), op records, offsets on loop 0; the rest from any.
/// Source: TransactionalMessageServiceImpl, TransactionalMessageBridge; behaviour.md 9.
class Transactions {
 public:
  struct Parts {
    store::MessageStore& store;
    Topics& topics;
    ConsumerOffsets& offsets;
    TransactionMetrics& metrics;
    const LiveConfig& config;
    const Clock& clock;
    Log& log;
  };
  /// `loop` is loop 0, `by_loop` its own; `broker` is the address that name servers give for this broker.
  Transactions(const Parts& parts, remoting::EventLoop& loop, OwnMessages& by_loop, const Host& broker);

  /// Learns from the op topic which half messages are decided, and from the open ones which are copies. Reads the disk.
  void load();
  /// From start() to stop() transactions are decided here; outside, a slave leaves them to its master.
  void start();
  void stop();
  /// After stop() and the store's: writes down how far all got, which is durable now.
  void commit_all();
  bool active() const { return active_.load(); }

  HalfLedger& ledger() { return ledger_; }

  /// Each for a half message at `place` that the caller has claimed; afterwards it is settled, or released where it was
  /// refused. `half` may be an older copy of it. `by` is the calling thread's.
  Checked<store::PutResult> commit(const HalfMessage& half, QueueOffset place, OwnMessages& by);
  Checked<store::PutResult> roll_back(const HalfMessage& half, QueueOffset place);
  Checked<store::PutResult> discard(const HalfMessage& half, QueueOffset place, OwnMessages& by);
  Checked<store::PutResult> copy(const HalfMessage& half, QueueOffset place, CopyMarks marks, OwnMessages& by);

  /// A discarded one, decided late or asked about again: nobody's claim, nothing to settle.
  Checked<store::PutResult> commit_discarded(const HalfMessage& half, OwnMessages& by);
  Checked<store::PutResult> resume(const HalfMessage& half, OwnMessages& by);

  /// A round of checks begins: op records that no half message needs since the last round are done.
  void round_begins();
  /// All half messages below `place` are decided, gone, or copied.
  void passed(QueueOffset place);

  /// Writes the op records that are due.
  void write_ops();
  /// Commits how far the checks got, as soon as what that rests on is durable.
  void commit_offsets();

 private:
  void replay_ops(QueueOffset from, QueueOffset half_end);
  void trace_copies(QueueOffset half_end);
  QueueOffset offset_of(std::string_view topic);
  Checked<store::PutResult> checked(Checked<store::PutResult> result);
  void settled(const HalfMessage& half, QueueOffset place);
  void schedule_ops(size_t due_bytes);
  void commit_ops(QueueOffset half);
  void rests_on(PhyOffset end);

  const Parts parts_;
  remoting::EventLoop& loop_;
  OwnMessages& by_loop_;
  const Host broker_;
  HalfLedger ledger_;
  OpProgress ops_;
  std::atomic<bool> active_{false};
  enum OpsWait : int { kNone, kSoon, kNow };
  std::atomic<int> ops_wait_{kNone};    // which write of op records is on its way
  std::atomic<int64_t> newest_end_{0};  // of all that was written for transactions; bytes in the log

  // Loop 0's.
  remoting::EventLoop::TimerId tick_ = 0;
  QueueOffset passed_, committed_, committed_a_round_ago_;  // in the half topic
  QueueOffset ops_committed_;
  PhyOffset passed_rests_on_;
};

}  // namespace comet::broker
